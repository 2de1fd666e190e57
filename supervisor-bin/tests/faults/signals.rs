//! Signals: crowds of them, meaningless ones, and those that come too late.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::lab::{
    Lab, SLEEPER, Signal, Value, eventually, is_alive, kill, kill_process, passing, wait_gone, within, zombies_of,
};

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
    // Those that have no name, or none that all systems know: PWR, STKFLT and the real-time signals.
    let numbers = [30, 16].into_iter().chain(34..=64);
    let all: String = numbers.map(|number| format!("kill -{number} {daemon} && ")).collect();
    assert!(Command::new("sh").args(["-c", &(all + "true")]).status().unwrap().success());
    assert_eq!(lab.pid_of("x"), child);
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!is_alive(child));
}

#[test]
fn a_crowd_of_restarts_ends_in_one_daemon_with_one_program() {
    let mut lab = Lab::new(SLEEPER);
    let daemon = lab.start();
    for _ in 0..20 {
        let before = lab.log().len();
        kill_process(daemon, Signal::HUP).unwrap();
        // Before the start, the stop and everything between: at each step that it tells of.
        passing("it goes on", || (lab.log().len() > before).then_some(()));
    }
    // A restart may still be ahead: it is not as soon as a later signal is heard and a life has begun after the last of them.
    let before = lab.log().len();
    eventually("all signals are heard", || {
        lab.signal(Signal::USR2);
        lab.log()[before..].contains("received SIGUSR2").then_some(())
    });
    eventually("the last life begins", || {
        let log = lab.log();
        (log.rfind("received SIGHUP") < log.rfind("supervisord started with pid")).then_some(())
    });
    let pid = lab.pid_of("x");
    let lives = lab.log().matches("supervisord started with pid").count();
    assert!((2..=21).contains(&lives), "{lives}");
    assert!(is_alive(pid));
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn three_hundred_ends_in_one_instant_are_all_noticed() {
    let body = "[program:x]\ncommand=/bin/sleep 600\nnumprocs=300\nprocess_name=%(process_num)d\nstartsecs=0\n\
                autorestart=false\nstdout_logfile=NONE\nstderr_logfile=NONE\n";
    let mut lab = Lab::running_with("minfds=2000", body);
    eventually("all run", || (lab.log().matches("entered RUNNING").count() == 300).then_some(()));
    let answer = lab.call("supervisor.getAllProcessInfo", &[]);
    let pids: Vec<i32> = answer.body.split("<name>pid</name>").skip(1).map(number).collect();
    assert_eq!(pids.len(), 300);
    pids.iter().for_each(|pid| kill(*pid, Signal::KILL));
    within(Duration::from_secs(10), "all EXITED", || (lab.count("EXITED") == 300).then_some(()));
    eventually("no zombie is left", || (zombies_of(lab.daemon()) == 0).then_some(()));
    lab.stop_well();
}

/// The number that the next value holds.
fn number(text: &str) -> i32 {
    let digits: String = text
        .chars()
        .skip_while(|c| !c.is_ascii_digit() && *c != '-')
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or_else(|_| panic!("no number in {:.80}", text))
}

#[test]
fn a_daemon_that_was_frozen_catches_up() {
    let lines = "[program:y]\ncommand=/bin/sh -c 'i=0; while test $i -lt 60; do i=$((i+1)); echo line $i; sleep 0.05; done; exec sleep 600'\n\
                 stdout_logfile=%(here)s/out\nstartsecs=0\n";
    let mut lab = Lab::running(&format!("{SLEEPER}autorestart=false\n{lines}"));
    let (x, y) = (lab.pid_of("x"), lab.pid_of("y"));
    lab.freeze();
    kill(x, Signal::KILL);
    wait_gone(x);
    // All lines are in the pipe.
    eventually("it sleeps", || {
        fs::read(format!("/proc/{y}/cmdline")).unwrap().starts_with(b"sleep\x00600").then_some(())
    });
    lab.signal(Signal::CONT);
    lab.wait_state("x", "EXITED");
    eventually("the last line", || lab.read("out").contains("line 60\n").then_some(()));
    let expected: String = (1..=60).map(|number| format!("line {number}\n")).collect();
    assert_eq!(lab.read("out"), expected);
    assert_eq!(lab.pid_of("y"), y);
    lab.stop_well();
}

#[test]
fn nobody_is_signalled_in_place_of_a_program_that_has_ended() {
    let mut lab = Lab::running(&format!("{SLEEPER}autorestart=false\n"));
    let pid = lab.pid_of("x");
    kill(pid, Signal::KILL);
    wait_gone(pid);
    lab.wait_state("x", "EXITED");
    assert_eq!(lab.call("supervisor.signalProcess", &[Value::Text("x"), Value::Text("TERM")]).fault(), 70);
    assert_eq!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).fault(), 70);
    assert_eq!(lab.call("supervisor.signalProcess", &[Value::Text("x"), Value::Text("NOSUCH")]).fault(), 11);
    lab.stop_well();
}
