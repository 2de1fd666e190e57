//! The end of a supervisor: everything is stopped in order, then the loop ends.
//!
//! Groups are stopped by priority, the highest number first; groups of equal priority together, the next number only when
//! every process of this one has ended (Supervisor 4.3: `priority`; there equal ones go one after the other). From the
//! moment of the request nothing is started any more. A pool of listeners whose turn has come is first let hear what has
//! happened, within bounds.

use std::time::Duration;

use crate::domain::level::Level;
use crate::domain::spec::GroupKind;
use crate::domain::state::{ProcessState, SupervisorState};
use crate::event::occurrence::Occurrence;
use crate::machine::process::Input;
use crate::runtime::engine::{Due, Engine, GroupOrder};
use crate::runtime::narrate;

/// As long as processes are left, the log names them this often.
const DIE_REPORT_INTERVAL: Duration = Duration::from_secs(3);

/// For so long listeners may hear the last events: all pools together, each when its turn to stop has come, and listeners of
/// the embedding program when everything has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the supervisor is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Ordinary work.
    Running,
    /// Stopping everything; these groups have been told. `patience` is what is left of [`LAST_WORDS`] for pools whose turn is
    /// still to come.
    Ending { restart: bool, told: Option<Told>, patience: Duration },
    /// Everything has ended. Listeners of the embedding program may hear the rest until then.
    Ended { restart: bool, until: Duration },
}

/// The groups of one priority, which have been told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    priority: i64,
    /// Until then pools of listeners among them are told only when they have heard what there is; `None` if all are told.
    hearing: Option<Duration>,
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
        let begins = self.mood == Mood::Running;
        self.mood = match self.mood {
            Mood::Running => Mood::Ending { restart, told: None, patience: LAST_WORDS },
            Mood::Ending { restart: true, told, patience } if !restart => Mood::Ending { restart, told, patience },
            Mood::Ended { restart: true, until } if !restart => Mood::Ended { restart, until },
            Mood::Ending { .. } | Mood::Ended { .. } => return,
        };
        // Before anybody hears of it: whoever does may ask at once.
        self.shared.set_state(if restart { SupervisorState::Restarting } else { SupervisorState::Shutdown });
        if begins {
            self.publish(&Occurrence::SupervisorStopping);
            self.report_dying();
        }
    }

    /// Goes on with the end as far as it can: tells the next groups, or finds that all have ended.
    pub(crate) fn advance_end(&mut self) {
        while let Mood::Ending { restart, told, patience } = self.mood {
            let now = self.now().monotonic;
            let level = self.unstopped.iter().rev().find(|(_, count)| **count > 0).map(|(priority, _)| *priority);
            let Some(priority) = level else {
                let until = now + LAST_WORDS;
                self.mood = Mood::Ended { restart, until };
                self.deadlines.push(until, Due::End);
                return;
            };
            let begun = told.filter(|told| told.priority == priority);
            let hearing = match begun {
                Some(told) => told.hearing,
                None => {
                    self.stop_programs(priority);
                    Some(now + patience)
                }
            };
            // After the programs, so that a pool of the same priority hears that they are being stopped.
            let hearing = hearing.filter(|until| !self.stop_pools(priority, now < *until));
            if let (None, Some(until)) = (begun, hearing) {
                self.deadlines.push(until, Due::End);
            }
            let heard_until = begun.and_then(|told| told.hearing).filter(|_| hearing.is_none());
            let patience = heard_until.map_or(patience, |until| until.saturating_sub(now));
            let told = Some(Told { priority, hearing });
            self.mood = Mood::Ending { restart, told, patience };
            if begun == told {
                return;
            }
            // A BACKOFF ends at once and may have been the last of its level.
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

    fn groups_of(&self, priority: i64, listeners: bool) -> Vec<GroupOrder> {
        let groups = self.groups.range((priority, 0)..=(priority, u64::MAX)).rev();
        let wanted =
            groups.filter(|(_, group)| matches!(group.settings.kind, GroupKind::EventListener(_)) == listeners);
        wanted.map(|(order, _)| *order).collect()
    }

    fn stop_programs(&mut self, priority: i64) {
        for order in self.groups_of(priority, false) {
            self.stop_group(order);
        }
    }

    /// Stops the pools of listeners of this priority; with `patience` those only that have nothing to hear. True if they
    /// are all told.
    fn stop_pools(&mut self, priority: i64, patience: bool) -> bool {
        let mut all = true;
        for order in self.groups_of(priority, true) {
            let at_work = || self.groups.get(&order).is_some_and(|group| self.pool_is_at_work(&group.settings.name));
            if patience && at_work() {
                all = false;
            } else {
                self.stop_group(order);
            }
        }
        all
    }

    fn stop_group(&mut self, order: GroupOrder) {
        let Some(group) = self.groups.get(&order) else { return };
        let mut keys = self.by_priority(group);
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
