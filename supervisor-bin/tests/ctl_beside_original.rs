//! Our supervisorctl beside the original one, both at the original daemon: the same words, columns and exit statuses.
//!
//! Runs where `SUPERVISOR_ORIGINAL` names the directory that holds the original's programs; passes without it.
#![allow(clippy::disallowed_methods, reason = "a test starts processes and looks at the clock")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking and says what it left out")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAMS: &str = "
[program:cat]\ncommand=/bin/cat\nstartsecs=0\n
[program:off]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n
[group:g]\nprograms=a,b\n
[program:a]\ncommand=/bin/cat\nstartsecs=0\n
[program:b]\ncommand=/bin/cat\nstartsecs=0\nautostart=false\npriority=5\n
[program:quick]\ncommand=/bin/sh -c 'exit 3'\nautostart=false\nstartretries=0\n
[program:noexec]\ncommand=/etc/passwd\nautostart=false\n
[program:nolog]\ncommand=/bin/cat\nautostart=false\nstdout_logfile=NONE\n";

/// Lines that leave everything as it is, so that both programs meet the same daemon.
const LINES: &[&str] = &[
    "status",
    "status cat",
    "status off zz g:*",
    "status g:b g:b zz:*",
    "status :",
    "status status -s",
    "start",
    "start cat zz zz:* g:a",
    "start noexec quick",
    "start *:x : g:a:b",
    "start cat:cat",
    "stop off off:off zz",
    "stop zz:* quick",
    "signal CONT cat g:* off zz zz:",
    "signal BOGUS all",
    "signal HUP",
    "pid",
    "pid all",
    "pid cat off zz",
    "pid g:*",
    "tail off",
    "tail off:off bogus",
    "tail nolog",
    "tail a b c",
    "tail -5",
    "tail -zz off",
    "tail - off",
    "tail g:*",
    "tail -f",
    "maintail -5 -6",
    "maintail 5",
    "clear off zz g:a",
    "clear all",
    "avail",
    "avail x",
    "reread",
    "update",
    "update zz",
    "add",
    "add zz g",
    "remove zz g",
    "fg",
    "fg a b",
    "fg zz",
    "fg off",
    "version",
    "version x",
    "open foo",
    "open unix:///no/such",
    "help",
    "? zz",
    "help quit x",
    "bogus a b",
    "!ls",
    "status;version",
    "quit x",
    "EOF",
    "shutdown x",
    "--zz",
    "-s foo -h",
    "-i -i status",
    "-c /no/such status",
    "--=3",
    "-s unix:///no/such start x",
    "-s unix:///no/such status",
    "-s unix:///no/such restart x",
    "-s http://127.0.0.1:1 shutdown",
];

struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
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
    fn start(original: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        let configuration = format!(
            "[supervisord]\nlogfile={here}/d.log\npidfile={here}/d.pid\nchildlogdir={here}\nnodaemon=true\n\
             [unix_http_server]\nfile={here}/s\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://{here}/s\n{PROGRAMS}"
        );
        std::fs::write(folder.path().join("c.conf"), configuration).unwrap();
        let child = Command::new(original.join("supervisord"))
            .arg("-c")
            .arg(folder.path().join("c.conf"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { child, folder };
        let end = Instant::now() + Duration::from_secs(30);
        while !text(&daemon.run(&original.join("supervisorctl"), "status g:a cat").stdout).contains("g:a  ") {
            assert!(Instant::now() < end, "the original daemon does not answer");
        }
        daemon
    }

    /// One run; a line that begins with an option has no configuration file of its own.
    fn run(&self, program: &Path, line: &str) -> Output {
        let mut command = Command::new(program);
        if !line.starts_with("-c") {
            command.arg("-c").arg(self.folder.path().join("c.conf"));
        }
        command.args(line.split_whitespace()).stdin(Stdio::null()).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What must be equal: the exit status, the output without times, help texts and the detail of unexpected errors, and on
/// standard error the usage error.
fn comparable(output: &Output) -> (Option<i32>, String, Option<String>) {
    let mut lines: Vec<String> = Vec::new();
    for line in text(&output.stdout).lines() {
        let line = line.split(", uptime").next().unwrap_or_default();
        // Free wording follows, or stands in the line.
        let is_help = line.contains('\t') || line.starts_with("tail [-f]") || line.starts_with("Ex:");
        if !is_help {
            lines.push(if line.starts_with("error: ") { "error: ".to_owned() } else { line.trim_end().to_owned() });
        }
    }
    let complaint = text(&output.stderr).lines().find(|line| line.starts_with("Error: ")).map(str::to_owned);
    (output.status.code(), lines.join("\n").trim_end().to_owned(), complaint)
}

#[test]
fn the_same_words_columns_and_exit_statuses() {
    let Some(original) = std::env::var_os("SUPERVISOR_ORIGINAL").map(PathBuf::from) else {
        println!("SUPERVISOR_ORIGINAL is not set: nothing to compare with");
        return;
    };
    let daemon = Daemon::start(&original);
    let (theirs, ours) = (original.join("supervisorctl"), PathBuf::from(env!("CARGO_BIN_EXE_supervisorctl")));
    let mut differences = String::new();
    for line in LINES {
        let (want, got) = (comparable(&daemon.run(&theirs, line)), comparable(&daemon.run(&ours, line)));
        if want != got {
            differences += &format!("{line}\n  original: {want:?}\n  ours:     {got:?}\n");
        }
    }
    assert_eq!(differences, "");
}

#[test]
fn states_change_with_the_same_words() {
    let Some(original) = std::env::var_os("SUPERVISOR_ORIGINAL").map(PathBuf::from) else { return };
    let daemon = Daemon::start(&original);
    let (theirs, ours) = (original.join("supervisorctl"), PathBuf::from(env!("CARGO_BIN_EXE_supervisorctl")));
    for line in ["stop all", "start g:* off", "restart cat g:", "stop g:a off", "start all", "remove zz", "stop g:*"] {
        // The order of processes that stop together is theirs.
        let sorted = |program| {
            let (status, lines, complaint) = comparable(&daemon.run(program, line));
            let mut lines: Vec<_> = lines.lines().map(str::to_owned).collect();
            lines.sort();
            (status, lines, complaint)
        };
        let want = sorted(&theirs);
        // Back to where it was: everything that autostarts runs, the rest does not.
        for (undo, names) in [("stop", "off g:b quick nolog"), ("start", "cat g:a")] {
            daemon.run(&theirs, &format!("{undo} {names}"));
        }
        assert_eq!(sorted(&ours), want, "{line}");
        for (undo, names) in [("stop", "off g:b quick nolog"), ("start", "cat g:a")] {
            daemon.run(&theirs, &format!("{undo} {names}"));
        }
    }
}
