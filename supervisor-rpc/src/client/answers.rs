//! What a server answers, as types: read from the values of the wire. An answer of another shape is none of them.
//!
//! Asks nobody; [`Supervisor`](super::Supervisor) does. Times are whole seconds since 1970, as on the wire.

use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::rpc::{Fault, FaultCode, FromValue, Value};

/// What a server says of one process (Supervisor 4.3: `getProcessInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessInfo {
    /// Its full name.
    pub name: ProcessName,
    /// Its state.
    pub state: ProcessState,
    /// What a person is told: `pid 12, uptime 0:01:02`.
    pub description: String,
    /// Its process id, while it runs.
    pub pid: Option<u32>,
    /// The last attempt to start it, in seconds since 1970.
    pub started: Option<i64>,
    /// Its last end, in seconds since 1970.
    pub stopped: Option<i64>,
    /// When this was said, in seconds since 1970 by the clock of the server.
    pub now: i64,
    /// The exit code of its last end; -1 if a signal ended it, 0 before the first end.
    pub exit_status: i64,
    /// Why it could not be started; empty if it could.
    pub spawn_error: String,
    /// Path of its stdout log; empty if there is none.
    pub stdout_log: String,
    /// Path of its stderr log; empty if there is none.
    pub stderr_log: String,
}

impl FromValue for ProcessInfo {
    fn from_value(value: &Value) -> Option<Self> {
        let time = |name: &str| Some(Some(member::<i64>(value, name)?).filter(|seconds| *seconds > 0));
        Some(Self {
            name: process_name(value)?,
            state: ProcessState::from_code(i32::try_from(member::<i64>(value, "state")?).ok()?)?,
            description: member(value, "description")?,
            pid: u32::try_from(member::<i64>(value, "pid")?).ok().filter(|pid| *pid > 0),
            started: time("start")?,
            stopped: time("stop")?,
            now: member(value, "now")?,
            exit_status: member(value, "exitstatus")?,
            spawn_error: member(value, "spawnerr")?,
            stdout_log: member(value, "stdout_logfile")?,
            stderr_log: member(value, "stderr_logfile")?,
        })
    }
}

/// What became of one process in a call for many (Supervisor 4.3: `startAllProcesses` and the like).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessResult {
    /// Its full name.
    pub name: ProcessName,
    /// Nothing, or why not.
    pub result: Result<(), Fault>,
}

impl FromValue for ProcessResult {
    fn from_value(value: &Value) -> Option<Self> {
        let status: i64 = member(value, "status")?;
        let result = if status == i64::from(FaultCode::Success.number()) {
            Ok(())
        } else {
            let code = i32::try_from(status).unwrap_or(FaultCode::Failed.number());
            Err(Fault { code, text: member(value, "description")? })
        };
        Some(Self { name: process_name(value)?, result })
    }
}

/// The settings of one process of the configuration that was read last (Supervisor 4.3: `getAllConfigInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessConfig {
    /// Its full name.
    pub name: ProcessName,
    /// True if its group is active.
    pub in_use: bool,
    /// `autostart`
    pub autostart: bool,
    /// `priority` of its group.
    pub group_priority: i64,
    /// `priority` of its own.
    pub priority: i64,
    /// `command`, expanded.
    pub command: String,
    /// `directory`, if set and told.
    pub directory: Option<String>,
    /// `user` as a number, if set and told.
    pub uid: Option<u32>,
    /// `serverurl`, if set and told.
    pub serverurl: Option<String>,
    /// `exitcodes`
    pub exitcodes: Vec<i64>,
    /// `killasgroup`
    pub killasgroup: bool,
    /// `startsecs`, in seconds.
    pub startsecs: i64,
    /// `startretries`
    pub startretries: i64,
    /// `stopsignal` as a number.
    pub stopsignal: i64,
    /// `stopwaitsecs`, in seconds.
    pub stopwaitsecs: i64,
    /// `redirect_stderr`
    pub redirect_stderr: bool,
    /// Settings of stdout.
    pub stdout: ChannelConfig,
    /// Settings of stderr.
    pub stderr: ChannelConfig,
}

