//! Questions about processes: answered at once, or a moment later while a spawn is under way.
//!
//! Supervisor 4.3 spawns within one pass of its loop, so that nobody ever sees STARTING without a pid. Ours spawns beside
//! the loop: a question about a process whose spawn is not done yet waits for it, but never longer than [`PATIENCE`]. What a
//! snapshot holds is not decided here.

use std::time::Duration;

use crate::RequestError;
use crate::domain::name::ProcessName;
use crate::process::ProcessInfo;
use crate::request::Reply;
use crate::runtime::engine::{Due, Engine};
use crate::runtime::message::ProcessKey;

/// A spawn that takes longer than this is not waited for: the answer shows STARTING and no pid.
const PATIENCE: Duration = Duration::from_millis(50);

/// A question that waits for spawns.
pub(crate) struct Inquiry {
    /// On the monotonic clock.
    deadline: Duration,
    about: About,
}

/// What is asked about, and the way back.
enum About {
    One(ProcessKey, Reply<ProcessInfo>),
    All(Reply<Vec<ProcessInfo>>),
}

impl Engine {
    /// Somebody wants to know about one process.
    pub(crate) fn inquire_one(&mut self, name: &ProcessName, reply: Reply<ProcessInfo>) {
        match self.find(name) {
            Ok(key) => self.inquire(About::One(key, reply)),
            Err(error) => drop(reply.try_send(Err(error))),
        }
    }

    /// Somebody wants to know about every process.
    pub(crate) fn inquire_all(&mut self, reply: Reply<Vec<ProcessInfo>>) {
        self.inquire(About::All(reply));
    }

    fn inquire(&mut self, about: About) {
        if self.is_settled(&about) {
            self.answer(about);
            return;
        }
        let deadline = self.now().monotonic.saturating_add(PATIENCE);
        self.deadlines.push(deadline, Due::Inquiry);
        self.inquiries.push(Inquiry { deadline, about });
    }

    /// Answers what need not or must not wait any longer.
    pub(crate) fn answer_inquiries(&mut self) {
        if self.inquiries.is_empty() {
            return;
        }
        let now = self.now().monotonic;
        for inquiry in std::mem::take(&mut self.inquiries) {
            if inquiry.deadline <= now || self.is_settled(&inquiry.about) {
                self.answer(inquiry.about);
            } else {
                self.inquiries.push(inquiry);
            }
        }
    }

    fn is_settled(&self, about: &About) -> bool {
        match about {
            About::One(key, _) => self.processes.get(key).is_none_or(|entry| !entry.machine.is_spawning()),
            About::All(_) => self.spawning == 0,
        }
    }

    /// The asker may be gone.
    fn answer(&self, about: About) {
        let now = self.now();
        match about {
            About::One(key, reply) => {
                let entry = self.processes.get(&key).ok_or(RequestError::Gone);
                let _ = reply.try_send(entry.map(|entry| self.info(key, entry, now)));
            }
            About::All(reply) => {
                let entries = self.names.values().filter_map(|key| Some((*key, self.processes.get(key)?)));
                let _ = reply.try_send(Ok(entries.map(|(key, entry)| self.info(key, entry, now)).collect()));
            }
        }
    }
}
