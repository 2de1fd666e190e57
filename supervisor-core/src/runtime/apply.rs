//! Carries out what the machine decided: events, waiters, spawns, signals, sentences, timers.

use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::event::occurrence::{Occurrence, StateChange};
use crate::machine::process::{Context, Effect, Input, Narration, Transition};
use crate::process::Outcome;
use crate::runtime::engine::{Due, Engine};
use crate::runtime::launch::LaunchJob;
use crate::runtime::message::ProcessKey;
use crate::runtime::narrate;
use crate::runtime::spawn::StartOrder;
use crate::runtime::waiters::Wait;

/// While somebody waits for a stop, the log says so this often.
const STOP_REPORT_INTERVAL: std::time::Duration = std::time::Duration::from_secs(2);

impl Engine {
    /// Gives an input to a process and does what follows from it.
    pub(crate) fn step(&mut self, key: ProcessKey, input: Input) {
        let now = self.now();
        let starts_allowed = self.mood.starts_allowed();
        let Some(entry) = self.processes.get_mut(&key) else { return };
        let mut effects = std::mem::take(&mut self.effects);
        let context = Context { now, settings: &entry.settings, starts_allowed };
        let before = entry.machine.is_spawning();
        entry.machine.step(input, context, &mut effects);
        match (before, entry.machine.is_spawning()) {
            (false, true) => self.spawning += 1,
            (true, false) => self.spawning = self.spawning.saturating_sub(1),
            (false, false) | (true, true) => {}
        }
        for effect in effects.drain(..) {
            self.apply(key, effect);
        }
        self.effects = effects;
        self.schedule(key);
    }

    fn apply(&mut self, key: ProcessKey, effect: Effect) {
        match effect {
            Effect::Enter(transition) => self.entered(key, transition),
            Effect::Spawn => self.spawn(key),
            Effect::Signal { signal, whole_group } => {
                if let Err(why) = self.kill(key, signal.number(), whole_group) {
                    self.step(key, Input::SignalFailed { why, requested: false });
                }
            }
            Effect::Narrate(narration) => self.narrate(key, &narration),
        }
    }

    fn narrate(&mut self, key: ProcessKey, narration: &Narration) {
        if let Some(entry) = self.processes.get_mut(&key) {
            entry.history.heard(narration);
            let (level, text) = narrate::process(&entry.name.process, narration);
            self.log(level, || text);
        }
    }

    fn entered(&mut self, key: ProcessKey, transition: Transition) {
        let when = self.now().wall;
        let Some(entry) = self.processes.get_mut(&key) else { return };
        entry.history.entered(transition, when, entry.machine.spawn_error());
        let name = ProcessName::clone(&entry.name);
        let has_ended = entry.live.is_none();
        let count = self.unstopped.entry(entry.group.0).or_default();
        match (transition.from.is_stopped(), transition.to.is_stopped()) {
            (true, false) => *count += 1,
            (false, true) => *count = count.saturating_sub(1),
            (true, true) | (false, false) => {}
        }
        entry.watchers.retain(|(states, reply)| {
            let reached = states.contains(&transition.to);
            if reached {
                let _ = reply.try_send(Ok(transition.to));
            }
            !reached
        });
        let mut settled = Vec::new();
        entry.waiters.retain(|(ticket, wait)| match wait.verdict(&name, transition.to) {
            None => true,
            Some(result) => {
                settled.push((*ticket, Outcome { name: name.clone(), result }));
                false
            }
        });
        for (ticket, outcome) in settled {
            self.waiters.settle(ticket, outcome);
        }
        if has_ended {
            self.hand_over_before_end(key);
        }
        self.publish(&Occurrence::ProcessState(StateChange {
            name,
            from: transition.from,
            to: transition.to,
            tries: transition.tries.into(),
            pid: transition.pid,
            expected: transition.expected,
        }));
        if has_ended {
            self.give_back_after_end(key);
        }
        self.listener_changed(key);
    }

