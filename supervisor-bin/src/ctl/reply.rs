//! The answers of the server as plain data. Decides nothing; an answer of another shape is an error.

use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::rpc::{Fault, FaultCode, FromValue, Value};

use super::connection::ClientError;

/// What `status` and `pid` show of a process (`getProcessInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcessStatus {
    pub(super) name: ProcessName,
    pub(super) state: i64,
    pub(super) statename: String,
    pub(super) description: String,
    pub(super) pid: i64,
}

impl ProcessStatus {
    pub(super) fn read(value: &Value) -> Result<Self, ClientError> {
        Ok(Self {
            name: name(value)?,
            state: field(value, "state")?,
            statename: field(value, "statename")?,
            description: field(value, "description")?,
            pid: field(value, "pid")?,
        })
    }

    /// The list that `getAllProcessInfo` answers.
    pub(super) fn read_all(value: &Value) -> Result<Vec<Self>, ClientError> {
        array(value)?.iter().map(Self::read).collect()
    }

    pub(super) fn is_in(&self, state: ProcessState) -> bool {
        self.state == i64::from(state.code())
    }

    /// True for a state in which nothing runs; also for a state that we do not know.
    pub(super) fn is_stopped(&self) -> bool {
        i32::try_from(self.state).ok().and_then(ProcessState::from_code).is_none_or(ProcessState::is_stopped)
    }
}

/// What became of one process in a call for many (`startAllProcesses` and the like).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MemberResult {
    pub(super) name: ProcessName,
    /// Nothing, or why not.
    pub(super) result: Result<(), Fault>,
}

impl MemberResult {
    pub(super) fn read_all(value: &Value) -> Result<Vec<Self>, ClientError> {
        array(value)?.iter().map(Self::read).collect()
    }

    fn read(value: &Value) -> Result<Self, ClientError> {
        let status: i64 = field(value, "status")?;
        let result = if status == i64::from(FaultCode::Success.number()) {
            Ok(())
        } else {
            let code = i32::try_from(status).unwrap_or(FaultCode::Failed.number());
            Err(Fault { code, text: field(value, "description")? })
        };
        Ok(Self { name: name(value)?, result })
    }
}

/// What `avail` shows of a configured process (`getAllConfigInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfiguredProcess {
    pub(super) name: ProcessName,
    pub(super) in_use: bool,
    pub(super) autostart: bool,
    pub(super) group_priority: i64,
    pub(super) process_priority: i64,
}

impl ConfiguredProcess {
    pub(super) fn read_all(value: &Value) -> Result<Vec<Self>, ClientError> {
        array(value)?.iter().map(Self::read).collect()
    }

    fn read(value: &Value) -> Result<Self, ClientError> {
        Ok(Self {
            name: name(value)?,
            in_use: field(value, "inuse")?,
            autostart: field(value, "autostart")?,
            group_priority: field(value, "group_prio")?,
            process_priority: field(value, "process_prio")?,
        })
    }
}

/// The groups that a re-read found to differ (`reloadConfig`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ConfigChanges {
    pub(super) added: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) removed: Vec<String>,
}

impl ConfigChanges {
    pub(super) fn read(value: &Value) -> Result<Self, ClientError> {
        let [inner] = array(value)? else { return Err(unexpected("reloadConfig")) };
        let [added, changed, removed] = array(inner)? else { return Err(unexpected("reloadConfig")) };
        Ok(Self { added: names(added)?, changed: names(changed)?, removed: names(removed)? })
    }
}

fn names(value: &Value) -> Result<Vec<String>, ClientError> {
    array(value)?.iter().map(read).collect()
}

fn name(value: &Value) -> Result<ProcessName, ClientError> {
    Ok(ProcessName::new(field::<String>(value, "group")?, field::<String>(value, "name")?))
}

fn field<T: FromValue>(value: &Value, name: &str) -> Result<T, ClientError> {
    value.get(name).and_then(T::from_value).ok_or_else(|| unexpected(name))
}

fn array(value: &Value) -> Result<&[Value], ClientError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(unexpected("a list")),
    }
}

/// An answer that is a text, a number or a truth value.
pub(super) fn read<T: FromValue>(value: &Value) -> Result<T, ClientError> {
    T::from_value(value).ok_or_else(|| unexpected("an answer"))
}

fn unexpected(what: &str) -> ClientError {
    ClientError::NotASupervisor(format!("{what} is missing or of another type"))
}
