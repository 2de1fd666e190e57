//! What is refused, with which status, and in which order.

use super::*;

#[test]
fn statuses() {
    let lab = Lab::with(quick_limits(), None, |_| {});
    let long = "x".repeat(20_000);
    let many: String = (0..130).map(|n| format!("H{n}: x\r\n")).collect();
    for (request, status) in [
        ("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("PUT /index.html HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\n\r\n", 411),
        ("POST /ok.html HTTP/1.1\r\nHost: x\r\n\r\n", 411),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        ("POST /%52PC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        ("POST /ok.html HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n", 413),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n", 413),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 0x10\r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc", 400),
        ("POST /ok.html HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        ("POST /ok.html HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        ("GET /ok.html HTTP/3.7\r\nHost: x\r\n\r\n", 400),
        ("GET /ok.html HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        ("GET /ok.html HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (&format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 431),
        (&format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"), 431),
        (&format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"), 431),
    ] {
        for mut talk in lab.both() {
            let answer = talk.ask(request);
            let shown: String = request.chars().take(80).collect();
            assert_eq!(answer.status, status, "{shown}");
            assert_eq!(answer.header("connection"), Some("close"), "{shown}");
            eventually("the connection closes", || !talk.more());
        }
    }
    assert_eq!(lab.ask(&get("/ok.html")).body, "OK");
}

#[test]
fn the_path_of_a_socket_is_a_name_of_its_server() {
    let lab = Lab::with_servers(Limits::default(), |server| server.allowed_hosts = vec!["box".to_owned()], |_| {});
    for host in ["/var/run/supervisor.sock", "unix:///var/run/supervisor.sock"] {
        let request = format!("GET /ok.html HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!((lab.unix().ask(&request).status, lab.tcp().ask(&request).status), (200, 400), "{host}");
    }
}

#[test]
fn two_framings_are_never_two_requests() {
    let lab = Lab::with(quick_limits(), None, |_| {});
    for mut talk in lab.both() {
        talk.send(
            "POST /ok.html HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
             GET /nope HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        eventually("the connection closes", || !talk.more());
        let got = String::from_utf8_lossy(&talk.got).into_owned();
        assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "{got}");
    }
}

#[test]
fn credentials_come_first() {
    let lab = Lab::with(quick_limits(), Some(("u", "p")), |_| {});
    let paths = ["/", "/index.html", "/ok.html", "/RPC2", "/logtail/cat", "/mainlogtail", "/nope", "//x", "/RPC2x"];
    for path in paths {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "BREW"] {
            for credentials in
                ["", "Authorization: Basic dTp4\r\n", "Authorization: Basic ####\r\n", "Authorization: \u{e9}\r\n"]
            {
                let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nHost: y\r\n{credentials}\r\n");
                let mut talk = lab.unix();
                let answer = talk.send(&request).head();
                assert_eq!(answer.status, 401, "{request}");
                assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"default\""));
                assert_eq!(answer.header("connection"), Some("close"));
            }
        }
    }
    let right = "Authorization: basic dTpw\r\n";
    assert_eq!(lab.ask(&format!("GET /ok.html HTTP/1.1\r\nHost: x\r\n{right}\r\n")).status, 200);
    // Twice is not once.
    assert_eq!(lab.ask(&format!("GET /ok.html HTTP/1.1\r\nHost: x\r\n{right}{right}\r\n")).status, 401);
    assert_eq!(lab.ask(&format!("PUT /ok.html HTTP/1.1\r\nHost: x\r\n{right}\r\n")).status, 405);
}

#[test]
fn a_large_body_without_credentials_reads_its_401() {
    let lab = Lab::with(Limits::default(), Some(("u", "p")), |_| {});
    for mut talk in lab.both() {
        let body = "x".repeat(3_000_000);
        talk.send(post("/RPC2", &body));
        assert_eq!(talk.answer().status, 401);
        assert!(!talk.more());
    }
    assert_eq!(lab.calls.started.load(Ordering::SeqCst), 0);
}

#[test]
fn other_sites_change_nothing() {
    let panel = |server: &mut Server| server.allowed_origins = vec!["https://panel.example".to_owned()];
    let lab = Lab::with_servers(Limits::default(), panel, |_| {});
    for (headers, status) in [
        ("Host: x\r\n", 200),
        ("Host: x\r\nOrigin: http://x\r\n", 200),
        ("Host: x\r\nOrigin: https://panel.example\r\nSec-Fetch-Site: cross-site\r\n", 200),
        ("Host: x\r\nOrigin: http://evil.example\r\n", 403),
        ("Host: x\r\nOrigin: null\r\n", 403),
        ("Host: x\r\nSec-Fetch-Site: cross-site\r\n", 403),
    ] {
        let request = format!("POST /RPC2 HTTP/1.1\r\n{headers}Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!(lab.ask(&request).status, status, "{headers}");
    }
    assert_eq!(lab.calls.started.load(Ordering::SeqCst), 6);
}

#[test]
fn other_names_are_refused_where_that_is_asked_for() {
    let ask = |mut talk: Talk, host: &str| talk.ask(&format!("GET /ok.html HTTP/1.1\r\n{host}\r\n")).status;
    let boxed = |server: &mut Server| server.allowed_hosts = vec!["box".to_owned()];
    let lab = Lab::with_servers(Limits::default(), boxed, |_| {});
    for (host, unix, tcp) in [
        ("Host: BOX\r\n", 200, 200),
        ("Host: evil\r\n", 403, 403),
        // What clients on the same machine say; from the network it may be anybody.
        ("Host: localhost\r\n", 200, 403),
        ("", 200, 403),
    ] {
        assert_eq!((ask(lab.unix(), host), ask(lab.tcp(), host)), (unix, tcp), "{host}");
    }
    // A server that does not ask for it neither does so for another, nor spoils it.
    let only_inet = |server: &mut Server| {
        if matches!(server.address, ServerAddress::Inet { .. }) {
            boxed(server);
            server.allowed_origins = vec!["https://panel.example".to_owned()];
        }
    };
    let lab = Lab::with_servers(Limits::default(), only_inet, |_| {});
    assert_eq!((ask(lab.unix(), "Host: evil\r\n"), ask(lab.tcp(), "Host: evil\r\n")), (200, 403));
    let call = "POST /RPC2 HTTP/1.1\r\nHost: box\r\nOrigin: https://panel.example\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!((lab.unix().ask(call).status, lab.tcp().ask(call).status), (403, 200));
}
