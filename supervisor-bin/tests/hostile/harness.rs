//! A daemon that listens on a socket file and on a port, and clients that send what they like.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) use rustix::process::{Pid, Signal, kill_process};

pub(crate) const SLEEPER: &str = "[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n";

/// Nothing that is waited for takes as long as this, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Answers under load come sooner by far; this is for machines that do other things as well.
const PROMPT: Duration = Duration::from_millis(500);

/// What a fault may cost in memory, in bytes.
pub(crate) const MODERATE: u64 = 50 << 20;

/// A folder with a configuration, and the daemon on it.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    port: u16,
    daemon: Option<Child>,
    /// Put in front of the daemon's command: words of a program that executes the rest.
    pub(crate) wrapper: Vec<String>,
    pub(crate) environment: Vec<(&'static str, &'static str)>,
    /// More keys of `[supervisord]`, and of both servers.
    pub(crate) supervisord: String,
    pub(crate) server: String,
}

impl Lab {
    pub(crate) fn new(body: &str) -> Self {
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            daemon: None,
            wrapper: Vec::new(),
            environment: Vec::new(),
            supervisord: String::new(),
            server: String::new(),
        };
        // Other users are to get as far as the files themselves.
        fs::set_permissions(lab.folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        lab.configure(body);
        lab
    }

    /// A lab whose daemon runs.
    pub(crate) fn running(body: &str) -> Self {
        let mut lab = Self::new(body);
        lab.start();
        lab
    }

    /// A lab whose daemon runs with these keys of `[supervisord]` and of its servers.
    pub(crate) fn running_with(supervisord: &str, server: &str, body: &str) -> Self {
        let mut lab = Self::new("");
        (lab.supervisord, lab.server) = (supervisord.to_owned(), server.to_owned());
        lab.configure(body);
        lab.start();
        lab
    }

    pub(crate) fn configure(&self, body: &str) {
        let Self { port, supervisord, server, .. } = self;
        let text = format!(
            "[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nchildlogdir=%(here)s\nnodaemon=true\nminfds=256\n\
             minprocs=50\n{supervisord}\n[unix_http_server]\nfile=%(here)s/s\n{server}\n\
             [inet_http_server]\nport=127.0.0.1:{port}\n{server}\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://%(here)s/s\n{body}"
        );
        fs::write(self.path("conf"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    pub(crate) fn log(&self) -> String {
        self.read("log")
    }

    pub(crate) fn wait_log(&self, words: &str) {
        eventually(words, || self.log().contains(words).then_some(()));
    }

    pub(crate) fn command(&self) -> Command {
        let mut words = self.wrapper.clone();
        words.push(program("supervisord"));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("-c").arg(self.path("conf")).current_dir(self.folder.path());
        command.stdin(Stdio::null()).envs(self.environment.iter().copied());
        command
    }

    pub(crate) fn start(&mut self) {
        self.spawn();
        eventually("the daemon answers", || self.is_up().then_some(()));
    }

    /// Starts the daemon and waits until it listens; calls may not be for us.
    pub(crate) fn spawn(&mut self) {
        let mut command = self.command();
        self.daemon = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        eventually("the daemon listens", || UnixStream::connect(self.path("s")).ok());
    }

    /// Starts a daemon that must end with status 2; gives what it says.
    pub(crate) fn refused(&self) -> String {
        let mut child = self.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let status = within(Duration::from_secs(30), "the daemon refuses", || child.try_wait().unwrap());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(status.code(), Some(2), "{said}");
        said
    }

    pub(crate) fn is_up(&self) -> bool {
        UnixStream::connect(self.path("s")).is_ok() && self.fields("supervisor.getState", "").contains("RUNNING")
    }

    /// The daemon lives and answers, the same as before.
    pub(crate) fn is_well(&mut self, after: &str) {
        assert!(self.daemon.as_mut().unwrap().try_wait().unwrap().is_none(), "it died of {after}");
        let answer = self.rpc("supervisor.getState", "");
        assert!(answer.body.contains("RUNNING"), "after {after}: {answer:?}");
    }

    /// The exit status and output of supervisorctl.
    pub(crate) fn ctl(&self, words: &[&str]) -> Output {
        let mut command = Command::new(program("supervisorctl"));
        command.arg("-c").arg(self.path("conf")).args(words).stdin(Stdio::null()).output().unwrap()
    }

    pub(crate) fn pid(&self) -> i32 {
        self.daemon.as_ref().unwrap().id().try_into().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let mut daemon = self.daemon.take().unwrap();
        eventually("the daemon ends", || daemon.try_wait().unwrap())
    }

    pub(crate) fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// The name that a browser would use for us.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends bytes over TCP and reads until the server closes.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        Answer::of(self.tcp(), request)
    }

    /// A request with these headers, each with its line end.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Answer {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}", self.host());
        if method == "POST" || !body.is_empty() {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        self.raw(&[head.as_bytes(), b"\r\n", body].concat())
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "", b"")
    }

    /// A call; `params` are values without the tags around them, one a line.
    pub(crate) fn rpc(&self, method: &str, params: &str) -> Answer {
        self.ask("POST", "/RPC2", "Content-Type: text/xml\r\n", call(method, params).as_bytes())
    }

    /// The texts of an answer that must be one, between blanks; over the socket file.
    pub(crate) fn fields(&self, method: &str, params: &str) -> String {
        let body = call(method, params);
        let length = body.len();
        let request =
            format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        let Ok(stream) = UnixStream::connect(self.path("s")) else { return String::new() };
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let parts = Answer::of(stream, request.as_bytes()).body;
        let texts = parts.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text.trim()));
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// A field of the information about a process.
    pub(crate) fn info(&self, name: &str, field: &str) -> String {
        let all = self.fields("supervisor.getProcessInfo", &text(name));
        all.split_once(&format!("{field} "))
            .map_or(String::new(), |(_, rest)| rest.split(' ').next().unwrap_or_default().to_owned())
    }