/// The settings of one output of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelConfig {
    /// The path of its log; `auto` for one that has no name yet; `None` if nothing is kept.
    pub logfile: Option<String>,
    /// The size at which the log is rotated, in bytes; 0 never.
    pub logfile_maxbytes: i64,
    /// How many rotated logs are kept.
    pub logfile_backups: i64,
    /// How much is captured between the marks of PROCESS_COMMUNICATION, in bytes.
    pub capture_maxbytes: i64,
    /// Whether PROCESS_LOG events are published.
    pub events_enabled: bool,
    /// Whether lines go to the system log.
    pub syslog: bool,
}

impl FromValue for ProcessConfig {
    fn from_value(value: &Value) -> Option<Self> {
        Some(Self {
            name: process_name(value)?,
            in_use: member(value, "inuse")?,
            autostart: member(value, "autostart")?,
            group_priority: member(value, "group_prio")?,
            priority: member(value, "process_prio")?,
            command: member(value, "command")?,
            // Daemons older than Supervisor 4.3 do not tell these three.
            directory: if_told(value, "directory")?,
            uid: match value.get("uid") {
                None | Some(Value::String(_)) => None,
                Some(number) => Some(u32::try_from(i64::from_value(number)?).ok()?),
            },
            serverurl: if_told(value, "serverurl")?,
            exitcodes: member(value, "exitcodes")?,
            killasgroup: member(value, "killasgroup")?,
            startsecs: member(value, "startsecs")?,
            startretries: member(value, "startretries")?,
            stopsignal: member(value, "stopsignal")?,
            stopwaitsecs: member(value, "stopwaitsecs")?,
            redirect_stderr: member(value, "redirect_stderr")?,
            stdout: channel(value, "stdout")?,
            stderr: channel(value, "stderr")?,
        })
    }
}

fn channel(value: &Value, stream: &str) -> Option<ChannelConfig> {
    let name = |what: &str| format!("{stream}_{what}");
    Some(ChannelConfig {
        logfile: unless_none(value, &name("logfile"))?,
        logfile_maxbytes: member(value, &name("logfile_maxbytes"))?,
        logfile_backups: member(value, &name("logfile_backups"))?,
        capture_maxbytes: member(value, &name("capture_maxbytes"))?,
        events_enabled: member(value, &name("events_enabled"))?,
        syslog: member(value, &name("syslog"))?,
    })
}

/// The groups that a re-read found to differ from what is active (Supervisor 4.3: `reloadConfig`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ConfigChanges {
    /// Configured, but not active.
    pub added: Vec<String>,
    /// Active with other settings.
    pub changed: Vec<String>,
    /// Active, but no longer configured.
    pub removed: Vec<String>,
}

impl FromValue for ConfigChanges {
    fn from_value(value: &Value) -> Option<Self> {
        let lists: Vec<Vec<Vec<String>>> = FromValue::from_value(value)?;
        let [added, changed, removed] = <[_; 3]>::try_from(<[_; 1]>::try_from(lists).ok()?.into_iter().next()?).ok()?;
        Some(Self { added, changed, removed })
    }
}

/// What was added to a log (Supervisor 4.3: `tailProcessStdoutLog`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogTail {
    /// The text; what is not UTF-8 has become U+FFFD.
    pub text: String,
    /// The size of the log, in bytes: the offset of the next call.
    pub size: i64,
    /// True if there was more than was asked for.
    pub overflow: bool,
}

impl FromValue for LogTail {
    fn from_value(value: &Value) -> Option<Self> {
        let Value::Array(parts) = value else { return None };
        let [text, size, overflow] = parts.as_slice() else { return None };
        Some(Self {
            text: String::from_value(text)?,
            size: i64::from_value(size)?,
            overflow: bool::from_value(overflow)?,
        })
    }
}

fn member<T: FromValue>(value: &Value, name: &str) -> Option<T> {
    T::from_value(value.get(name)?)
}

/// A text that is `none` where nothing is set.
fn unless_none(value: &Value, name: &str) -> Option<Option<String>> {
    Some(Some(member::<String>(value, name)?).filter(|text| text != "none"))
}

/// The same for one that may be missing.
fn if_told(value: &Value, name: &str) -> Option<Option<String>> {
    if value.get(name).is_some() { unless_none(value, name) } else { Some(None) }
}

