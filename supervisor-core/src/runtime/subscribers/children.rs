//! Pools of child listeners: `[eventlistener:x]`.
//!
//! An event goes to the first process of its pool that is RUNNING and READY; what that process answers decides whether
//! it is done or comes again. What its bytes mean is `machine/protocol.rs`.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::domain::spec;
use crate::domain::state::{ListenerState, ProcessState};
use crate::listener::{ListenerInfo, ResultHandler, Verdict};
use crate::machine::bus::PoolId;
use crate::machine::pool::{self, Note, Numbered};
use crate::machine::protocol::{Handled, Protocol, Step, default_handler};
use crate::runtime::engine::Engine;
use crate::runtime::message::{Notice, ProcessKey};
use crate::runtime::stdin::StdinError;

use super::{Taker, told};

/// The processes of one pool, and who reads their answers.
pub(super) struct Pool {
    /// In their order.
    keys: Arc<[ProcessKey]>,
    /// `None` is the default one.
    handler: Option<Arc<dyn ResultHandler>>,
}

/// One process of a pool.
pub(super) struct Child {
    pool: PoolId,
    /// The event that it has and has not answered.
    held: Option<Numbered>,
    delivered: u64,
    rejected: u64,
}

impl Pool {
    pub(super) fn keys(&self) -> Arc<[ProcessKey]> {
        Arc::clone(&self.keys)
    }
}

impl Engine {
    /// Adds the pool of a listener group.
    pub(crate) fn subscribe_pool(&mut self, group: &str, settings: &spec::Pool, keys: &[ProcessKey]) {
        let pool = pool::Pool::new(group, settings.events.iter().copied(), settings.buffer_size);
        let handler = self.subscribers.handlers.get(&settings.result_handler).cloned();
        let taker = Taker::Children(Pool { keys: keys.into(), handler });
        let id = self.add_subscriber(pool.overflow(settings.buffer_overflow), taker);
        self.subscribers.groups.insert(group.to_owned(), id);
        let child = |key: &ProcessKey| (*key, Child { pool: id, held: None, delivered: 0, rejected: 0 });
        self.subscribers.children.extend(keys.iter().map(child));
    }

    /// Removes the pool of a listener group, with what waits in it.
    pub(crate) fn unsubscribe_pool(&mut self, group: &str) {
        if let Some(id) = self.subscribers.groups.remove(group) {
            self.subscribers.remove(id);
            self.subscribers.children.retain(|_, child| child.pool != id);
        }
    }

    pub(super) fn dispatch_children(&mut self, id: PoolId, keys: &[ProcessKey]) {
        if !keys.iter().any(|key| self.is_ready(*key)) {
            return;
        }
        while let Some(event) = self.subscribers.bus.pool(id).and_then(pool::Pool::next) {
            if let Err(event) = self.hand(id, keys, event) {
                return self.put_back(id, event);
            }
        }
    }

    /// Hands an event to the first process that takes it; an error is the event that nobody took.
    fn hand(&mut self, id: PoolId, keys: &[ProcessKey], event: Numbered) -> Result<(), Numbered> {
        let taker = keys.iter().find(|key| self.is_ready(**key) && self.send_event(id, **key, &event));
        match taker.and_then(|key| self.subscribers.children.get_mut(key)) {
            Some(child) => {
                child.held = Some(event);
                Ok(())
            }
            None => Err(event),
        }
    }

    fn is_ready(&self, key: ProcessKey) -> bool {
        self.processes.get(&key).is_some_and(|entry| {
            entry.machine.state() == ProcessState::Running
                && entry.protocol.as_ref().is_some_and(|protocol| protocol.state() == ListenerState::Ready)
        })
    }

    /// False if the listener cannot take it: it has closed its stdin, or does not read what it was sent before.
    fn send_event(&mut self, id: PoolId, key: ProcessKey, event: &Numbered) -> bool {
        let Some(pool) = self.subscribers.bus.pool(id) else { return false };
        let Some(entry) = self.processes.get_mut(&key) else { return false };
        let (serial, listener) = (event.serial, entry.name.process.clone());
        let stdin = entry.live.as_ref().and_then(|live| live.stdin.as_ref());
        let result = stdin.map_or(Err(StdinError::Closed), |stdin| {
            let header = pool.header(&self.shared.identifier, event);
            stdin.send_event([header.as_bytes(), event.payload.as_bytes()], &self.executor, || {
                let notices = self.notices.clone();
                // An error means that the supervisor has ended.
                Box::pin(async move { drop(notices.send(Notice::ListenerHasRead { key }).await) })
            })
        });
        match result {
            Ok(()) => {
                if let Some(protocol) = &mut entry.protocol {
                    protocol.sent();
                }
                self.note(&[Note::Sent { serial, listener }]);
            }
            Err(StdinError::Closed) => self.note(&[Note::BrokenPipe { serial, listener }]),
            Err(StdinError::Full) => {
                self.log(Level::Debug, || format!("listener {listener} does not read: event {serial} waits"));
            }
        }
        result.is_ok()
    }

    /// A process was started: if it is a listener, its protocol begins anew.
    pub(crate) fn listener_started(&mut self, key: ProcessKey) {
        if let Some(entry) = self.processes.get_mut(&key)
            && entry.protocol.is_some()
        {
            entry.protocol = Some(Protocol::new());
        }
    }

