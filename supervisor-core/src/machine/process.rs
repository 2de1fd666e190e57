//! The life of one process as a pure machine: `step(state, input, moment)` changes the state and says what is to be done.
//!
//! Decides: every change of state, when to spawn, when to signal and escalate, how long to wait before a retry or a
//! restart, and what counts as ended too quickly. Does nothing itself: spawning, signalling, logging and events are
//! [`Effect`]s for `runtime/apply.rs`. All decisions use the monotonic part of the moment; the wall part is only kept for
//! reports.
//!
//! Behaviour follows Supervisor 4.3, process states, with two differences: time is exact instead of rounded up to the
//! next pass of a loop, and a process that ends within a second without ever being in BACKOFF (`startsecs=0`) is restarted
//! at most once a second.

use std::time::Duration;

use crate::domain::exit::ExitStatus;
use crate::domain::moment::Moment;
use crate::domain::signal::Signal;
use crate::domain::spec::{Autorestart, Process as Settings};
use crate::domain::state::ProcessState;

/// A process that ended without BACKOFF is started again at the earliest this long after its last start.
const RESTART_PACE: Duration = Duration::from_secs(1);

/// The first KILL is followed by others at this interval at the least, whatever `stopwaitsecs` says.
const KILL_PACE: Duration = Duration::from_secs(1);

/// The state, with what each state needs and no more. What lives has a pid, unless it is a task of the embedding program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stopped,
    /// The spawn has been ordered; it has neither succeeded nor failed yet.
    Spawning {
        stop_wanted: bool,
    },
    Starting {
        pid: Option<u32>,
        since: Duration,
    },
    Running {
        pid: Option<u32>,
        since: Duration,
    },
    Backoff {
        /// `None` once a shutdown has begun: it is given up in its turn.
        retry_at: Option<Duration>,
    },
    Stopping {
        pid: Option<u32>,
        kill_at: Duration,
    },
    Exited {
        /// A paced restart is pending until then.
        restart_at: Option<Duration>,
    },
    Fatal,
    Unknown {
        pid: Option<u32>,
    },
}

/// What can happen to a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// It shall be started: by request, by `autostart`.
    Start,
    /// It shall be stopped, by request or for a shutdown.
    Stop,
    /// The supervisor ends: nothing is retried any more.
    GiveUp,
    /// The spawn that was ordered will not be made: nobody wants it any more.
    CalledOff,
    /// The spawn succeeded at this moment.
    Spawned { pid: Option<u32>, at: Moment },
    /// The spawn failed.
    SpawnFailed { why: String },
    /// The process ended at this moment.
    Exited { status: ExitStatus, at: Moment },
    /// A signal could not be sent, for another reason than that the process was gone.
    SignalFailed { why: String, requested: bool },
    /// A point in time that [`ProcessMachine::next_deadline`] named may have come.
    Deadline,
}

/// What the machine is told beside the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The present.
    pub(crate) now: Moment,
    /// The process's settings.
    pub(crate) settings: &'a Settings,
    /// False once a shutdown has begun: nothing is started any more.
    pub(crate) starts_allowed: bool,
}

/// A change of state, with what its event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) from: ProcessState,
    pub(crate) to: ProcessState,
    /// The retry counter after the change.
    pub(crate) tries: u32,
    /// The pid, also that of a process that has just ended; `None` if there was none, as for a task.
    pub(crate) pid: Option<u32>,
    /// For EXITED: the status is among `exitcodes`.
    pub(crate) expected: bool,
}

/// A sentence for the activity log; `runtime/narrate.rs` has the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Narration {
    Spawned { pid: Option<u32> },
    SpawnError { why: String },
    Succeeded { startsecs: i64 },
    GaveUp,
    ExitedTooQuickly { status: ExitStatus },
    Exited { status: ExitStatus, expected: bool },
    Stopped { status: ExitStatus, expected: bool },
    StopInBackoff,
    CalledOff,
    Stopping { pid: Option<u32>, signal: Signal, whole_group: bool },
    Killing { pid: Option<u32> },
    AlreadyRunning,
    RestartPaced,
    KillFailed { pid: Option<u32>, why: String },
    SignalFailed { pid: Option<u32>, why: String },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The state has changed.
    Enter(Transition),
    /// Start a process.
    Spawn,
    /// Send a signal to the process or to its process group.
    Signal { signal: Signal, whole_group: bool },
    /// Tell the activity log.
    Narrate(Narration),
}

/// One process's life.
#[derive(Debug, Clone)]
pub(crate) struct ProcessMachine {
    state: State,
    /// Retries so far (Supervisor: the backoff counter). Back to 0 on RUNNING, EXITED and FATAL.
    tries: u32,
    /// The last attempt to start.
    started: Option<Moment>,
    /// The last end of a process.
    stopped: Option<Moment>,
    /// Code of the last end, as long as no new attempt was made.
    exit_code: Option<i32>,
    spawn_error: String,
    /// The pacing of restarts has been told about; told again only after a run that needed none.
    pace_told: bool,
}

