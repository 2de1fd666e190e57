//! Requests that meet each other, and what the log says of them.

use super::*;

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
