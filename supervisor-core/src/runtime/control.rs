//! Start, stop, signal and clear: what a request for processes means in each of their states.
//!
//! Decides which processes of a target are concerned, what is refused at once and what is waited for. What the change
//! itself does is the machine's business.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::RequestError;
use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::domain::signal::Signal;
use crate::domain::spec;
use crate::domain::state::ProcessState;
use crate::logfile::rotating;
use crate::machine::process::Input;
use crate::offload;
use crate::process::Outcome;
use crate::request::{Reply, Target, Verb};
use crate::runtime::engine::{Engine, Entry};
use crate::runtime::lane::Lanes;
use crate::runtime::message::{Notice, ProcessKey};
use crate::runtime::narrate;
use crate::runtime::sink::LogSink;
use crate::runtime::waiters::{Concerned, Ticket, Wait};

impl Engine {
    /// Takes a control request; the reply comes when the last of its outcomes is known.
    pub(crate) fn control(&mut self, target: &Target, verb: Verb, reply: Reply<Vec<Outcome>>) {
        if !self.mood.starts_allowed() {
            let _ = reply.try_send(Err(RequestError::ShutdownState));
            return;
        }
        let keys = match self.resolve(target) {
            Ok(keys) => keys,
            Err(error) => {
                let _ = reply.try_send(Err(error));
                return;
            }
        };
        let single = matches!(target, Target::Process(_));
        match verb {
            Verb::Start { wait } => self.start(keys, single, wait, reply),
            Verb::Stop { wait } => self.stop(keys, single, wait, reply),
            Verb::Signal(signal) => self.signal(keys, single, Some(signal), reply),
            Verb::NullSignal => self.signal(keys, single, None, reply),
            Verb::ClearLogs => self.clear_logs(keys, reply),
        }
    }

    /// The processes that a target means, in priority order.
    fn resolve(&self, target: &Target) -> Result<Vec<ProcessKey>, RequestError> {
        match target {
            Target::Process(name) => self.find(name).map(|key| vec![key]),
            Target::Group(name) => {
                let order = self.group_orders.get(name).ok_or_else(|| RequestError::BadName(name.clone()))?;
                Ok(self.groups.get(order).map(|group| self.by_priority(group)).unwrap_or_default())
            }
            Target::All => Ok(self.groups.values().flat_map(|group| self.by_priority(group)).collect()),
        }
    }

    /// The key of a process of an active group.
    pub(crate) fn find(&self, name: &ProcessName) -> Result<ProcessKey, RequestError> {
        self.names.get(name).copied().ok_or_else(|| RequestError::BadName(name.to_string()))
    }

    fn concerned(&self, keys: &[ProcessKey], at_once: impl Fn(&spec::Process) -> bool) -> Vec<Concerned> {
        let entries = keys.iter().filter_map(|key| self.processes.get(key));
        entries
            .map(|entry| Concerned { name: ProcessName::clone(&entry.name), at_once: at_once(&entry.settings) })
            .collect()
    }

    fn state_of(&self, key: ProcessKey) -> Option<(ProcessName, ProcessState)> {
        self.processes.get(&key).map(|entry| (ProcessName::clone(&entry.name), entry.machine.state()))
    }

    fn start(&mut self, mut keys: Vec<ProcessKey>, single: bool, wait: bool, reply: Reply<Vec<Outcome>>) {
        if !single {
            keys.retain(|key| self.state_of(*key).is_some_and(|(_, state)| !state.is_running()));
        }
        // Without a time to wait for, the spawn decides.
        let at_once = |settings: &spec::Process| !wait || settings.startsecs <= 0;
        let ticket = self.waiters.open(self.concerned(&keys, at_once), reply);
        // A task has no command to look at.
        let command = |entry: &Entry| (!entry.inside.is_task()).then(|| Arc::clone(&entry.settings));
        let commands: Vec<_> =
            keys.into_iter().filter_map(|key| self.processes.get(&key).map(|entry| (key, command(entry)))).collect();
        if !commands.is_empty() {
            self.door.check_commands(ticket, wait, commands);
        }
    }

