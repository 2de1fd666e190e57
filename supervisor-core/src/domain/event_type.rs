//! The tree of event types (Supervisor 4.3: event types).
//!
//! A listener subscribes to a type and with it to everything below; what is delivered always carries a concrete type.

use std::fmt;

/// A type of event: concrete, or an ancestor that stands for all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the manual's name for it")]
pub enum EventType {
    Event,
    ProcessState,
    ProcessStateStarting,
    ProcessStateRunning,
    ProcessStateBackoff,
    ProcessStateStopping,
    ProcessStateExited,
    ProcessStateStopped,
    ProcessStateFatal,
    ProcessStateUnknown,
    ProcessCommunication,
    ProcessCommunicationStdout,
    ProcessCommunicationStderr,
    ProcessLog,
    ProcessLogStdout,
    ProcessLogStderr,
    RemoteCommunication,
    SupervisorStateChange,
    SupervisorStateChangeRunning,
    SupervisorStateChangeStopping,
    Tick,
    Tick5,
    Tick60,
    Tick3600,
    ProcessGroup,
    ProcessGroupAdded,
    ProcessGroupRemoved,
}

use EventType as E;

/// Type, name, parent.
const TREE: &[(EventType, &str, EventType)] = &[
    (E::Event, "EVENT", E::Event),
    (E::ProcessState, "PROCESS_STATE", E::Event),
    (E::ProcessStateStarting, "PROCESS_STATE_STARTING", E::ProcessState),
    (E::ProcessStateRunning, "PROCESS_STATE_RUNNING", E::ProcessState),
    (E::ProcessStateBackoff, "PROCESS_STATE_BACKOFF", E::ProcessState),
    (E::ProcessStateStopping, "PROCESS_STATE_STOPPING", E::ProcessState),
    (E::ProcessStateExited, "PROCESS_STATE_EXITED", E::ProcessState),
    (E::ProcessStateStopped, "PROCESS_STATE_STOPPED", E::ProcessState),
    (E::ProcessStateFatal, "PROCESS_STATE_FATAL", E::ProcessState),
    (E::ProcessStateUnknown, "PROCESS_STATE_UNKNOWN", E::ProcessState),
    (E::ProcessCommunication, "PROCESS_COMMUNICATION", E::Event),
    (E::ProcessCommunicationStdout, "PROCESS_COMMUNICATION_STDOUT", E::ProcessCommunication),
    (E::ProcessCommunicationStderr, "PROCESS_COMMUNICATION_STDERR", E::ProcessCommunication),
    (E::ProcessLog, "PROCESS_LOG", E::Event),
    (E::ProcessLogStdout, "PROCESS_LOG_STDOUT", E::ProcessLog),
    (E::ProcessLogStderr, "PROCESS_LOG_STDERR", E::ProcessLog),
    (E::RemoteCommunication, "REMOTE_COMMUNICATION", E::Event),
    (E::SupervisorStateChange, "SUPERVISOR_STATE_CHANGE", E::Event),
    (E::SupervisorStateChangeRunning, "SUPERVISOR_STATE_CHANGE_RUNNING", E::SupervisorStateChange),
    (E::SupervisorStateChangeStopping, "SUPERVISOR_STATE_CHANGE_STOPPING", E::SupervisorStateChange),
    (E::Tick, "TICK", E::Event),
    (E::Tick5, "TICK_5", E::Tick),
    (E::Tick60, "TICK_60", E::Tick),
    (E::Tick3600, "TICK_3600", E::Tick),
    (E::ProcessGroup, "PROCESS_GROUP", E::Event),
    (E::ProcessGroupAdded, "PROCESS_GROUP_ADDED", E::ProcessGroup),
    (E::ProcessGroupRemoved, "PROCESS_GROUP_REMOVED", E::ProcessGroup),
];

impl EventType {
    /// Every type, ancestors before what stands below them.
    pub fn all() -> impl Iterator<Item = Self> {
        TREE.iter().map(|(event_type, ..)| *event_type)
    }

    /// The type with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        TREE.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name)).map(|(event_type, ..)| *event_type)
    }

    fn row(self) -> &'static (Self, &'static str, Self) {
        // The table holds every variant in order of declaration; `tests::table_is_complete` keeps it so.
        &TREE[self as usize]
    }

    /// The name, as in `events=` and `eventname:`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// True if this is `ancestor` or stands below it.
    pub fn is_a(self, ancestor: Self) -> bool {
        let mut at = self;
        loop {
            if at == ancestor {
                return true;
            }
            if at == Self::Event {
                return false;
            }
            at = at.row().2;
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_complete() {
        for (index, (event_type, ..)) in TREE.iter().enumerate() {
            assert_eq!(*event_type as usize, index);
        }
        assert_eq!(TREE.len(), EventType::ProcessGroupRemoved as usize + 1);
    }

    #[test]
    fn ancestors_stand_for_what_is_below() {
        assert!(EventType::Tick5.is_a(EventType::Tick));
        assert!(EventType::Tick5.is_a(EventType::Event));
        assert!(EventType::Event.is_a(EventType::Event));
        assert!(!EventType::Event.is_a(EventType::Tick));
        assert!(!EventType::ProcessStateExited.is_a(EventType::ProcessLog));
        assert_eq!(EventType::from_name("process_state_Exited"), Some(EventType::ProcessStateExited));
    }
}
