//! The other end of the pipes: for programs that run under a supervisor, be it this one or Supervisor 4.3.
//!
//! A program started as `[eventlistener:x]` hears of events through a [`Listener`]; one in capture mode sends messages
//! with [`communicate`]; any can ask for its [`Identity`]. Everything here is plain blocking `std::io`: no runtime, no
//! HTTP, no global state. To call back, hand [`Identity::server_url`] to an RPC client.
//!
//! ```no_run
//! use supervisor_core::listener::Verdict;
//! use supervisor_rpc::program::{Listener, ProgramError};
//!
//! # fn main() -> Result<(), ProgramError> {
//! Listener::from_stdio().run(|event| {
//!     eprintln!("{}: {}", event.header.event_name, event.payload);
//!     Verdict::Processed
//! })
//! # }
//! ```

mod communication;
mod event;
mod identity;
mod listener;
mod payload;

pub use communication::communicate;
pub use event::{Event, Header};
pub use identity::Identity;
pub use listener::{Listener, Pending};
pub use payload::Payload;

/// What can go wrong between a program and its supervisor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// A pipe failed.
    #[error("could not {doing}: {source}")]
    Pipe {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The supervisor's end was closed in the middle of an event.
    #[error("the events ended in the middle of one")]
    Truncated,
    /// What should have been a header line is none.
    #[error("bad event header {line:?}: {reason}")]
    Header {
        /// The line, without its newline.
        line: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The payload is longer than the limit, or no UTF-8, or not what its type promises.
    #[error("bad payload of {event_name} {serial}: {reason}")]
    Payload {
        /// The event's type.
        event_name: String,
        /// The event's number.
        serial: u64,
        /// What is wrong with it.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
