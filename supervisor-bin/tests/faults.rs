//! Faults around the daemon itself, injected for real into the built programs: second starts, frozen and killed daemons,
//! readers that stop or go away, signals at odd moments, broken files, planted links.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::disallowed_methods, reason = "a test")]

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const SLEEPER: &str = "[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n";

/// A folder with a configuration, and the daemons started on it.
struct Lab {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Lab {
    fn new(body: &str) -> Self {
        let lab = Self { folder: tempfile::tempdir().unwrap(), daemons: Vec::new() };
        lab.configure("", body);
        lab
    }

    /// Writes the configuration: the usual sections, more keys of `[supervisord]`, more sections.
    fn configure(&self, supervisord: &str, body: &str) {
        let server = "[unix_http_server]\nfile=%(here)s/s.sock\n";
        self.configure_all(supervisord, &format!("{server}{body}"));
    }

    fn configure_all(&self, supervisord: &str, body: &str) {
        let text = format!(
            "[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nchildlogdir=%(here)s\nnodaemon=true\n\
             minfds=256\nminprocs=50\n{supervisord}\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://%(here)s/s.sock\n{body}"
        );
        fs::write(self.path("conf"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisord"));
        command.arg("-c").arg(self.path("conf")).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn spawn(&mut self, stdout: Stdio) -> Pid {
        let child = self.command().stdout(stdout).stderr(Stdio::null()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        self.daemons.push(child);
        pid
    }

    /// Starts the daemon and waits until it answers.
    fn start(&mut self) -> Pid {
        let pid = self.spawn(Stdio::null());
        self.wait_up();
        pid
    }

    fn wait_up(&self) {
        eventually("the daemon answers", || (self.ctl(&["pid"]).0 == Some(0)).then_some(()));
    }

    /// Starts a daemon that must refuse; gives its stderr.
    fn refused(&self) -> String {
        let began = Instant::now();
        let output = self.command().output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "it refuses in bounded time");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The exit status and output of supervisorctl.
    fn ctl(&self, words: &[&str]) -> (Option<i32>, String) {
        let ctl = Path::new(env!("CARGO_BIN_EXE_supervisord")).with_file_name("supervisorctl");
        let output = Command::new(ctl).arg("-c").arg(self.path("conf")).args(words).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The pid of a program that is RUNNING.
    fn pid_of(&self, program: &str) -> i32 {
        eventually(program, || {
            let (_, status) = self.ctl(&["status", program]);
            let (_, rest) = status.split_once("RUNNING")?;
            rest.split_once("pid ")?.1.split(',').next()?.parse().ok()
        })
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn wait_log(&self, words: &str) {
        eventually(words, || self.log().contains(words).then_some(()));
    }

    /// Ends the last daemon and waits for it.
    fn stop(&mut self) -> ExitStatus {
        let _ = kill_process(Pid::from_child(self.daemons.last().unwrap()), Signal::TERM);
        self.wait()
    }

    fn wait(&mut self) -> ExitStatus {
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
            drop(daemon.wait());
        }
        // One in the background, after a failed test.
        let written = fs::read_to_string(self.path("pid")).unwrap_or_default();
        let Ok(pid) = written.trim().parse::<i32>() else { return };
        let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if words.contains(&*self.folder.path().to_string_lossy()) {
            let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM);
        }
    }
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_alive(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

#[test]
fn a_second_daemon_is_refused_while_the_first_one_is_frozen_and_touches_nothing() {
    let mut lab = Lab::new("[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n");
    let first = lab.start();
    let child = lab.pid_of("x");
    let before = (inode(&lab.path("s.sock")), inode(&lab.path("pid")), inode(&lab.path("log")), lab.log());
    let logs = |lab: &Lab| fs::read_dir(lab.folder.path()).unwrap().count();
    let files = logs(&lab);
    kill_process(first, Signal::STOP).unwrap();
    let why = lab.refused();
    assert!(why.starts_with("Error: Another program is already listening"), "{why}");
    assert!(why.lines().nth(1).unwrap().starts_with("For help, use "), "{why}");
    let after = (inode(&lab.path("s.sock")), inode(&lab.path("pid")), inode(&lab.path("log")), lab.log());
    assert_eq!(before, after);
    assert_eq!(logs(&lab), files, "no log was made or removed");
    kill_process(first, Signal::CONT).unwrap();
    assert_eq!(lab.pid_of("x"), child);
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn without_servers_the_pid_file_refuses_a_second_daemon() {
    let mut lab = Lab::new("");
    lab.configure_all("", SLEEPER);
    let first = lab.spawn(Stdio::null());
    lab.wait_log("entered RUNNING state");
    let why = lab.refused();
    assert!(why.contains(&format!("(pid {})", first.as_raw_nonzero())), "{why}");
    assert_eq!(fs::read_to_string(lab.path("pid")).unwrap(), format!("{}\n", first.as_raw_nonzero()));
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!lab.path("pid").exists());
}

#[test]
fn a_killed_daemon_leaves_nothing_that_hinders_the_next() {
    let mut lab = Lab::new("");
    let first = lab.start();
    kill_process(first, Signal::KILL).unwrap();
    lab.wait();
    assert!(lab.path("s.sock").exists() && lab.path("pid").exists());
    // The pid now belongs to somebody whom nobody may signal.
    let mut stranger = Command::new("/bin/sleep").arg("600").spawn().unwrap();
    fs::write(lab.path("pid"), format!("{}\n", stranger.id())).unwrap();
    let second = lab.start();
    let expected = format!("{}\n", second.as_raw_nonzero());
    eventually("its own pid", || (fs::read_to_string(lab.path("pid")).unwrap() == expected).then_some(()));
    assert!(stranger.try_wait().unwrap().is_none());
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!lab.path("s.sock").exists() && !lab.path("pid").exists());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_reader_of_stdout_that_stops_reading_stops_nobody() {
    let mut lab = Lab::new("");
    let flood = "[program:x]\ncommand=/bin/sh -c 'i=0;while test $i -lt 20;do yes | head -c 20000;i=$((i+1));done;sleep 600'\n\
                 stopasgroup=true\nstartsecs=0\nstdout_logfile=NONE\n";
    lab.configure("loglevel=debug", flood);
    lab.spawn(Stdio::piped());
    lab.wait_up();
    eventually("more than a pipe holds", || (lab.log().len() > 200_000).then_some(()));
    lab.pid_of("x");
    assert_eq!(lab.ctl(&["stop", "x"]).0, Some(0));
    assert_eq!(lab.stop().code(), Some(0));
    assert!(lab.log().contains("received SIGTERM indicating exit request"));
}

#[test]
fn a_reader_of_stdout_that_goes_away_ends_the_copy_only() {
    let mut lab = Lab::new(SLEEPER);
    lab.spawn(Stdio::piped());
    lab.wait_up();
    let mut stdout = lab.daemons[0].stdout.take().unwrap();
    let mut first = [0; 1];
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    for _ in 0..3 {
        assert_eq!(lab.ctl(&["restart", "x"]).0, Some(0));
    }
    assert_eq!(lab.log().matches("spawned: 'x'").count(), 4);
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn an_activity_log_that_cannot_be_written_stops_nobody() {
    let mut lab = Lab::new("");
    lab.configure("logfile=/dev/full\nlogfile_maxbytes=0", SLEEPER);
    lab.start();
    lab.pid_of("x");
    assert_eq!(lab.ctl(&["restart", "x"]).0, Some(0));
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn signals_without_a_meaning_are_survived() {
    let mut lab = Lab::new(SLEEPER);
    let daemon = lab.start();
    let child = lab.pid_of("x");
    for (signal, name) in [(Signal::USR1, "SIGUSR1"), (Signal::ALARM, "SIGALRM"), (Signal::VTALARM, "SIGVTALRM")] {
        kill_process(daemon, signal).unwrap();
        lab.wait_log(&format!("ignored {name}"));
    }
    for signal in [Signal::PIPE, Signal::WINCH, Signal::URG, Signal::CONT] {
        kill_process(daemon, signal).unwrap();
    }
    assert_eq!(lab.pid_of("x"), child);
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!is_alive(child));
}

#[test]
fn a_restart_with_a_broken_file_is_refused_and_a_good_one_keeps_the_socket() {
    let mut lab = Lab::new(SLEEPER);
    let daemon = lab.start();
    let child = lab.pid_of("x");
    let socket = inode(&lab.path("s.sock"));
    lab.configure("", "[program:x]\ncommand=/bin/sleep 600\nstartretries=many\n");
    kill_process(daemon, Signal::HUP).unwrap();
    lab.wait_log("'many'");
    assert_eq!(lab.pid_of("x"), child, "everything runs on");
    lab.configure("", &SLEEPER.replace("program:x", "program:y"));
    kill_process(daemon, Signal::HUP).unwrap();
    let other = lab.pid_of("y");
    assert!(!is_alive(child) && is_alive(other));
    assert_eq!(inode(&lab.path("s.sock")), socket, "clients could wait");
    assert_eq!(fs::read_to_string(lab.path("pid")).unwrap(), format!("{}\n", daemon.as_raw_nonzero()));
    // Somebody cleans up: a restart brings it back.
    fs::remove_file(lab.path("s.sock")).unwrap();
    fs::remove_file(lab.path("pid")).unwrap();
    kill_process(daemon, Signal::HUP).unwrap();
    lab.wait_up();
    eventually("the pid file is back", || lab.path("pid").exists().then_some(()));
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!lab.path("s.sock").exists());
}

#[test]
fn a_crowd_of_restarts_ends_in_one_daemon_with_one_program() {
    let mut lab = Lab::new(SLEEPER);
    let daemon = lab.start();
    for _ in 0..20 {
        kill_process(daemon, Signal::HUP).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    lab.wait_up();
    let pid = lab.pid_of("x");
    let lives = lab.log().matches("supervisord started with pid").count();
    assert!((2..=21).contains(&lives), "{lives}");
    assert!(is_alive(pid));
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn a_signal_at_any_moment_of_the_start_ends_it_without_leaving_a_program() {
    let programs: String = (0..20)
        .map(|number| format!("[program:p{number}]\ncommand=/bin/sleep 6{number:02}.5\nstartsecs=0\n"))
        .collect();
    let mut lab = Lab::new(&programs);
    for delay in (0..100).step_by(5) {
        let daemon = lab.spawn(Stdio::null());
        std::thread::sleep(Duration::from_millis(delay));
        kill_process(daemon, Signal::TERM).unwrap();
        let status = lab.wait();
        // By the signal itself only before the daemon's first steps.
        assert!(status.code() == Some(0) || status.signal() == Some(15), "{status:?}");
        for pid in pids_in(&lab.log()) {
            assert!(!is_alive(pid) || !is_ours(pid), "{pid} was left behind");
        }
    }
    lab.start();
    assert_eq!(lab.stop().code(), Some(0));
}

/// The pids of all programs that the log tells of.
fn pids_in(log: &str) -> Vec<i32> {
    log.lines().filter_map(|line| line.split_once("' with pid ")?.1.parse().ok()).collect()
}

/// True if this is still the program, and not somebody who got its pid.
fn is_ours(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words.starts_with("/bin/sleep\x006"))
}

#[test]
fn a_pid_file_that_another_user_planted_as_a_link_is_not_followed() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to make a link of another user");
        return;
    }
    let mut lab = Lab::new("");
    fs::write(lab.path("precious"), "precious").unwrap();
    symlink(lab.path("precious"), lab.path("pid")).unwrap();
    std::os::unix::fs::lchown(lab.path("pid"), Some(65534), Some(65534)).unwrap();
    lab.start();
    lab.wait_log("could not write pidfile");
    assert_eq!(lab.stop().code(), Some(0));
    assert_eq!(fs::read_to_string(lab.path("precious")).unwrap(), "precious");
    // Our own link is followed.
    fs::remove_file(lab.path("pid")).unwrap();
    symlink(lab.path("real.pid"), lab.path("pid")).unwrap();
    let daemon = lab.start();
    let expected = format!("{}\n", daemon.as_raw_nonzero());
    eventually("the pid", || (fs::read_to_string(lab.path("real.pid")).ok()? == expected).then_some(()));
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn in_the_background_errors_are_still_seen_by_whoever_started_it() {
    let mut lab = Lab::new(SLEEPER);
    // Of a key that is given twice the last word counts.
    lab.configure("nodaemon=false\ndirectory=/", SLEEPER);
    let output = lab.command().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    lab.wait_up();
    let pid: i32 = eventually("the pid file", || fs::read_to_string(lab.path("pid")).ok()?.trim().parse().ok());
    let child = lab.pid_of("x");
    assert!(lab.refused().starts_with("Error: Another program"));
    assert!(lab.log().contains("INFO daemonizing the supervisord process") && lab.log().contains("directory: '/'"));
    assert_eq!(lab.ctl(&["reload"]).0, Some(0));
    eventually("a new life", || (lab.pid_of("x") != child).then_some(()));
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    eventually("the daemon ends", || (!is_alive(pid)).then_some(()));
    assert!(!lab.path("pid").exists() && !lab.path("s.sock").exists());
    drop(lab.daemons.drain(..));
}
