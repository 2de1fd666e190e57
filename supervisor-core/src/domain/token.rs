//! The fixed words on the pipes between the supervisor and its programs (Supervisor 4.3: event listener protocol,
//! process communication events).
//!
//! Both ends use them: the machines that read the supervisor's side, and the helpers for programs that run under it.

/// Opens a process communication message.
pub const BEGIN: &[u8] = b"<!--XSUPERVISOR:BEGIN-->";

/// Closes a process communication message.
pub const END: &[u8] = b"<!--XSUPERVISOR:END-->";

/// What a listener writes when it wants an event.
pub const READY: &[u8] = b"READY\n";

/// How the line begins with which a listener answers an event; the length of the result follows.
pub const RESULT: &[u8] = b"RESULT ";

/// The result that the default result handler takes as "done"; anything else rejects the event.
pub const OK: &[u8] = b"OK";

/// The version of the event protocol (`ver:`).
pub const PROTOCOL_VERSION: &str = "3.0";
