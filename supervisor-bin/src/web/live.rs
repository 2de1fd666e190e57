//! What the open pages are told while things change: one hub for all of them, which works only while there are any.
//!
//! Events of the supervisor are taken as a hint that something changed; what has changed is found by comparing
//! snapshots, so that nothing can be missed and a thousand changes at once are one message. A page that does not keep up
//! is let go; its script connects again and gets everything anew.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_io::Timer;
use async_std::task;
use futures_lite::{FutureExt as _, StreamExt as _};
use serde::Serialize;
use supervisor_core::Handle;
use supervisor_core::domain::event_type::EventType;
use supervisor_core::domain::state::{ProcessState, SupervisorState};
use supervisor_core::listener::Events;
use supervisor_core::process::ProcessInfo;

use super::assets;
use super::row::Row;
use super::site::Visit;
use super::sse;
use super::usage::{Rates, Usage};

/// CPU and memory are looked at this often.
const INTERVAL: Duration = Duration::from_secs(2);

/// After so many quiet intervals the pages are told that we are there.
const QUIET: u32 = 5;

/// Changes within this time are one message.
const GATHER: Duration = Duration::from_millis(50);

/// So many messages may wait for a page.
const BACKLOG: usize = 64;

/// What makes a look necessary.
const EVENTS: &[EventType] = &[EventType::ProcessState, EventType::ProcessGroup, EventType::SupervisorStateChange];

type Message = Arc<[u8]>;

/// A page that has just been opened.
struct Newcomer {
    token: String,
    door: Sender<Message>,
}

/// The one place that knows who watches.
pub(super) struct Hub {
    handle: Handle,
    /// The way to the task that serves the pages, as long as there is one.
    task: Mutex<Option<Sender<Newcomer>>>,
}

impl Hub {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, task: Mutex::new(None) }
    }

    /// Everything there is, then every change.
    fn watch(self: &Arc<Self>, token: String) -> Receiver<Message> {
        let (door, messages) = async_channel::bounded(BACKLOG);
        let newcomer = Newcomer { token, door };
        let mut running = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let left = match &*running {
            Some(way) => way.try_send(newcomer).err().map(async_channel::TrySendError::into_inner),
            None => Some(newcomer),
        };
        if let Some(newcomer) = left {
            let (way, newcomers) = async_channel::unbounded();
            // There is room: the channel is unbounded and we hold its other end.
            let _ = way.try_send(newcomer);
            *running = Some(way);
            task::spawn(serve(Arc::clone(self), newcomers));
        }
        messages
    }

    /// Ends the task's entry if nobody has come meanwhile.
    fn is_deserted(&self, newcomers: &Receiver<Newcomer>) -> bool {
        let mut running = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let deserted = newcomers.is_empty();
        if deserted {
            *running = None;
        }
        deserted
    }
}

/// `GET /live`.
pub(super) async fn answer(visit: Visit) -> tide::Result {
    let messages = visit.site.hub.watch(visit.token());
    Ok(sse::answer(Box::pin(messages.map(|message| message.to_vec())), 0))
}

enum Wake {
    Newcomer(Newcomer),
    Change,
    Interval,
    /// The supervisor has ended.
    End,
}

async fn serve(hub: Arc<Hub>, newcomers: Receiver<Newcomer>) {
    let Ok(mut events) = hub.handle.events(EVENTS, 16).await else { return };
    let mut audience = Audience::default();
    let mut intervals = Timer::interval(INTERVAL);
    loop {
        let wake = async { newcomers.recv().await.map_or(Wake::End, Wake::Newcomer) }
            .or(async { events.next().await.map_or(Wake::End, |_| Wake::Change) })
            .or(async {
                intervals.next().await;
                Wake::Interval
            })
            .await;
        match wake {
            Wake::End => return,
            Wake::Newcomer(newcomer) => audience.welcome(&hub.handle, newcomer).await,
            Wake::Change => {
                gather(&mut events).await;
                audience.tell_changes(&hub.handle).await;
            }
            Wake::Interval => audience.tell_usage(&hub.handle).await,
        }
        if audience.is_empty() && hub.is_deserted(&newcomers) {
            return;
        }
    }
}

/// Lets what comes at the same time come together.
async fn gather(events: &mut Events) {
    let rest = async { while events.next().await.is_some() {} };
    rest.or(async {
        Timer::after(GATHER).await;
    })
    .await;
}

/// What the script gets of one process.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    name: String,
    group: String,
    state: &'static str,
    pid: Option<u32>,
    /// Milliseconds; only while it says anything.
    uptime: Option<u64>,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

