//! An event listener as a program of its own: it tells on standard error what happens to the other programs.
//!
//! It works under this supervisor and under Supervisor 4.3:
//!
//! ```ini
//! [eventlistener:teller]
//! command = /path/to/listener
//! events = PROCESS_STATE, PROCESS_COMMUNICATION, REMOTE_COMMUNICATION, TICK_60
//! ```

use supervisor_core::domain::state::ProcessState;
use supervisor_core::listener::Verdict;
use supervisor_rpc::program::{Event, Identity, Listener, Payload, ProgramError};

fn main() -> Result<(), ProgramError> {
    match Identity::from_environment() {
        Some(identity) => eprintln!("{} listens", identity.name),
        None => eprintln!("not started by a supervisor: type events, end with Ctrl-D"),
    }
    Listener::from_stdio().run(|event| match tell(event) {
        Ok(()) => Verdict::Processed,
        Err(error) => {
            // It would be no better the next time.
            eprintln!("{error}");
            Verdict::Processed
        }
    })
}

fn tell(event: &Event) -> Result<(), ProgramError> {
    match event.parse()? {
        Payload::ProcessState { name, to: ProcessState::Exited, expected: Some(false), .. } => {
            eprintln!("{name} ended unexpectedly");
        }
        Payload::ProcessState { name, to: ProcessState::Fatal, .. } => eprintln!("{name} could not be started"),
        Payload::ProcessState { name, from, to, .. } => eprintln!("{name}: {from} -> {to}"),
        Payload::ProcessCommunication { name, data, .. } => eprintln!("{name} says {data}"),
        Payload::RemoteCommunication { kind, data } => eprintln!("somebody says {kind}: {data}"),
        Payload::Tick { when } => eprintln!("it is {} seconds after the epoch", when.as_secs()),
        other => eprintln!("{}: {other:?}", event.header.event_name),
    }
    Ok(())
}