    /// The commands have been looked at; now the starts.
    pub(crate) fn checked(&mut self, ticket: Ticket, wait: bool, results: Vec<(ProcessKey, Result<(), RequestError>)>) {
        for (key, checked) in results {
            let Some((name, state)) = self.state_of(key) else {
                // Its group was removed meanwhile.
                let name = ProcessName::new("", "");
                self.waiters.settle(ticket, Outcome { name, result: Err(RequestError::Gone) });
                continue;
            };
            let refused = match checked {
                Err(error) => Some(error),
                Ok(()) if !self.mood.starts_allowed() => Some(RequestError::ShutdownState),
                Ok(()) if state.is_running() => Some(RequestError::AlreadyStarted(name.clone())),
                Ok(()) if state == ProcessState::Unknown => {
                    Some(RequestError::Failed(format!("{name} is in an unknown process state")))
                }
                Ok(()) => None,
            };
            if let Some(error) = refused {
                self.waiters.settle_at_once(ticket, Outcome { name, result: Err(error) });
                continue;
            }
            let wanted = if wait { Wait::Running } else { Wait::Spawned };
            self.step(key, Input::Start);
            self.await_state(key, ticket, wanted, state == ProcessState::Stopping);
        }
    }

    /// Adds a wait, unless it is over already. `refused` ends a start that was not made because the process is stopping.
    fn await_state(&mut self, key: ProcessKey, ticket: Ticket, wait: Wait, refused: bool) {
        let Some(entry) = self.processes.get_mut(&key) else { return };
        let name = ProcessName::clone(&entry.name);
        let verdict = if refused {
            Some(Err(RequestError::AbnormalTermination(name.clone())))
        } else {
            wait.verdict(&name, entry.machine.state())
        };
        match verdict {
            None => entry.waiters.push((ticket, wait)),
            Some(Err(RequestError::Failed(_))) => {
                let result = Err(RequestError::Failed(entry.signal_error.clone()));
                self.waiters.settle_at_once(ticket, Outcome { name, result });
            }
            Some(result) => self.waiters.settle_at_once(ticket, Outcome { name, result }),
        }
    }

    /// The spawn succeeded: whoever waited for no more than that is answered.
    pub(crate) fn settle_spawned(&mut self, key: ProcessKey) {
        let Some(entry) = self.processes.get_mut(&key) else { return };
        let name = ProcessName::clone(&entry.name);
        let mut settled = Vec::new();
        entry.waiters.retain(|(ticket, wait)| {
            if *wait == Wait::Spawned {
                settled.push(*ticket);
            }
            *wait != Wait::Spawned
        });
        for ticket in settled {
            self.waiters.settle(ticket, Outcome { name: name.clone(), result: Ok(()) });
        }
    }

    fn stop(&mut self, mut keys: Vec<ProcessKey>, single: bool, wait: bool, reply: Reply<Vec<Outcome>>) {
        // A restart that is only waiting for its time is called off; as EXITED it is not running for the answer.
        for key in &keys {
            if self.state_of(*key).is_some_and(|(_, state)| state == ProcessState::Exited) {
                self.step(*key, Input::Stop);
            }
        }
        let running =
            |engine: &Self, key: ProcessKey| engine.state_of(key).is_some_and(|(_, state)| state.is_running());
        if !single {
            keys.retain(|key| running(self, *key));
        }
        let ticket = self.waiters.open(self.concerned(&keys, |_| !wait), reply);
        for key in keys {
            if !running(self, key) {
                self.settle_error(key, ticket, RequestError::NotRunning);
                continue;
            }
            self.step(key, Input::Stop);
            self.call_off(key);
            if wait {
                self.await_state(key, ticket, Wait::Stopped, false);
                self.report_stop(key);
            } else {
                self.settle_signalled(key, ticket);
            }
        }
    }

    fn settle_error(&mut self, key: ProcessKey, ticket: Ticket, error: impl FnOnce(ProcessName) -> RequestError) {
        if let Some((name, _)) = self.state_of(key) {
            self.waiters.settle_at_once(ticket, Outcome { name: name.clone(), result: Err(error(name)) });
        }
    }