    /// A process has ended, and nobody has heard of it: what it was given and did not answer goes to another process of its
    /// pool that is ready, before the event of the end.
    pub(crate) fn hand_over_before_end(&mut self, key: ProcessKey) {
        let Some(Child { pool: id, held: Some(_), .. }) = self.subscribers.children.get(&key) else { return };
        let (id, taker) = (*id, self.subscribers.takers.get(id));
        if matches!(taker, Some(Taker::Children(pool)) if pool.keys.iter().any(|key| self.is_ready(*key))) {
            self.give_back(key);
            self.serve(id);
        }
    }

    /// The event of the end is out: what the process still has goes back, before all that waits. Earlier, that event would
    /// have pushed it out of a full buffer.
    pub(crate) fn give_back_after_end(&mut self, key: ProcessKey) {
        self.give_back(key);
    }

    fn give_back(&mut self, key: ProcessKey) {
        let subscribers = &mut self.subscribers;
        let Some(child) = subscribers.children.get_mut(&key) else { return };
        let id = child.pool;
        let (Some(event), Some(pool)) = (child.held.take(), subscribers.bus.pool(id)) else { return };
        child.rejected += 1;
        subscribers.stirred = true;
        pool.rejected();
        // A full buffer would lose another event to this one, and somebody may be ready for it.
        let keys = match subscribers.takers.get(&id) {
            Some(Taker::Children(takers)) if pool.is_full() => takers.keys(),
            _ => Arc::default(),
        };
        if let Err(event) = self.hand(id, &keys, event) {
            self.put_back(id, event);
        }
    }

    fn put_back(&mut self, id: PoolId, event: Numbered) {
        let notes = self.subscribers.bus.pool(id).map(|pool| pool.put_back(event));
        self.note(&notes.unwrap_or_default());
    }

    /// A process changed its state, or has read what it was sent: if it is a listener, it may take an event now.
    pub(crate) fn listener_changed(&mut self, key: ProcessKey) {
        self.subscribers.stirred |= self.subscribers.children.contains_key(&key);
    }

    /// True if time would help the pool of this group to hear what has happened.
    pub(crate) fn pool_is_at_work(&self, group: &str) -> bool {
        let subscribers = &self.subscribers;
        let Some(id) = subscribers.groups.get(group) else { return false };
        let (Some(pool), Some(Taker::Children(taker))) = (subscribers.bus.find(*id), subscribers.takers.get(id)) else {
            return false;
        };
        pool.is_at_work(taker.keys.iter().filter_map(|key| {
            let entry = self.processes.get(key)?;
            Some(pool::Taker {
                process: entry.machine.state(),
                listener: entry.protocol.as_ref()?.state(),
                holds: subscribers.children.get(key)?.held.is_some(),
            })
        }))
    }

    /// A listener wrote something.
    pub(crate) fn listener_said(&mut self, key: ProcessKey, bytes: &[u8]) {
        let Some(entry) = self.processes.get_mut(&key) else { return };
        let name = entry.name.process.clone();
        let Some(protocol) = &mut entry.protocol else { return };
        let mut steps = VecDeque::from(protocol.feed(bytes));
        while let Some(step) = steps.pop_front() {
            self.subscribers.stirred = true;
            step.narrate(&name, &mut |level, line| self.log(level, || line.to_string()));
            match step {
                Step::Changed(_) | Step::BadResultLine(_) => {}
                Step::GiveBack => self.give_back(key),
                Step::Result(result) => {
                    let handled = self.judge(key, &result);
                    handled.narrate(&name, &mut |level, line| self.log(level, || line.to_string()));
                    let protocol = self.processes.get_mut(&key).and_then(|entry| entry.protocol.as_mut());
                    steps.extend(protocol.map(|protocol| protocol.handled(handled)).unwrap_or_default());
                }
            }
        }
    }

    /// What the pool's result handler makes of an answer. A handler that panics has failed, no more.
    fn judge(&mut self, key: ProcessKey, result: &[u8]) -> Handled {
        let subscribers = &mut self.subscribers;
        let Some(child) = subscribers.children.get_mut(&key) else { return default_handler(result) };
        let handled = match (subscribers.takers.get(&child.pool), &child.held) {
            (Some(Taker::Children(Pool { handler: Some(handler), .. })), Some(event)) => {
                let event = told(event);
                match std::panic::catch_unwind(AssertUnwindSafe(|| handler.handle(&event, result))) {
                    Ok(Ok(Verdict::Processed)) => Handled::Processed,
                    Ok(Ok(Verdict::Rejected)) => Handled::Rejected,
                    Ok(Err(_)) | Err(_) => Handled::Failed,
                }
            }
            _ => default_handler(result),
        };
        if handled == Handled::Processed
            && child.held.take().is_some()
            && let Some(pool) = subscribers.bus.pool(child.pool)
        {
            child.delivered += 1;
            pool.delivered();
        }
        handled
    }

    /// What is known of a process as a listener; `None` if it is none.
    pub(crate) fn listener_info(&self, key: ProcessKey) -> Option<ListenerInfo> {
        let child = self.subscribers.children.get(&key)?;
        let pool = self.subscribers.bus.find(child.pool)?;
        Some(ListenerInfo {
            state: self.processes.get(&key)?.protocol.as_ref()?.state(),
            delivered: child.delivered,
            rejected: child.rejected,
            waiting: pool.waiting(),
            dropped: pool.counters().dropped,
        })
    }

    pub(super) fn children_of(&self, pool: &Pool) -> Vec<(ProcessName, ListenerState)> {
        let entries = pool.keys.iter().filter_map(|key| self.processes.get(key));
        entries.filter_map(|entry| Some((ProcessName::clone(&entry.name), entry.protocol.as_ref()?.state()))).collect()
    }
}
