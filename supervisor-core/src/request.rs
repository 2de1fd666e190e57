//! What a handle asks of the loop: one closed list, each request with the way back.
//!
//! A request is work that has been handed over; the future that waits for the reply is only a wait. A client that goes
//! away cancels nothing.

use async_channel::Sender;

use crate::RequestError;
use crate::definition::Defined;
use crate::domain::event_type::EventType;
use crate::domain::name::{Namespec, ProcessName};
use crate::domain::signal::Signal;
use crate::domain::state::ProcessState;
use crate::listener::{Events, SubscriberInfo};
use crate::process::{ConfigDiff, ConfigInfo, GroupSettings, Outcome, ProcessInfo, StateRecord, Stream};

/// The way back of one request; holds room for exactly one answer, so that answering never waits.
pub(crate) type Reply<T> = Sender<Result<T, RequestError>>;

/// Which processes a request concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// One process.
    Process(ProcessName),
    /// Every process of a group.
    Group(String),
    /// Every process.
    All,
}

/// What is to be done to each of the processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Start; with `wait`, until it is RUNNING.
    Start { wait: bool },
    /// Stop; with `wait`, until it has ended.
    Stop { wait: bool },
    /// Send a signal.
    Signal(Signal),
    /// Only see who could be sent a signal.
    NullSignal,
    /// Empty the log files.
    ClearLogs,
}

/// One request to the loop.
pub(crate) enum Request {
    /// Do something to processes. For a single process the outcome of the one entry is the answer.
    Control { target: Target, verb: Verb, reply: Reply<Vec<Outcome>> },
    /// A snapshot of one process.
    Info { name: ProcessName, reply: Reply<ProcessInfo> },
    /// Snapshots of all processes, by group and name.
    Infos { reply: Reply<Vec<ProcessInfo>> },
    /// The last changes of state of one process, the oldest first.
    History { name: ProcessName, reply: Reply<Vec<StateRecord>> },
    /// A group as it runs and as it is configured.
    GroupSettings { name: String, reply: Reply<GroupSettings> },
    /// All processes of the last read configuration.
    Configurations { reply: Reply<Vec<ConfigInfo>> },
    /// Bytes for a process's stdin.
    SendStdin { name: ProcessName, bytes: Vec<u8>, reply: Reply<()> },
    /// Publish REMOTE_COMMUNICATION.
    RemoteEvent { event_type: String, data: String },
    /// Activate a configured group.
    AddGroup { name: String, reply: Reply<()> },
    /// Drop an active group whose processes are stopped.
    RemoveGroup { name: String, reply: Reply<()> },
    /// Add a group of the embedding program and activate it.
    Define { defined: Defined, reply: Reply<()> },
    /// Forget a group of the embedding program: STILL_RUNNING if it is active, ALREADY_ADDED if it is one of the
    /// configuration; one that is not known is forgotten already.
    Forget { name: String, reply: Reply<()> },
    /// Wait until a process is in one of these states, or enters one.
    WaitFor { name: ProcessName, states: Vec<ProcessState>, reply: Reply<ProcessState> },
    /// Read the configuration again.
    Reload { reply: Reply<ConfigDiff> },
    /// Where a process's log is.
    LogPath { name: Namespec, stream: Stream, reply: Reply<Option<std::path::PathBuf>> },
    /// Who hears of events, and how that goes.
    Subscribers { reply: Reply<Vec<SubscriberInfo>> },
    /// Close and open all logs (SIGUSR2).
    ReopenLogs,
    /// Subscribe a stream of events.
    Subscribe { types: Vec<EventType>, buffer: usize, reply: Reply<Events> },
    /// End everything in order.
    Shutdown { reply: Reply<()> },
    /// End everything in order and tell whoever runs the supervisor to start anew.
    Restart { reply: Reply<()> },
}
