//! The served application, spoken to over raw sockets.

#![allow(clippy::unwrap_used, reason = "tests")]

mod conversation;
mod lifecycle;
mod pressure;
mod python;
mod refusals;
mod streams;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use supervisor_core::RequestError;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::server::{Credentials, Server, ServerAddress};
use supervisor_core::rpc::Caller;
use tempfile::TempDir;

use super::app::{Backend, Boxed, Log, OpenLog};
use super::*;

/// A supervisor of one process, `cat`, whose stdout log is written by the test.
#[derive(Default)]
pub(crate) struct FakeBackend {
    lines: Mutex<Vec<(Level, String)>>,
    followers: Mutex<Vec<async_channel::Sender<Vec<u8>>>>,
}

impl FakeBackend {
    pub(crate) fn append(&self, text: &str) {
        for follower in &*self.followers.lock().unwrap() {
            let _ = follower.try_send(text.as_bytes().to_vec());
        }
    }

    /// How many followers are still there.
    fn followers(&self) -> usize {
        self.followers.lock().unwrap().iter().filter(|follower| !follower.is_closed()).count()
    }

    fn lines(&self, level: Level) -> Vec<String> {
        self.lines.lock().unwrap().iter().filter(|(found, _)| *found == level).map(|(_, line)| line.clone()).collect()
    }
}

impl Backend for FakeBackend {
    fn follow(&self, log: Log, backlog: u64) -> Boxed<Result<OpenLog, RequestError>> {
        let exists = match &log {
            Log::Process(name, _) => name.group == "cat" && name.process.as_deref() == Some("cat"),
            Log::Activity => true,
        };
        let (append, chunks) = async_channel::unbounded();
        append.try_send(format!("{log:?} {backlog}\n").into_bytes()).unwrap();
        self.followers.lock().unwrap().push(append);
        let modified = Some(std::time::UNIX_EPOCH);
        Box::pin(async move {
            if exists {
                Ok(OpenLog { stream: Box::pin(chunks), modified })
            } else {
                Err(RequestError::BadName(String::new()))
            }
        })
    }

    fn enabled(&self, _level: Level) -> bool {
        true
    }

    fn log(&self, level: Level, line: &str) {
        self.lines.lock().unwrap().push((level, line.to_owned()));
    }
}

/// Answers a call by its body: `slow` after a moment, `panic` never, `bad` not, anything else with who asked.
#[derive(Default)]
struct FakeDispatcher {
    started: AtomicUsize,
    finished: AtomicUsize,
}

struct Call(Arc<FakeDispatcher>);

impl RpcDispatch for Call {
    fn dispatch(&self, body: Vec<u8>, caller: Caller) -> Boxed<RpcReply> {
        let calls = Arc::clone(&self.0);
        Box::pin(async move {
            calls.started.fetch_add(1, Ordering::SeqCst);
            let text = String::from_utf8_lossy(&body).into_owned();
            if text.contains("slow") {
                let time = if text.contains("very slow") { 2500 } else { 400 };
                async_io::Timer::after(Duration::from_millis(time)).await;
            }
            assert!(!text.contains("panic"), "as the test asked");
            calls.finished.fetch_add(1, Ordering::SeqCst);
            if text.contains("bad") {
                return RpcReply::BadRequest("as the test asked".to_owned());
            }
            let answer = if text.contains("fault") {
                "<fault><value><struct><member><name>faultCode</name><value><int>10</int></value></member><member>\
                 <name>faultString</name><value><string>BAD_NAME: x</string></value></member></struct></value></fault>"
                    .to_owned()
            } else {
                let asked = format!("{} {} {:?} {:?}", body.len(), caller.listener, caller.user, caller.peer);
                format!("<params><param><value><string>{asked}</string></value></param></params>")
            };
            RpcReply::Xml(format!("<methodResponse>{answer}</methodResponse>").into_bytes())
        })
    }
}

/// A server in a folder of its own, over a UNIX socket and TCP.
pub(crate) struct Lab {
    folder: TempDir,
    pub(crate) backend: Arc<FakeBackend>,
    calls: Arc<FakeDispatcher>,
    pub(crate) serving: Option<Serving>,
    pub(crate) port: u16,
}

fn unix_server(path: PathBuf) -> Server {
    let address = ServerAddress::Unix { path, mode: 0o700, owner: None };
    Server::new("unix_http_server", address)
}

fn inet_server(port: u16) -> Server {
    let address = ServerAddress::Inet { host: Some("127.0.0.1".to_owned()), port };
    Server::new("inet_http_server", address)
}

