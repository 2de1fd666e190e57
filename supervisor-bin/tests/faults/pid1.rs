//! As PID 1 of a pid namespace of its own, as in a container. Needs root.

use std::fs;
use std::process::Stdio;

use crate::lab::{Lab, Signal, children_of, eventually, is_root, kill, works};

const NAMESPACE: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

/// A daemon that is PID 1; gives its pid outside.
fn as_pid_1(body: &str) -> Option<(Lab, i32)> {
    if !is_root("for a pid namespace") {
        return None;
    }
    if !works(&[&NAMESPACE[..], &["/bin/true"]].concat(), "so nobody can be PID 1") {
        return None;
    }
    let mut lab = Lab::new(body);
    lab.wrapper = NAMESPACE.map(str::to_owned).to_vec();
    lab.spawn(Stdio::null());
    lab.wait_up();
    let daemon = children_of(lab.daemon())[0];
    assert_eq!(lab.call("supervisor.getPID", &[]).texts(), ["1"]);
    Some((lab, daemon))
}

#[test]
fn orphans_are_reaped() {
    let body = "[program:x]\ncommand=/bin/sh -c 'i=0; while test $i -lt 100; do (sleep 0.5 &); i=$((i+1)); \
                done; echo made; exec sleep 600'\nstartsecs=0\nstdout_logfile=%(here)s/out\n";
    let Some((mut lab, daemon)) = as_pid_1(body) else { return };
    lab.wait_read("out", "made");
    eventually("all are reaped", || (children_of(daemon).len() == 1).then_some(()));
    assert!(lab.log().matches("reaped unknown pid").count() >= 100);
    assert_eq!(lab.state("x"), "RUNNING");
    kill(daemon, Signal::TERM);
    assert_eq!(lab.wait().code(), Some(0));
}

/// A signal ends everything in good order.
fn ends_well(signal: Signal) {
    let body = "[program:x]\ncommand=/bin/sh -c 'trap \"echo asked; exit 0\" TERM; echo ready; while :; do sleep 0.1; done'\n\
                startsecs=0\nstdout_logfile=%(here)s/out\n";
    let Some((mut lab, daemon)) = as_pid_1(body) else { return };
    lab.wait_read("out", "ready");
    kill(daemon, signal);
    assert_eq!(lab.wait().code(), Some(0));
    assert_eq!(lab.read("out"), "ready\nasked\n", "its handler has run");
    assert!(fs::metadata(lab.socket()).is_err() && fs::metadata(lab.path("pid")).is_err());
}

#[test]
fn term_ends_everything() {
    ends_well(Signal::TERM);
}

#[test]
fn int_ends_everything() {
    ends_well(Signal::INT);
}
