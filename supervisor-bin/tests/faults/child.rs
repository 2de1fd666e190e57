//! Programs that do not do what a program should.

use std::time::{Duration, Instant};

use crate::lab::{
    Lab, Probe, SLEEPER, Signal, Value, descriptors, eventually, group_of, kill, processor_time, took, wait_gone, works,
};

/// Ignores TERM, and so do its children.
const STUBBORN: &str = "/bin/sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1; done'";

/// Stops a program, which takes as long as is set.
fn stop(lab: &Lab, name: &str, set: Duration) {
    let began = Instant::now();
    assert!(lab.call("supervisor.stopProcess", &[Value::Text(name)]).is_ok());
    took(began, set, name);
}

#[test]
fn a_program_that_ignores_term_is_killed_after_stopwaitsecs_and_not_before() {
    let body = format!("[program:x]\ncommand={STUBBORN}\nstopwaitsecs=2\nstdout_logfile=%(here)s/out\nstartsecs=0\n");
    let mut lab = Lab::running(&body);
    let pid = lab.pid_of("x");
    lab.wait_read("out", "ready");
    stop(&lab, "x", Duration::from_secs(2));
    assert_eq!(lab.state("x"), "STOPPED");
    lab.wait_log(&format!("killing 'x' ({pid}) with SIGKILL"));
    wait_gone(pid);
    lab.stop_well();
}

#[test]
fn a_frozen_program_is_stopped() {
    let mut lab = Lab::running(&format!("{SLEEPER}stopwaitsecs=1\n"));
    let pid = lab.pid_of("x");
    kill(pid, Signal::STOP);
    stop(&lab, "x", Duration::ZERO);
    assert_eq!(lab.state("x"), "STOPPED");
    wait_gone(pid);
    lab.stop_well();
}

/// A program with three children, and how it is to be stopped.
fn family(stubborn: bool, keys: &str) -> (Lab, i32) {
    let trap = if stubborn { "trap \"\" TERM; " } else { "" };
    let command = format!("/bin/sh -c '{trap}sleep 600 & sleep 600 & sleep 600 & echo ready; wait; wait; wait'");
    let wait = if stubborn { 1 } else { 60 };
    let body = format!(
        "[program:x]\ncommand={command}\nstdout_logfile=%(here)s/out\nstopwaitsecs={wait}\nstartsecs=0\n{keys}"
    );
    let lab = Lab::running(&body);
    lab.wait_read("out", "ready");
    let leader = lab.pid_of("x");
    assert_eq!(group_of(leader).len(), 4);
    (lab, leader)
}

#[test]
fn stopasgroup_reaches_the_whole_group() {
    let (mut lab, leader) = family(false, "stopasgroup=true\n");
    stop(&lab, "x", Duration::ZERO);
    eventually("nobody is left", || group_of(leader).is_empty().then_some(()));
    assert!(!lab.log().contains("SIGKILL"));
    lab.stop_well();
}

#[test]
fn killasgroup_reaches_the_whole_group() {
    let (mut lab, leader) = family(true, "killasgroup=true\n");
    stop(&lab, "x", Duration::from_secs(1));
    eventually("nobody is left", || group_of(leader).is_empty().then_some(()));
    lab.stop_well();
}

#[test]
fn without_the_options_the_leader_alone_is_signalled() {
    let (mut lab, leader) = family(false, "");
    stop(&lab, "x", Duration::ZERO);
    let left = group_of(leader);
    assert_eq!(left.len(), 3);
    left.into_iter().for_each(|pid| kill(pid, Signal::KILL));
    lab.stop_well();
}

#[test]
fn a_program_that_closes_its_output_runs_on_and_costs_nothing() {
    let body = "[program:x]\ncommand=/bin/sh -c 'exec >&- 2>&-; exec sleep 600'\nstartsecs=0\n\
                [program:clock]\ncommand=/bin/sleep 2\nstartsecs=0\nautostart=false\nautorestart=false\n";
    let mut lab = Lab::running(body);
    let pid = lab.pid_of("x");
    eventually("closed", || (!std::path::Path::new(&format!("/proc/{pid}/fd/1")).exists()).then_some(()));
    assert!(lab.call("supervisor.startProcess", &[Value::Text("clock")]).is_ok());
    let clock = lab.pid("clock");
    let before = processor_time(lab.daemon());
    // A busy loop would use up the whole time.
    wait_gone(clock);
    let used = processor_time(lab.daemon()) - before;
    assert!(used < Duration::from_millis(500), "{used:?} of 2 s");
    assert_eq!(lab.pid_of("x"), pid);
    lab.stop_well();
}

#[test]
fn a_program_that_forks_away_has_failed() {
    let body = "[program:x]\ncommand=/bin/sh -c 'setsid sleep 5 & exit 0'\nstartsecs=10\nstartretries=1\n";
    let mut lab = Lab::running(body);
    lab.wait_state("x", "FATAL");
    lab.wait_log("gave up: x");
    let log = lab.log();
    assert!(log.contains("exited: x (exit status 0; not expected)") && !log.contains("entered RUNNING"), "{log}");
    assert_eq!(log.matches("spawned: 'x'").count(), 2);
    lab.stop_well();
}

