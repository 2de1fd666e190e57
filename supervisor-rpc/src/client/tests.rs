#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_lite::StreamExt as _;
use futures_lite::future::block_on;

use super::*;
use crate::server::Limits;
use crate::server::tests::{Lab, eventually, quick_limits};

fn client(url: &str) -> Client {
    Client::new(ServerUrl::parse(url).unwrap(), None)
}

fn unix_url(path: &Path) -> String {
    format!("unix://{}", path.display())
}

/// A client over each kind of connection.
fn clients(lab: &Lab, credentials: Option<(&str, &str)>) -> [Client; 2] {
    let credentials = credentials
        .map(|(username, password)| Credentials { username: username.to_owned(), password: password.to_owned() });
    [unix_url(&lab.socket()), format!("http://127.0.0.1:{}", lab.port)]
        .map(|url| Client::new(ServerUrl::parse(&url).unwrap(), credentials.clone()))
}

fn call(client: &Client, param: &str) -> Result<Value, ClientError> {
    block_on(client.call("a.b", vec![Value::from(param)]))
}

/// A server of one connection that says what it is told to, after having heard a head.
fn canned(answer: &'static str) -> (tempfile::TempDir, Client) {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("s")).unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let client = client(&unix_url(&folder.path().join("s")));
    (folder, client)
}

#[test]
fn calls_and_faults() {
    let lab = Lab::with(Limits::default(), Some(("u", "p:w")), |_| {});
    for client in clients(&lab, Some(("u", "p:w"))) {
        for _ in 0..3 {
            assert!(call(&client, "x").unwrap().as_str().unwrap().contains("Some(\"u\")"));
        }
        assert!(matches!(call(&client, "fault"), Err(ClientError::Fault(fault)) if fault.code == 10));
        assert!(matches!(call(&client, "bad"), Err(ClientError::Http { status: 400, .. })));
        assert!(matches!(call(&client, "panic"), Err(ClientError::Http { status: 500, .. })));
        assert!(call(&client, "slow").is_ok());
    }
    for credentials in [None, Some(("u", "wrong"))] {
        for client in clients(&lab, credentials) {
            let error = call(&client, "x").unwrap_err();
            assert!(matches!(error, ClientError::Unauthorised));
            assert_eq!(error.to_string(), "Server requires authentication");
        }
    }
}

#[test]
fn calls_at_once_share_a_client() {
    let lab = Lab::new();
    for client in clients(&lab, None) {
        let start = Instant::now();
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let client = client.clone();
                async_std::task::spawn(async move { client.call("a.b", vec![Value::from("slow")]).await })
            })
            .collect();
        for task in tasks {
            block_on(task).unwrap();
        }
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    }
}

#[test]
fn nobody_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let url = unix_url(&path);
    let error = call(&client(&url), "x").unwrap_err();
    assert!(matches!(error, ClientError::NoSuchSocket { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("{url} no such file"));
    drop(UnixListener::bind(&path).unwrap());
    let error = call(&client(&url), "x").unwrap_err();
    assert!(matches!(error, ClientError::Refused { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("{url} refused connection"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = call(&client(&format!("http://127.0.0.1:{port}")), "x").unwrap_err();
    assert!(matches!(error, ClientError::Refused { .. }), "{error:?}");
    let error = call(&client("http://no-such-host.invalid:1"), "x").unwrap_err();
    assert!(matches!(error, ClientError::UnknownHost { .. }), "{error:?}");
    let error = block_on(client(&url).follow("/mainlogtail")).unwrap_err();
    assert!(matches!(error, ClientError::Refused { .. }), "{error:?}");
}

#[test]
fn somebody_else_there() {
    for answer in ["SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"] {
        let (_folder, client) = canned(answer);
        let error = call(&client, "x").unwrap_err();
        assert!(matches!(error, ClientError::NotASupervisor { .. }), "{error:?}");
    }
    let (_folder, client) = canned("HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(call(&client, "x"), Err(ClientError::Http { status: 418, .. })));
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"] {
        let (_folder, client) = canned(answer);
        let error = call(&client, "x").unwrap_err();
        assert!(matches!(error, ClientError::Io { .. }), "{error:?}");
    }
}

#[test]
fn an_http_1_0_server_without_length_will_do() {
    let (_folder, client) = canned(
        "HTTP/1.0 200 OK\r\n\r\n<methodResponse><params><param><value><string>3.0</string></value></param></params></methodResponse>",
    );
    assert_eq!(call(&client, "x").unwrap(), Value::from("3.0"));
}

#[test]
fn a_frozen_server_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    // Connections are taken by the kernel, and nobody ever reads.
    let _listener = UnixListener::bind(folder.path().join("s")).unwrap();
    let client = client(&unix_url(&folder.path().join("s")));
    let quick = client.clone().with_probe(Some(Duration::from_millis(200)));
    let start = Instant::now();
    assert!(matches!(call(&quick, "x"), Err(ClientError::TimedOut { .. })));
    assert!((350..3000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    let error = block_on(quick.follow("/mainlogtail")).unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }));
    let bounded = client.with_probe(None).with_timeout(Duration::from_millis(200));
    let error = call(&bounded, "x").unwrap_err();
    assert!(error.to_string().ends_with("gave no answer within 0.2 s"), "{error}");
}

#[test]
fn a_full_backlog_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = rustix::net::socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &rustix::net::SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let _fills_the_backlog = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let client = client(&unix_url(&path)).with_timeout(Duration::from_millis(300));
    assert!(matches!(call(&client, "x"), Err(ClientError::TimedOut { .. })));
}

#[test]
fn a_slow_server_that_lives_is_waited_for() {
    let lab = Lab::new();
    for client in clients(&lab, None) {
        // It is asked twice meanwhile, and has the time that a busy machine takes to answer that.
        call(&client.with_probe(Some(Duration::from_secs(1))), "very slow").unwrap();
    }
}

#[test]
fn a_connection_is_kept_once_its_answer_is_read_to_the_end() {
    const DOCUMENT: &str = "<methodResponse><params><param><value>x</value></param></params></methodResponse>";
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("s")).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while stream.read(&mut request).is_ok_and(|count| count > 0) {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", DOCUMENT.len());
                    stream.write_all((head + DOCUMENT).as_bytes()).unwrap();
                }
            });
        }
    });
    let client = client(&unix_url(&folder.path().join("s")));
    let call = || assert_eq!(call(&client, "x").unwrap(), Value::from("x"));
    let count = || connections.load(Ordering::SeqCst);
    (0..3).for_each(|_| call());
    assert_eq!(count(), 1, "one after the other");
    let log = block_on(client.follow("/mainlogtail")).unwrap();
    assert_eq!(count(), 1);
    call();
    assert_eq!(count(), 2, "the other one is still being read");
    drop(log);
    (0..3).for_each(|_| call());
    assert_eq!(count(), 2);
}

