//! `examples/listener.rs` under our daemon and under Supervisor 4.3.
//!
//! `SUPERVISOR_ORIGINAL` names the directory with the `supervisord` of the original; ours is where cargo puts it, if it was
//! built (`cargo test --workspace` does). What is not there is skipped.
#![allow(clippy::disallowed_methods, reason = "a test starts processes and looks at the clock")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A supervisor that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // By TERM, so that it stops its children; `kill` of std would leave them behind.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// What cargo builds beside this test.
fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).unwrap().join(name)
}

fn wait_for(path: &Path, texts: &[&str]) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let content = fs::read_to_string(path).unwrap_or_default();
        if texts.iter().all(|text| content.contains(text)) {
            return;
        }
        assert!(Instant::now() < end, "{texts:?} not all in {}:\n{content}", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_listener_works_under_our_daemon() {
    let ours = built("supervisord");
    if ours.exists() { works_under(&ours) } else { eprintln!("skipped: there is no {}", ours.display()) }
}

#[test]
fn the_listener_works_under_the_original() {
    match std::env::var_os("SUPERVISOR_ORIGINAL") {
        Some(original) => works_under(&Path::new(&original).join("supervisord")),
        None => eprintln!("skipped: SUPERVISOR_ORIGINAL is not set"),
    }
}

fn works_under(supervisord: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(
        path("talk.sh"),
        "printf '<!--XSUPERVISOR:BEGIN-->žluť 🦀<!--XSUPERVISOR:END-->'\nprintf 'plain, and longer than a token %s' \"\n\"\nexit 3\n",
    )
    .unwrap();
    let settings = format!(
        "[supervisord]\nlogfile={log}\npidfile={pid}\nchildlogdir={here}\nloglevel=debug\n\
         [eventlistener:l]\ncommand={listener}\nevents=EVENT\nstartsecs=0\nbuffer_size=100\nstderr_logfile={told}\n\
         [program:x]\ncommand=/bin/sh {talk}\nstartsecs=0\nautorestart=false\nstdout_capture_maxbytes=1MB\n\
         stdout_events_enabled=true\n",
        log = path("log").display(),
        pid = path("pid").display(),
        here = folder.path().display(),
        listener = built("examples/listener").display(),
        told = path("told").display(),
        talk = path("talk.sh").display(),
    );
    fs::write(path("conf"), settings).unwrap();
    let mut daemon = Command::new(supervisord);
    daemon.arg("-n").arg("-c").arg(path("conf")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let daemon = Daemon(daemon.spawn().unwrap());
    wait_for(
        &path("told"),
        &[
            "l listens\n",
            "PROCESS_GROUP_ADDED: ProcessGroup { group: \"x\" }\n",
            "SUPERVISOR_STATE_CHANGE_RUNNING: SupervisorStateChange\n",
            "x: STARTING -> RUNNING\n",
            "x says žluť 🦀\n",
            "data: \"plain, and longer than a token \\n\" }\n",
            "x ended unexpectedly\n",
        ],
    );
    drop(daemon);
    let log = fs::read_to_string(path("log")).unwrap();
    assert!(!log.contains("UNKNOWN") && !log.contains("event was rejected"), "{log}");
}