fn process_name(value: &Value) -> Option<ProcessName> {
    Some(ProcessName::new(member::<String>(value, "group")?, member::<String>(value, "name")?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn info() -> Vec<(String, Value)> {
        let texts = [("name", "p"), ("group", "g"), ("description", "d"), ("spawnerr", "")];
        let logs = [("stdout_logfile", "/o"), ("stderr_logfile", "")];
        let numbers = [("state", 20), ("start", 10), ("stop", 0), ("now", 11), ("pid", 12), ("exitstatus", -1)];
        let texts = texts.into_iter().chain(logs).map(|(name, text)| (name.to_owned(), Value::from(text)));
        texts.chain(numbers.map(|(name, number)| (name.to_owned(), Value::Int(number)))).collect()
    }

    #[test]
    fn a_process_is_read() {
        let process = ProcessInfo::from_value(&Value::Struct(info())).unwrap();
        assert_eq!((process.name.to_string().as_str(), process.state), ("g:p", ProcessState::Running));
        assert_eq!((process.pid, process.exit_status), (Some(12), -1));
        assert_eq!((process.started, process.stopped, process.now), (Some(10), None, 11));
    }

    #[test]
    fn what_is_missing_or_odd_is_no_process() {
        for at in 0..info().len() {
            let mut members = info();
            members.remove(at);
            assert_eq!(ProcessInfo::from_value(&Value::Struct(members)), None, "{:?}", info()[at]);
            let mut members = info();
            members[at].1 = Value::Nil;
            assert_eq!(ProcessInfo::from_value(&Value::Struct(members)), None, "{:?}", info()[at]);
        }
        assert_eq!(ProcessInfo::from_value(&Value::Nil), None);
    }

    #[test]
    fn an_older_daemon_tells_less_of_its_settings() {
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut add = |names: &[&str], value: Value| {
            members.extend(names.iter().map(|name| ((*name).to_owned(), value.clone())));
        };
        add(&["group", "name", "command", "stdout_logfile", "stderr_logfile"], "x".into());
        add(&["inuse", "autostart", "killasgroup", "redirect_stderr"], true.into());
        add(&["group_prio", "process_prio", "startsecs", "startretries", "stopsignal", "stopwaitsecs"], 1.into());
        add(&["exitcodes"], vec![Value::Int(0)].into());
        for stream in ["stdout", "stderr"] {
            let names = |words: &[&str]| words.iter().map(|word| format!("{stream}_{word}")).collect::<Vec<_>>();
            for name in names(&["logfile_maxbytes", "logfile_backups", "capture_maxbytes"]) {
                add(&[&name], 0.into());
            }
            for name in names(&["events_enabled", "syslog"]) {
                add(&[&name], false.into());
            }
        }
        let config = ProcessConfig::from_value(&Value::Struct(members.clone())).unwrap();
        assert_eq!((config.directory, config.uid, config.serverurl), (None, None, None));
        members.retain(|(name, _)| name != "killasgroup");
        assert_eq!(ProcessConfig::from_value(&Value::Struct(members)), None);
    }

    #[test]
    fn changes_are_one_list_of_three() {
        let list = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
        let answer = Value::Array(vec![Value::Array(vec![list(&["a"]), list(&[]), list(&["b", "c"])])]);
        let changes = ConfigChanges::from_value(&answer).unwrap();
        assert_eq!((changes.added.len(), changes.changed.len(), changes.removed.len()), (1, 0, 2));
        for odd in [list(&[]), Value::Nil, Value::Array(vec![Value::Array(vec![list(&[]), list(&[])])])] {
            assert_eq!(ConfigChanges::from_value(&odd), None, "{odd:?}");
        }
    }

    #[test]
    fn ends_of_logs_have_three_parts() {
        let parts = || vec![Value::from("x"), Value::Int(7), Value::from(true)];
        let tail = LogTail { text: "x".to_owned(), size: 7, overflow: true };
        assert_eq!(LogTail::from_value(&parts().into()), Some(tail));
        assert_eq!(LogTail::from_value(&parts()[..2].to_vec().into()), None);
        assert_eq!(LogTail::from_value(&Value::Nil), None);
    }
}
