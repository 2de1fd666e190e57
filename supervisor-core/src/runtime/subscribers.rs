//! Who hears of events: child listeners, listeners in the embedding program and streams, all through the same bus.
//!
//! Decides who takes the next event of a pool and carries what takers answer back to it. Numbers, buffers and order are
//! `machine/bus.rs` and `machine/pool.rs`; the listener protocol is `machine/protocol.rs`. Nobody here is waited for.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_channel::Sender;
use futures_lite::FutureExt;

use crate::domain::event_type::EventType;
use crate::domain::level::Level;
use crate::domain::moment::Moment;
use crate::domain::spec;
use crate::domain::state::{ListenerState, ProcessState};
use crate::event::occurrence::Occurrence;
use crate::listener::{Event, EventListener, Events, ResultHandler, SubscriberInfo, Verdict};
use crate::machine::bus::{Bus, PoolId};
use crate::machine::pool::{Note, Numbered, Pool};
use crate::machine::protocol::{Handled, Protocol, Step, default_handler};
use crate::machine::tick::Ticks;
use crate::runtime::engine::{Due, Engine};
use crate::runtime::message::{Notice, ProcessKey};
use crate::runtime::stdin::StdinError;

/// Who takes the events of one pool.
enum Taker {
    /// The processes of an `[eventlistener:x]`, in their order.
    Children { keys: Vec<ProcessKey>, handler: Option<Arc<dyn ResultHandler>> },
    /// A listener of the embedding program: one event at a time.
    Listener { door: Sender<Event>, held: Option<Numbered> },
    /// A stream: takes at once, dropping its oldest when it is full.
    Stream { door: Sender<Event>, dropped: Arc<AtomicU64> },
}

/// All subscribers.
pub(crate) struct Subscribers {
    bus: Bus,
    takers: HashMap<PoolId, Taker>,
    /// The pools of listener groups, by group name.
    groups: HashMap<String, PoolId>,
    /// The event that a child listener has.
    held: HashMap<ProcessKey, (PoolId, Numbered)>,
    /// Something came or somebody became ready since the last dispatch.
    stirred: bool,
    ticks: Ticks,
    tick_planned: bool,
    /// Result handlers by name; the default is not among them.
    handlers: HashMap<String, Arc<dyn ResultHandler>>,
}

impl Subscribers {
    /// Nobody yet. `serial` is the number of the next event.
    pub(crate) fn new(serial: u64, now: Moment, handlers: HashMap<String, Arc<dyn ResultHandler>>) -> Self {
        Self {
            bus: Bus::new(serial),
            takers: HashMap::new(),
            groups: HashMap::new(),
            held: HashMap::new(),
            stirred: false,
            ticks: Ticks::new(now.wall),
            tick_planned: false,
            handlers,
        }
    }

    /// The number that the next event will get.
    pub(crate) fn next_serial(&self) -> u64 {
        self.bus.next_serial()
    }
}

impl Engine {
    /// Offers what happened to everybody who wants to hear of it.
    pub(crate) fn publish(&mut self, occurrence: &Occurrence) {
        let published = self.subscribers.bus.publish(occurrence);
        self.subscribers.stirred |= published.serial.is_some();
        self.note(&published.notes);
    }

    fn note(&self, notes: &[Note]) {
        for note in notes {
            self.log(note.level(), || note.to_string());
        }
    }

    /// Adds the pool of a listener group.
    pub(crate) fn subscribe_pool(&mut self, group: &str, settings: &spec::Pool, keys: Vec<ProcessKey>) {
        let pool = Pool::new(group, settings.events.iter().copied(), settings.buffer_size);
        let handler = self.subscribers.handlers.get(&settings.result_handler).cloned();
        let id = self.add_subscriber(pool.overflow(settings.buffer_overflow), Taker::Children { keys, handler });
        self.subscribers.groups.insert(group.to_owned(), id);
    }

    /// Removes the pool of a listener group, with what waits in it.
    pub(crate) fn unsubscribe_pool(&mut self, group: &str) {
        if let Some(id) = self.subscribers.groups.remove(group) {
            self.remove_subscriber(id);
            self.subscribers.held.retain(|_, (pool, _)| *pool != id);
        }
    }

