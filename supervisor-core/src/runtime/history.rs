//! The last changes of one process's state, with the reasons that the machine gave on the way.
//!
//! Keeps what is told; decides nothing. The machine says why (a narration) before it says what (a transition).

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::exit::ExitStatus;
use crate::domain::state::ProcessState;
use crate::machine::process::{Narration, Transition};
use crate::process::StateRecord;

/// How many changes are kept.
const KEPT: usize = 16;

/// The last changes.
#[derive(Debug, Default)]
pub(crate) struct History {
    records: VecDeque<StateRecord>,
    /// What was said since the last change.
    exit: Option<ExitStatus>,
    reason: String,
}

impl History {
    /// The machine said something; it may be the reason of the next change.
    pub(crate) fn heard(&mut self, narration: &Narration) {
        let (exit, reason) = match narration {
            Narration::SpawnError { why } => (None, why.clone()),
            Narration::ExitedTooQuickly { status } => (Some(*status), format!("{status}, too early")),
            Narration::Exited { status, expected: true } => (Some(*status), format!("{status}, expected")),
            Narration::Exited { status, expected: false } => (Some(*status), format!("{status}, not expected")),
            Narration::Stopped { status, .. } => (Some(*status), status.to_string()),
            Narration::Stopping { signal, whole_group: false, .. } => (None, format!("{signal} sent")),
            Narration::Stopping { signal, whole_group: true, .. } => {
                (None, format!("{signal} sent to the process group"))
            }
            Narration::CalledOff => (None, "a leftover was still being stopped".to_owned()),
            Narration::KillFailed { why, .. } | Narration::SignalFailed { why, .. } => (None, why.clone()),
            Narration::Spawned { .. }
            | Narration::Killing { .. }
            | Narration::Succeeded { .. }
            | Narration::GaveUp
            | Narration::StopInBackoff
            | Narration::AlreadyRunning
            | Narration::RestartPaced => return,
        };
        self.exit = exit;
        self.reason = reason;
    }

    /// The state changed.
    pub(crate) fn entered(&mut self, transition: Transition, when: Duration, spawn_error: &str) {
        let mut reason = std::mem::take(&mut self.reason);
        if transition.to == ProcessState::Fatal {
            reason = format!("too many start retries too quickly; {spawn_error}");
        }
        if self.records.is_empty() {
            // As many as a program has that is started and stays.
            self.records.reserve_exact(2);
        }
        if self.records.len() >= KEPT {
            self.records.pop_front();
        }
        self.records.push_back(StateRecord {
            when,
            from: transition.from,
            to: transition.to,
            pid: transition.pid,
            exit: self.exit.take(),
            reason,
        });
    }

    /// The last changes, the oldest first.
    pub(crate) fn records(&self) -> Vec<StateRecord> {
        self.records.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transition(from: ProcessState, to: ProcessState) -> Transition {
        Transition { from, to, tries: 0, pid: Some(7), expected: false }
    }

    #[test]
    fn a_change_has_the_reason_that_was_given_since_the_last_one() {
        use ProcessState::*;
        let mut history = History::default();
        history.entered(transition(Stopped, Starting), Duration::from_secs(1), "");
        history.heard(&Narration::Spawned { pid: Some(7) });
        let status = ExitStatus::Exited(3);
        history.heard(&Narration::ExitedTooQuickly { status });
        history.entered(transition(Starting, Backoff), Duration::from_secs(2), "quick");
        history.entered(transition(Backoff, Fatal), Duration::from_secs(3), "quick");
        let records = history.records();
        let seen: Vec<_> = records.iter().map(|r| (r.to, r.exit, r.reason.as_str(), r.when.as_secs())).collect();
        assert_eq!(
            seen,
            [
                (Starting, None, "", 1),
                (Backoff, Some(status), "exit status 3, too early", 2),
                (Fatal, None, "too many start retries too quickly; quick", 3)
            ]
        );
        assert_eq!(records[0].pid, Some(7));
    }

    #[test]
    fn only_the_last_ones_are_kept() {
        let mut history = History::default();
        for second in 0..40 {
            let change = transition(ProcessState::Running, ProcessState::Exited);
            history.entered(change, Duration::from_secs(second), "");
        }
        let records = history.records();
        assert_eq!((records.len(), records[0].when.as_secs()), (KEPT, 40 - KEPT as u64));
    }
}
