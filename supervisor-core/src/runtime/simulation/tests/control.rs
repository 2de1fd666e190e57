//! Requests that meet each other, and what the log says of them.

use super::*;
use crate::activity::ActivityLog;
use crate::domain::level::Level;

/// Keeps every line.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Lines {
    fn count(&self, part: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }
}

impl ActivityLog for Lines {
    fn enabled(&self, _level: Level) -> bool {
        true
    }

    fn write(&self, _level: Level, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A listener of the embedding program that never comes back.
struct Hung;

#[async_trait::async_trait]
impl EventListener for Hung {
    fn events(&self) -> &[EventType] {
        &[EventType::SupervisorStateChange]
    }

    async fn notify(&self, _event: &Event) -> Verdict {
        future::pending().await
    }
}

#[test]
fn a_shutdown_overrules_a_restart_that_has_nothing_left_to_stop() {
    let mut simulation = Simulation::new(Supervisor::builder().listener(Hung));
    let handle = simulation.handle.clone();
    simulation.ask(handle.restart_supervisor()).unwrap();
    simulation.pass(Duration::from_secs(1));
    assert!(simulation.ended.is_none(), "the listener may still hear");
    simulation.ask(handle.shutdown()).unwrap();
    simulation.pass(Duration::from_secs(2));
    assert!(matches!(simulation.ended, Some(RunOutcome::Shutdown)));
}

#[test]
fn a_stop_is_reported_every_two_seconds_however_many_stops_there_were_and_whoever_waits() {
    let mut process = program("x", "stubborn 1e9 0");
    (process.startsecs, process.stopwaitsecs) = (0, 1);
    let lines = Arc::new(Lines::default());
    let mut simulation = Simulation::new(Supervisor::builder().group(group(process)).activity_log(lines.clone()));
    let handle = simulation.handle.clone();
    let x = name("x");
    simulation.pass(Duration::from_secs(1));
    for _ in 0..3 {
        simulation.ask(handle.stop(&x)).unwrap();
        simulation.ask(handle.start(&x)).unwrap();
    }
    assert_eq!(lines.count("waiting for x to stop"), 3);
    // Reports of the stops before are due while this one is waited for.
    let mut again = pin!(handle.stop(&x));
    assert!(simulation.settle(again.as_mut()).is_none());
    simulation.pass(Duration::from_millis(500));
    simulation.ask(again).unwrap();
    assert_eq!(lines.count("waiting for x to stop"), 4);
}

#[test]
fn what_waits_for_a_retry_is_given_up_in_its_turn() {
    let with = |priority, mut process: Process| {
        process.startretries = 100;
        let mut group = group(process);
        group.priority = priority;
        group
    };
    let mut slow = program("slow", "stubborn 1e9 0");
    slow.stopwaitsecs = 5;
    let lines = Arc::new(Lines::default());
    let groups = [with(500, program("broken", "live 0.1 1")), with(999, slow)];
    let mut simulation = Simulation::new(Supervisor::builder().groups(groups).activity_log(lines.clone()));
    let handle = simulation.handle.clone();
    simulation.pass(Duration::from_millis(500));
    simulation.ask(handle.shutdown()).unwrap();
    simulation.pass(Duration::from_millis(4900));
    assert_eq!(simulation.ask(handle.process(&name("broken"))).unwrap().state, ProcessState::Backoff);
    simulation.pass(DAY);
    assert!(matches!(simulation.ended, Some(RunOutcome::Shutdown)));
    assert_eq!(simulation.clock.now().monotonic, Duration::from_millis(5500));
    assert_eq!(lines.count("gave up"), 0);
}