#[test]
fn kept_connections_survive_idle_closes_and_restarts() {
    let mut lab = Lab::with(quick_limits(), None, |_| {});
    let both = clients(&lab, None);
    for _ in 0..3 {
        for client in &both {
            call(client, "x").unwrap();
        }
        // Longer than the server keeps an idle connection.
        std::thread::sleep(Duration::from_millis(700));
    }
    for _ in 0..3 {
        for client in &both {
            call(client, "x").unwrap();
        }
        let bound = block_on(lab.serving.take().unwrap().stop(Duration::from_secs(1)));
        lab.serve(bound, Limits::default(), |_| {});
        for client in &both {
            call(client, "x").unwrap();
        }
    }
}

#[test]
fn logs_are_followed() {
    let mut lab = Lab::new();
    for client in clients(&lab, None) {
        let mut log = block_on(client.follow("/logtail/cat:cat/stderr")).unwrap();
        let mut next = || block_on(log.next()).map(|chunk| String::from_utf8(chunk.unwrap()).unwrap());
        assert!(next().unwrap().ends_with("1024\n"));
        for line in ["one\n", "two é\n"] {
            lab.backend.append(line);
            assert_eq!(next().as_deref(), Some(line));
        }
        drop(log);
        let error = block_on(client.follow("/logtail/zz")).unwrap_err();
        assert!(matches!(error, ClientError::Http { status: 404, .. }), "{error}");
        assert!(error.to_string().ends_with("HTTP status 404 Not Found"), "{error}");
    }
    // The end of the server is the end of the log.
    let mut log = block_on(clients(&lab, None)[0].follow("/mainlogtail")).unwrap();
    assert!(block_on(log.next()).is_some());
    block_on(lab.serving.take().unwrap().close(Duration::from_secs(1)));
    assert!(block_on(log.next()).is_none());
}

#[test]
fn a_server_that_goes_away_ends_its_logs() {
    for (answer, is_good) in [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nrow\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nrow\n\r\nff\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nrow\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nrow\n\r\nzz\r\n", false),
    ] {
        let (_folder, client) = canned(answer);
        let mut log = block_on(client.follow("/mainlogtail")).unwrap();
        assert_eq!(block_on(log.next()).unwrap().unwrap(), b"row\n", "{answer}");
        assert_eq!(block_on(log.next()).is_none(), is_good, "{answer}");
        assert!(block_on(log.next()).is_none(), "{answer}");
    }
}

#[test]
fn a_server_that_dies_in_a_call_is_no_answer() {
    let lab = Lab::with(quick_limits(), None, |_| {});
    let socket = lab.socket();
    let client = clients(&lab, None)[0].clone();
    let waiting = async_std::task::spawn(async move { client.call("a.b", vec![Value::from("very slow")]).await });
    eventually("it has begun", || lab.calls_started() > 0);
    let mut lab = lab;
    block_on(lab.serving.take().unwrap().close(Duration::ZERO));
    let error = block_on(waiting).unwrap_err();
    assert!(matches!(error, ClientError::Io { .. }), "{error:?}");
    assert!(!socket.exists());
}

#[test]
fn nothing_shows_a_password() {
    let credentials = Credentials { username: "u".to_owned(), password: "secret".to_owned() };
    let client = Client::new(ServerUrl::parse("unix:///x").unwrap(), Some(credentials));
    assert!(!format!("{client:?}").contains("secret") && !format!("{client:?}").contains("Basic"));
}
