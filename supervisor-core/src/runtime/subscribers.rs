//! Who hears of events: child listeners, listeners in the embedding program and streams, all through the same bus.
//!
//! Offers what happens to the bus and hands what waits to whoever is ready. Numbers, buffers and order are
//! `machine/bus.rs` and `machine/pool.rs`; how each kind takes its events is in the files below. Nobody here is waited
//! for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::event_type::EventType;
use crate::domain::moment::Moment;
use crate::event::occurrence::{Occurrence, Output};
use crate::listener::{Event, ResultHandler, SubscriberInfo};
use crate::machine::bus::{Bus, PoolId};
use crate::machine::pool::{Note, Numbered, Pool};
use crate::machine::tick::Ticks;
use crate::runtime::engine::{Due, Engine};
use crate::runtime::message::ProcessKey;
use crate::runtime::pressure::Pressure;

mod children;
mod inside;

/// What the pressure of output is about.
const OUTPUT: [EventType; 2] = [EventType::ProcessLogStdout, EventType::ProcessLogStderr];

/// Who takes the events of one pool.
enum Taker {
    /// The processes of an `[eventlistener:x]`.
    Children(children::Pool),
    /// A listener of the embedding program.
    Listener(inside::Listener),
    /// A stream.
    Stream(inside::Stream),
}

/// All subscribers.
pub(crate) struct Subscribers {
    bus: Bus,
    takers: HashMap<PoolId, Taker>,
    /// The pools of listener groups, by group name.
    groups: HashMap<String, PoolId>,
    /// The processes of all pools.
    children: HashMap<ProcessKey, children::Child>,
    /// Something came or somebody became ready since the last dispatch.
    stirred: bool,
    ticks: Ticks,
    /// When slices are looked for next, if they are.
    next_tick: Option<Duration>,
    /// Result handlers by name; the default is not among them.
    handlers: HashMap<String, Arc<dyn ResultHandler>>,
    pressure: Arc<Pressure>,
}

impl Subscribers {
    /// Nobody yet. `serial` is the number of the next event.
    pub(crate) fn new(
        serial: u64,
        now: Moment,
        handlers: HashMap<String, Arc<dyn ResultHandler>>,
        pressure: Arc<Pressure>,
    ) -> Self {
        Self {
            bus: Bus::new(serial),
            takers: HashMap::new(),
            groups: HashMap::new(),
            children: HashMap::new(),
            stirred: false,
            ticks: Ticks::new(now.wall),
            next_tick: None,
            handlers,
            pressure,
        }
    }

    /// The number that the next event will get.
    pub(crate) fn next_serial(&self) -> u64 {
        self.bus.next_serial()
    }

    fn remove(&mut self, id: PoolId) {
        self.bus.unsubscribe(id);
        self.takers.remove(&id);
        self.press();
    }

    /// Tells the channels how much output those who listen to it can take. A stream takes whatever comes.
    fn press(&self) {
        let hears = |pool: &Pool| OUTPUT.into_iter().any(|event_type| pool.hears(event_type));
        let rooms = self.bus.pools().filter(|(_, pool)| hears(pool)).map(|(id, pool)| match self.takers.get(&id) {
            Some(Taker::Stream(_)) | None => isize::MAX,
            Some(Taker::Children(_) | Taker::Listener(_)) => pool.room(),
        });
        self.pressure.set(rooms.min());
    }
}

impl Engine {
    /// Offers what happened to everybody who wants to hear of it. Before somebody loses an event to it, what waits goes to
    /// whoever is ready: one step of a process may bring several events.
    pub(crate) fn publish(&mut self, occurrence: &Occurrence) {
        for id in self.subscribers.bus.full(occurrence.event_type()) {
            self.serve(id);
        }
        let published = self.subscribers.bus.publish(occurrence);
        self.subscribers.stirred |= published.serial.is_some();
        self.note(&published.notes);
        for id in published.heard {
            // A stream takes at once: what it loses is what its holder does not take.
            self.subscribers.flow(id);
            // The first event of many goes out while the others happen.
            if self.subscribers.bus.find(id).is_some_and(|pool| pool.waiting() == 1) {
                self.serve(id);
            }
        }
    }

    /// A channel has reported output, of a process that is still known or no longer.
    pub(crate) fn publish_output(&mut self, output: Option<Output>) {
        self.subscribers.pressure.arrived();
        if let Some(output) = output {
            self.publish(&Occurrence::Log(output));
            self.subscribers.press();
        }
    }

    fn note(&self, notes: &[Note]) {
        for note in notes {
            self.log(note.level(), || note.to_string());
        }
    }

    fn add_subscriber(&mut self, pool: Pool, taker: Taker) -> PoolId {
        // Slices that nobody wanted so far are not told to the newcomer.
        let now = self.now();
        for tick in self.subscribers.ticks.advance(now.wall) {
            self.publish(&tick);
        }
        let id = self.subscribers.bus.subscribe(pool);
        self.subscribers.takers.insert(id, taker);
        self.subscribers.press();
        self.plan_tick(now);
        id
    }

    fn plan_tick(&mut self, now: Moment) {
        let subscribers = &mut self.subscribers;
        let wanted = |event_type: EventType| subscribers.bus.wants(event_type);
        let Some(rest) = subscribers.ticks.next_deadline(now.wall, wanted) else { return };
        let at = now.monotonic + rest;
        if subscribers.next_tick.is_none_or(|planned| at < planned) {
            subscribers.next_tick = Some(at);
            self.deadlines.push(at, Due::Tick);
        }
    }

    /// Somebody waits for a slice of wall time.
    pub(crate) fn awaits_ticks(&self) -> bool {
        self.subscribers.next_tick.is_some()
    }

    /// A slice of wall time may have begun.
    pub(crate) fn tick(&mut self, now: Moment) {
        let next = &mut self.subscribers.next_tick;
        // A later plan stands: this one was replaced, or the clock has been set.
        next.take_if(|planned| *planned <= now.monotonic);
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
            self.serve(id);
        }
        self.subscribers.press();
    }

    /// The same for one subscriber.
    fn serve(&mut self, id: PoolId) {
        match self.subscribers.takers.get(&id) {
            Some(Taker::Children(pool)) => self.dispatch_children(id, &pool.keys()),
            Some(Taker::Listener(_)) => self.subscribers.call(id),
            Some(Taker::Stream(_)) | None => {}
        }
    }

    /// All subscribers with their counters.
    pub(crate) fn subscriber_infos(&self) -> Vec<SubscriberInfo> {
        self.subscribers.bus.pools().map(|(id, pool)| self.subscriber_info(id, pool)).collect()
    }

    fn subscriber_info(&self, id: PoolId, pool: &Pool) -> SubscriberInfo {
        let counters = pool.counters();
        let mut info = SubscriberInfo {
            name: pool.name().to_string(),
            children: Vec::new(),
            waiting: pool.waiting(),
            delivered: counters.delivered,
            rejected: counters.rejected,
            dropped: counters.dropped,
        };
        match self.subscribers.takers.get(&id) {
            Some(Taker::Children(pool)) => info.children = self.children_of(pool),
            Some(Taker::Stream(stream)) => stream.complete(&mut info),
            Some(Taker::Listener(_)) | None => {}
        }
        info
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
