//! Leftovers: processes of a supervisor that was killed. They are stopped, and only then is their program started again.
//!
//! Which ones there are is told by the state file; each is held by pid and birth before it is signalled, so nobody else is
//! ever hit. It gets what a stop gives it: its stop signal, `stopwaitsecs`, KILL. One that cannot be signalled is waited
//! for: never are there two instances. A start whose leftover has not ended yet waits here; everything else goes on.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Sender;
use async_io::Async;
use futures_lite::future;

use crate::activity::ActivityLog;
use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::domain::signal;
use crate::machine::process::Input;
use crate::offload;
use crate::runtime::clock::Clock;
use crate::runtime::engine::Engine;
use crate::runtime::launch::LaunchJob;
use crate::runtime::message::{Notice, ProcessKey};
use crate::runtime::state_file::record::Record;
use crate::sys::pinned::Pinned;

/// So many are held at a time: each takes a descriptor.
const HELD_AT_ONCE: usize = 256;

/// Between two attempts at what must succeed in the end.
const PAUSE: Duration = Duration::from_secs(1);

/// Programs whose leftovers have not ended yet, and the starts that wait for that.
#[derive(Default)]
pub(crate) struct Leftovers {
    /// Found, not looked at yet.
    found: Vec<Record>,
    /// By the name within the group: the group may be another one by now.
    waiting: HashMap<String, Waiting>,
}

#[derive(Default)]
struct Waiting {
    leftovers: usize,
    starts: Vec<LaunchJob>,
}

impl Leftovers {
    /// Takes what the state file told of.
    pub(crate) fn new(found: Vec<Record>) -> Self {
        let mut waiting: HashMap<String, Waiting> = HashMap::new();
        for record in &found {
            waiting.entry(record.name.process.clone()).or_default().leftovers += 1;
        }
        Self { found, waiting }
    }

    /// Keeps a start that must wait; gives back one that need not.
    pub(crate) fn hold_back(&mut self, job: LaunchJob) -> Option<LaunchJob> {
        match self.waiting.get_mut(&job.order.name.process) {
            Some(waiting) => {
                waiting.starts.push(job);
                None
            }
            None => Some(job),
        }
    }

    /// One leftover of this program has ended; gives the starts that waited for the last one.
    fn ended(&mut self, process: &str) -> Vec<LaunchJob> {
        let Some(waiting) = self.waiting.get_mut(process) else { return Vec::new() };
        waiting.leftovers = waiting.leftovers.saturating_sub(1);
        if waiting.leftovers > 0 {
            return Vec::new();
        }
        self.waiting.remove(process).map(|waiting| waiting.starts).unwrap_or_default()
    }

    /// Forgets a start that waits; false if there is none.
    fn withdraw(&mut self, key: ProcessKey) -> bool {
        let mut found = false;
        for waiting in self.waiting.values_mut() {
            let before = waiting.starts.len();
            waiting.starts.retain(|job| job.key != key);
            found |= waiting.starts.len() < before;
        }
        found
    }
}

impl Engine {
    /// Begins to stop what was left behind.
    pub(crate) fn stop_leftovers(&mut self) {
        let found = std::mem::take(&mut self.leftovers.found);
        if found.is_empty() {
            return;
        }
        // A seat is taken by putting something in, and freed by taking it out.
        let (take, free) = async_channel::bounded::<()>(HELD_AT_ONCE);
        for record in found {
            let (take, free) = (take.clone(), free.clone());
            let (clock, notices, activity) =
                (Arc::clone(&self.clock), self.notices.clone(), Arc::clone(self.activity()));
            self.executor
                .spawn(async move {
                    let seat = take.send(()).await;
                    stop(&record, clock.as_ref(), activity.as_ref()).await;
                    if seat.is_ok() {
                        let _ = free.recv().await;
                    }
                    tell(&notices, record).await;
                })
                .detach();
        }
    }

    /// A leftover has ended: what waited for it is started, unless nobody wants it any more.
    pub(crate) fn leftover_ended(&mut self, record: &Record) {
        if let Some(state) = self.door.state_file().map(Arc::clone)
            && state.ended(record.pid, record.birth)
        {
            self.executor.spawn(offload::unblock(move || drop(state.tidy()))).detach();
        }
        for job in self.leftovers.ended(&record.name.process) {
            if self.mood.starts_allowed() {
                self.launch(job);
            } else {
                self.step(job.key, Input::CalledOff);
            }
        }
    }

    /// A process shall be stopped: if its start still waits, it is not made.
    pub(crate) fn call_off(&mut self, key: ProcessKey) {
        if self.leftovers.withdraw(key) {
            self.step(key, Input::CalledOff);
        }
    }
}

async fn tell(notices: &Sender<Notice>, record: Record) {
    // An error means that the supervisor has ended.
    let _ = notices.send(Notice::LeftoverEnded(record)).await;
}

/// Stops one leftover; resolves when it has ended.
async fn stop(record: &Record, clock: &dyn Clock, activity: &dyn ActivityLog) {
    let pid = record.pid;
    let name = &record.name;
    let log = |level, text: String| activity.write(level, &text);
    let pause = || clock.sleep_until(clock.now().monotonic + PAUSE);
    let held = loop {
        match take(record) {
            Ok(Some(held)) => break held,
            Ok(None) => return,
            Err(error) if is_shortage(&error) => pause().await,
            Err(error) => {
                return log(
                    Level::Error,
                    format!("cannot tell whether a leftover of '{name}' (pid {pid}) runs: {error}"),
                );
            }
        }
    };
    let stopsignal = signal::name_of(record.stopsignal);
    log(
        Level::Warn,
        format!("stopping '{name}' (pid {pid}) with {stopsignal}: it was left over by a killed supervisor"),
    );
    let wait = Duration::from_secs(record.stopwaitsecs);
    send(&held, record.stopsignal, record.stopasgroup, name, pid, activity);
    let mut patience = wait;
    loop {
        let ended = async {
            // The reactor hardly ever fails; asking again is cheap.
            while held.readable().await.is_err() {
                pause().await;
            }
            true
        };
        let deadline = clock.now().monotonic.saturating_add(patience);
        let timeout = async {
            clock.sleep_until(deadline).await;
            false
        };
        if future::or(ended, timeout).await {
            return log(Level::Info, format!("leftover '{name}' (pid {pid}) has ended"));
        }
        log(Level::Warn, format!("killing leftover '{name}' ({pid}) with SIGKILL"));
        send(&held, libc::SIGKILL, record.killasgroup, name, pid, activity);
        patience = wait.max(PAUSE);
    }
}

fn take(record: &Record) -> io::Result<Option<Async<Pinned>>> {
    Pinned::take(record.pid, record.birth)?.map(Async::new).transpose()
}

fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}

fn send(held: &Async<Pinned>, signal: i32, group: bool, name: &ProcessName, pid: u32, activity: &dyn ActivityLog) {
    match held.get_ref().signal(signal, group) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
            let text =
                format!("cannot stop leftover '{name}' (pid {pid}), its program waits until it has ended: {error}");
            activity.write(Level::Error, &text);
        }
        Ok(()) | Err(_) => {}
    }
}
