//! Floor 0: the words of the subject as plain data.
//!
//! Names, states, signals, exit statuses, event types, settings and moments. Nothing here does anything: no I/O, no
//! clock, no logging, only `std`. Every other floor speaks in these types.

pub mod event_type;
pub mod exit;
pub mod host;
pub mod level;
pub mod moment;
pub mod name;
pub mod server;
pub mod signal;
pub mod spec;
pub mod state;
pub mod stream;
pub(crate) mod text;
pub mod token;
