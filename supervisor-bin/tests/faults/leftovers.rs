//! Programs that outlive a daemon that was killed (`orphans`).

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::lab::{
    Lab, SLEEPER, Signal, Value, call, eventually, is_alive, kill, passing, pids, stat, wait_gone, within,
};

/// Kills the daemon and waits until it is gone.
fn crash(lab: &mut Lab) {
    lab.signal(Signal::KILL);
    lab.wait();
    assert!(lab.path("pid.state").exists());
}

const STUBBORN: &str = "[program:x]\ncommand=/bin/sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1; done'\n\
                        stdout_logfile=%(here)s/out\nkillasgroup=true\nstartsecs=0\n";

/// A daemon with the stubborn program, crashed; gives the pid of the program.
fn crashed_with_stubborn(stopwaitsecs: u32) -> (Lab, i32) {
    let mut lab = Lab::running(&format!("{STUBBORN}stopwaitsecs={stopwaitsecs}\n"));
    let pid = lab.pid_of("x");
    lab.wait_read("out", "ready");
    crash(&mut lab);
    assert!(is_alive(pid));
    (lab, pid)
}

#[test]
fn after_a_crash_there_is_one_instance_of_each_program() {
    let more = "[program:many]\ncommand=/bin/sleep 601\nnumprocs=5\nprocess_name=%(process_num)d\nstartsecs=0\n";
    let mut lab = Lab::running(&format!("{SLEEPER}{more}"));
    let name = |number: i32| if number == 5 { "x".to_owned() } else { format!("many:{number}") };
    let before: Vec<i32> = (0..6).map(|number| lab.pid_of(&name(number))).collect();
    crash(&mut lab);
    assert!(before.iter().all(|pid| is_alive(*pid)), "they outlive it");
    lab.start();
    let after: Vec<i32> = (0..6).map(|number| lab.pid_of(&name(number))).collect();
    assert!(before.iter().all(|pid| !is_alive(*pid)), "they are gone before their programs run again");
    assert!(after.iter().all(|pid| is_alive(*pid)));
    lab.wait_log(&format!("stopping 'x' (pid {}) with SIGTERM", before[5]));
    // Another crash: what is known of the first life is not acted upon again.
    crash(&mut lab);
    lab.start();
    (0..6).for_each(|number| assert!(lab.pid_of(&name(number)) > 0));
    assert!(after.iter().all(|pid| !is_alive(*pid)));
    lab.stop_well();
}

#[test]
fn a_kill_in_the_middle_of_a_start_leaves_nobody_unknown() {
    let mut lab =
        Lab::new("[program:many]\ncommand=/bin/sleep 602\nnumprocs=30\nprocess_name=%(process_num)d\nstartsecs=0\n");
    let path = lab.path("pid.state");
    for round in 0..12 {
        lab.spawn(Stdio::null());
        passing("the first are written down", || {
            let text = fs::read_to_string(&path).unwrap_or_default();
            (text.lines().count() > 2 + 2 * round).then_some(())
        });
        // Some have been started, one is just being.
        lab.signal(Signal::KILL);
        lab.wait();
        let left: Vec<i32> = pids().into_iter().filter(|pid| lab.is_home_of(*pid)).collect();
        assert!(!left.is_empty());
        for pid in left {
            within(Duration::from_secs(5), "it is written down", || {
                lab.read("pid.state").contains(&format!("\n{pid} ")).then_some(())
            });
            kill(pid, Signal::KILL);
            wait_gone(pid);
        }
        fs::remove_file(&path).unwrap();
    }
    lab.start();
    eventually("all run", || (lab.count("RUNNING") == 30).then_some(()));
    crash(&mut lab);
    // Nothing but what they have announced themselves, as if no parent had written.
    let text = lab.read("pid.state");
    let announced: Vec<&str> = text.lines().filter(|line| line.contains('+') || line.starts_with('s')).collect();
    assert_eq!(announced.len(), 31, "{text}");
    fs::write(&path, announced.join("\n") + "\n").unwrap();
    lab.start();
    eventually("all run", || (lab.count("RUNNING") == 30).then_some(()));
    // Not more, and not before each has executed.
    eventually("one instance of each", || (lab.instances("/bin/sleep 602") == 30).then_some(()));
    lab.stop_well();
}