impl Default for ProcessMachine {
    fn default() -> Self {
        Self {
            state: State::Stopped,
            tries: 0,
            started: None,
            stopped: None,
            exit_code: None,
            spawn_error: String::new(),
            pace_told: false,
        }
    }
}

fn seconds(value: i64) -> Duration {
    Duration::from_secs(u64::try_from(value).unwrap_or(0))
}

impl ProcessMachine {
    /// The state as the world sees it.
    pub(crate) fn state(&self) -> ProcessState {
        match self.state {
            State::Stopped => ProcessState::Stopped,
            State::Spawning { .. } | State::Starting { .. } => ProcessState::Starting,
            State::Running { .. } => ProcessState::Running,
            State::Backoff { .. } => ProcessState::Backoff,
            State::Stopping { .. } => ProcessState::Stopping,
            State::Exited { .. } => ProcessState::Exited,
            State::Fatal => ProcessState::Fatal,
            State::Unknown { .. } => ProcessState::Unknown,
        }
    }

    /// A spawn was ordered, and neither succeeded nor failed yet.
    pub(crate) fn is_spawning(&self) -> bool {
        matches!(self.state, State::Spawning { .. })
    }

    /// The pid, while there is a process that has one: a task has none.
    pub(crate) fn pid(&self) -> Option<u32> {
        match self.state {
            State::Starting { pid, .. }
            | State::Running { pid, .. }
            | State::Stopping { pid, .. }
            | State::Unknown { pid } => pid,
            State::Stopped | State::Spawning { .. } | State::Backoff { .. } | State::Exited { .. } | State::Fatal => {
                None
            }
        }
    }

    /// The last attempt to start.
    pub(crate) fn started(&self) -> Option<Moment> {
        self.started
    }

    /// The last end.
    pub(crate) fn stopped(&self) -> Option<Moment> {
        self.stopped
    }

    /// The code of the last end; 0 as long as there is none.
    pub(crate) fn exit_code(&self) -> i32 {
        self.exit_code.unwrap_or(0)
    }

    /// Why the last attempt or run failed; empty when it did not.
    pub(crate) fn spawn_error(&self) -> &str {
        &self.spawn_error
    }

    /// When [`Input::Deadline`] is due, on the monotonic clock.
    pub(crate) fn next_deadline(&self, settings: &Settings) -> Option<Duration> {
        match self.state {
            State::Starting { since, .. } => Some(since.saturating_add(seconds(settings.startsecs))),
            State::Stopping { kill_at, .. } => Some(kill_at),
            State::Backoff { retry_at: at } | State::Exited { restart_at: at } => at,
            State::Stopped | State::Spawning { .. } | State::Running { .. } | State::Fatal | State::Unknown { .. } => {
                None
            }
        }
    }

    /// Takes one input and adds what is to be done to `effects`.
    pub(crate) fn step(&mut self, input: Input, context: Context<'_>, effects: &mut Vec<Effect>) {
        match input {
            Input::Start => self.start(context, effects),
            Input::Stop => self.stop(context, effects),
            Input::GiveUp => self.give_up(effects),
            Input::CalledOff => self.called_off(context, effects),
            Input::Spawned { pid, at } => self.spawned(pid, at, context, effects),
            Input::SpawnFailed { why } => self.spawn_failed(why, context, effects),
            Input::Exited { status, at } => self.exited(status, at, context, effects),
            Input::SignalFailed { why, requested } => self.signal_failed(why, requested, effects),
            Input::Deadline => self.deadline(context, effects),
        }
    }

    fn start(&mut self, context: Context<'_>, effects: &mut Vec<Effect>) {
        match self.state {
            State::Stopped | State::Exited { .. } | State::Fatal if context.starts_allowed => {
                self.spawn(context, effects)
            }
            State::Stopped | State::Exited { .. } | State::Fatal => {}
            State::Spawning { .. } | State::Starting { .. } | State::Running { .. } | State::Stopping { .. } => {
                effects.push(Effect::Narrate(Narration::AlreadyRunning));
            }
            // A retry is under way already, and UNKNOWN has no way out.
            State::Backoff { .. } | State::Unknown { .. } => {}
        }
    }

    fn spawn(&mut self, context: Context<'_>, effects: &mut Vec<Effect>) {
        self.started = Some(context.now);
        self.exit_code = None;
        self.spawn_error.clear();
        self.enter(State::Spawning { stop_wanted: false }, None, effects);
        effects.push(Effect::Spawn);
    }

