//! The states of processes, of the supervisor and of event listeners, with their codes and sets.
//!
//! Decides which states count as stopped, running or signallable. How a state is reached is decided in
//! `machine/process.rs`.

use std::fmt;

/// The state of a process (Supervisor 4.3: process states).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProcessState {
    /// Never started, or stopped on request.
    Stopped,
    /// Spawned; `startsecs` is not over yet.
    Starting,
    /// Up for longer than `startsecs`.
    Running,
    /// Ended too early or could not be spawned; will be tried again.
    Backoff,
    /// The stop signal was sent; the end is awaited.
    Stopping,
    /// Left [`Running`](Self::Running) by itself.
    Exited,
    /// Given up after too many retries.
    Fatal,
    /// A signal could not be sent, for another reason than that the process was gone.
    Unknown,
}

impl ProcessState {
    /// All states, in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::Stopped,
        Self::Starting,
        Self::Running,
        Self::Backoff,
        Self::Stopping,
        Self::Exited,
        Self::Fatal,
        Self::Unknown,
    ];

    /// The code on the wire (`getProcessInfo`: `state`).
    pub const fn code(self) -> i32 {
        match self {
            Self::Stopped => 0,
            Self::Starting => 10,
            Self::Running => 20,
            Self::Backoff => 30,
            Self::Stopping => 40,
            Self::Exited => 100,
            Self::Fatal => 200,
            Self::Unknown => 1000,
        }
    }

    /// The name on the wire (`getProcessInfo`: `statename`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Backoff => "BACKOFF",
            Self::Stopping => "STOPPING",
            Self::Exited => "EXITED",
            Self::Fatal => "FATAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The state with this code.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// True for STOPPED, EXITED, FATAL and UNKNOWN: nothing is left to wait for.
    pub const fn is_stopped(self) -> bool {
        matches!(self, Self::Stopped | Self::Exited | Self::Fatal | Self::Unknown)
    }

    /// True for STARTING, RUNNING and BACKOFF: a start request is refused, a stop request is taken.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Backoff)
    }

    /// True for STARTING, RUNNING and STOPPING: a signal request is taken.
    pub const fn is_signallable(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping)
    }
}

impl fmt::Display for ProcessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The state of the supervisor itself (Supervisor 4.3: `getState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SupervisorState {
    /// Never entered; part of the wire's vocabulary.
    Fatal,
    /// Ordinary work.
    Running,
    /// Stopping everything in order to start anew in the same process.
    Restarting,
    /// Stopping everything in order to end.
    Shutdown,
}

impl SupervisorState {
    /// The code on the wire (`getState`: `statecode`).
    pub const fn code(self) -> i32 {
        match self {
            Self::Fatal => 2,
            Self::Running => 1,
            Self::Restarting => 0,
            Self::Shutdown => -1,
        }
    }

    /// The name on the wire (`getState`: `statename`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fatal => "FATAL",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Shutdown => "SHUTDOWN",
        }
    }

    /// The state with this code.
    pub fn from_code(code: i32) -> Option<Self> {
        [Self::Fatal, Self::Running, Self::Restarting, Self::Shutdown].into_iter().find(|state| state.code() == code)
    }
}

/// The state of one event listener's protocol (Supervisor 4.3: event listener states).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListenerState {
    /// Waiting for an event.
    Ready,
    /// Has an event, owes a result.
    Busy,
    /// Has answered, or has just begun; owes a READY line.
    Acknowledged,
    /// Broke the protocol; hears nothing until it is restarted.
    Unknown,
}

impl ListenerState {
    /// The code that the manual gives.
    pub const fn code(self) -> i32 {
        match self {
            Self::Ready => 10,
            Self::Busy => 20,
            Self::Acknowledged => 30,
            Self::Unknown => 40,
        }
    }

    /// The name in log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Busy => "BUSY",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for ListenerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_those_of_the_manual() {
        let table = [
            (0, "STOPPED"),
            (10, "STARTING"),
            (20, "RUNNING"),
            (30, "BACKOFF"),
            (40, "STOPPING"),
            (100, "EXITED"),
            (200, "FATAL"),
            (1000, "UNKNOWN"),
        ];
        for (code, name) in table {
            let state = ProcessState::from_code(code).expect(name);
            assert_eq!(state.name(), name);
        }
    }

    #[test]
    fn stopped_and_running_do_not_overlap() {
        for state in ProcessState::ALL {
            assert!(!(state.is_stopped() && state.is_running()), "{state}");
        }
    }
}
