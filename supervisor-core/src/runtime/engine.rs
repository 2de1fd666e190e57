//! The state of a running supervisor, owned by the loop alone.
//!
//! Holds the active groups, their processes, what is configured, who waits and what is due. The other files of this floor
//! give it its verbs: `groups.rs` (activate, remove, compare), `control.rs` (start, stop, signal, clear), `requests.rs` and
//! `notices.rs` (one arm for each message), `inquiries.rs` (snapshots), `apply.rs` (effects of the machine), `ending.rs`
//! (shutdown), `subscribers.rs` (events). Nothing here waits for anything.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_channel::Sender;
use async_executor::Executor;

use crate::activity::ActivityLog;
use crate::config_source::ConfigSource;
use crate::definition::{Defined, Inside};
use crate::domain::level::Level;
use crate::domain::moment::Moment;
use crate::domain::name::ProcessName;
use crate::domain::spec;
use crate::domain::state::ProcessState;
use crate::handle::Shared;
use crate::machine::process::{Effect, ProcessMachine};
use crate::machine::protocol::Protocol;
use crate::process::{ProcessInfo, ProcessKind};
use crate::request::Reply;
use crate::runtime::clock::Clock;
use crate::runtime::deadlines::Deadlines;
use crate::runtime::door::LaunchDoor;
use crate::runtime::ending::Mood;
use crate::runtime::fastcgi::SharedSocket;
use crate::runtime::history::History;
use crate::runtime::inquiries::Inquiry;
use crate::runtime::launch::{Launched, LogPaths, Sinks};
use crate::runtime::leftovers::Leftovers;
use crate::runtime::message::{Notice, ProcessKey, Run};
use crate::runtime::prepare::{AutoLogs, Preparation};
use crate::runtime::start_lane::PATIENCE;
use crate::runtime::subscribers::Subscribers;
use crate::runtime::waiters::{Ticket, Wait, Waiters};

/// How many deadlines are served in one turn of the loop; what is left is due in the next.
const DUE_PER_TURN: usize = 64;

/// The place of an active group: priority, then the order of activation.
pub(crate) type GroupOrder = (i64, u64);

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// The machine of a process.
    Process(ProcessKey),
    /// `waiting for x to stop`, while somebody does.
    StopReport(ProcessKey),
    /// A look at the start lane.
    Lane,
    /// `waiting for … to die`.
    DieReport,
    /// The end of patience with a spawn that somebody asks about.
    Inquiry,
    /// A slice of wall time that somebody wants to hear of.
    Tick,
    /// Listeners are waited for no longer: those of one priority, or all.
    End,
}

/// One process of an active group.
pub(crate) struct Entry {
    /// Shared with whatever of the process needs its name.
    pub(crate) name: Arc<ProcessName>,
    pub(crate) group: GroupOrder,
    pub(crate) settings: Arc<spec::Process>,
    pub(crate) machine: ProcessMachine,
    pub(crate) run: Run,
    /// The process, from its spawn until its end was noticed.
    pub(crate) live: Option<Launched>,
    pub(crate) logs: LogPaths,
    /// Kept over the process's end: a log is cleared without a process, too.
    pub(crate) sinks: Sinks,
    pub(crate) socket: Option<Arc<SharedSocket>>,
    /// The listener protocol, for processes of a pool.
    pub(crate) protocol: Option<Protocol>,
    pub(crate) waiters: Vec<(Ticket, Wait)>,
    /// Who wants to know when it enters one of these states.
    pub(crate) watchers: Vec<(Vec<ProcessState>, Reply<ProcessState>)>,
    /// What of it lives inside the embedding program.
    pub(crate) inside: Inside,
    /// The deadline of the machine that is in the heap.
    pub(crate) scheduled: Option<Duration>,
    /// When the log says next that a stop is waited for; other such deadlines in the heap no longer hold.
    pub(crate) stop_report: Option<Duration>,
    pub(crate) history: History,
    /// Why the last signal could not be sent.
    pub(crate) signal_error: String,
}

/// A group that is active.
pub(crate) struct ActiveGroup {
    pub(crate) settings: Arc<spec::Group>,
    /// In the order in which they are started.
    pub(crate) processes: Vec<ProcessKey>,
    /// Chosen when the group was made ready, with the generation of the configuration it came from.
    pub(crate) autos: AutoLogs,
}

/// The last read configuration, and what the embedding program has defined beside it.
#[derive(Default)]
pub(crate) struct Configured {
    /// By priority and name, those of the embedding program among them.
    pub(crate) groups: Vec<Arc<spec::Group>>,
    /// The groups of the embedding program by name: no re-read touches them.
    pub(crate) own: HashMap<String, Defined>,
    /// AUTO logs of groups that were removed since it was read: they come back with the group.
    pub(crate) autos: HashMap<String, AutoLogs>,
}