#[test]
fn an_end_is_noticed_though_a_grandchild_keeps_the_pipe() {
    let body =
        "[program:x]\ncommand=/bin/sh -c 'sleep 900 & exit 0'\nstartsecs=0\nautostart=false\nautorestart=false\n";
    let mut lab = Lab::running(body);
    let mut leaders = Vec::new();
    let mut before = 0;
    for round in 0..9 {
        assert!(lab.call("supervisor.startProcess", &[Value::Text("x"), Value::Bool(false)]).is_ok());
        lab.wait_state("x", "EXITED");
        leaders.push(eventually("its start is told", || {
            let log = lab.log();
            log.lines().filter_map(|line| line.split_once("' with pid ")?.1.parse::<i32>().ok()).nth(round)
        }));
        // The first run may open what stays open.
        if round == 0 {
            before = descriptors(lab.daemon());
        }
    }
    // The end may be told before the last pipe is closed.
    eventually("as many descriptors as before", || (descriptors(lab.daemon()) <= before + 1).then_some(()));
    leaders.into_iter().flat_map(group_of).for_each(|pid| kill(pid, Signal::KILL));
    lab.stop_well();
}

#[test]
fn a_program_that_cannot_run_is_tried_one_time_more_than_startretries_ever_more_slowly() {
    let mut lab = Lab::new("[program:x]\ncommand=/bin/sh -c 'exit 1'\nstartsecs=10\nstartretries=3\n");
    let began = Instant::now();
    lab.start();
    lab.wait_state("x", "FATAL");
    assert!(began.elapsed() >= Duration::from_secs(6), "delays of 1, 2 and 3 seconds");
    lab.wait_log("gave up: x entered FATAL state, too many start retries too quickly");
    assert_eq!(lab.log().matches("spawned: 'x'").count(), 4);
    lab.stop_well();
}

#[test]
fn a_thousand_programs_that_crash_hinder_nobody() {
    let crashing = "[program:crash]\ncommand=/bin/false\nnumprocs=1000\nprocess_name=%(process_num)d\n\
                    startretries=1000000\nstdout_logfile=NONE\nstderr_logfile=NONE\n";
    let mut lab = Lab::running(&format!("{SLEEPER}{crashing}"));
    let pid = lab.pid_of("x");
    let probe = Probe::start(&lab);
    eventually("many crashes", || (lab.log().matches("exited: ").count() > 3_000).then_some(()));
    probe.was_prompt("a thousand programs that crash");
    assert_eq!(lab.pid("x"), pid);
    lab.stop_well();
}

#[test]
fn programs_that_end_at_once_and_are_restarted_hinder_nobody() {
    let ending = "[program:end]\ncommand=/bin/true\nnumprocs=5\nprocess_name=%(process_num)d\nstartsecs=0\n\
                  autorestart=true\n[program:y]\ncommand=/bin/sh -c 'while :; do echo line; sleep 0.1; done'\n\
                  stdout_logfile=%(here)s/out\nstartsecs=0\n";
    let mut lab = Lab::running(ending);
    let probe = Probe::start(&lab);
    eventually("restarts", || (lab.log().matches("spawned: '0'").count() >= 3).then_some(()));
    let before = lab.read("out").len();
    eventually("others go on", || (lab.read("out").len() > before + 20).then_some(()));
    probe.was_prompt("programs that end at once");
    lab.stop_well();
}

#[test]
fn a_command_that_cannot_be_executed_is_a_fault_of_that_program_alone() {
    let missing = "[program:m]\ncommand=/no/such/program\nautostart=false\n";
    let plain = "[program:p]\ncommand=%(here)s/plain\nautostart=false\n";
    let mut lab = Lab::new(&format!("{SLEEPER}{missing}{plain}"));
    std::fs::write(lab.path("plain"), "no program").unwrap();
    lab.start();
    let pid = lab.pid_of("x");
    assert_eq!(lab.call("supervisor.startProcess", &[Value::Text("m")]).fault(), 20);
    assert_eq!(lab.call("supervisor.startProcess", &[Value::Text("p")]).fault(), 21);
    assert_eq!(lab.pid_of("x"), pid);
    lab.stop_well();
}

#[test]
fn input_that_nobody_reads_is_bounded_and_answered() {
    let mut lab = Lab::running(SLEEPER);
    lab.pid_of("x");
    let text = "x".repeat(250_000);
    let mut faults = Vec::new();
    // The queue holds 8 MiB.
    for _ in 0..40 {
        let answer = lab.call("supervisor.sendProcessStdin", &[Value::Text("x"), Value::Text(&text)]);
        faults.push(answer.fault());
    }
    assert_eq!(faults[..4], [0; 4]);
    assert_eq!(faults.last(), Some(&30), "FAILED: the queue is full");
    assert_eq!(lab.state("x"), "RUNNING");
    lab.stop_well();
}

#[test]
fn children_of_a_protected_daemon_are_not_protected() {
    if !works(&["/bin/sh", "-c", "echo -500 > /proc/self/oom_score_adj"], "so the daemon cannot be protected") {
        return;
    }
    // Who protects is root. The second program becomes another user, so it is forked; the first one needs no fork.
    let mut lab = Lab::new(&format!("{SLEEPER}{}user=daemon\n", SLEEPER.replace(":x", ":y")));
    let script = "echo -500 > /proc/self/oom_score_adj && exec \"$@\"";
    lab.wrapper = ["/bin/sh", "-c", script, "sh"].map(str::to_owned).to_vec();
    lab.start();
    let score = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap();
    assert_eq!(score(lab.daemon()).trim(), "-500");
    for name in ["x", "y"] {
        assert_eq!(score(lab.pid_of(name)).trim(), "0", "{name}");
    }
    lab.stop_well();
}
