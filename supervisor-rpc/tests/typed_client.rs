//! The typed client beside the tables of methods: there is a typed method for each of them, and its parameters are those
//! of the table.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

use futures_lite::future::block_on;
use supervisor_core::process::Stream::{Stderr, Stdout};
use supervisor_core::rpc::{Kind, Value};
use supervisor_rpc::client::{Client, ClientError, ServerUrl, Supervisor, System};
use supervisor_rpc::namespace::{supervisor_methods, system_methods};
use supervisor_rpc::xmlrpc::{Call, decode_call, encode_response};

/// Methods that are other names for another one.
const ALIASES: &[&str] = &[
    "supervisor.getVersion",
    "supervisor.readMainLog",
    "supervisor.readProcessLog",
    "supervisor.tailProcessLog",
    "supervisor.clearProcessLog",
];

/// A server that writes down what it is asked, and gives the same answer to everything.
struct Recorder {
    _folder: tempfile::TempDir,
    calls: Arc<Mutex<Vec<Call>>>,
    client: Client,
}

impl Recorder {
    fn answering(answer: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (written, answer) = (Arc::clone(&calls), encode_response(answer));
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (written, answer) = (Arc::clone(&written), answer.clone());
                std::thread::spawn(move || serve(&stream, &written, &answer));
            }
        });
        let client = Client::new(ServerUrl::parse(&format!("unix://{}", path.display())).unwrap(), None);
        Self { _folder: folder, calls, client }
    }
}

fn serve(mut stream: &UnixStream, calls: &Mutex<Vec<Call>>, answer: &[u8]) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        calls.lock().unwrap().push(decode_call(&body).unwrap());
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", answer.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer)).unwrap();
    }
}

/// Makes every call that there is. The answer is no matter: most do not fit.
async fn call_everything(supervisor: Supervisor<'_>, system: System<'_>) {
    drop(supervisor.api_version().await);
    drop(supervisor.version().await);
    drop(supervisor.identification().await);
    drop(supervisor.state().await);
    drop(supervisor.pid().await);
    drop(supervisor.read_log(0, 0).await);
    drop(supervisor.clear_log().await);
    drop(supervisor.shutdown().await);
    drop(supervisor.restart().await);
    drop(supervisor.reload_config().await);
    drop(supervisor.add_group("g").await);
    drop(supervisor.remove_group("g").await);
    drop(supervisor.process("p").await);
    drop(supervisor.processes().await);
    drop(supervisor.configurations().await);
    drop(supervisor.start("p", true).await);
    drop(supervisor.start_group("g", true).await);
    drop(supervisor.start_all(true).await);
    drop(supervisor.stop("p", true).await);
    drop(supervisor.stop_group("g", true).await);
    drop(supervisor.stop_all(true).await);
    drop(supervisor.signal("p", "HUP").await);
    drop(supervisor.signal_group("g", "HUP").await);
    drop(supervisor.signal_all("HUP").await);
    for stream in [Stdout, Stderr] {
        drop(supervisor.read_process_log("p", stream, 0, 0).await);
        drop(supervisor.tail_process_log("p", stream, 0, 0).await);
    }
    drop(supervisor.clear_process_logs("p").await);
    drop(supervisor.clear_all_process_logs().await);
    drop(supervisor.send_stdin("p", "text").await);
    drop(supervisor.send_event("kind", "data").await);
    drop(system.list_methods().await);
    drop(system.method_help("a.b").await);
    drop(system.method_signature("a.b").await);
    drop(system.multicall(vec![("a.b", vec![])]).await);
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Int(_) => Kind::Int,
        Value::Bool(_) => Kind::Boolean,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        other => panic!("no parameter is {other:?}"),
    }
}

#[test]
fn every_method_has_a_typed_one_with_its_parameters() {
    let server = Recorder::answering(&Value::Bool(true));
    block_on(call_everything(server.client.supervisor(), server.client.system()));
    let calls = server.calls.lock().unwrap();
    let tables = [("supervisor", supervisor_methods()), ("system", system_methods())];
    let known = || {
        tables.iter().flat_map(|(namespace, methods)| {
            methods.iter().map(move |method| (format!("{namespace}.{}", method.name), method))
        })
    };
    let called: BTreeSet<String> =
        calls.iter().map(|call| call.method.clone()).chain(ALIASES.iter().map(|name| (*name).to_owned())).collect();
    assert_eq!(called, known().map(|(name, _)| name).collect());
    for call in calls.iter() {
        let (_, method) = known().find(|(name, _)| *name == call.method).unwrap();
        let want: Vec<Kind> = method.parameters.iter().map(|parameter| parameter.kind).collect();
        assert_eq!(call.params.iter().map(kind).collect::<Vec<_>>(), want, "{}", call.method);
    }
}

#[test]
fn an_answer_of_another_type_is_no_supervisors() {
    let server = Recorder::answering(&Value::Array(vec![Value::Nil]));
    let supervisor = server.client.supervisor();
    let error = block_on(supervisor.pid()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("does not answer like a supervisor: supervisor.getPID did not answer as documented")
    );
    assert!(matches!(block_on(supervisor.state()), Err(ClientError::NotASupervisor { .. })));
    assert!(matches!(block_on(supervisor.processes()), Err(ClientError::NotASupervisor { .. })));
    // Of a method that is done, any answer says so.
    assert!(block_on(supervisor.shutdown()).is_ok());
}

#[test]
fn many_answers_are_told_apart() {
    let fault =
        Value::Struct(vec![("faultCode".to_owned(), 10.into()), ("faultString".to_owned(), "BAD_NAME: x".into())]);
    let server = Recorder::answering(&Value::Array(vec![Value::Int(5), fault]));
    let system = server.client.system();
    let answers = block_on(system.multicall(vec![("supervisor.getPID", vec![]), ("supervisor.x", vec!["x".into()])]));
    let answers = answers.unwrap();
    assert_eq!(answers[0], Ok(Value::Int(5)));
    assert_eq!(answers[1].as_ref().map_err(|fault| fault.code), Err(10));
    // As many as there were calls, or it is no answer to them.
    assert!(block_on(system.multicall(vec![("a.b", vec![])])).is_err());
}