    /// The outcome of a stop that is not waited for: whether the signal could be sent.
    fn settle_signalled(&mut self, key: ProcessKey, ticket: Ticket) {
        let Some(entry) = self.processes.get(&key) else { return };
        let result = match entry.machine.state() {
            ProcessState::Unknown => Err(RequestError::Failed(entry.signal_error.clone())),
            _ => Ok(()),
        };
        let name = ProcessName::clone(&entry.name);
        self.waiters.settle(ticket, Outcome { name, result });
    }

    fn signal(&mut self, mut keys: Vec<ProcessKey>, single: bool, signal: Option<Signal>, reply: Reply<Vec<Outcome>>) {
        if !single {
            keys.retain(|key| self.state_of(*key).is_some_and(|(_, state)| state.is_signallable()));
        }
        let ticket = self.waiters.open(self.concerned(&keys, |_| true), reply);
        for key in keys {
            let result = self.signal_one(key, signal);
            if let Some((name, _)) = self.state_of(key) {
                self.waiters.settle(ticket, Outcome { name, result });
            }
        }
    }

    fn signal_one(&mut self, key: ProcessKey, signal: Option<Signal>) -> Result<(), RequestError> {
        let Some(entry) = self.processes.get(&key) else { return Err(RequestError::Gone) };
        let name = entry.name.process.clone();
        let live = entry.live.as_ref().filter(|_| entry.machine.state().is_signallable());
        let Some(live) = live else { return Err(RequestError::NotRunning(ProcessName::clone(&entry.name))) };
        let Some(signal) = signal else { return Ok(()) };
        let pid = live.pid;
        self.log(Level::Debug, || narrate::sending(&name, pid, &signal.to_string()));
        match live.signaller.signal(signal.number(), false) {
            Ok(()) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
                self.log(Level::Debug, || narrate::gone_while_signalling(&name, pid, &error.to_string()));
                Ok(())
            }
            Err(error) => {
                let why = error.to_string();
                self.step(key, Input::SignalFailed { why: why.clone(), requested: true });
                Err(RequestError::Failed(why))
            }
        }
    }

    /// Empties log files, off the loop: all at once, told in priority order.
    fn clear_logs(&mut self, keys: Vec<ProcessKey>, reply: Reply<Vec<Outcome>>) {
        let ticket = self.waiters.open(self.concerned(&keys, |_| true), reply);
        let mut clearing = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(entry) = self.processes.get(&key) else { continue };
            let (sinks, logs) = (entry.sinks.clone(), entry.logs.clone());
            let lanes = Arc::clone(self.door.lanes());
            let task = self.executor.spawn(async move {
                let stdout = clear(&lanes, sinks.stdout, logs.stdout).await;
                let stderr = clear(&lanes, sinks.stderr, logs.stderr).await;
                stdout.and(stderr).map_err(|error| RequestError::Failed(error.to_string()))
            });
            clearing.push((key, task));
        }
        let notices = self.notices.clone();
        self.executor
            .spawn(async move {
                for (key, task) in clearing {
                    let result = task.await;
                    // An error means that the supervisor has ended.
                    let _ = notices.send(Notice::Cleared { ticket, key, result }).await;
                }
            })
            .detach();
    }

    /// The log files of a process were emptied.
    pub(crate) fn cleared(&mut self, ticket: Ticket, key: ProcessKey, result: Result<(), RequestError>) {
        let name = self.state_of(key).map_or_else(|| ProcessName::new("", ""), |(name, _)| name);
        self.waiters.settle(ticket, Outcome { name, result });
    }
}

/// Empties one log: through its sink, or, if nobody has opened it in this life, by itself.
async fn clear(lanes: &Lanes, sink: Option<Arc<LogSink>>, path: Option<Arc<Path>>) -> io::Result<()> {
    let Some(path) = path else { return Ok(()) };
    match sink.or_else(|| lanes.known(&path)) {
        Some(sink) => sink.clear().await,
        // If there is no file, there is nothing to empty.
        None => offload::unblock(move || if path.exists() { rotating::clear(&path).map(drop) } else { Ok(()) }).await,
    }
}
