//! Stop signals, escalation, process groups.

use supervisor_core::RequestError;
use supervisor_core::domain::signal;

use super::*;

/// A leader with three children, all of whose pids it tells.
const FAMILY: &str = "for i in 1 2 3; do sleep 1000 & echo child $!; done; echo ready; wait";

fn children(log: &str) -> Vec<u32> {
    log.lines().filter_map(|line| line.strip_prefix("child ")).map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn whoever_ignores_term_is_killed_after_stopwaitsecs_and_not_before() {
    let lab = Lab::new();
    let script = "trap '' TERM; echo ready; while :; do sleep 1; done";
    lab.run(supervisor([lab.program("x", script).stopwaitsecs(1).killasgroup(true)]), async |handle| {
        file_has(&lab.path("x.log"), "ready").await;
        let began = Instant::now();
        handle.stop(&name("x")).await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(1));
        let info = handle.process(&name("x")).await.unwrap();
        assert_eq!((info.state, info.exit_code), (ProcessState::Stopped, -1));
    });
}

#[test]
fn a_frozen_process_is_stopped_all_the_same() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", "exec sleep 1000").stopwaitsecs(1)]), async |handle| {
        let pid = reaches(&handle, "x", ProcessState::Running).await.pid.unwrap();
        kill(pid, rustix::process::Signal::STOP);
        handle.stop(&name("x")).await.unwrap();
        assert!(!is_alive(pid));
    });
}

#[test]
fn stopasgroup_reaches_the_whole_group() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", FAMILY).stopasgroup(true)]), async |handle| {
        let family = children(&file_has(&lab.path("x.log"), "ready").await);
        assert_eq!(family.len(), 3);
        handle.stop(&name("x")).await.unwrap();
        eventually("nothing of the group is left", async || (!family.iter().any(|pid| is_alive(*pid))).then_some(()))
            .await;
    });
}

#[test]
fn without_the_option_only_the_leader_is_signalled() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", FAMILY)]), async |handle| {
        let family = children(&file_has(&lab.path("x.log"), "ready").await);
        handle.stop(&name("x")).await.unwrap();
        assert!(family.iter().all(|pid| is_alive(*pid)));
        family.into_iter().for_each(|pid| kill(pid, rustix::process::Signal::KILL));
    });
}

#[test]
fn a_requested_signal_changes_no_state() {
    let lab = Lab::new();
    let script = "trap 'echo usr1' USR1; echo ready; while :; do sleep 0.1; done";
    lab.run(supervisor([lab.program("x", script).stopasgroup(true)]), async |handle| {
        file_has(&lab.path("x.log"), "ready").await;
        handle.signal(&name("x"), signal::Signal::from_name("USR1").unwrap()).await.unwrap();
        file_has(&lab.path("x.log"), "usr1").await;
        reaches(&handle, "x", ProcessState::Running).await;
        handle.stop(&name("x")).await.unwrap();
        let refused = handle.signal(&name("x"), signal::Signal::TERM).await;
        assert_eq!(refused, Err(RequestError::NotRunning(name("x"))));
    });
}
