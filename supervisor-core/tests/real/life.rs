//! Starting, restarting, giving up, ending.

use rustix::process::Signal;
use supervisor_core::RequestError;
use supervisor_core::domain::event_type::EventType;
use supervisor_core::domain::spec::Autorestart;

use super::*;

#[test]
fn a_killed_process_comes_back_with_another_pid() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", "exec sleep 1000").startsecs(1)]), async |handle| {
        let before = reaches(&handle, "x", ProcessState::Running).await.pid.unwrap();
        kill(before, Signal::KILL);
        let after = eventually("a new pid", async || {
            handle.process(&name("x")).await.unwrap().pid.filter(|pid| *pid != before)
        })
        .await;
        assert!(is_alive(after) && !is_alive(before));
    });
}

#[test]
fn a_program_that_cannot_stay_up_is_tried_four_times_and_given_up() {
    let lab = Lab::new();
    let program = lab.program("x", "echo tried; exit 1").startsecs(60).startretries(1);
    lab.run(supervisor([program]), async |handle| {
        let info = reaches(&handle, "x", ProcessState::Fatal).await;
        assert_eq!(info.spawn_error, "Exited too quickly (process log may have details)");
        assert_eq!(std::fs::read_to_string(lab.path("x.log")).unwrap(), "tried\ntried\n");
    });
}

#[test]
fn what_cannot_be_executed_is_refused_by_name() {
    let lab = Lab::new();
    let file = lab.path("plain");
    std::fs::write(&file, "").unwrap();
    let missing = Program::new("missing", "/does/not/exist").autostart(false);
    let plain = Program::new("plain", file.display().to_string()).autostart(false);
    lab.run(supervisor([missing, plain]), async |handle| {
        let refused = handle.start(&name("missing")).await;
        assert_eq!(refused, Err(RequestError::NoFile("can't find command '/does/not/exist'".into())));
        let refused = handle.start(&name("plain")).await;
        let words = format!("command at '{}' is not executable", file.display());
        assert_eq!(refused, Err(RequestError::NotExecutable(words)));
    });
}

#[test]
fn two_hundred_that_die_at_once_are_all_noticed() {
    let lab = Lab::new();
    let many = Program::new("many", "sleep 1000")
        .numprocs(200)
        .process_name("%(process_num)d")
        .startsecs(0)
        .autorestart(Autorestart::Never)
        .stdout_logfile("NONE")
        .stderr_logfile("NONE");
    lab.run(supervisor([many]), async |handle| {
        let group = handle.group("many");
        let pids: Vec<u32> = eventually("all run", async || {
            let infos = group.processes().await.unwrap();
            infos.iter().map(|info| info.pid.filter(|_| info.state == ProcessState::Running)).collect()
        })
        .await;
        pids.iter().for_each(|pid| kill(*pid, Signal::KILL));
        eventually("all EXITED", async || {
            let infos = group.processes().await.unwrap();
            infos.iter().all(|info| info.state == ProcessState::Exited && info.exit_code == -1).then_some(())
        })
        .await;
        assert!(!pids.into_iter().any(is_alive));
    });
}

#[test]
fn dropping_a_supervisor_that_runs_kills_its_children() {
    let lab = Lab::new();
    let supervisor = supervisor([lab.program("x", "trap '' TERM; while :; do sleep 1; done")]).build().unwrap();
    let handle = supervisor.handle();
    async_io::block_on(async {
        let pid = future::or(
            async {
                supervisor.run().await.unwrap();
                unreachable!("nobody asked for the end")
            },
            async { reaches(&handle, "x", ProcessState::Running).await.pid.unwrap() },
        )
        .await;
        eventually("the child is gone", async || (!is_alive(pid)).then_some(())).await;
        assert_eq!(handle.processes().await, Err(RequestError::Gone));
    });
}

#[test]
fn descriptors_do_not_grow_with_starts_and_stops() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", "exec sleep 1000")]), async |handle| {
        reaches(&handle, "x", ProcessState::Running).await;
        let pipes = || {
            let fds = std::fs::read_dir("/proc/self/fd").unwrap();
            let log = lab.path("x.log");
            fds.filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok()).filter(|target| *target == log).count()
        };
        for _ in 0..10 {
            handle.stop(&name("x")).await.unwrap();
            handle.start(&name("x")).await.unwrap();
        }
        assert_eq!(pipes(), 1, "one descriptor for one log");
    });
}

#[test]
fn every_transition_is_told_in_order() {
    let lab = Lab::new();
    let program = lab.program("x", "exit 3").autostart(false).autorestart(Autorestart::Never);
    lab.run(supervisor([program]), async |handle| {
        let mut events = handle.events(&[EventType::ProcessState], 100).await.unwrap();
        handle.start(&name("x")).await.unwrap();
        let info = reaches(&handle, "x", ProcessState::Exited).await;
        assert_eq!((info.exit_code, info.spawn_error.as_str()), (3, "Bad exit code 3"));
        let mut told = Vec::new();
        while told.len() < 3 {
            told.push(events.next().await.unwrap().event_type);
        }
        use EventType::{ProcessStateExited, ProcessStateRunning, ProcessStateStarting};
        assert_eq!(told, [ProcessStateStarting, ProcessStateRunning, ProcessStateExited]);
    });
}
