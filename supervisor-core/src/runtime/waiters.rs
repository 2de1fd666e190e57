//! Replies that wait for states: one request may concern many processes, and is answered when the last of them is.
//!
//! Decides when a wait is over and how it ended, from the transitions that the machine reports.

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

/// A request with some of its outcomes still open.
struct Pending {
    outcomes: Vec<Outcome>,
    open: usize,
    reply: Reply<Vec<Outcome>>,
}

/// Names one pending request.
pub(crate) type Ticket = u64;

/// All pending requests.
#[derive(Default)]
pub(crate) struct Waiters {
    next: Ticket,
    pending: std::collections::HashMap<Ticket, Pending>,
}

impl Waiters {
    /// Opens a request for which `open` outcomes are to come, besides those that are there.
    pub(crate) fn open(&mut self, outcomes: Vec<Outcome>, open: usize, reply: Reply<Vec<Outcome>>) -> Ticket {
        let ticket = self.next;
        self.next += 1;
        self.pending.insert(ticket, Pending { outcomes, open, reply });
        self.close_if_done(ticket);
        ticket
    }

    /// One more outcome is known.
    pub(crate) fn settle(&mut self, ticket: Ticket, outcome: Outcome) {
        if let Some(pending) = self.pending.get_mut(&ticket) {
            pending.outcomes.push(outcome);
            pending.open = pending.open.saturating_sub(1);
            self.close_if_done(ticket);
        }
    }

    fn close_if_done(&mut self, ticket: Ticket) {
        if self.pending.get(&ticket).is_some_and(|pending| pending.open == 0)
            && let Some(pending) = self.pending.remove(&ticket)
        {
            // The asker may have gone; the work is done all the same.
            let _ = pending.reply.try_send(Ok(pending.outcomes));
        }
    }
}
