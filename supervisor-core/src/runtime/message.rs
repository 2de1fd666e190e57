//! What arrives at the loop besides requests: one closed list of notices.
//!
//! Notices come from the children's tasks, the start lane and work that was done elsewhere because it may block. They
//! travel through a bounded channel: whoever reports waits, the loop never does.

use std::sync::Arc;

use crate::RequestError;
use crate::domain::exit::ExitStatus;
use crate::domain::moment::Moment;
use crate::domain::spec;
use crate::listener::Verdict;
use crate::machine::bus::PoolId;
use crate::process::Stream;
use crate::request::Reply;
use crate::runtime::fastcgi::OpenSocket;
use crate::runtime::launch::Launched;
use crate::runtime::output::OutputNotice;
use crate::runtime::prepare::PreparedGroup;
use crate::runtime::spawn::SpawnError;
use crate::runtime::state_file::record::Record;
use crate::runtime::waiters::Ticket;

/// Names a process entry for as long as the supervisor lives; never given out twice.
pub(crate) type ProcessKey = u64;

/// Counts the runs of one process, so that late notices of an earlier run are known for what they are.
pub(crate) type Run = u64;

/// Something happened.
pub(crate) enum Notice {
    /// A start was made, or failed.
    Launched { key: ProcessKey, run: Run, result: Result<Launched, SpawnError>, at: Moment },
    /// A process ended; its output has been read. It gives back its share of a shared socket.
    /// `held_up` has the bytes of its output that a log which does not answer has kept from being written.
    Exited {
        key: ProcessKey,
        run: Run,
        status: ExitStatus,
        at: Moment,
        held_up: Vec<(Stream, u64)>,
        socket: Option<Arc<OpenSocket>>,
    },
    /// Output of the process with this pid, that an event or the listener protocol is made of.
    Output { key: ProcessKey, run: Run, pid: u32, stream: Stream, notice: OutputNotice },
    /// The commands of processes that shall be started have been looked at.
    Checked { ticket: Ticket, wait: bool, results: Vec<(ProcessKey, Result<(), RequestError>)> },
    /// A group's files and sockets were made, or could not be.
    Prepared { group: Arc<spec::Group>, result: Result<PreparedGroup, RequestError>, reply: Reply<()> },
    /// The configuration was read again, or could not be.
    Reloaded { result: Result<Vec<spec::Group>, String>, then: AfterReload },
    /// The log files of processes were emptied.
    Cleared { ticket: Ticket, key: ProcessKey, result: Result<(), RequestError> },
    /// A listener has read what it was sent, after it was refused an event because that was too much.
    ListenerHasRead { key: ProcessKey },
    /// An in-process listener has dealt with its event.
    Heard { pool: PoolId, verdict: Verdict },
    /// A process that a killed supervisor had left behind has ended.
    LeftoverEnded(Record),
    /// A stranger was reaped.
    Reaped { pid: u32, status: ExitStatus },
}

/// What a reading of the configuration was for.
pub(crate) enum AfterReload {
    /// To tell the difference to the active groups.
    Compare(Reply<crate::process::ConfigDiff>),
    /// To restart the supervisor if it is sound.
    Restart(Reply<()>),
}