/// Nothing that is waited for takes as long as this, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn quick_limits() -> Limits {
    Limits {
        head_time: Duration::from_millis(300),
        // Long: of several connections that are made at once, one is served after the other.
        idle_time: Duration::from_secs(10),
        kept_time: Duration::from_millis(1500),
        body_time: Duration::from_millis(500),
        write_stall: Duration::from_millis(500),
        linger: Duration::from_millis(200),
        body: 100_000,
        connections: 1024,
        ..Limits::default()
    }
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default(), None, |_| {})
    }

    pub(crate) fn with(
        limits: Limits,
        credentials: Option<(&str, &str)>,
        mount: impl FnOnce(&mut Application),
    ) -> Self {
        let credentials = credentials
            .map(|(username, password)| Credentials { username: username.to_owned(), password: password.to_owned() });
        Self::with_servers(limits, |server| server.credentials.clone_from(&credentials), mount)
    }

    pub(crate) fn with_servers(
        limits: Limits,
        set: impl Fn(&mut Server),
        mount: impl FnOnce(&mut Application),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut servers = [unix_server(folder.path().join("s.sock")), inet_server(0)];
        servers.iter_mut().for_each(set);
        let (bound, notes) = bind_all(&servers, Vec::new()).unwrap();
        assert_eq!(notes, []);
        let port = bound[1].local_address().unwrap().port();
        let mut lab = Self { folder, backend: Arc::default(), calls: Arc::default(), serving: None, port };
        lab.serve(bound, limits, mount);
        lab
    }

    pub(crate) fn serve(&mut self, bound: Vec<Bound>, limits: Limits, mount: impl FnOnce(&mut Application)) {
        let mut application = Application::over(Arc::new(Call(Arc::clone(&self.calls))), self.backend.clone());
        mount(&mut application);
        self.serving = Some(serve(bound, application, limits).unwrap());
    }

    pub(crate) fn calls_started(&self) -> usize {
        self.calls.started.load(Ordering::SeqCst)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("s.sock")
    }

    fn unix(&self) -> Talk {
        let stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Talk { stream: Box::new(stream), got: Vec::new() }
    }

    fn tcp(&self) -> Talk {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Talk { stream: Box::new(stream), got: Vec::new() }
    }

    /// A connection of each kind.
    fn both(&self) -> [Talk; 2] {
        [self.unix(), self.tcp()]
    }

    /// Sends one request over each kind of connection and returns the answer; the status must be the same.
    fn ask(&self, request: &str) -> Answer {
        let [mut unix, mut tcp] = self.both();
        let (one, other) = (unix.ask(request), tcp.ask(request));
        assert_eq!(one.status, other.status, "{request}");
        one
    }
}

trait ReadWrite: Read + Write + Send {
    /// Ends the sending side.
    fn finish(&self);
}

impl ReadWrite for UnixStream {
    fn finish(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

impl ReadWrite for TcpStream {
    fn finish(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

/// A client's side of a connection.
struct Talk {
    stream: Box<dyn ReadWrite>,
    got: Vec<u8>,
}

#[derive(Debug)]
struct Answer {
    head: String,
    status: u16,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

impl Talk {
    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Reads once; false at the end.
    fn more(&mut self) -> bool {
        let mut bytes = [0; 65536];
        match self.stream.read(&mut bytes) {
            Ok(0) => false,
            Ok(count) => {
                self.got.extend_from_slice(&bytes[..count]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&self.got)),
        }
    }

    fn until(&mut self, text: &str) -> String {
        loop {
            let got = String::from_utf8_lossy(&self.got).into_owned();
            if got.contains(text) {
                return got;
            }
            assert!(self.more(), "closed before {text:?}: {got:?}");
        }
    }

    fn head(&mut self) -> Answer {
        let head = loop {
            if let Some(end) = self.got.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.got.split_off(end + 4);
                break String::from_utf8(std::mem::replace(&mut self.got, rest)).unwrap();
            }
            assert!(self.more(), "closed in the head: {:?}", String::from_utf8_lossy(&self.got));
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { head, status, body: String::new() }
    }

    /// One whole answer of known length.
    fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.got.len() < length {
            assert!(self.more(), "closed in the body");
        }
        let rest = self.got.split_off(length);
        answer.body = String::from_utf8(std::mem::replace(&mut self.got, rest)).unwrap();
        answer
    }

    fn ask(&mut self, request: &str) -> Answer {
        self.send(request).answer()
    }

    /// True if a request is answered with 200; false if the connection is closed instead.
    fn answers(&mut self, request: &str) -> bool {
        self.stream.write_all(request.as_bytes()).is_ok() && self.more() && self.head().status == 200
    }

    /// True if the server closes now, without another byte.
    fn closed(&mut self) -> bool {
        let got = self.got.len();
        !self.more() && self.got.len() == got
    }
}

/// Waits until something is so.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