    pub(crate) fn reaches(&self, name: &str, state: &str) {
        eventually(&format!("{name} is {state}"), || (self.info(name, "statename") == state).then_some(()));
    }

    /// The pid of a program that is RUNNING.
    pub(crate) fn pid_of(&self, name: &str) -> i32 {
        self.reaches(name, "RUNNING");
        self.info(name, "pid").parse().unwrap()
    }

    pub(crate) fn memory(&self) -> u64 {
        memory(self.pid())
    }

    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        let pid = Pid::from_child(daemon);
        let _ = kill_process(pid, Signal::CONT);
        let _ = kill_process(pid, Signal::TERM);
        let end = Instant::now() + LIMIT;
        while daemon.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                let _ = daemon.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 if the connection was closed without one.
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Sends all, as far as it is taken, and reads all that comes back until the end.
    pub(crate) fn of(mut stream: impl Read + Write, request: &[u8]) -> Self {
        // Who is refused in the middle is cut off.
        let _ = stream.write_all(request);
        Self::from(stream)
    }

    pub(crate) fn from(mut stream: impl Read) -> Self {
        let mut bytes = Vec::new();
        if let Err(error) = stream.read_to_end(&mut bytes) {
            assert!(error.kind() == std::io::ErrorKind::ConnectionReset, "{error}");
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// True if it says that the client is at fault, or nothing at all.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.status, 0 | 400..=499)
    }
}

/// Asks for the state all the time, and remembers how long each answer took.
pub(crate) struct Probe {
    end: Arc<AtomicBool>,
    asking: JoinHandle<Vec<Duration>>,
}

impl Probe {
    pub(crate) fn start(lab: &Lab) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let (socket, over) = (lab.path("s"), Arc::clone(&end));
        let body = call("supervisor.getState", "");
        let request = format!(
            "POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let asking = std::thread::spawn(move || {
            let mut times = Vec::new();
            while !over.load(Ordering::SeqCst) || times.len() < 20 {
                let began = Instant::now();
                let answer = Answer::of(UnixStream::connect(&socket).unwrap(), request.as_bytes());
                assert!(answer.body.contains("RUNNING"), "{answer:?}");
                times.push(began.elapsed());
                std::thread::sleep(Duration::from_millis(10));
            }
            times
        });
        Self { end, asking }
    }

    /// Ends it; 95 of 100 answers came promptly.
    pub(crate) fn was_prompt(self, what: &str) {
        self.end.store(true, Ordering::SeqCst);
        let mut times = self.asking.join().expect("it was answered all the time");
        times.sort_unstable();
        let time = times[times.len() * 95 / 100];
        assert!(time < PROMPT, "95 of 100 answers within {time:?}: {what}");
    }
}

/// The highest that the memory of a process gets while something is done.
pub(crate) struct Watch {
    pid: i32,
    before: u64,
    end: Arc<AtomicBool>,
    looking: JoinHandle<u64>,
}

impl Watch {
    pub(crate) fn start(lab: &Lab) -> Self {
        let (pid, end) = (lab.pid(), Arc::new(AtomicBool::new(false)));
        let (before, over) = (memory(pid), Arc::clone(&end));
        let looking = std::thread::spawn(move || {
            let mut highest = 0;
            while !over.load(Ordering::SeqCst) {
                highest = highest.max(memory(pid));
                std::thread::sleep(Duration::from_millis(5));
            }
            highest
        });
        Self { pid, before, end, looking }
    }

    /// Ends it; the daemon never grew much.
    pub(crate) fn was_moderate(self, what: &str) {
        self.end.store(true, Ordering::SeqCst);
        let highest = self.looking.join().unwrap().max(memory(self.pid));
        let grown = highest.saturating_sub(self.before);
        assert!(grown < MODERATE, "it grew by {} MiB: {what}", grown >> 20);
    }
}

fn memory(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// The body of a call; `params` are values without the tags around them, one a line.
pub(crate) fn call(method: &str, params: &str) -> String {
    let params: String = params.lines().map(|value| format!("<param><value>{value}</value></param>")).collect();
    format!("<?xml version='1.0'?><methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>")
}

/// A text as a parameter.
pub(crate) fn text(text: &str) -> String {
    format!("<string>{}</string>", text.replace('&', "&amp;").replace('<', "&lt;"))
}

/// A program under test.
pub(crate) fn program(name: &str) -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_supervisord")).parent().unwrap().to_owned();
    std::env::var_os("SUPERVISOR_PROGRAMS").map_or(built, PathBuf::from).join(name).display().to_string()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(LIMIT, what, look)
}

pub(crate) fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// True if there is such a process, and it is no zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    text.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// How many processes run this command line, its words joined by blanks.
pub(crate) fn instances(command: &str) -> usize {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let lines = pids.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).replace('\0', " ").trim() == command).count()
}

/// True if we are root; says otherwise why the test is skipped.
pub(crate) fn is_root(why: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root {why}");
    }
    root
}
