//! Validated settings of processes and groups, with Supervisor's defaults.
//!
//! What the configuration (or an embedding program) asks for, after every conversion and expansion. Two settings are
//! equal exactly when a re-read must not see a change (Supervisor 4.3: `reloadConfig`). Nothing here is live.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::event_type::EventType;
use super::signal::Signal;

/// When a process that left RUNNING by itself is started again (Supervisor 4.3: `autorestart`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Autorestart {
    /// Never.
    Never,
    /// When its exit status is not among `exitcodes`.
    #[default]
    Unexpected,
    /// Always.
    Always,
}

/// An account: who a process runs as (Supervisor 4.3: `user`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account's name; its supplementary groups are looked up by it at spawn time.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// The account's primary group.
    pub gid: u32,
}

/// Where a channel's output is kept (Supervisor 4.3: `stdout_logfile`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LogFile {
    /// A fresh file in `childlogdir`, named by the supervisor.
    #[default]
    Auto,
    /// No file.
    None,
    /// No file, written as an empty value: differs from [`None`](Self::None) only in what is shown and compared.
    Empty,
    /// This path; a relative one is relative to the supervisor's working directory when it is opened.
    Path(PathBuf),
}

/// Settings of one output channel of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// `*_logfile`.
    pub logfile: LogFile,
    /// `*_logfile_maxbytes`; 0 or less turns rotation off. Default 50 MiB.
    pub logfile_maxbytes: i64,
    /// `*_logfile_backups`; 0 or less drops the full file. Default 10.
    pub logfile_backups: i64,
    /// `*_capture_maxbytes`; 0 or less turns capture mode off. Default 0.
    pub capture_maxbytes: i64,
    /// `*_events_enabled`: emit PROCESS_LOG events. Default false.
    pub events_enabled: bool,
    /// `*_syslog`: send each line to the system log. Default false.
    pub syslog: bool,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            logfile: LogFile::Auto,
            logfile_maxbytes: 50 << 20,
            logfile_backups: 10,
            capture_maxbytes: 0,
            events_enabled: false,
            syslog: false,
        }
    }
}

/// Where the shared socket of FastCGI processes listens (Supervisor 4.3: `socket`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SocketAddress {
    /// `unix:///path`.
    Unix(PathBuf),
    /// `tcp://host:port`; the host in lower case.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port, 1 to 65535.
        port: u16,
    },
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

/// An owner for a socket file: a user and possibly a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id; `None` leaves the group alone.
    pub gid: Option<u32>,
}

/// The listening socket that the processes of an fcgi-program get as fd 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastCgiSocket {
    /// Where it listens.
    pub address: SocketAddress,
    /// `socket_backlog`; `None` takes the system's maximum.
    pub backlog: Option<u16>,
    /// `socket_owner`; `None` means the program's user. Unix sockets only.
    pub owner: Option<Owner>,
    /// `socket_mode`. Default 0700. Unix sockets only.
    pub mode: u32,
}

/// Settings of one process. `Debug` shows the names of its variables, never their values.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Process {
    /// `process_name`, expanded: the name within the group.
    pub name: String,
    /// `command`, expanded; split into words when it is spawned.
    pub command: String,
    /// `directory`.
    pub directory: Option<PathBuf>,
    /// `umask`.
    pub umask: Option<u32>,
    /// `priority`. Default 999.
    pub priority: i64,
    /// `autostart`. Default true.
    pub autostart: bool,
    /// `startsecs`, seconds. Default 1.
    pub startsecs: i64,
    /// `startretries`. Default 3.
    pub startretries: i64,
    /// `autorestart`. Default unexpected.
    pub autorestart: Autorestart,
    /// `exitcodes`. Default 0.
    pub exitcodes: Vec<i32>,
    /// `stopsignal`. Default TERM.
    pub stopsignal: Signal,
    /// `stopwaitsecs`, seconds. Default 10.
    pub stopwaitsecs: i64,
    /// `stopasgroup`. Default false.
    pub stopasgroup: bool,
    /// `killasgroup`. Default: as `stopasgroup`.
    pub killasgroup: bool,
    /// `user`; `None` keeps the supervisor's.
    pub user: Option<User>,
    /// `redirect_stderr`: stderr shares stdout's pipe. Default false.
    pub redirect_stderr: bool,
    /// Settings of stdout.
    pub stdout: Channel,
    /// Settings of stderr; without effect with `redirect_stderr`.
    pub stderr: Channel,
    /// The `environment` of the supervisor's section overlaid with the program's own.
    pub environment: BTreeMap<String, String>,
    /// `serverurl`; `None` stands for AUTO, the empty text for "not set".
    pub serverurl: Option<String>,
    /// The shared socket, for processes of an fcgi-program.
    pub socket: Option<FastCgiSocket>,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("environment", &self.environment.keys())
            .finish_non_exhaustive()
    }
}

impl Process {
    /// A process of this name and command, everything else at its default.
    pub fn new(name: impl Into<String>, command: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            command: command.into(),
            directory: None,
            umask: None,
            priority: 999,
            autostart: true,
            startsecs: 1,
            startretries: 3,
            autorestart: Autorestart::Unexpected,
            exitcodes: vec![0],
            stopsignal: Signal::TERM,
            stopwaitsecs: 10,
            stopasgroup: false,
            killasgroup: false,
            user: None,
            redirect_stderr: false,
            stdout: Channel::default(),
            stderr: Channel::default(),
            environment: BTreeMap::new(),
            serverurl: None,
            socket: None,
        }
    }
}

/// What kind of group, with the settings of that kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupKind {
    /// `[program:x]` or `[group:x]`.
    Programs,
    /// `[fcgi-program:x]` that forms a group of its own.
    FastCgi,
    /// `[eventlistener:x]`.
    EventListener(Pool),
}

/// Settings of an event listener pool.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pool {
    /// `events`: what the pool hears.
    pub events: BTreeSet<EventType>,
    /// `buffer_size`, in events, at least 1. Default 10.
    pub buffer_size: usize,
    /// `buffer_overflow`: what happens when the buffer is full. Default: the oldest event is dropped.
    pub buffer_overflow: BufferOverflow,
    /// `result_handler`, by name.
    pub result_handler: String,
}

/// What happens to events when the buffer of a pool is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BufferOverflow {
    /// The oldest is dropped.
    #[default]
    DropOldest,
    /// The one that has just come is dropped.
    DropNewest,
    /// The buffer grows up to this many events; then the oldest is dropped.
    Grow(usize),
}

impl Pool {
    /// A pool that hears of these events, everything else at its default.
    pub fn new(events: BTreeSet<EventType>) -> Self {
        let result_handler = Self::DEFAULT_RESULT_HANDLER.to_owned();
        Self { events, buffer_size: 10, buffer_overflow: BufferOverflow::default(), result_handler }
    }

    /// The name of the result handler that takes `OK` as done and anything else as a rejection.
    pub const DEFAULT_RESULT_HANDLER: &'static str = "supervisor.dispatchers:default_handler";
}

/// Settings of a group: the unit of `add`, `remove` and `update`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The group's name.
    pub name: String,
    /// `priority`. Default 999, for event listeners -1.
    pub priority: i64,
    /// Its kind.
    pub kind: GroupKind,
    /// Its processes, in the order in which they are started.
    pub processes: Vec<Arc<Process>>,
}

impl Group {
    /// A group of programs of priority 999.
    pub fn new(name: impl Into<String>, processes: Vec<Process>) -> Self {
        let processes = processes.into_iter().map(Arc::new).collect();
        Self { name: name.into(), priority: 999, kind: GroupKind::Programs, processes }
    }
}
