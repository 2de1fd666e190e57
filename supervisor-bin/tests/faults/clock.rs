//! A wall clock that jumps: no duration is the longer or shorter for it.
//!
//! The clock of the daemon and its programs is set by libfaketime, from a file that the test rewrites; the monotonic clock
//! stays what it is. Skipped where libfaketime is not installed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::lab::{Lab, Value, eventually, took};

const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
];

/// Ignores TERM.
const STUBBORN: &str = "[program:x]\ncommand=/bin/sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1; done'\n\
                        stopwaitsecs=3\nstdout_logfile=%(here)s/out\nstartsecs=0\n";

/// A daemon whose clock can be set.
fn lab(body: &str, offset: &str) -> Option<Lab> {
    let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
    let Some(library) = library else {
        eprintln!("skipped: libfaketime is not installed");
        return None;
    };
    let mut lab = Lab::new(body);
    set(&lab, offset);
    let file = lab.path("clock").display().to_string();
    lab.environment = [
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", &file),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    lab.start();
    Some(lab)
}

/// Sets the clock, such as `-3600` from what it is in truth. In one step, so that nobody reads half of it.
fn set(lab: &Lab, offset: &str) {
    fs::write(lab.path("clock.new"), format!("{offset}\n")).unwrap();
    fs::rename(lab.path("clock.new"), lab.path("clock")).unwrap();
}

/// The clock of the daemon, as it tells it.
fn now(lab: &Lab) -> i64 {
    lab.info("x").field("now").parse().unwrap()
}

fn jump(lab: &Lab, offset: &str, seconds: i64) {
    let before = now(lab);
    set(lab, offset);
    // A library that reads its file anew for each look may miss one.
    eventually("the clock has jumped", || ((now(lab) - before - seconds).abs() < 60).then_some(()));
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let retries = "[program:y]\ncommand=/bin/sh -c 'exit 1'\nstartsecs=10\nstartretries=2\nautostart=false\n";
    let starts = "[program:z]\ncommand=/bin/sleep 600\nstartsecs=2\nautostart=false\n";
    let Some(mut lab) = lab(&format!("{STUBBORN}{retries}{starts}"), "+0") else { return };
    lab.wait_read("out", "ready");
    jump(&lab, "-3600", -3600);
    let began = Instant::now();
    assert!(lab.call("supervisor.startProcess", &[Value::Text("z")]).is_ok());
    took(began, Duration::from_secs(2), "startsecs");
    let began = Instant::now();
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).is_ok());
    took(began, Duration::from_secs(3), "stopwaitsecs");
    let began = Instant::now();
    lab.call("supervisor.startProcess", &[Value::Text("y"), Value::Bool(false)]);
    lab.wait_state("y", "FATAL");
    took(began, Duration::from_secs(1 + 2), "two retries");
    lab.stop_well();
}

#[test]
fn a_clock_that_jumps_ahead_does_not_shorten_a_stop() {
    let Some(mut lab) = lab(STUBBORN, "+0") else { return };
    lab.wait_read("out", "ready");
    let began = Instant::now();
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("x"), Value::Bool(false)]).is_ok());
    jump(&lab, "+3600", 3600);
    lab.wait_state("x", "STOPPED");
    took(began, Duration::from_secs(3), "stopwaitsecs");
    lab.stop_well();
}

#[test]
fn a_clock_that_jumps_ahead_makes_nobody_run() {
    let dies = "[program:x]\ncommand=/bin/sh -c 'sleep 3; exit 1'\nstartsecs=10\nstartretries=0\nautostart=false\n";
    let Some(mut lab) = lab(dies, "+0") else { return };
    lab.call("supervisor.startProcess", &[Value::Text("x"), Value::Bool(false)]);
    assert_eq!(lab.state("x"), "STARTING");
    jump(&lab, "+3600", 3600);
    lab.wait_state("x", "FATAL");
    assert!(!lab.log().contains("entered RUNNING"), "{}", lab.log());
    lab.stop_well();
}

#[test]
fn after_the_end_of_32_bits_times_are_still_answered() {
    let Some(mut lab) = lab("[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n", "+15y") else { return };
    lab.pid_of("x");
    let output = lab.ctl(&["status", "x"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("uptime 0:0"), "{text}");
    let info = lab.info("x");
    for field in ["start", "now"] {
        // The greatest number that XML-RPC has.
        assert_eq!(info.field(field), i32::MAX.to_string());
    }
    assert!(lab.log().starts_with("204"), "{:.80}", lab.log());
    lab.stop_well();
}