    fn stop(&mut self, context: Context<'_>, effects: &mut Vec<Effect>) {
        match self.state {
            State::Spawning { .. } => self.state = State::Spawning { stop_wanted: true },
            State::Starting { pid, .. } | State::Running { pid, .. } => self.stop_process(pid, context, effects),
            State::Backoff { .. } => {
                effects.push(Effect::Narrate(Narration::StopInBackoff));
                self.enter(State::Stopped, None, effects);
            }
            State::Exited { .. } => self.state = State::Exited { restart_at: None },
            State::Stopped | State::Stopping { .. } | State::Fatal | State::Unknown { .. } => {}
        }
    }

    fn stop_process(&mut self, pid: Option<u32>, context: Context<'_>, effects: &mut Vec<Effect>) {
        let Settings { stopsignal: signal, stopasgroup: whole_group, stopwaitsecs, .. } = *context.settings;
        let kill_at = context.now.monotonic.saturating_add(seconds(stopwaitsecs));
        effects.push(Effect::Narrate(Narration::Stopping { pid, signal, whole_group }));
        self.enter(State::Stopping { pid, kill_at }, pid, effects);
        effects.push(Effect::Signal { signal, whole_group });
    }

    fn give_up(&mut self, effects: &mut Vec<Effect>) {
        match self.state {
            State::Backoff { .. } => self.enter_fatal(effects),
            State::Exited { .. } => self.state = State::Exited { restart_at: None },
            State::Stopped
            | State::Spawning { .. }
            | State::Starting { .. }
            | State::Running { .. }
            | State::Stopping { .. }
            | State::Fatal
            | State::Unknown { .. } => {}
        }
    }

    /// As a stop with nothing to wait for: the same states are passed.
    fn called_off(&mut self, context: Context<'_>, effects: &mut Vec<Effect>) {
        // Only an ordered spawn can be called off.
        let State::Spawning { .. } = self.state else { return };
        effects.push(Effect::Narrate(Narration::CalledOff));
        self.enter(State::Stopping { pid: None, kill_at: context.now.monotonic }, None, effects);
        self.enter(State::Stopped, None, effects);
    }

    fn spawned(&mut self, pid: Option<u32>, at: Moment, context: Context<'_>, effects: &mut Vec<Effect>) {
        // Only an ordered spawn can succeed.
        let State::Spawning { stop_wanted } = self.state else { return };
        effects.push(Effect::Narrate(Narration::Spawned { pid }));
        self.state = State::Starting { pid, since: at.monotonic };
        if stop_wanted {
            self.stop_process(pid, context, effects);
        } else if context.settings.startsecs <= 0 {
            self.succeed(pid, at.monotonic, context, effects);
        }
    }

    fn succeed(&mut self, pid: Option<u32>, since: Duration, context: Context<'_>, effects: &mut Vec<Effect>) {
        self.tries = 0;
        self.enter(State::Running { pid, since }, pid, effects);
        effects.push(Effect::Narrate(Narration::Succeeded { startsecs: context.settings.startsecs }));
    }

    fn spawn_failed(&mut self, why: String, context: Context<'_>, effects: &mut Vec<Effect>) {
        match self.state {
            State::Spawning { stop_wanted } => {
                effects.push(Effect::Narrate(Narration::SpawnError { why: why.clone() }));
                self.spawn_error = why;
                self.enter_backoff(context, effects);
                if stop_wanted {
                    self.stop(context, effects);
                }
            }
            // Only an ordered spawn can fail.
            State::Stopped
            | State::Starting { .. }
            | State::Running { .. }
            | State::Backoff { .. }
            | State::Stopping { .. }
            | State::Exited { .. }
            | State::Fatal
            | State::Unknown { .. } => {}
        }
    }

    fn enter_backoff(&mut self, context: Context<'_>, effects: &mut Vec<Effect>) {
        self.tries = self.tries.saturating_add(1);
        let retry_at = context.now.monotonic.saturating_add(Duration::from_secs(self.tries.into()));
        self.enter(State::Backoff { retry_at: Some(retry_at) }, None, effects);
        if i64::from(self.tries) > context.settings.startretries {
            self.enter_fatal(effects);
            effects.push(Effect::Narrate(Narration::GaveUp));
        }
    }

    fn enter_fatal(&mut self, effects: &mut Vec<Effect>) {
        self.tries = 0;
        self.enter(State::Fatal, None, effects);
    }

