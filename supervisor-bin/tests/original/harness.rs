//! A daemon, ours or the original, in a folder of its own, and what a run of a supervisorctl at it comes to.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The directory of the original's programs.
pub(super) fn original() -> Option<PathBuf> {
    let found = std::env::var_os("SUPERVISOR_ORIGINAL").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: SUPERVISOR_ORIGINAL is not set, so there is nothing to compare with");
    }
    found
}

pub(super) fn our_daemon() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_supervisord"))
}

pub(super) fn our_ctl() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_supervisorctl"))
}

/// Exit status, output, and the usage error.
pub(super) type Outcome = (Option<i32>, String, Option<String>);

/// How a supervisorctl reaches the daemon.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Access {
    pub(super) tcp: bool,
    /// The value of `password` in the sections of the servers; the user is `user`, the password itself `geh:eim`.
    pub(super) password: Option<&'static str>,
}

pub(super) struct Daemon {
    child: Child,
    port: u16,
    pub(super) folder: tempfile::TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        // A daemon that is gone already needs no signal.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Daemon {
    /// Starts this program with these sections and waits until it answers.
    pub(super) fn start(program: &Path, sections: &str, access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let guard = access.password.map(|password| format!("username=user\npassword={password}\n")).unwrap_or_default();
        let shown = access.password.map(|_| "username=user\npassword=geh:eim\n").unwrap_or_default();
        let url = if access.tcp { format!("http://127.0.0.1:{port}") } else { format!("unix://{here}/s") };
        let configuration = format!(
            "[supervisord]\nlogfile={here}/d.log\npidfile={here}/d.pid\nchildlogdir={here}\nnodaemon=true\n\
             [unix_http_server]\nfile={here}/s\n{guard}[inet_http_server]\nport=127.0.0.1:{port}\n{guard}\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl={url}\n{shown}{sections}"
        );
        std::fs::write(folder.path().join("c.conf"), configuration).unwrap();
        let child = Command::new(program)
            .arg("-c")
            .arg(folder.path().join("c.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { child, port, folder };
        daemon.settle(1);
        daemon
    }

    /// Where its socket is.
    pub(super) fn unix_url(&self) -> String {
        format!("unix://{}/s", self.folder.path().display())
    }

    /// Where its port is.
    pub(super) fn tcp_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until the daemon has come up so many times, and has a state for every program and none on its way.
    pub(super) fn settle(&self, starts: usize) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let log = std::fs::read_to_string(self.folder.path().join("d.log")).unwrap_or_default();
            let status = text(&self.run(&our_ctl(), "status").stdout);
            let settled = !["STARTING", "BACKOFF"].iter().any(|state| status.contains(state));
            if settled && status.contains("RUNNING") && log.matches("supervisord started with pid").count() >= starts {
                return;
            }
            assert!(Instant::now() < end, "the daemon does not answer: {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A supervisorctl with these words; one that begins with `-c` has no configuration file of the daemon's.
    pub(super) fn command(&self, program: &Path, line: &str) -> Command {
        let mut command = Command::new(program);
        if !line.starts_with("-c") {
            command.arg("-c").arg(self.folder.path().join("c.conf"));
        }
        command.args(line.split_whitespace()).stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, program: &Path, line: &str) -> Output {
        self.command(program, line).output().unwrap()
    }

    /// What a run comes to, whatever the daemon's folder and pids are.
    pub(super) fn outcome(&self, program: &Path, line: &str) -> Outcome {
        let (status, lines, complaint) = comparable(&self.run(program, line));
        let lines = lines.replace(&self.folder.path().display().to_string(), "HERE");
        (status, lines.lines().map(without_pid).collect::<Vec<_>>().join("\n"), complaint)
    }
}

/// A document without pids, times and the random parts of AUTO logs.
fn comparable_document(document: &mut serde_json::Value) {
    use serde_json::Value;
    match document {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    "pid" | "started" | "stopped" | "now" if value.is_number() => *value = "N".into(),
                    "description" | "stdout_log" | "stderr_log" if value.is_string() => *value = "some text".into(),
                    _ => comparable_document(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(comparable_document),
        _ => {}
    }
}

/// The line with `N` in place of a pid, and `TIME` in place of a time.
fn without_pid(line: &str) -> String {
    if let Ok(mut document @ serde_json::Value::Object(_)) = serde_json::from_str(line) {
        comparable_document(&mut document);
        return document.to_string();
    }
    if let Some(state) = ["STOPPED   ", "EXITED    "].iter().find(|state| line.contains(**state))
        && !line.ends_with("Not started")
    {
        return format!("{}{state}TIME", line.split(state).next().unwrap_or_default());
    }
    match line.split_once("  pid ") {
        Some((before, _)) => format!("{before}  pid N"),
        None if line != "0" && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) => "N".to_owned(),
        None => line.to_owned(),
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What must be equal: the exit status, the output without times, help texts and the detail of unexpected errors, and on
/// standard error the usage error.
pub(super) fn comparable(output: &Output) -> Outcome {
    let mut lines: Vec<String> = Vec::new();
    for line in text(&output.stdout).lines() {
        let line = if line.starts_with('{') { line } else { line.split(", uptime").next().unwrap_or_default() };
        // Free wording follows, or stands in the line.
        let is_help = line.contains('\t') || line.starts_with("tail [-f]") || line.starts_with("Ex:");
        if !is_help {
            lines.push(if line.starts_with("error: ") { "error: ".to_owned() } else { line.trim_end().to_owned() });
        }
    }
    let complaint = text(&output.stderr).lines().find(|line| line.starts_with("Error: ")).map(str::to_owned);
    (output.status.code(), lines.join("\n").trim_end().to_owned(), complaint)
}
