//! Subscribers inside the embedding program: an [`EventListener`] takes one event at a time, a stream takes at once.
//!
//! Neither can hold the supervisor up. A listener is called on a thread of its own, so it may even block; a stream that
//! is full drops its oldest event.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_channel::{Receiver, Sender};
use futures_lite::{FutureExt, future};

use crate::activity::ActivityLog;
use crate::domain::event_type::EventType;
use crate::domain::level::Level;
use crate::listener::{Event, EventListener, Events, SubscriberInfo, Verdict};
use crate::machine::bus::PoolId;
use crate::machine::pool::{Numbered, Pool};
use crate::runtime::engine::Engine;
use crate::runtime::message::Notice;

use super::{Subscribers, Taker, told};

/// The supervisor's end of a listener.
pub(super) struct Listener {
    /// Closed when it hears nothing more.
    door: Sender<Event>,
    /// The event that it has.
    held: Option<Numbered>,
    /// Dropped with the supervisor: a call under way is given up.
    _alive: Sender<()>,
}

/// The supervisor's end of a stream.
pub(super) struct Stream {
    door: Sender<Event>,
    /// Shared with the holder.
    dropped: Arc<AtomicU64>,
}

/// What calls a listener.
struct Caller {
    listener: Arc<dyn EventListener>,
    events: Receiver<Event>,
    ended: Receiver<()>,
    id: PoolId,
    notices: Sender<Notice>,
    activity: Arc<dyn ActivityLog>,
}

impl Caller {
    async fn run(self) {
        let ended = async {
            let _ = self.ended.recv().await;
        };
        ended.or(self.call()).await;
    }

    async fn call(&self) {
        while let Ok(event) = self.events.recv().await {
            let verdict = match AssertUnwindSafe(self.listener.notify(&event)).catch_unwind().await {
                Ok(verdict) => verdict,
                Err(_) => {
                    self.activity.write(Level::Error, "an event listener has panicked and hears nothing more");
                    // The event is given back and finds nobody: the subscription ends.
                    self.events.close();
                    Verdict::Rejected
                }
            };
            // An error means that the supervisor has ended.
            let _ = self.notices.send(Notice::Heard { pool: self.id, verdict }).await;
        }
    }
}

impl Engine {
    /// Adds a listener of the embedding program, with the task that calls it.
    pub(crate) fn add_listener(&mut self, listener: Arc<dyn EventListener>) {
        let (door, events) = async_channel::bounded(1);
        let (alive, ended) = async_channel::bounded(1);
        let pool = Pool::new("listener", listener.events().iter().copied(), listener.buffer_size());
        let id = self.add_subscriber(pool, Taker::Listener(Listener { door, held: None, _alive: alive }));
        let (notices, activity) = (self.notices.clone(), Arc::clone(self.activity()));
        let caller = Caller { listener, events, ended, id, notices, activity };
        // The thread comes with the first round, not while the supervisor is built: the program may still fork.
        if self.door.is_inline() {
            self.executor.spawn(caller.run()).detach();
        } else {
            self.executor.spawn(on_a_thread(Box::pin(caller.run()))).detach();
        }
    }

    /// Adds a stream.
    pub(crate) fn subscribe(&mut self, types: &[EventType], buffer: usize) -> Events {
        self.subscribers.forget_dropped_streams();
        let (door, events) = async_channel::bounded(buffer.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        let pool = Pool::new("stream", types.iter().copied(), 1).onlooker();
        self.add_subscriber(pool, Taker::Stream(Stream { door, dropped: Arc::clone(&dropped) }));
        Events::new(events, dropped)
    }

    /// A listener of the embedding program has dealt with its event.
    pub(crate) fn heard(&mut self, id: PoolId, verdict: Verdict) {
        let subscribers = &mut self.subscribers;
        subscribers.stirred = true;
        let Some(Taker::Listener(listener)) = subscribers.takers.get_mut(&id) else { return };
        let (Some(event), Some(pool)) = (listener.held.take(), subscribers.bus.pool(id)) else { return };
        match verdict {
            Verdict::Processed => pool.delivered(),
            Verdict::Rejected => {
                let notes = pool.give_back(event);
                self.note(&notes);
            }
        }
    }
}

impl Subscribers {
    /// Calls a listener that is free with the next event.
    pub(super) fn call(&mut self, id: PoolId) {
        let (Some(pool), Some(Taker::Listener(listener))) = (self.bus.pool(id), self.takers.get_mut(&id)) else {
            return;
        };
        if listener.held.is_some() {
            return;
        }
        let Some(event) = pool.next() else { return };
        let gone = listener.door.try_send(told(&event)).is_err();
        listener.held = Some(event);
        if gone {
            self.remove(id);
        }
    }

    /// Lets an event through to a stream; nothing, if this is none.
    pub(super) fn flow(&mut self, id: PoolId) {
        let (Some(pool), Some(Taker::Stream(stream))) = (self.bus.pool(id), self.takers.get(&id)) else { return };
        let Some(event) = pool.next() else { return };
        pool.delivered();
        match stream.door.force_send(told(&event)) {
            Ok(None) => {}
            Ok(Some(_)) => drop(stream.dropped.fetch_add(1, Ordering::Relaxed)),
            // Nobody holds it any more.
            Err(_) => self.remove(id),
        }
    }

    /// Ends the subscriptions of streams that nobody holds any more and to which nothing has come since.
    fn forget_dropped_streams(&mut self) {
        let dropped = |(id, taker): (&PoolId, &Taker)| match taker {
            Taker::Stream(stream) => stream.door.is_closed().then_some(*id),
            Taker::Children(_) | Taker::Listener(_) => None,
        };
        let ids: Vec<_> = self.takers.iter().filter_map(dropped).collect();
        ids.into_iter().for_each(|id| self.remove(id));
    }

    /// True as long as a listener of the embedding program has events before it.
    pub(crate) fn are_listening(&self) -> bool {
        self.takers.iter().any(|(id, taker)| match taker {
            Taker::Listener(listener) => {
                listener.held.is_some() || self.bus.find(*id).is_some_and(|pool| pool.waiting() > 0)
            }
            Taker::Children(_) | Taker::Stream(_) => false,
        })
    }
}

impl Stream {
    /// Adds what only the stream itself knows.
    pub(super) fn complete(&self, info: &mut SubscriberInfo) {
        info.waiting = self.door.len();
        info.dropped = self.dropped.load(Ordering::Relaxed);
        // So far all that came was counted.
        info.delivered = info.delivered.saturating_sub(info.dropped + info.waiting as u64);
    }
}

/// Runs a task on a thread of its own; here, if no thread can be had.
async fn on_a_thread(task: Pin<Box<dyn Future<Output = ()> + Send>>) {
    let (hand, taken) = async_channel::bounded::<Pin<Box<dyn Future<Output = ()> + Send>>>(1);
    let thread = std::thread::Builder::new().name("event-listener".to_owned()).spawn(move || {
        future::block_on(async {
            if let Ok(task) = taken.recv().await {
                task.await;
            }
        });
    });
    match thread {
        // There is room for it.
        Ok(_) => drop(hand.try_send(task)),
        Err(_) => task.await,
    }
}
