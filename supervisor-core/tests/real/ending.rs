//! What remains when a supervisor ends, and what two of them in one program have to do with each other.

use std::sync::Arc;

use supervisor_core::domain::event_type::EventType;
use supervisor_core::listener::Events;
use supervisor_core::process::{ProcessInfo, StateRecord};
use supervisor_core::rpc::{Fault, Registry, Value};
use supervisor_core::{ConfigSource, Definition, Error, Handover, Pipes, ProcessGroup, RequestError, TaskContext};

use super::*;

#[test]
fn what_people_share_between_threads_can_be_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Handle>();
    shared::<ProcessGroup>();
    shared::<ProcessInfo>();
    shared::<StateRecord>();
    shared::<Events>();
    shared::<supervisor_core::logfile::follow::Follow>();
    shared::<Program>();
    shared::<Task>();
    shared::<TaskContext>();
    shared::<Pipes>();
    shared::<Registry>();
    shared::<Value>();
    shared::<Fault>();
    shared::<Error>();
    shared::<RequestError>();
    shared::<Handover>();
    shared::<Arc<dyn ConfigSource>>();
    fn sent<T: Send + 'static>(_: &T) {}
    let builder = Supervisor::builder();
    sent(&builder);
    sent(&Definition::from(Task::new("x", |_| async {})));
    let supervisor = builder.build().unwrap();
    sent(&supervisor);
    let handle = supervisor.handle();
    sent(&supervisor.run());
    sent(&async move { handle.processes().await });
}

#[test]
fn two_supervisors_know_nothing_of_each_other() {
    let lab = Lab::new();
    let other = Lab::new();
    lab.run(supervisor([lab.program("x", "echo one; exec sleep 1000")]).identifier("one"), async |one| {
        let built = supervisor([other.program("x", "echo two; exec sleep 1000")]).identifier("two").build().unwrap();
        let two = built.handle();
        let mut events = one.events(&[EventType::ProcessState], 100).await.unwrap();
        let controlled = async {
            let theirs = reaches(&two, "x", ProcessState::Running).await.pid.unwrap();
            let ours = reaches(&one, "x", ProcessState::Running).await.pid.unwrap();
            file_has(&other.path("x.log"), "two\n").await;
            assert_ne!(ours, theirs);
            assert_eq!((one.identifier(), two.identifier()), ("one", "two"));
            two.shutdown().await.unwrap();
            (ours, theirs)
        };
        let (outcome, (ours, theirs)) = future::zip(built.run(), controlled).await;
        assert!(matches!(outcome, Ok(RunOutcome::Shutdown)));
        assert!(is_alive(ours) && !is_alive(theirs));
        assert_eq!(two.processes().await, Err(RequestError::Gone));
        one.stop(&name("x")).await.unwrap();
        // All that one has heard is about its own.
        let mut heard = Vec::new();
        while heard.last().is_none_or(|last| *last != EventType::ProcessStateStopped) {
            heard.push(events.next().await.unwrap().event_type);
        }
        assert!(heard.iter().filter(|kind| **kind == EventType::ProcessStateStopped).count() == 1, "{heard:?}");
    });
}

#[test]
fn a_supervisor_that_never_runs_starts_nothing_and_says_that_it_is_gone() {
    let lab = Lab::new();
    let built = supervisor([lab.program("x", "touch $0.started")]).build().unwrap();
    let handle = built.handle();
    let asked = async_io::block_on(future::zip(handle.processes(), async { drop(built) })).0;
    assert_eq!(asked, Err(RequestError::Gone));
    assert!(!lab.path("x.sh.started").exists());
}

#[test]
fn whoever_drops_a_verb_abandons_the_wait_and_not_the_work() {
    let lab = Lab::new();
    let slow = lab.program("x", "exec sleep 1000").startsecs(1).autostart(false);
    lab.run(supervisor([slow]), async |handle| {
        let x = name("x");
        assert!(future::poll_once(handle.start(&x)).await.is_none(), "it takes a second");
        reaches(&handle, "x", ProcessState::Running).await;
        assert!(future::poll_once(handle.stop(&x)).await.is_none());
        reaches(&handle, "x", ProcessState::Stopped).await;
    });
}

#[test]
fn nothing_outlives_a_shutdown_and_children_of_children_are_asked_for() {
    let lab = Lab::new();
    let script = "sh -c 'echo $$ > \"$0.child\"; exec sleep 1000' \"$0\" & exec sleep 1000";
    let both = lab.program("x", script).stopasgroup(true);
    let mut pids = Vec::new();
    lab.run(supervisor([both]), async |handle| {
        pids.push(reaches(&handle, "x", ProcessState::Running).await.pid.unwrap());
        let child = file_has(&lab.path("x.sh.child"), "\n").await;
        pids.push(child.trim().parse().unwrap());
        assert!(pids.iter().all(|pid| is_alive(*pid)));
    });
    async_io::block_on(eventually("both are gone", async || (!pids.iter().any(|pid| is_alive(*pid))).then_some(())));
}
