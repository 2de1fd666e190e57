//! A daemon in a folder of its own, and ways to look at it and at its programs.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) use rustix::process::{Pid, Signal, kill_process};

pub(crate) const SLEEPER: &str = "[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n";

/// Nothing that is waited for takes as long as this, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(60);

/// An answer that takes as long as this will not come.
const ANSWER: Duration = Duration::from_secs(600);

/// Half of all answers under load come sooner by far; this is for machines that do other things as well.
pub(crate) const PROMPT: Duration = Duration::from_millis(500);

/// A folder with a configuration, and the daemons started on it.
pub(crate) struct Lab {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) daemons: Vec<Child>,
    /// Put in front of the daemon's command: words of a program that executes the rest.
    pub(crate) wrapper: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Lab {
    pub(crate) fn new(body: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = Self { folder, daemons: Vec::new(), wrapper: Vec::new(), environment: Vec::new() };
        lab.configure("", body);
        lab
    }

    /// A lab whose daemon runs already.
    pub(crate) fn running(body: &str) -> Self {
        let mut lab = Self::new(body);
        lab.start();
        lab
    }

    /// Writes the configuration: the usual sections, more keys of `[supervisord]`, more sections.
    pub(crate) fn configure(&self, supervisord: &str, body: &str) {
        let server = "[unix_http_server]\nfile=%(here)s/s.sock\n";
        self.configure_all(supervisord, &format!("{server}{body}"));
    }

    pub(crate) fn configure_all(&self, supervisord: &str, body: &str) {
        let mut defaults = String::new();
        for (key, value) in [
            ("logfile", "%(here)s/log"),
            ("pidfile", "%(here)s/pid"),
            ("childlogdir", "%(here)s"),
            ("nodaemon", "true"),
            ("minfds", "256"),
            ("minprocs", "50"),
        ] {
            if !supervisord.lines().any(|line| line.split('=').next() == Some(key)) {
                defaults += &format!("{key}={value}\n");
            }
        }
        let text = format!(
            "[supervisord]\n{defaults}{supervisord}\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://%(here)s/s.sock\n{body}"
        );
        fs::write(self.path("conf"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    pub(crate) fn command(&self) -> Command {
        let supervisord = program("supervisord");
        let mut command = match self.wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(supervisord);
                command
            }
            None => Command::new(supervisord),
        };
        command.arg("-c").arg(self.path("conf")).current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.environment.iter().cloned());
        command
    }

    pub(crate) fn spawn(&mut self, stdout: Stdio) -> Pid {
        let child = self.command().stdout(stdout).stderr(Stdio::null()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        self.daemons.push(child);
        pid
    }

    /// Starts the daemon and waits until it answers.
    pub(crate) fn start(&mut self) -> Pid {
        let pid = self.spawn(Stdio::null());
        self.wait_up();
        pid
    }

    pub(crate) fn wait_up(&self) {
        eventually("the daemon answers", || self.try_call("supervisor.getState", &[])?.is_ok().then_some(()));
    }

    /// Starts a daemon that must refuse; gives its stderr.
    pub(crate) fn refused(&self) -> String {
        let began = Instant::now();
        let output = self.command().output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "it refuses in bounded time");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The exit status and output of supervisorctl.
    pub(crate) fn ctl(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(program("supervisorctl"))
            .arg("-c")
            .arg(self.path("conf"))
            .args(words)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// One call; `None` if there is no answer.
    pub(crate) fn try_call(&self, method: &str, parameters: &[Value]) -> Option<Answer> {
        call(&self.path("s.sock"), method, parameters)
    }

    /// One call that must be answered.
    pub(crate) fn call(&self, method: &str, parameters: &[Value]) -> Answer {
        self.try_call(method, parameters).unwrap_or_else(|| panic!("{method} is not answered"))
    }

    /// The state of a process, if there is such a process.
    pub(crate) fn state(&self, name: &str) -> String {
        let answer = self.call("supervisor.getProcessInfo", &[Value::Text(name)]);
        if answer.is_ok() { answer.field("statename") } else { "no such process".to_owned() }
    }

    /// The pid of a process; 0 if it has none.
    pub(crate) fn pid(&self, name: &str) -> i32 {
        self.call("supervisor.getProcessInfo", &[Value::Text(name)]).field("pid").parse().unwrap()
    }

    pub(crate) fn wait_state(&self, name: &str, state: &str) {
        eventually(&format!("{name} is {state}"), || (self.state(name) == state).then_some(()));
    }

    /// The pid of a program that is RUNNING.
    pub(crate) fn pid_of(&self, name: &str) -> i32 {
        self.wait_state(name, "RUNNING");
        self.pid(name)
    }

    pub(crate) fn log(&self) -> String {
        self.read("log")
    }

    pub(crate) fn wait_log(&self, words: &str) {
        eventually(words, || self.log().contains(words).then_some(()));
    }

    /// The pid of the last daemon that was started.
    pub(crate) fn daemon(&self) -> i32 {
        self.daemons.last().unwrap().id().try_into().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.daemon(), signal);
    }

    /// Ends the last daemon and waits for it.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Ends the last daemon, which must go in good order.
    pub(crate) fn stop_well(&mut self) {
        assert_eq!(self.stop().code(), Some(0));
        for name in ["s.sock", "pid", "pid.state"] {
            assert!(!self.path(name).exists(), "{name} is left");
        }
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut daemon = self.daemons.pop().unwrap();
        eventually("the daemon ends", || daemon.try_wait().unwrap())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let pid = Pid::from_child(daemon);
            let _ = kill_process(pid, Signal::CONT);
            let _ = kill_process(pid, Signal::TERM);
            let end = Instant::now() + Duration::from_secs(20);
            while daemon.try_wait().unwrap().is_none() {
                if Instant::now() > end {
                    let _ = daemon.kill();
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // What is left after a failed test: everything that works in the folder.
        for pid in pids() {
            let here = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(self.folder.path()));
            if here {
                kill(pid, Signal::KILL);
            }
        }
    }
}

/// A program under test.
pub(crate) fn program(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_supervisord")).parent().unwrap().to_owned();
    std::env::var_os("SUPERVISOR_PROGRAMS").map_or(built, PathBuf::from).join(name)
}

/// A parameter of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Int(i64),
    Bool(bool),
}

/// The body of an answer with status 200, as it came.
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    pub(crate) fn is_ok(&self) -> bool {
        !self.0.contains("<fault>")
    }

    /// The code of a fault, 0 if it is none.
    pub(crate) fn fault(&self) -> i32 {
        if self.is_ok() { 0 } else { self.field("faultCode").parse().unwrap() }
    }

    /// The first member of this name.
    pub(crate) fn field(&self, name: &str) -> String {
        let from = self.0.find(&format!("<name>{name}</name>")).unwrap_or_else(|| panic!("no {name} in {}", self.0));
        let rest = &self.0[from..];
        text(&rest[rest.find("<value>").unwrap()..rest.find("</value>").unwrap()])
    }

    /// The whole answer as text.
    pub(crate) fn text(&self) -> String {
        text(&self.0[self.0.find("<params>").unwrap_or(0)..])
    }
}

