//! Replies that wait for states: one request may concern many processes, and is answered when the last of them is.
//!
//! Decides when a wait is over and how it ended, from the transitions that the machine reports.

use std::collections::HashMap;

use crate::RequestError;
use crate::domain::name::ProcessName;
use crate::domain::state::ProcessState;
use crate::process::Outcome;
use crate::request::Reply;

/// What a request waits for at one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The spawn to succeed or fail.
    Spawned,
    /// RUNNING.
    Running,
    /// A stopped state.
    Stopped,
}

impl Wait {
    /// How the wait ends when the process enters `state`; `None` to wait on.
    pub(crate) fn verdict(self, name: &ProcessName, state: ProcessState) -> Option<Result<(), RequestError>> {
        match (self, state) {
            (Self::Spawned | Self::Running, ProcessState::Running) => Some(Ok(())),
            (Self::Spawned | Self::Running, ProcessState::Backoff | ProcessState::Fatal) => {
                Some(Err(RequestError::SpawnError(name.clone())))
            }
            (Self::Spawned | Self::Running, ProcessState::Starting) => None,
            // Somebody stopped it right after it was spawned.
            (Self::Spawned, _) => Some(Ok(())),
            (Self::Running, _) => Some(Err(RequestError::AbnormalTermination(name.clone()))),
            (Self::Stopped, ProcessState::Unknown) => {
                Some(Err(RequestError::Failed(format!("{name} could not be signalled"))))
            }
            (Self::Stopped, state) if state.is_stopped() => Some(Ok(())),
            (Self::Stopped, _) => None,
        }
    }
}

/// A process that a request concerns.
pub(crate) struct Concerned {
    pub(crate) name: ProcessName,
    /// What becomes of it is known without waiting, even if the work takes a moment.
    pub(crate) at_once: bool,
}

/// A request with some of its outcomes still open.
struct Pending {
    /// The place of each process in the order of priorities, and whether its outcome is known at once.
    places: HashMap<ProcessName, (usize, bool)>,
    outcomes: Vec<(usize, Outcome)>,
    open: usize,
    reply: Reply<Vec<Outcome>>,
}

/// The place of what is known later: behind all that is known at once, in the order in which it came.
const LATER: usize = usize::MAX;

/// Names one pending request.
pub(crate) type Ticket = u64;

/// All pending requests.
#[derive(Default)]
pub(crate) struct Waiters {
    next: Ticket,
    pending: HashMap<Ticket, Pending>,
}

impl Waiters {
    /// Opens a request for which an outcome of each of these processes is to come. The answer holds those that are known at
    /// once first, in this order, then the others as they came (Supervisor 4.3).
    pub(crate) fn open(&mut self, concerned: Vec<Concerned>, reply: Reply<Vec<Outcome>>) -> Ticket {
        let ticket = self.next;
        self.next += 1;
        let open = concerned.len();
        let place = |(place, process): (usize, Concerned)| (process.name, (place, process.at_once));
        let places = concerned.into_iter().enumerate().map(place).collect();
        self.pending.insert(ticket, Pending { places, outcomes: Vec::with_capacity(open), open, reply });
        self.close_if_done(ticket);
        ticket
    }

    /// One more outcome is known.
    pub(crate) fn settle(&mut self, ticket: Ticket, outcome: Outcome) {
        self.add(ticket, outcome, false);
    }

    /// One more outcome is known, and it was decided without waiting for anything.
    pub(crate) fn settle_at_once(&mut self, ticket: Ticket, outcome: Outcome) {
        self.add(ticket, outcome, true);
    }

    fn add(&mut self, ticket: Ticket, outcome: Outcome, decided: bool) {
        if let Some(pending) = self.pending.get_mut(&ticket) {
            let place = match pending.places.get(&outcome.name) {
                Some((place, at_once)) if decided || *at_once => *place,
                _ => LATER,
            };
            pending.outcomes.push((place, outcome));
            pending.open = pending.open.saturating_sub(1);
            self.close_if_done(ticket);
        }
    }

    fn close_if_done(&mut self, ticket: Ticket) {
        if self.pending.get(&ticket).is_some_and(|pending| pending.open == 0)
            && let Some(mut pending) = self.pending.remove(&ticket)
        {
            pending.outcomes.sort_by_key(|(place, _)| *place);
            let outcomes = pending.outcomes.into_iter().map(|(_, outcome)| outcome).collect();
            // The asker may have gone; the work is done all the same.
            let _ = pending.reply.try_send(Ok(outcomes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_at_once_stands_first_in_the_order_of_the_request() {
        let mut waiters = Waiters::default();
        let (reply, answer) = async_channel::bounded(1);
        let concerned = [("slow", false), ("quick", true), ("late", false), ("refused", false), ("last", true)];
        let name = |name: &str| ProcessName::new(name, name);
        let concerned = concerned.map(|(process, at_once)| Concerned { name: name(process), at_once });
        let ticket = waiters.open(concerned.into(), reply);
        let outcome = |process: &str| Outcome { name: name(process), result: Ok(()) };
        waiters.settle_at_once(ticket, outcome("refused"));
        for process in ["last", "late", "quick", "slow"] {
            assert!(answer.is_empty());
            waiters.settle(ticket, outcome(process));
        }
        let outcomes = answer.try_recv().ok().and_then(Result::ok).unwrap_or_default();
        let names: Vec<_> = outcomes.iter().map(|outcome| outcome.name.process.as_str()).collect();
        assert_eq!(names, ["quick", "refused", "last", "late", "slow"]);
    }

    #[test]
    fn a_request_for_nobody_is_answered() {
        let (reply, answer) = async_channel::bounded(1);
        Waiters::default().open(Vec::new(), reply);
        assert_eq!(answer.try_recv(), Ok(Ok(Vec::new())));
    }
}
