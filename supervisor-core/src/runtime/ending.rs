//! The end of a supervisor: everything is stopped in order, then the loop ends.
//!
//! Groups are stopped by priority, the highest number first; groups of equal priority together, the next number only when
//! every process of this one has ended (Supervisor 4.3: `priority`; there equal ones go one after the other). From the
//! moment of the request nothing is started any more.

use std::time::Duration;

use crate::domain::level::Level;
use crate::domain::state::{ProcessState, SupervisorState};
use crate::event::occurrence::Occurrence;
use crate::machine::process::Input;
use crate::runtime::engine::{Due, Engine};
use crate::runtime::narrate;

/// As long as processes are left, the log names them this often.
const DIE_REPORT_INTERVAL: Duration = Duration::from_secs(3);

/// For so long the listeners of the embedding program may hear the last events.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the supervisor is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Ordinary work.
    Running,
    /// Stopping everything; the groups of this priority have been told.
    Ending { restart: bool, told: Option<i64> },
    /// Everything has ended. Listeners of the embedding program may hear the rest until then.
    Ended { restart: bool, until: Duration },
}

impl Mood {
    /// False once a shutdown has begun.
    pub(crate) fn starts_allowed(self) -> bool {
        self == Self::Running
    }
}

impl Engine {
    /// Begins the end. A shutdown overrules a restart; nothing overrules a shutdown.
    pub(crate) fn begin_end(&mut self, restart: bool) {
        match self.mood {
            Mood::Running => {
                self.mood = Mood::Ending { restart, told: None };
                self.publish(&Occurrence::SupervisorStopping);
                self.report_dying();
            }
            Mood::Ending { restart: true, told } if !restart => self.mood = Mood::Ending { restart: false, told },
            Mood::Ended { restart: true, until } if !restart => self.mood = Mood::Ended { restart: false, until },
            Mood::Ending { .. } | Mood::Ended { .. } => return,
        }
        self.shared.set_state(if restart { SupervisorState::Restarting } else { SupervisorState::Shutdown });
    }

    /// Goes on with the end as far as it can: tells the next groups, or finds that all have ended.
    pub(crate) fn advance_end(&mut self) {
        let Mood::Ending { restart, told } = self.mood else { return };
        let level = self.unstopped.iter().rev().find(|(_, count)| **count > 0).map(|(priority, _)| *priority);
        match level {
            None => {
                let until = self.now().monotonic + LAST_WORDS;
                self.mood = Mood::Ended { restart, until };
                self.deadlines.push(until, Due::End);
            }
            Some(_) if level == told => {}
            Some(priority) => {
                self.mood = Mood::Ending { restart, told: level };
                self.stop_level(priority);
                // A BACKOFF ends at once and may have been the last of its level.
                self.advance_end();
            }
        }
    }

    /// If everything has ended and been heard: whether to start anew.
    pub(crate) fn outcome(&self) -> Option<bool> {
        match self.mood {
            Mood::Ended { restart, until } => {
                (!self.subscribers.are_listening() || self.now().monotonic >= until).then_some(restart)
            }
            Mood::Running | Mood::Ending { .. } => None,
        }
    }

    fn stop_level(&mut self, priority: i64) {
        let mut keys: Vec<_> = self
            .groups
            .range((priority, 0)..=(priority, u64::MAX))
            .flat_map(|(_, group)| self.by_priority(group))
            .collect();
        keys.reverse();
        for key in keys {
            let state = self.processes.get(&key).map(|entry| entry.machine.state());
            match state {
                Some(ProcessState::Starting | ProcessState::Running) => {
                    self.step(key, Input::Stop);
                    self.call_off(key);
                }
                Some(ProcessState::Backoff) => self.step(key, Input::GiveUp),
                Some(
                    ProcessState::Stopped
                    | ProcessState::Stopping
                    | ProcessState::Exited
                    | ProcessState::Fatal
                    | ProcessState::Unknown,
                )
                | None => {}
            }
        }
    }

    /// Names the processes that are left, now and as long as there are any.
    pub(crate) fn report_dying(&mut self) {
        if self.mood.starts_allowed() {
            return;
        }
        let names: Vec<&str> = self
            .groups
            .values()
            .flat_map(|group| &group.processes)
            .filter_map(|key| self.processes.get(key))
            .filter(|entry| !entry.machine.state().is_stopped())
            .map(|entry| entry.name.process.as_str())
            .collect();
        if !names.is_empty() {
            self.log(Level::Info, || narrate::waiting_to_die(&names));
            let at = self.now().monotonic + DIE_REPORT_INTERVAL;
            self.deadlines.push(at, Due::DieReport);
        }
    }
}