    fn exited(&mut self, status: ExitStatus, at: Moment, context: Context<'_>, effects: &mut Vec<Effect>) {
        let expected = matches!(status, ExitStatus::Exited(code) if context.settings.exitcodes.contains(&code));
        match self.state {
            State::Starting { pid, since } => {
                self.stopped = Some(at);
                let lived = at.monotonic.saturating_sub(since);
                if lived < seconds(context.settings.startsecs) {
                    "Exited too quickly (process log may have details)".clone_into(&mut self.spawn_error);
                    effects.push(Effect::Narrate(Narration::ExitedTooQuickly { status }));
                    self.enter_backoff(context, effects);
                } else {
                    self.tries = 0;
                    self.enter(State::Running { pid, since }, pid, effects);
                    self.leave_running(pid, since, status, expected, context, effects);
                }
            }
            State::Running { pid, since } => {
                self.stopped = Some(at);
                self.leave_running(pid, since, status, expected, context, effects);
            }
            State::Stopping { pid, .. } => {
                self.stopped = Some(at);
                self.exit_code = Some(status.code());
                effects.push(Effect::Narrate(Narration::Stopped { status, expected }));
                self.enter(State::Stopped, pid, effects);
            }
            State::Unknown { pid } => {
                self.stopped = Some(at);
                self.end(pid, status, expected, effects);
            }
            // Nothing was alive.
            State::Stopped | State::Spawning { .. } | State::Backoff { .. } | State::Exited { .. } | State::Fatal => {}
        }
    }

    fn end(&mut self, pid: Option<u32>, status: ExitStatus, expected: bool, effects: &mut Vec<Effect>) {
        self.tries = 0;
        self.exit_code = Some(status.code());
        self.spawn_error = if expected { String::new() } else { format!("Bad exit code {}", status.code()) };
        effects.push(Effect::Narrate(Narration::Exited { status, expected }));
        self.enter_as(State::Exited { restart_at: None }, pid, expected, effects);
    }

    fn leave_running(
        &mut self,
        pid: Option<u32>,
        since: Duration,
        status: ExitStatus,
        expected: bool,
        context: Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        self.end(pid, status, expected, effects);
        let again = match context.settings.autorestart {
            Autorestart::Never => false,
            Autorestart::Unexpected => !expected,
            Autorestart::Always => true,
        };
        if !again || !context.starts_allowed {
            return;
        }
        let pace = since.saturating_add(RESTART_PACE);
        if pace <= context.now.monotonic {
            self.pace_told = false;
            self.spawn(context, effects);
        } else {
            if !std::mem::replace(&mut self.pace_told, true) {
                effects.push(Effect::Narrate(Narration::RestartPaced));
            }
            self.state = State::Exited { restart_at: Some(pace) };
        }
    }

    fn signal_failed(&mut self, why: String, requested: bool, effects: &mut Vec<Effect>) {
        match self.state {
            State::Starting { pid, .. } | State::Running { pid, .. } | State::Stopping { pid, .. } => {
                effects.push(Effect::Narrate(if requested {
                    Narration::SignalFailed { pid, why }
                } else {
                    Narration::KillFailed { pid, why }
                }));
                self.enter(State::Unknown { pid }, pid, effects);
            }
            State::Stopped
            | State::Spawning { .. }
            | State::Backoff { .. }
            | State::Exited { .. }
            | State::Fatal
            | State::Unknown { .. } => {}
        }
    }

    fn deadline(&mut self, context: Context<'_>, effects: &mut Vec<Effect>) {
        let now = context.now.monotonic;
        if self.next_deadline(context.settings).is_none_or(|due| due > now) {
            return;
        }
        match self.state {
            State::Starting { pid, since } => self.succeed(pid, since, context, effects),
            State::Backoff { .. } | State::Exited { .. } if context.starts_allowed => self.spawn(context, effects),
            State::Backoff { .. } => self.state = State::Backoff { retry_at: None },
            State::Exited { .. } => self.state = State::Exited { restart_at: None },
            State::Stopping { pid, .. } => {
                let again = seconds(context.settings.stopwaitsecs).max(KILL_PACE);
                self.state = State::Stopping { pid, kill_at: now.saturating_add(again) };
                let (signal, whole_group) = (Signal::KILL, context.settings.killasgroup);
                effects.push(Effect::Narrate(Narration::Killing { pid }));
                effects.push(Effect::Narrate(Narration::Stopping { pid, signal, whole_group }));
                effects.push(Effect::Signal { signal, whole_group });
            }
            // These have no deadline.
            State::Stopped | State::Spawning { .. } | State::Running { .. } | State::Fatal | State::Unknown { .. } => {}
        }
    }

    fn enter(&mut self, state: State, pid: Option<u32>, effects: &mut Vec<Effect>) {
        self.enter_as(state, pid, false, effects);
    }

    fn enter_as(&mut self, state: State, pid: Option<u32>, expected: bool, effects: &mut Vec<Effect>) {
        let from = self.state();
        self.state = state;
        effects.push(Effect::Enter(Transition { from, to: self.state(), tries: self.tries, pid, expected }));
    }
}

#[cfg(test)]
mod tests;
