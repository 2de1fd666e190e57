//! As PID 1 of a pid namespace of its own, as in a container. Needs root.

use std::fs;
use std::process::Stdio;

use crate::harness::{Lab, Signal, eventually, is_root, kill, pids, stat, works};

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
    let unshare = lab.daemon().to_string();
    let daemon = pids().into_iter().find(|pid| stat(*pid).is_some_and(|fields| fields[1] == unshare)).unwrap();
    assert_eq!(lab.call("supervisor.getPID", &[]).text(), "1");
    Some((lab, daemon))
}

#[test]
fn orphans_are_reaped() {
    let body = "[program:x]\ncommand=/bin/sh -c 'i=0; while test $i -lt 100; do (sleep 0.5 &); i=$((i+1)); \
                done; echo made; exec sleep 600'\nstartsecs=0\nstdout_logfile=%(here)s/out\n";
    let Some((mut lab, daemon)) = as_pid_1(body) else { return };
    eventually("all are made", || lab.read("out").contains("made").then_some(()));
    let parent = daemon.to_string();
    eventually("all are reaped", || {
        let left = pids().into_iter().filter(|pid| stat(*pid).is_some_and(|fields| fields[1] == parent)).count();
        (left == 1).then_some(())
    });
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
    eventually("ready", || lab.read("out").contains("ready").then_some(()));
    kill(daemon, signal);
    assert_eq!(lab.wait().code(), Some(0));
    assert_eq!(lab.read("out"), "ready\nasked\n", "its handler has run");
    assert!(fs::metadata(lab.path("s.sock")).is_err() && fs::metadata(lab.path("pid")).is_err());
}

#[test]
fn term_ends_everything() {
    ends_well(Signal::TERM);
}

#[test]
fn int_ends_everything() {
    ends_well(Signal::INT);
}
