//! Snapshots: what the supervisor knew of a process or of the configuration at one moment.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::exit::ExitStatus;
use crate::domain::name::ProcessName;
use crate::domain::spec;
use crate::domain::state::ProcessState;
use crate::listener::ListenerInfo;

pub use crate::domain::stream::Stream;

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ProcessKind {
    /// A process of the system.
    #[default]
    Program,
    /// A task of the embedding program.
    Task,
}

/// What is known of a process (Supervisor 4.3: `getProcessInfo`). Times are since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessInfo {
    /// Its full name.
    pub name: ProcessName,
    /// Its state.
    pub state: ProcessState,
    /// Its pid, while there is one; a task never has one.
    pub pid: Option<u32>,
    /// What it is.
    pub kind: ProcessKind,
    /// The last attempt to start it.
    pub started: Option<Duration>,
    /// The last end.
    pub stopped: Option<Duration>,
    /// When this snapshot was taken.
    pub now: Duration,
    /// How long the present run has lasted, by a clock that is never set.
    pub uptime: Duration,
    /// The exit code of the last end; -1 for a signal; 0 as long as there is none.
    pub exit_code: i32,
    /// Why the last attempt failed; empty when it did not.
    pub spawn_error: String,
    /// The path of the stdout log.
    pub stdout_logfile: Option<PathBuf>,
    /// The path of the stderr log.
    pub stderr_logfile: Option<PathBuf>,
    /// How many bytes of its logs could not be written (a full disk) since its group became active.
    pub lost_log_bytes: u64,
    /// What it is as an event listener; `None` if it is none.
    pub listener: Option<ListenerInfo>,
}

impl ProcessInfo {
    /// A process of this name that was never started, at the Unix epoch; the rest is filled in by field.
    pub fn new(name: ProcessName) -> Self {
        Self {
            name,
            state: ProcessState::Stopped,
            pid: None,
            kind: ProcessKind::Program,
            started: None,
            stopped: None,
            now: Duration::ZERO,
            uptime: Duration::ZERO,
            exit_code: 0,
            spawn_error: String::new(),
            stdout_logfile: None,
            stderr_logfile: None,
            lost_log_bytes: 0,
            listener: None,
        }
    }
}

/// One change of a process's state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateRecord {
    /// When, since the Unix epoch.
    pub when: Duration,
    /// The state before.
    pub from: ProcessState,
    /// The state after.
    pub to: ProcessState,
    /// The pid, also that of a process that has just ended; `None` if there was none.
    pub pid: Option<u32>,
    /// How the process ended, if it did.
    pub exit: Option<ExitStatus>,
    /// Why, in words for people; empty where the states say it all.
    pub reason: String,
}

/// What a process uses of the machine, without its children.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessUsage {
    /// Its full name.
    pub name: ProcessName,
    /// Its pid.
    pub pid: u32,
    /// CPU time in user and kernel mode since it began. The share of a processor is the difference between two looks.
    pub cpu_time: Duration,
    /// Resident memory in bytes.
    pub memory: u64,
}

/// What is known of a configured process, active or not (Supervisor 4.3: `getAllConfigInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigInfo {
    /// Its group's name.
    pub group: String,
    /// Its group's priority.
    pub group_priority: i64,
    /// Its group is active.
    pub in_use: bool,
    /// Its settings.
    pub settings: Arc<spec::Process>,
    /// The chosen path of an AUTO stdout log, once there is one.
    pub stdout_auto: Option<PathBuf>,
    /// The chosen path of an AUTO stderr log, once there is one.
    pub stderr_auto: Option<PathBuf>,
}

impl ConfigInfo {
    /// A process of an active group of priority 999 whose AUTO logs have no name yet; the rest is filled in by field.
    pub fn new(group: impl Into<String>, settings: Arc<spec::Process>) -> Self {
        Self { group: group.into(), group_priority: 999, in_use: true, settings, stdout_auto: None, stderr_auto: None }
    }
}

impl ProcessUsage {
    /// What a process was seen to use.
    pub fn new(name: ProcessName, pid: u32, cpu_time: Duration, memory: u64) -> Self {
        Self { name, pid, cpu_time, memory }
    }
}

/// A group as it runs and as it was last read (Supervisor 4.3 compares the two in `reloadConfig`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GroupSettings {
    /// What it runs with; `None` if it is not active.
    pub active: Option<Arc<spec::Group>>,
    /// What the configuration says; `None` if it says nothing of it.
    pub configured: Option<Arc<spec::Group>>,
}

/// The result for one process of a request that concerned several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which process.
    pub name: ProcessName,
    /// What became of it.
    pub result: Result<(), crate::RequestError>,
}

/// The difference between the active groups and a configuration (Supervisor 4.3: `reloadConfig`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigDiff {
    /// Configured, not active; by priority and name.
    pub added: Vec<String>,
    /// Active with other settings; by priority and name.
    pub changed: Vec<String>,
    /// Active, no longer configured; in the order of activation.
    pub removed: Vec<String>,
}

/// The end of a log, as `tailProcessStdoutLog` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogTail {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The size of the log.
    pub offset: i64,
    /// There was more than was asked for.
    pub overflow: bool,
}