    /// Adds a listener of the embedding program, with the task that calls it.
    pub(crate) fn add_listener(&mut self, listener: Arc<dyn EventListener>) {
        let (door, events) = async_channel::bounded(1);
        let pool = Pool::new("listener", listener.events().iter().copied(), listener.buffer_size());
        let id = self.add_subscriber(pool, Taker::Listener { door, held: None });
        let (notices, activity) = (self.notices.clone(), Arc::clone(self.activity()));
        self.executor
            .spawn(async move {
                while let Ok(event) = events.recv().await {
                    let Ok(verdict) = AssertUnwindSafe(listener.notify(&event)).catch_unwind().await else {
                        activity.write(Level::Error, "an event listener has panicked and hears nothing more");
                        // The event is given back and finds nobody: the subscription ends.
                        drop(events);
                        let _ = notices.send(Notice::Heard { pool: id, verdict: Verdict::Rejected }).await;
                        return;
                    };
                    if notices.send(Notice::Heard { pool: id, verdict }).await.is_err() {
                        return;
                    }
                }
            })
            .detach();
    }

    /// Adds a stream.
    pub(crate) fn subscribe(&mut self, types: &[EventType], buffer: usize) -> Events {
        let (door, events) = async_channel::bounded(buffer.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        let pool = Pool::new("stream", types.iter().copied(), buffer);
        self.add_subscriber(pool, Taker::Stream { door, dropped: Arc::clone(&dropped) });
        Events::new(events, dropped)
    }

    fn add_subscriber(&mut self, pool: Pool, taker: Taker) -> PoolId {
        // Slices that nobody wanted so far are not told to the newcomer.
        let now = self.now();
        for tick in self.subscribers.ticks.advance(now.wall) {
            self.publish(&tick);
        }
        let id = self.subscribers.bus.subscribe(pool);
        self.subscribers.takers.insert(id, taker);
        self.plan_tick(now);
        id
    }

    fn remove_subscriber(&mut self, id: PoolId) {
        self.subscribers.bus.unsubscribe(id);
        self.subscribers.takers.remove(&id);
    }

    fn plan_tick(&mut self, now: Moment) {
        let subscribers = &mut self.subscribers;
        if subscribers.tick_planned {
            return;
        }
        let bus = &subscribers.bus;
        if let Some(rest) = subscribers.ticks.next_deadline(now.wall, |event_type| bus.wants(event_type)) {
            subscribers.tick_planned = true;
            self.deadlines.push(now.monotonic + rest, Due::Tick);
        }
    }

    /// A slice of wall time may have begun.
    pub(crate) fn tick(&mut self, now: Moment) {
        self.subscribers.tick_planned = false;
        for tick in self.subscribers.ticks.advance(now.wall) {
            self.publish(&tick);
        }
        self.plan_tick(now);
    }

    /// Hands waiting events to whoever is ready.
    pub(crate) fn dispatch(&mut self) {
        if !std::mem::take(&mut self.subscribers.stirred) {
            return;
        }
        let waiting: Vec<PoolId> =
            self.subscribers.bus.pools().filter(|(_, pool)| pool.waiting() > 0).map(|(id, _)| id).collect();
        for id in waiting {
            match self.subscribers.takers.get(&id) {
                Some(Taker::Children { keys, .. }) => self.dispatch_children(id, &keys.clone()),
                Some(Taker::Listener { held: None, .. } | Taker::Stream { .. }) => self.dispatch_inside(id),
                Some(Taker::Listener { held: Some(_), .. }) | None => {}
            }
        }
    }

    fn dispatch_children(&mut self, id: PoolId, keys: &[ProcessKey]) {
        let mut sent = false;
        for key in keys {
            while self.is_ready(*key) {
                let Some(event) = self.subscribers.bus.pool(id).and_then(Pool::next) else { return };
                match self.send_event(id, *key, &event) {
                    Ok(()) => {
                        sent = true;
                        self.subscribers.held.insert(*key, (id, event));
                    }
                    Err(_) => {
                        let notes = self.subscribers.bus.pool(id).map(|pool| pool.put_back(event));
                        self.note(&notes.unwrap_or_default());
                        break;
                    }
                }
            }
        }
        if sent {
            let note = self.subscribers.bus.pool(id).and_then(|pool| pool.left_waiting());
            self.note(note.as_slice());
        }
    }

    fn is_ready(&self, key: ProcessKey) -> bool {
        self.processes.get(&key).is_some_and(|entry| {
            entry.machine.state() == ProcessState::Running
                && entry.protocol.as_ref().is_some_and(|protocol| protocol.state() == ListenerState::Ready)
        })
    }

    fn send_event(&mut self, id: PoolId, key: ProcessKey, event: &Numbered) -> Result<(), StdinError> {
        let pool = self.subscribers.bus.pool(id).ok_or(StdinError::Closed)?;
        let text = pool.envelope(&self.shared.identifier, event);
        let entry = self.processes.get_mut(&key).ok_or(StdinError::Closed)?;
        let (serial, listener) = (event.serial, entry.name.process.clone());
        let stdin = entry.live.as_ref().and_then(|live| live.stdin.as_ref()).ok_or(StdinError::Closed)?;
        let result = stdin.send(text.as_bytes(), &self.executor);
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
        result
    }

    fn dispatch_inside(&mut self, id: PoolId) {
        loop {
            let subscribers = &mut self.subscribers;
            let (Some(pool), Some(taker)) = (subscribers.bus.pool(id), subscribers.takers.get_mut(&id)) else { return };
            let Some(event) = pool.next() else { return };
            let told = told(&event);
            let gone = match taker {
                Taker::Stream { door, dropped } => match door.force_send(told) {
                    Ok(None) => false,
                    Ok(Some(_)) => {
                        dropped.fetch_add(1, Ordering::Relaxed);
                        false
                    }
                    Err(_) => true,
                },
                Taker::Listener { door, held } => {
                    *held = Some(event);
                    if door.try_send(told).is_ok() {
                        return;
                    }
                    true
                }
                Taker::Children { .. } => return,
            };
            if gone {
                self.remove_subscriber(id);
                return;
            }
        }
    }

    /// A listener of the embedding program has dealt with its event.
    pub(crate) fn heard(&mut self, id: PoolId, verdict: Verdict) {
        let subscribers = &mut self.subscribers;
        subscribers.stirred = true;
        let Some(Taker::Listener { held, .. }) = subscribers.takers.get_mut(&id) else { return };
        let (Some(event), Some(pool)) = (held.take(), subscribers.bus.pool(id)) else { return };
        match verdict {
            Verdict::Processed => pool.delivered(),
            Verdict::Rejected => {
                let notes = pool.give_back(event);
                self.note(&notes);
            }
        }
    }

    /// A process was started: if it is a listener, its protocol begins anew.
    pub(crate) fn listener_started(&mut self, key: ProcessKey) {
        if let Some(entry) = self.processes.get_mut(&key)
            && entry.protocol.is_some()
        {
            entry.protocol = Some(Protocol::new());
        }
    }

    /// A process ended: what it was given and did not answer goes back.
    pub(crate) fn listener_ended(&mut self, key: ProcessKey) {
        self.give_back(key);
    }

    fn give_back(&mut self, key: ProcessKey) {
        if let Some((id, event)) = self.subscribers.held.remove(&key) {
            self.subscribers.stirred = true;
            let notes = self.subscribers.bus.pool(id).map(|pool| pool.give_back(event));
            self.note(&notes.unwrap_or_default());
        }
    }

    /// A process changed its state: if it is a listener, it may have become ready.
    pub(crate) fn listener_changed(&mut self, key: ProcessKey) {
        self.subscribers.stirred |= self.processes.get(&key).is_some_and(|entry| entry.protocol.is_some());
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
        let Some((id, event)) = self.subscribers.held.get(&key) else { return default_handler(result) };
        let handled = match self.subscribers.takers.get(id) {
            Some(Taker::Children { handler: Some(handler), .. }) => {
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
            && let Some((id, _)) = self.subscribers.held.remove(&key)
            && let Some(pool) = self.subscribers.bus.pool(id)
        {
            pool.delivered();
        }
        handled
    }

    /// All subscribers with their counters.
    pub(crate) fn subscriber_infos(&self) -> Vec<SubscriberInfo> {
        let children = |id: PoolId| match self.subscribers.takers.get(&id) {
            Some(Taker::Children { keys, .. }) => keys
                .iter()
                .filter_map(|key| self.processes.get(key))
                .filter_map(|entry| Some((entry.name.clone(), entry.protocol.as_ref()?.state())))
                .collect(),
            _ => Vec::new(),
        };
        let lost = |id: PoolId| match self.subscribers.takers.get(&id) {
            Some(Taker::Stream { dropped, .. }) => dropped.load(Ordering::Relaxed),
            _ => 0,
        };
        self.subscribers
            .bus
            .pools()
            .map(|(id, pool)| SubscriberInfo {
                name: pool.name().to_string(),
                children: children(id),
                waiting: pool.waiting(),
                delivered: pool.counters().delivered,
                rejected: pool.counters().rejected,
                dropped: pool.counters().dropped + lost(id),
            })
            .collect()
    }
}

fn told(event: &Numbered) -> Event {
    Event {
        event_type: event.event_type,
        serial: event.serial,
        pool_serial: event.pool_serial,
        payload: Arc::clone(&event.payload),
    }
}
