//! As PID 1 of a pid namespace of its own, as in a container. Needs root.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::lab::{Lab, SLEEPER, Signal, Value, children_of, eventually, is_root, kill, within, works};

const NAMESPACE: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

/// A daemon that is PID 1; gives its pid outside.
fn as_pid_1(body: &str) -> Option<(Lab, i32)> {
    as_pid_1_after(&[], body)
}

/// The same, executed by the words `before`.
fn as_pid_1_after(before: &[&'static str], body: &str) -> Option<(Lab, i32)> {
    if !is_root("for a pid namespace") {
        return None;
    }
    if !works(&[&NAMESPACE[..], &["/bin/true"]].concat(), "so nobody can be PID 1") {
        return None;
    }
    let mut lab = Lab::new(body);
    lab.wrapper = NAMESPACE.iter().chain(before).map(|word| (*word).to_owned()).collect();
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
    within(Duration::from_secs(4), "all are reaped", || (children_of(daemon).len() == 1).then_some(()));
    // The log is written after the fact.
    eventually("each is told", || (lab.log().matches("reaped unknown pid").count() >= 100).then_some(()));
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

fn namespaces_have_a_pid_max() -> bool {
    let name = rustix::system::uname();
    let mut numbers =
        name.release().to_str().unwrap().split(['.', '-']).map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(14))
}

#[test]
fn a_pid_that_has_come_again_is_never_signalled() {
    let again = r#"open F, "<", "wanted"; chomp($wanted = <F>);
        for (1 .. 5000) { $pid = fork; exit if !$pid && $$ != $wanted;
            if (!$pid) { $| = 1; $SIG{TERM} = $SIG{HUP} = sub { print "hit" }; print "taken"; sleep 1 while 1 }
            last if $pid == $wanted; waitpid $pid, 0 } sleep 600"#;
    let body = format!(
        "{SLEEPER}autorestart=false\n[program:again]\nautostart=false\nstartsecs=0\nstdout_logfile=%(here)s/out\n\
         command=/usr/bin/perl -e '{}'\n",
        again.replace('\n', " ")
    );
    if !namespaces_have_a_pid_max() {
        eprintln!("skipped: before Linux 6.14 the range of pids is that of the whole machine");
        return;
    }
    // Those below 300 come only once.
    let few = "echo 400 >/proc/sys/kernel/pid_max; perl -e 'for (1 .. 300) { exit if !fork; wait }'; exec \"$@\"";
    let Some((mut lab, daemon)) = as_pid_1_after(&["sh", "-c", few, "sh"], &body) else { return };
    let pid = lab.pid_of("x");
    fs::write(lab.path("wanted"), pid.to_string()).unwrap();
    let outside = children_of(daemon)[0];
    kill(outside, Signal::KILL);
    lab.wait_state("x", "EXITED");
    assert!(lab.call("supervisor.startProcess", &[Value::Text("again")]).is_ok());
    lab.wait_read("out", "taken");
    assert_eq!(lab.call("supervisor.signalProcess", &[Value::Text("x"), Value::Text("HUP")]).fault(), 70);
    assert_eq!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).fault(), 70);
    assert!(lab.call("supervisor.stopProcessGroup", &[Value::Text("x")]).is_ok());
    assert!(lab.call("supervisor.startProcess", &[Value::Text("x")]).is_ok());
    assert_ne!(lab.pid_of("x"), pid);
    assert_eq!(lab.read("out"), "taken");
    kill(daemon, Signal::TERM);
    assert_eq!(lab.wait().code(), Some(0));
}
