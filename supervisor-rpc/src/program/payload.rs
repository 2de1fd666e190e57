//! Payloads taken apart into what they tell.

use std::time::Duration;

use supervisor_core::domain::event_type::EventType;
use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::process::Stream;

use super::event::{tokens, value};
use super::{Event, ProgramError};

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// PROCESS_STATE_*: a process changed its state.
    ProcessState {
        /// Which process.
        name: ProcessName,
        /// The state left.
        from: ProcessState,
        /// The state entered.
        to: ProcessState,
        /// The retry counter (STARTING, BACKOFF).
        tries: Option<u64>,
        /// The pid, also that of a process which has ended (RUNNING, STOPPING, STOPPED, EXITED).
        pid: Option<u32>,
        /// The exit status is among `exitcodes` (EXITED).
        expected: Option<bool>,
    },
    /// PROCESS_COMMUNICATION_*: a process sent a message.
    ProcessCommunication {
        /// Which process.
        name: ProcessName,
        /// Its pid.
        pid: u32,
        /// On which channel.
        stream: Stream,
        /// The message.
        data: &'a str,
    },
    /// PROCESS_LOG_*: a process wrote something.
    ProcessLog {
        /// Which process.
        name: ProcessName,
        /// Its pid.
        pid: u32,
        /// On which channel.
        stream: Stream,
        /// What it wrote.
        data: &'a str,
    },
    /// REMOTE_COMMUNICATION: somebody called `sendRemoteCommEvent`.
    RemoteCommunication {
        /// The caller's word for its type.
        kind: &'a str,
        /// The caller's data.
        data: &'a str,
    },
    /// SUPERVISOR_STATE_CHANGE_*: which one, the event's type says.
    SupervisorStateChange,
    /// TICK_*: a slice of wall time has begun.
    Tick {
        /// Its start, since the Unix epoch.
        when: Duration,
    },
    /// PROCESS_GROUP_ADDED, PROCESS_GROUP_REMOVED.
    ProcessGroup {
        /// The group's name.
        group: &'a str,
    },
    /// An event of a type that this crate does not know.
    Other(&'a str),
}

impl Event {
    /// Takes the payload apart.
    ///
    /// # Errors
    /// [`ProgramError::Payload`] if it is not what its type promises.
    pub fn parse(&self) -> Result<Payload<'_>, ProgramError> {
        parse(self.header.event_type(), &self.payload).map_err(|reason| self.header.bad_payload(&reason))
    }
}

fn parse(event_type: Option<EventType>, payload: &str) -> Result<Payload<'_>, String> {
    let Some(event_type) = event_type else { return Ok(Payload::Other(payload)) };
    let (line, data) = payload.split_once('\n').unwrap_or((payload, ""));
    let fields = Fields(tokens(line));
    let stream = if event_type.name().ends_with("_STDERR") { Stream::Stderr } else { Stream::Stdout };
    let is = |ancestor| event_type.is_a(ancestor);
    if is(EventType::ProcessState) {
        let pid = fields.optional_number("pid")?.filter(|pid| *pid != 0);
        Ok(Payload::ProcessState {
            name: fields.name()?,
            from: state(fields.text("from_state")?)?,
            to: state(event_type.name().trim_start_matches("PROCESS_STATE_"))?,
            tries: fields.optional_number("tries")?,
            pid,
            expected: fields.optional_number::<u8>("expected")?.map(|expected| expected != 0),
        })
    } else if is(EventType::ProcessCommunication) {
        Ok(Payload::ProcessCommunication { name: fields.name()?, pid: fields.number("pid")?, stream, data })
    } else if is(EventType::ProcessLog) {
        Ok(Payload::ProcessLog { name: fields.name()?, pid: fields.number("pid")?, stream, data })
    } else if is(EventType::RemoteCommunication) {
        let kind = line.strip_prefix("type:").ok_or("type is missing")?;
        Ok(Payload::RemoteCommunication { kind, data })
    } else if is(EventType::SupervisorStateChange) {
        Ok(Payload::SupervisorStateChange)
    } else if is(EventType::Tick) {
        Ok(Payload::Tick { when: Duration::from_secs(fields.number("when")?) })
    } else if is(EventType::ProcessGroup) {
        Ok(Payload::ProcessGroup { group: line.strip_prefix("groupname:").ok_or("groupname is missing")? })
    } else {
        Ok(Payload::Other(payload))
    }
}

fn state(name: &str) -> Result<ProcessState, String> {
    let known = ProcessState::ALL.into_iter().find(|state| state.name() == name);
    known.ok_or_else(|| format!("unknown state {name}"))
}

/// The pairs of a payload's first line.
struct Fields<'a>(Vec<(&'a str, String)>);

impl Fields<'_> {
    fn text(&self, key: &str) -> Result<&str, String> {
        value(&self.0, key).ok_or_else(|| format!("{key} is missing"))
    }

    fn name(&self) -> Result<ProcessName, String> {
        Ok(ProcessName::new(self.text("groupname")?, self.text("processname")?))
    }

    fn optional_number<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, String> {
        value(&self.0, key).map(|text| text.parse().map_err(|_| format!("{key} is no number"))).transpose()
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T, String> {
        self.optional_number(key)?.ok_or_else(|| format!("{key} is missing"))
    }
}