    fn spawn(&mut self, key: ProcessKey) {
        let server_url = self.server_url.clone();
        let Some(entry) = self.processes.get_mut(&key) else { return };
        entry.run += 1;
        let job = LaunchJob {
            key,
            run: entry.run,
            order: StartOrder {
                name: entry.name.clone(),
                settings: std::sync::Arc::clone(&entry.settings),
                server_url,
                socket: None,
                announcement: None,
            },
            logs: entry.logs.clone(),
            socket: entry.socket.clone(),
            listener: entry.protocol.is_some(),
            inside: entry.inside.clone(),
        };
        if let Some(job) = self.leftovers.hold_back(job) {
            self.launch(job);
        }
    }

    /// Hands a start to the start lane.
    pub(crate) fn launch(&mut self, job: LaunchJob) {
        let (key, name) = (job.key, job.order.name.process.clone());
        if self.door.launch(job) {
            self.watch_lane();
        } else {
            let why = format!("Too many processes in process table to spawn '{name}'");
            self.step(key, Input::SpawnFailed { why });
        }
    }

    /// Signals a process; one that is gone is no error.
    ///
    /// # Errors
    /// What the system says.
    fn kill(&mut self, key: ProcessKey, signal: i32, whole_group: bool) -> Result<(), String> {
        let Some(entry) = self.processes.get_mut(&key) else { return Ok(()) };
        let Some(live) = &entry.live else { return Ok(()) };
        let (pid, name) = (live.pid, entry.name.process.clone());
        match live.signaller.signal(signal, whole_group) {
            Ok(()) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
                self.log(Level::Debug, || narrate::gone_while_killing(&name, pid, &error.to_string()));
                Ok(())
            }
            Err(error) => {
                entry.signal_error = error.to_string();
                Err(error.to_string())
            }
        }
    }

    /// Puts the machine's next deadline into the heap, if it is a new one.
    fn schedule(&mut self, key: ProcessKey) {
        let Some(entry) = self.processes.get_mut(&key) else { return };
        let next = entry.machine.next_deadline(&entry.settings);
        if next != entry.scheduled {
            entry.scheduled = next;
            if let Some(at) = next {
                self.deadlines.push(at, Due::Process(key));
            }
        }
    }

    /// A deadline of this process came up; it may be one that no longer holds.
    pub(crate) fn process_due(&mut self, key: ProcessKey) {
        let now = self.now();
        let Some(entry) = self.processes.get_mut(&key) else { return };
        match entry.machine.next_deadline(&entry.settings) {
            Some(at) if at <= now.monotonic => {
                entry.scheduled = None;
                self.step(key, Input::Deadline);
            }
            Some(_) | None => {}
        }
    }

    /// Somebody waits for a stop: says so now and as long as it is waited for. Who waits beside others hears of the same
    /// lines.
    pub(crate) fn report_stop(&mut self, key: ProcessKey) {
        let now = self.now().monotonic;
        let Some(entry) = self.processes.get_mut(&key) else { return };
        let is_awaited = entry.waiters.iter().any(|(_, wait)| *wait == Wait::Stopped);
        // What is planned may still be for a stop that is over.
        entry.stop_report = is_awaited.then(|| now + STOP_REPORT_INTERVAL);
        if let Some(at) = entry.stop_report {
            let name = entry.name.process.clone();
            self.log(Level::Info, || narrate::waiting_to_stop(&name));
            self.deadlines.push(at, Due::StopReport(key));
        }
    }

    /// A report on a stop came up; it may be one in whose place another one was planned.
    pub(crate) fn stop_report_due(&mut self, key: ProcessKey) {
        let now = self.now().monotonic;
        let planned = self.processes.get(&key).and_then(|entry| entry.stop_report);
        if planned.is_some_and(|at| at <= now) {
            self.report_stop(key);
        }
    }
}