#[test]
fn a_leftover_that_ignores_its_stop_signal_is_killed_and_only_then_followed() {
    let (mut lab, old) = crashed_with_stubborn(2);
    lab.start();
    loop {
        let state = lab.state("x");
        if !is_alive(old) {
            break;
        }
        assert_eq!(state, "STARTING", "not before the old one is gone");
    }
    let new = lab.pid_of("x");
    assert_ne!(new, old);
    let spawned = format!("spawned: 'x' with pid {new}");
    lab.wait_log(&spawned);
    let log = lab.log();
    let place = |words: &str| log.rfind(words).unwrap_or_else(|| panic!("no '{words}' in {log}"));
    assert!(place(&format!("killing leftover 'x' ({old}) with SIGKILL")) < place(&spawned));
    kill(new, Signal::KILL);
    lab.stop_well();
}

#[test]
fn a_leftover_of_a_program_that_is_gone_from_the_configuration_is_stopped() {
    let mut lab = Lab::running(SLEEPER);
    let old = lab.pid_of("x");
    crash(&mut lab);
    lab.configure(&SLEEPER.replace("program:x", "program:y"));
    lab.start();
    wait_gone(old);
    lab.pid_of("y");
    lab.stop_well();
}

#[test]
fn orphans_ignore_leaves_them_alone() {
    let mut lab = Lab::running_with("orphans=ignore", SLEEPER);
    let old = lab.pid_of("x");
    lab.signal(Signal::KILL);
    lab.wait();
    lab.start();
    let new = lab.pid_of("x");
    assert!(is_alive(old) && new != old);
    lab.stop_well();
    assert!(is_alive(old));
    kill(old, Signal::KILL);
}

#[test]
fn a_stranger_with_the_pid_of_a_leftover_is_not_touched() {
    let mut lab = Lab::running(SLEEPER);
    let old = lab.pid_of("x");
    crash(&mut lab);
    kill(old, Signal::KILL);
    wait_gone(old);
    let mut stranger = Command::new("/bin/sleep").arg("600").spawn().unwrap();
    let text = lab.read("pid.state");
    // As if its pid had been given out again. The boot and everything else is right.
    fs::write(lab.path("pid.state"), text.replace(&format!("\n{old} "), &format!("\n{} ", stranger.id()))).unwrap();
    lab.start();
    lab.pid_of("x");
    assert!(stranger.try_wait().unwrap().is_none());
    // The same pid and birth of another boot name another process.
    crash(&mut lab);
    let new = lab.read("pid.state").lines().last().unwrap().split(' ').next().unwrap().parse::<i32>().unwrap();
    let birth = stat(new).unwrap()[19].clone();
    let text = lab.read("pid.state");
    assert!(text.contains(&format!("\n{new} {birth} ")), "{text}");
    let (header, rest) = text.split_once('\n').unwrap();
    let (words, _) = header.rsplit_once(' ').unwrap();
    fs::write(lab.path("pid.state"), format!("{words} another-boot\n{rest}")).unwrap();
    lab.start();
    lab.pid_of("x");
    assert!(is_alive(new));
    kill(new, Signal::KILL);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    lab.stop_well();
}

#[test]
fn a_start_that_waits_for_a_leftover_can_be_called_off() {
    let (mut lab, old) = crashed_with_stubborn(600);
    lab.configure(&format!("{STUBBORN}stopwaitsecs=600\nstartretries=0\nautorestart=false\n"));
    lab.start();
    lab.wait_log("it was left over by a killed supervisor");
    assert_eq!(lab.state("x"), "STARTING");
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).is_ok());
    assert_eq!(lab.state("x"), "STOPPED");
    assert!(is_alive(old));
    let socket = lab.socket();
    let again = std::thread::spawn(move || call(&socket, "supervisor.startProcess", &[Value::Text("x")]));
    lab.wait_state("x", "STARTING");
    // The end does not wait for it, and does not forget it either.
    let status = lab.stop();
    assert_eq!(status.code(), Some(0));
    drop(again.join());
    assert!(lab.path("pid.state").exists() && is_alive(old));
    kill(old, Signal::KILL);
    wait_gone(old);
    lab.start();
    kill(lab.pid_of("x"), Signal::KILL);
    lab.stop();
}

#[test]
fn everything_else_goes_on_while_leftovers_are_stopped() {
    let (mut lab, old) = crashed_with_stubborn(5);
    lab.configure(&format!("{STUBBORN}[program:y]\ncommand=/bin/sleep 600\nstartsecs=0\n"));
    lab.start();
    lab.pid_of("y");
    assert!(is_alive(old), "nobody waited for the leftover of another program");
    let new = lab.pid_of("x");
    assert!(!is_alive(old));
    kill(new, Signal::KILL);
    lab.stop_well();
}