/// What stands outside of tags.
fn text(xml: &str) -> String {
    let words = xml.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text.trim_matches('\n')));
    words.collect::<String>().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// One call through a socket; `None` if there is no daemon.
pub(crate) fn call(socket: &Path, method: &str, parameters: &[Value]) -> Option<Answer> {
    let mut body = format!("<?xml version='1.0'?><methodCall><methodName>{method}</methodName><params>");
    for parameter in parameters {
        body += &match parameter {
            Value::Text(text) => {
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                format!("<param><value><string>{text}</string></value></param>")
            }
            Value::Int(number) => format!("<param><value><int>{number}</int></value></param>"),
            Value::Bool(flag) => format!("<param><value><boolean>{}</boolean></value></param>", u8::from(*flag)),
        };
    }
    body += "</params></methodCall>";
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let (status, answer) = exchange(socket, &(head + &body))?;
    assert_eq!(status, 200, "{method}: {answer}");
    Some(Answer(answer))
}

/// The status and the body of `GET path`.
pub(crate) fn get(socket: &Path, path: &str) -> (u16, String) {
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    exchange(socket, &head).unwrap()
}

fn exchange(socket: &Path, request: &str) -> Option<(u16, String)> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(ANSWER)).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

/// Asks a daemon for its state all the time, and remembers how long each answer took.
pub(crate) struct Probe {
    end: Arc<AtomicBool>,
    asking: JoinHandle<Vec<Duration>>,
}

