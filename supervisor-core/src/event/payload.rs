//! The payload of each event, word for word as Supervisor 4.3's listeners read it.

use crate::domain::name::ProcessName;
use crate::domain::state::ProcessState;
use crate::domain::text::text_of;

use super::occurrence::{Occurrence, Output, StateChange};

impl Occurrence {
    /// The payload: what follows the header line.
    pub(crate) fn payload(&self) -> String {
        match self {
            Self::ProcessState(change) => state_payload(change),
            Self::Communication(output) => output_payload(output, ""),
            Self::Log(output) => output_payload(output, &format!(" channel:{}", output.stream.name())),
            Self::Remote { kind, data } => format!("type:{kind}\n{data}"),
            Self::SupervisorRunning | Self::SupervisorStopping => String::new(),
            Self::Tick { when, .. } => format!("when:{when}"),
            Self::GroupAdded { group } | Self::GroupRemoved { group } => format!("groupname:{group}\n"),
        }
    }
}

fn state_payload(change: &StateChange) -> String {
    let StateChange { name: ProcessName { group, process }, from, to, tries, pid, expected } = change;
    let pid = pid.unwrap_or(0);
    let extra = match to {
        ProcessState::Starting | ProcessState::Backoff => format!(" tries:{tries}"),
        ProcessState::Running | ProcessState::Stopping | ProcessState::Stopped => format!(" pid:{pid}"),
        ProcessState::Exited => format!(" expected:{} pid:{pid}", u8::from(*expected)),
        ProcessState::Fatal | ProcessState::Unknown => String::new(),
    };
    format!("processname:{process} groupname:{group} from_state:{from}{extra}")
}

fn output_payload(output: &Output, channel: &str) -> String {
    let Output { name: ProcessName { group, process }, pid, data, .. } = output;
    format!("processname:{process} groupname:{group} pid:{pid}{channel}\n{}", text_of(data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event_type::EventType;
    use crate::domain::stream::Stream;
    use crate::event::occurrence::Period;

    fn change(from: ProcessState, to: ProcessState) -> Occurrence {
        let name = ProcessName::new("zoo", "cat");
        Occurrence::ProcessState(StateChange { name, from, to, tries: 2, pid: Some(77), expected: true })
    }

    fn output(stream: Stream, data: &[u8]) -> Output {
        Output { name: ProcessName::new("zoo", "cat"), pid: 77, stream, data: data.to_vec() }
    }

    #[test]
    fn each_state_has_its_type_and_words() {
        use ProcessState::*;
        let table = [
            (Stopped, Starting, "PROCESS_STATE_STARTING", " from_state:STOPPED tries:2"),
            (Starting, Backoff, "PROCESS_STATE_BACKOFF", " from_state:STARTING tries:2"),
            (Starting, Running, "PROCESS_STATE_RUNNING", " from_state:STARTING pid:77"),
            (Running, Stopping, "PROCESS_STATE_STOPPING", " from_state:RUNNING pid:77"),
            (Stopping, Stopped, "PROCESS_STATE_STOPPED", " from_state:STOPPING pid:77"),
            (Running, Exited, "PROCESS_STATE_EXITED", " from_state:RUNNING expected:1 pid:77"),
            (Backoff, Fatal, "PROCESS_STATE_FATAL", " from_state:BACKOFF"),
            (Stopping, Unknown, "PROCESS_STATE_UNKNOWN", " from_state:STOPPING"),
        ];
        for (from, to, event_type, rest) in table {
            let occurrence = change(from, to);
            assert_eq!(occurrence.event_type().name(), event_type);
            assert_eq!(occurrence.payload(), format!("processname:cat groupname:zoo{rest}"));
        }
    }

    #[test]
    fn a_stop_out_of_backoff_tells_pid_0_and_a_failure_expected_0() {
        let mut occurrence = change(ProcessState::Backoff, ProcessState::Stopped);
        let Occurrence::ProcessState(change) = &mut occurrence else { unreachable!() };
        change.pid = None;
        assert_eq!(occurrence.payload(), "processname:cat groupname:zoo from_state:BACKOFF pid:0");
        let Occurrence::ProcessState(change) = &mut occurrence else { unreachable!() };
        (change.to, change.expected, change.pid) = (ProcessState::Exited, false, Some(1));
        assert_eq!(occurrence.payload(), "processname:cat groupname:zoo from_state:BACKOFF expected:0 pid:1");
    }

    #[test]
    fn every_other_occurrence_has_its_type_and_words() {
        let remote = Occurrence::Remote { kind: "my type".into(), data: "line 1\nline 2\n".into() };
        let table = [
            (
                Occurrence::Communication(output(Stream::Stdout, b"to be\nor not")),
                "PROCESS_COMMUNICATION_STDOUT",
                "processname:cat groupname:zoo pid:77\nto be\nor not",
            ),
            (
                Occurrence::Communication(output(Stream::Stderr, b"")),
                "PROCESS_COMMUNICATION_STDERR",
                "processname:cat groupname:zoo pid:77\n",
            ),
            (
                Occurrence::Log(output(Stream::Stdout, b"out\n")),
                "PROCESS_LOG_STDOUT",
                "processname:cat groupname:zoo pid:77 channel:stdout\nout\n",
            ),
            (
                Occurrence::Log(output(Stream::Stderr, b"\xff")),
                "PROCESS_LOG_STDERR",
                "processname:cat groupname:zoo pid:77 channel:stderr\nUndecodable: b'\\xff'",
            ),
            (remote, "REMOTE_COMMUNICATION", "type:my type\nline 1\nline 2\n"),
            (Occurrence::SupervisorRunning, "SUPERVISOR_STATE_CHANGE_RUNNING", ""),
            (Occurrence::SupervisorStopping, "SUPERVISOR_STATE_CHANGE_STOPPING", ""),
            (Occurrence::Tick { period: Period::Seconds5, when: 1_700_000_005 }, "TICK_5", "when:1700000005"),
            (Occurrence::Tick { period: Period::Seconds60, when: 60 }, "TICK_60", "when:60"),
            (Occurrence::Tick { period: Period::Seconds3600, when: 3600 }, "TICK_3600", "when:3600"),
            (Occurrence::GroupAdded { group: "zoo".into() }, "PROCESS_GROUP_ADDED", "groupname:zoo\n"),
            (Occurrence::GroupRemoved { group: "zoo".into() }, "PROCESS_GROUP_REMOVED", "groupname:zoo\n"),
        ];
        for (occurrence, event_type, payload) in table {
            assert_eq!((occurrence.event_type().name(), occurrence.payload().as_str()), (event_type, payload));
        }
    }

    #[test]
    fn only_concrete_types_are_delivered() {
        let ancestors: Vec<_> =
            EventType::all().filter(|a| EventType::all().any(|below| below != *a && below.is_a(*a))).collect();
        for state in ProcessState::ALL {
            assert!(!ancestors.contains(&change(ProcessState::Stopped, state).event_type()));
        }
    }
}
