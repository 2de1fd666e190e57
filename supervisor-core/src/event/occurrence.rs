//! What can happen that is worth an event, as data.
//!
//! An [`Occurrence`] holds the values of the moment at which it happened. It says of what type the event is; its text is
//! made in `payload.rs`, who hears of it is decided in `machine/bus.rs`.

use crate::domain::event_type::EventType;
use crate::domain::name::ProcessName;
use crate::domain::state::ProcessState;
use crate::domain::stream::Stream;

/// Something that happened, with the values of that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Occurrence {
    /// A process changed its state.
    ProcessState(StateChange),
    /// A process sent a message in capture mode.
    Communication(Output),
    /// A process wrote something to a channel whose events are enabled.
    Log(Output),
    /// Somebody called `sendRemoteCommEvent`.
    Remote {
        /// The caller's word for its type.
        kind: String,
        /// The caller's data.
        data: String,
    },
    /// The supervisor works: once, before the first process starts.
    SupervisorRunning,
    /// A shutdown or restart has begun: once, before the first stop.
    SupervisorStopping,
    /// A slice of wall time has begun.
    Tick {
        /// How long the slice is.
        period: Period,
        /// Its start in seconds since the Unix epoch, a multiple of the period.
        when: u64,
    },
    /// A group became active.
    GroupAdded {
        /// Its name.
        group: String,
    },
    /// A group was removed.
    GroupRemoved {
        /// Its name.
        group: String,
    },
}

/// One change of state. Which of the values are told depends on the state entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateChange {
    /// Which process.
    pub(crate) name: ProcessName,
    /// The state left.
    pub(crate) from: ProcessState,
    /// The state entered.
    pub(crate) to: ProcessState,
    /// The retry counter after the change: 0 for a fresh start, 1 with the first failure.
    pub(crate) tries: u64,
    /// The pid, also that of a process which has just ended; `None` is told as 0.
    pub(crate) pid: Option<u32>,
    /// The exit status is among `exitcodes`.
    pub(crate) expected: bool,
}

/// Bytes that a process wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// Which process.
    pub(crate) name: ProcessName,
    /// Its pid.
    pub(crate) pid: u32,
    /// On which channel.
    pub(crate) stream: Stream,
    /// What it wrote.
    pub(crate) data: Vec<u8>,
}

/// The lengths of the slices of time that begin with a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Period {
    /// Five seconds.
    Seconds5,
    /// A minute.
    Seconds60,
    /// An hour.
    Seconds3600,
}

impl Period {
    /// Every period, the shortest first.
    pub(crate) const ALL: [Self; 3] = [Self::Seconds5, Self::Seconds60, Self::Seconds3600];

    /// Its length in seconds.
    pub(crate) const fn seconds(self) -> u64 {
        match self {
            Self::Seconds5 => 5,
            Self::Seconds60 => 60,
            Self::Seconds3600 => 3600,
        }
    }

    /// The type of its ticks.
    pub(crate) const fn event_type(self) -> EventType {
        match self {
            Self::Seconds5 => EventType::Tick5,
            Self::Seconds60 => EventType::Tick60,
            Self::Seconds3600 => EventType::Tick3600,
        }
    }
}

impl Occurrence {
    /// The type of the event, always a concrete one.
    pub(crate) const fn event_type(&self) -> EventType {
        match self {
            Self::ProcessState(change) => state_type(change.to),
            Self::Communication(output) => match output.stream {
                Stream::Stdout => EventType::ProcessCommunicationStdout,
                Stream::Stderr => EventType::ProcessCommunicationStderr,
            },
            Self::Log(output) => match output.stream {
                Stream::Stdout => EventType::ProcessLogStdout,
                Stream::Stderr => EventType::ProcessLogStderr,
            },
            Self::Remote { .. } => EventType::RemoteCommunication,
            Self::SupervisorRunning => EventType::SupervisorStateChangeRunning,
            Self::SupervisorStopping => EventType::SupervisorStateChangeStopping,
            Self::Tick { period, .. } => period.event_type(),
            Self::GroupAdded { .. } => EventType::ProcessGroupAdded,
            Self::GroupRemoved { .. } => EventType::ProcessGroupRemoved,
        }
    }
}

/// The type of the event that tells of entering a state.
pub(crate) const fn state_type(entered: ProcessState) -> EventType {
    match entered {
        ProcessState::Stopped => EventType::ProcessStateStopped,
        ProcessState::Starting => EventType::ProcessStateStarting,
        ProcessState::Running => EventType::ProcessStateRunning,
        ProcessState::Backoff => EventType::ProcessStateBackoff,
        ProcessState::Stopping => EventType::ProcessStateStopping,
        ProcessState::Exited => EventType::ProcessStateExited,
        ProcessState::Fatal => EventType::ProcessStateFatal,
        ProcessState::Unknown => EventType::ProcessStateUnknown,
    }
}
