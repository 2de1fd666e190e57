//! Tests that change what belongs to a whole process (limits, identity, signals) run in a process of their own.

#![allow(clippy::unwrap_used, clippy::print_stdout, unsafe_code, reason = "a helper of tests")]

use std::path::Path;
use std::process::Command;

/// Runs the ignored test of this full name in a fresh process; answers with its whole output.
pub(crate) fn run(test: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{test} failed with {}:\n{text}", output.status);
    assert!(text.contains("1 passed"), "{test} was not run:\n{text}");
    text
}

/// Makes an executable file, in a process of its own: what we open for writing, a child of another test may have open for a
/// moment, and then it cannot be executed.
pub(crate) fn install(text: &str, path: &Path) {
    let source = path.with_extension("text");
    std::fs::write(&source, text).unwrap();
    assert!(Command::new("install").args(["-m", "755"]).args([&source, path]).status().unwrap().success());
    std::fs::remove_file(source).unwrap();
}

/// Says something to whoever runs the test.
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// True if this is root; else says why the test is skipped.
pub(crate) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: needs root");
    }
    root
}

/// Makes the calling process one that hands everything on to children: an open descriptor of this number, two ignored
/// signals and a blocked one.
pub(crate) fn misbehave(fd: i32) {
    // SAFETY: integers only; the set is initialised by the first call on it.
    unsafe {
        assert_eq!(libc::fcntl(2, libc::F_DUPFD, fd), fd);
        libc::signal(libc::SIGUSR2, libc::SIG_IGN);
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGUSR1);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}
