//! Goes into the background for real. Without the test harness, whose threads would forbid it.
#![allow(clippy::disallowed_methods, reason = "a test starts processes and looks at the clock")]

use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use supervisor_core::sys::daemonize::{into_background, set_umask};

const RESULT: &str = "WRITE_WHAT_BECAME_OF_ME_TO";

fn main() {
    match std::env::var_os(RESULT) {
        Some(result) => daemon(result.into()),
        None => the_caller_is_left(),
    }
}

fn the_caller_is_left() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let result = directory.path().join("result");
    let mut caller = Command::new(std::env::current_exe().expect("our own path"))
        .env(RESULT, &result)
        .stdout(Stdio::piped())
        .spawn()
        .expect("ourselves again");
    let pid = caller.id();
    assert!(caller.wait().expect("the caller's end").success());
    while !result.exists() {
        std::thread::yield_now();
    }
    let text = std::fs::read_to_string(&result).expect("the daemon's facts");
    let facts: Vec<&str> = text.lines().collect();
    assert_ne!(facts[0], pid.to_string(), "it is another process");
    assert_eq!(facts[1..3], [facts[0], "0027"], "it leads a session, and has the umask that it set");
    if cfg!(target_os = "linux") {
        assert_eq!(facts[3..], ["/dev/null"; 3], "nothing of the terminal is left");
    }
}

fn daemon(result: PathBuf) {
    into_background().expect("there is one thread");
    set_umask(0o027);
    let session = rustix::process::getsid(None).expect("our session").as_raw_nonzero();
    let mut text = format!("{}\n{session}\n{:04o}\n", std::process::id(), set_umask(0o022));
    for fd in 0..3 {
        let target = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
        writeln!(text, "{}", target.display()).expect("a text takes what it is given");
    }
    // Whole or not at all, for whoever waits for it.
    let draft = result.with_extension("new");
    std::fs::write(&draft, text).expect("a place for the facts");
    std::fs::rename(draft, result).expect("a place for the facts");
}