impl Line {
    fn new(info: &ProcessInfo) -> Self {
        let row = Row::new(info);
        let running = info.state == ProcessState::Running;
        Self {
            uptime: running.then(|| u64::try_from(info.uptime.as_millis()).unwrap_or(u64::MAX)),
            // The script counts the uptime on by itself.
            text: if running { String::new() } else { row.description },
            name: row.name,
            group: row.group,
            state: info.state.name(),
            pid: row.pid,
            usage: None,
        }
    }

    /// Nothing but time has passed.
    fn is_as(&self, other: &Self) -> bool {
        (self.state, self.pid, &self.text) == (other.state, other.pid, &other.text)
    }
}

#[derive(Serialize)]
struct Hello<'a> {
    token: &'a str,
    /// Of style sheet and script: a page of another one is best loaded anew.
    assets: &'static str,
    ending: Option<&'static str>,
    processes: Vec<&'a Line>,
}

#[derive(Serialize)]
struct Change<'a> {
    ending: Option<&'static str>,
    processes: Vec<&'a Line>,
    removed: Vec<String>,
}

/// The pages that are open, and what they have been told.
#[derive(Default)]
struct Audience {
    doors: Vec<Sender<Message>>,
    lines: BTreeMap<String, Line>,
    ending: Option<&'static str>,
    rates: Option<Rates>,
    quiet: u32,
}

impl Audience {
    fn is_empty(&self) -> bool {
        self.doors.is_empty()
    }

    /// Hands a message to everybody; who is gone or does not keep up is let go.
    fn tell(&mut self, message: Vec<u8>) {
        let message: Message = message.into();
        self.doors.retain(|door| door.try_send(Arc::clone(&message)).is_ok());
        self.quiet = 0;
    }

    async fn welcome(&mut self, handle: &Handle, newcomer: Newcomer) {
        self.tell_changes(handle).await;
        let hello = Hello {
            token: &newcomer.token,
            assets: assets::version(),
            ending: self.ending,
            processes: self.lines.values().collect(),
        };
        if newcomer.door.try_send(sse::event("hello", &hello).into()).is_ok() {
            self.doors.push(newcomer.door);
        }
        if self.rates.is_none() {
            self.tell_usage(handle).await;
        }
    }

    async fn tell_changes(&mut self, handle: &Handle) {
        let Ok(infos) = handle.processes().await else { return };
        let ending = ending(handle.state());
        let mut former = std::mem::take(&mut self.lines);
        let mut changed = Vec::new();
        for info in &infos {
            let mut line = Line::new(info);
            match former.remove(&line.name) {
                Some(old) => {
                    line.usage = old.usage.filter(|_| old.pid == line.pid);
                    if !old.is_as(&line) {
                        changed.push(line.name.clone());
                    }
                }
                None => changed.push(line.name.clone()),
            }
            // For newcomers, uptimes are those of now.
            self.lines.insert(line.name.clone(), line);
        }
        let removed: Vec<String> = former.into_keys().collect();
        if changed.is_empty() && removed.is_empty() && ending == self.ending {
            return;
        }
        self.ending = ending;
        let processes = changed.iter().filter_map(|name| self.lines.get(name)).collect();
        let message = sse::event("change", &Change { ending, processes, removed });
        self.tell(message);
    }

    /// Looks at CPU and memory, and tells what is other than before.
    async fn tell_usage(&mut self, handle: &Handle) {
        self.doors.retain(|door| !door.is_closed());
        if self.doors.is_empty() {
            return;
        }
        let Ok(usages) = handle.usages().await else { return };
        let mut rates = self.rates.get_or_insert_default().since(&usages);
        let mut told = BTreeMap::new();
        for (name, line) in &mut self.lines {
            let usage = rates.remove(name);
            if usage != line.usage {
                line.usage = usage;
                told.insert(name, usage);
            }
        }
        if !told.is_empty() {
            let message = sse::event("usage", &told);
            self.tell(message);
        } else if self.quiet >= QUIET {
            self.tell(sse::BEAT.to_vec());
        } else {
            self.quiet += 1;
        }
    }
}

/// What is said while the daemon ends.
pub(super) fn ending(state: SupervisorState) -> Option<&'static str> {
    match state {
        SupervisorState::Shutdown => Some("supervisord is shutting down"),
        SupervisorState::Restarting => Some("supervisord is restarting"),
        SupervisorState::Running | SupervisorState::Fatal => None,
    }
}