/// The whole state.
pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notices: Sender<Notice>,
    pub(crate) door: LaunchDoor,
    pub(crate) preparation: Preparation,
    pub(crate) source: Option<Arc<dyn ConfigSource>>,
    pub(crate) server_url: Option<Arc<str>>,

    pub(crate) groups: BTreeMap<GroupOrder, ActiveGroup>,
    pub(crate) group_orders: HashMap<String, GroupOrder>,
    pub(crate) activations: u64,
    pub(crate) processes: HashMap<ProcessKey, Box<Entry>>,
    pub(crate) names: BTreeMap<Arc<ProcessName>, ProcessKey>,
    pub(crate) keys: ProcessKey,
    pub(crate) configured: Configured,
    /// Groups that are being made ready, with who else has asked for them meanwhile.
    pub(crate) preparing: HashMap<String, Vec<Reply<()>>>,

    pub(crate) mood: Mood,
    /// How many processes of each group priority are not in a stopped state.
    pub(crate) unstopped: BTreeMap<i64, usize>,
    pub(crate) waiters: Waiters,
    /// How many processes are being spawned right now.
    pub(crate) spawning: usize,
    pub(crate) inquiries: Vec<Inquiry>,
    /// A look at the start lane is among the deadlines.
    pub(crate) lane_watched: bool,
    pub(crate) deadlines: Deadlines<Due>,
    pub(crate) subscribers: Subscribers,
    pub(crate) leftovers: Leftovers,
    /// Scratch space for the machine's effects.
    pub(crate) effects: Vec<Effect>,
    /// Dropped last: what is dropped before wakes its tasks, which are dropped with it.
    pub(crate) executor: Arc<Executor<'static>>,
}

impl Engine {
    /// The present.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The activity log.
    pub(crate) fn activity(&self) -> &Arc<dyn ActivityLog> {
        &self.shared.activity
    }

    /// One line for the activity log; `text` is only made if it is wanted.
    pub(crate) fn log(&self, level: Level, text: impl FnOnce() -> String) {
        if self.shared.activity.enabled(level) {
            self.shared.activity.write(level, &text());
        }
    }

    /// When the loop must wake up, if nothing arrives before.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.next()
    }

    /// Does what is due, at most [`DUE_PER_TURN`] of it: thousands of restarts that are due at once do not keep a request
    /// waiting.
    pub(crate) fn fire(&mut self) {
        let now = self.now();
        for _ in 0..DUE_PER_TURN {
            let Some(due) = self.deadlines.pop_due(now.monotonic) else { return };
            match due {
                Due::Process(key) => self.process_due(key),
                Due::StopReport(key) => self.stop_report_due(key),
                Due::Lane => {
                    self.lane_watched = false;
                    if self.door.check() {
                        self.watch_lane();
                    }
                }
                Due::DieReport => self.report_dying(),
                Due::Inquiry => self.answer_inquiries(),
                Due::Tick => self.tick(now),
                // The loop looks by itself.
                Due::End => {}
            }
        }
    }

    /// Plans a look at the start lane, if none is planned.
    pub(crate) fn watch_lane(&mut self) {
        if !std::mem::replace(&mut self.lane_watched, true) {
            self.deadlines.push(self.now().monotonic + PATIENCE, Due::Lane);
        }
    }

    /// A snapshot of one process.
    pub(crate) fn info(&self, key: ProcessKey, entry: &Entry, now: Moment) -> ProcessInfo {
        let machine = &entry.machine;
        let started = machine.started();
        ProcessInfo {
            name: ProcessName::clone(&entry.name),
            state: machine.state(),
            pid: machine.pid(),
            kind: if entry.inside.is_task() { ProcessKind::Task } else { ProcessKind::Program },
            started: started.map(|moment| moment.wall),
            stopped: machine.stopped().map(|moment| moment.wall),
            now: now.wall,
            uptime: started.map_or(Duration::ZERO, |moment| now.monotonic.saturating_sub(moment.monotonic)),
            exit_code: machine.exit_code(),
            spawn_error: machine.spawn_error().to_owned(),
            stdout_logfile: entry.logs.stdout.as_deref().map(Into::into),
            stderr_logfile: entry.logs.stderr.as_deref().map(Into::into),
            lost_log_bytes: [&entry.sinks.stdout, &entry.sinks.stderr]
                .into_iter()
                .flatten()
                .map(|sink| sink.lost())
                .sum(),
            listener: self.listener_info(key),
        }
    }

    /// The processes of a group in priority order, ties in the order of the configuration.
    pub(crate) fn by_priority(&self, group: &ActiveGroup) -> Vec<ProcessKey> {
        let mut keys = group.processes.clone();
        keys.sort_by_key(|key| self.processes.get(key).map(|entry| entry.settings.priority));
        keys
    }
}
