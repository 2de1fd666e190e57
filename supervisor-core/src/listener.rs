//! Event listeners inside the embedding program.
//!
//! They come through the same door as `[eventlistener:x]` children: each is one subscriber with a bounded buffer, and
//! the supervisor never waits for any of them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_core::Stream;

use crate::domain::event_type::EventType;
use crate::domain::name::ProcessName;
use crate::domain::state::ListenerState;

/// An event as a listener gets it: rendered at the moment it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its concrete type.
    pub event_type: EventType,
    /// Its number, the same for all subscribers; counts from 0 for the supervisor's whole life. Streams look on only: an event
    /// that no listener hears has the number that the next one will get, and takes none itself.
    pub serial: u64,
    /// Its number among the events of this subscriber.
    pub pool_serial: u64,
    /// The payload, exactly as a child listener gets it.
    pub payload: Arc<str>,
}

/// What a listener says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Done.
    Processed,
    /// Not done: it is delivered again, before all others.
    Rejected,
}

/// Hears of events (Supervisor 4.3: event listeners).
#[async_trait]
pub trait EventListener: Send + Sync {
    /// The types that it wants; an ancestor stands for all below it.
    fn events(&self) -> &[EventType];

    /// How many undelivered events are kept for it before the oldest is dropped, and counted. Default 1,024.
    fn buffer_size(&self) -> usize {
        1024
    }

    /// Called for one event at a time, in order, on a thread of this listener. May take its time, and may block: only
    /// this listener waits. When the supervisor has ended, it has two seconds more for what is left.
    async fn notify(&self, event: &Event) -> Verdict;
}

/// Decides what the answer of a child listener means (Supervisor 4.3: `result_handler`). Chosen by name in
/// `[eventlistener:x]`; the default takes `OK` as done and anything else as a rejection.
pub trait ResultHandler: Send + Sync {
    /// The verdict on an event from the bytes of the answer to it. Called by the supervisor itself: must not block.
    ///
    /// # Errors
    /// The handler cannot tell: the event comes again, and this listener hears nothing more until it is restarted.
    fn handle(&self, event: &Event, result: &[u8]) -> Result<Verdict, Box<dyn std::error::Error + Send + Sync>>;
}

impl<F> ResultHandler for F
where
    F: Fn(&Event, &[u8]) -> Result<Verdict, Box<dyn std::error::Error + Send + Sync>> + Send + Sync,
{
    fn handle(&self, event: &Event, result: &[u8]) -> Result<Verdict, Box<dyn std::error::Error + Send + Sync>> {
        self(event, result)
    }
}

/// What is known of one subscriber to events: a pool of child listeners, a listener of the embedding program, a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriberInfo {
    /// The pool's name; `listener` and `stream` for the other two.
    pub name: String,
    /// Its processes with the state of their protocol; empty for the other two.
    pub children: Vec<(ProcessName, ListenerState)>,
    /// How many events wait for it.
    pub waiting: usize,
    /// How many it has processed; of a stream, how many were taken from it.
    pub delivered: u64,
    /// How many times one was given back.
    pub rejected: u64,
    /// How many were lost because its buffer was full.
    pub dropped: u64,
}

/// What is known of a process as an event listener, since its group became active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerInfo {
    /// The state of its protocol; UNKNOWN hears nothing until the process is restarted.
    pub state: ListenerState,
    /// How many events it has processed.
    pub delivered: u64,
    /// How many times it gave one back, by its answer or its end.
    pub rejected: u64,
    /// How many events wait in its pool.
    pub waiting: usize,
    /// How many events its pool has lost because the buffer was full.
    pub dropped: u64,
}

/// Events as a stream, from the moment of the subscription on. Ends with the supervisor.
///
/// The supervisor never waits for it: when it is full, its oldest event is dropped and counted.
#[derive(Debug)]
pub struct Events {
    receiver: Pin<Box<async_channel::Receiver<Event>>>,
    dropped: Arc<AtomicU64>,
}

impl Events {
    pub(crate) fn new(receiver: async_channel::Receiver<Event>, dropped: Arc<AtomicU64>) -> Self {
        Self { receiver: Box::pin(receiver), dropped }
    }

    /// How many events were dropped so far because the stream was full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The next event; `None` when the supervisor has ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await.ok()
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.receiver.as_mut().poll_next(context)
    }
}
