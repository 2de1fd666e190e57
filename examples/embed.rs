//! Supervises two programs inside a Rust program and shows what happens to them.
//!
//! `cargo run -p supervisor-examples --example embed`

use async_trait::async_trait;
use supervisor_core::domain::{event_type::EventType, name::ProcessName, spec::Autorestart};
use supervisor_core::listener::{Event, EventListener, Verdict};
use supervisor_core::{Program, RunOutcome, Supervisor};

struct Show;

#[async_trait]
impl EventListener for Show {
    fn events(&self) -> &[EventType] {
        &[EventType::ProcessState]
    }

    async fn notify(&self, event: &Event) -> Verdict {
        println!("{} {}", event.event_type, event.payload);
        Verdict::Processed
    }
}

#[async_std::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Program::new("clock", "sh -c 'while sleep 1; do date; done'").stdout_logfile("NONE");
    let flaky = Program::new("flaky", "sleep 0.2").startsecs(0).autorestart(Autorestart::Always);
    let supervisor = Supervisor::builder().program(clock).program(flaky).listener(Show).build()?;
    let handle = supervisor.handle();
    let running = async_std::task::spawn(supervisor.run());

    let clock = ProcessName::new("clock", "clock");
    handle.restart(&clock).await?; // resolves once it is RUNNING, or says why not
    let info = handle.process(&clock).await?;
    println!("{} is {} as pid {:?}", info.name, info.state, info.pid);

    handle.shutdown().await?;
    assert!(matches!(running.await?, RunOutcome::Shutdown)); // nothing is left behind
    Ok(())
}