impl Probe {
    pub(crate) fn start(lab: &Lab) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let (socket, over) = (lab.path("s.sock"), Arc::clone(&end));
        let asking = std::thread::spawn(move || {
            let mut times = Vec::new();
            while !over.load(Ordering::SeqCst) || times.len() < 20 {
                let began = Instant::now();
                assert!(call(&socket, "supervisor.getState", &[]).is_some(), "no answer");
                times.push(began.elapsed());
                std::thread::sleep(Duration::from_millis(10));
            }
            times
        });
        Self { end, asking }
    }

    /// Ends it; 95 of 100 answers came within this time.
    pub(crate) fn percentile(self) -> Duration {
        self.end.store(true, Ordering::SeqCst);
        let mut times = self.asking.join().expect("it was answered all the time");
        times.sort_unstable();
        times[times.len() * 95 / 100]
    }

    /// Ends it; the answers came promptly.
    pub(crate) fn was_prompt(self) {
        let time = self.percentile();
        eprintln!("95 of 100 answers within {time:?}");
        assert!(time < PROMPT, "95 of 100 answers within {time:?}");
    }
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

pub(crate) fn kill(pid: i32, signal: Signal) {
    // One that is gone is what is wanted.
    let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
}

/// True if there is such a process, and it is no zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    stat(pid).is_some_and(|fields| fields[0] != "Z" && fields[0] != "X")
}

pub(crate) fn wait_gone(pid: i32) {
    eventually(&format!("{pid} is gone"), || (!is_alive(pid)).then_some(()));
}

/// The fields of `/proc/PID/stat` from the state on.
pub(crate) fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split_whitespace().map(str::to_owned).collect())
}

pub(crate) fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The living processes of a process group.
pub(crate) fn group_of(leader: i32) -> Vec<i32> {
    let in_group = |pid: &i32| stat(*pid).is_some_and(|fields| fields[0] != "Z" && fields[2] == leader.to_string());
    pids().into_iter().filter(in_group).collect()
}

/// The children of a process that nobody has reaped.
pub(crate) fn zombies_of(parent: i32) -> usize {
    let is_zombie = |pid: &i32| stat(*pid).is_some_and(|fields| fields[0] == "Z" && fields[1] == parent.to_string());
    pids().into_iter().filter(is_zombie).count()
}

/// How many descriptors a process has.
pub(crate) fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// What a process takes of memory, in bytes.
pub(crate) fn memory(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// The processor time that a process has used so far.
pub(crate) fn processor_time(pid: i32) -> Duration {
    let fields = stat(pid).unwrap();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

pub(crate) fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

/// True if we are root; says otherwise why the test is skipped.
pub(crate) fn is_root(why: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root {why}");
    }
    root
}

/// True if a command succeeds; says otherwise why the test is skipped.
pub(crate) fn works(words: &[&str], why: &str) -> bool {
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output();
    let works = output.is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("skipped: `{}` does not work here, {why}", words.join(" "));
    }
    works
}

/// A file system that is mounted for a test.
pub(crate) struct Mount(pub(crate) PathBuf);

impl Mount {
    /// A small one in memory; `None`, with the reason, where it cannot be had.
    pub(crate) fn small(place: PathBuf, options: &str) -> Option<Self> {
        if !is_root("to mount a small file system") {
            return None;
        }
        fs::create_dir_all(&place).unwrap();
        let words = ["mount", "-t", "tmpfs", "-o", options, "none", place.to_str().unwrap()];
        works(&words, "so there is no small disk to fill").then_some(Self(place))
    }

    /// Uses up all space that is left.
    pub(crate) fn fill(&self) {
        let mut file = fs::File::create(self.0.join("ballast")).unwrap();
        for size in [4096, 1] {
            while file.write(&vec![b'x'; size]).is_ok_and(|written| written > 0) {}
        }
    }

    pub(crate) fn empty(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
