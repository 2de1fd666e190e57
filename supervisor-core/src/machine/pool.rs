//! One subscriber: what it hears, what waits for it, and in what order (Supervisor 4.3: event listener pools).
//!
//! A pool of child listeners and a listener inside the embedding program are the same here. Who takes an event is the
//! caller's business: it asks [`Pool::next`] while it has a taker, and gives back what was not done.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use crate::domain::event_type::EventType;
use crate::domain::level::Level;
use crate::domain::spec::BufferOverflow;
use crate::domain::state::{ListenerState, ProcessState};
use crate::event::envelope::{Address, header};

/// An event on its way to a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// Its number, the same for all subscribers.
    pub(crate) serial: u64,
    /// Its number in the pool.
    pub(crate) pool_serial: u64,
    /// Its concrete type.
    pub(crate) event_type: EventType,
    /// Its payload, rendered when it happened.
    pub(crate) payload: Arc<str>,
}

/// What a pool has been through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counters {
    /// Events that came and were for it.
    pub(crate) accepted: u64,
    /// Events that were processed.
    pub(crate) delivered: u64,
    /// Times that an event was given back.
    pub(crate) rejected: u64,
    /// Events lost because the buffer was full.
    pub(crate) dropped: u64,
}

/// Something to tell in the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// The buffer was full: this event is lost.
    Overflowed { pool: Arc<str>, serial: u64 },
    /// This event stays in, or comes back to, the buffer, which holds `waiting` others.
    Rebuffered { pool: Arc<str>, serial: u64, waiting: usize, limit: usize },
    /// A taker got this event.
    Sent { serial: u64, listener: String },
    /// A taker could not be given this event, since it has closed its stdin; the next one is tried.
    BrokenPipe { serial: u64, listener: String },
}

/// One process of a pool, as far as it matters for what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taker {
    /// Its state as a process.
    pub(crate) process: ProcessState,
    /// Its state as a listener.
    pub(crate) listener: ListenerState,
    /// It has an event and has not answered.
    pub(crate) holds: bool,
}

/// So many bytes of output that wait keep a listener at work; more would cost memory only.
const ENOUGH: usize = 2 << 20;

/// A large piece of output: what a pipe holds.
const CHUNK: usize = 64 << 10;

/// One subscriber's buffer.
///
/// Invariants: never more than the limit wait; those that wait are in the order in which they happened, given back or
/// not; each event that is heard gets the next pool number, so that a listener can see a gap.
#[derive(Debug)]
pub(crate) struct Pool {
    name: Arc<str>,
    types: BTreeSet<EventType>,
    buffer: VecDeque<Numbered>,
    /// The sum of the payloads in the buffer.
    bytes: usize,
    size: usize,
    overflow: BufferOverflow,
    /// What it hears takes a number.
    counts: bool,
    next_serial: u64,
    counters: Counters,
}

impl Pool {
    /// A subscriber to these types (an ancestor stands for all below it) with room for `size` events, at least one. A
    /// full buffer drops its oldest event.
    pub(crate) fn new(name: &str, types: impl IntoIterator<Item = EventType>, size: usize) -> Self {
        Self {
            name: name.into(),
            types: types.into_iter().collect(),
            buffer: VecDeque::new(),
            bytes: 0,
            size: size.max(1),
            overflow: BufferOverflow::default(),
            counts: true,
            next_serial: 0,
            counters: Counters::default(),
        }
    }

    /// Sets what happens when an event comes to a full buffer.
    #[must_use]
    pub(crate) fn overflow(mut self, overflow: BufferOverflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Makes it one that looks on: what it alone hears takes no number.
    #[must_use]
    pub(crate) fn onlooker(mut self) -> Self {
        self.counts = false;
        self
    }

    /// True if what it hears takes a number.
    pub(crate) const fn counts(&self) -> bool {
        self.counts
    }

    /// Its name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// True if it hears of events of this concrete type.
    pub(crate) fn hears(&self, event_type: EventType) -> bool {
        self.types.iter().any(|wanted| event_type.is_a(*wanted))
    }

    /// How many events wait.
    pub(crate) fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// True if the next event costs one.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() >= self.limit()
    }

    /// How many events may wait.
    pub(crate) fn limit(&self) -> usize {
        match self.overflow {
            BufferOverflow::DropOldest | BufferOverflow::DropNewest => self.size,
            BufferOverflow::Grow(most) => self.size.max(most),
        }
    }

    /// How many events of output may come before those that wait are enough to go on with: half of what the buffer holds,
    /// or [`ENOUGH`] bytes. Negative beyond that.
    pub(crate) fn room(&self) -> isize {
        let signed = |count: usize| isize::try_from(count).unwrap_or(isize::MAX);
        let events = signed(self.limit().div_ceil(2)) - signed(self.waiting());
        events.min((signed(ENOUGH) - signed(self.bytes)) / signed(CHUNK))
    }

    /// True if time would help: one of its processes has an event and may answer, or one waits that it may still take.
    pub(crate) fn is_at_work(&self, takers: impl IntoIterator<Item = Taker>) -> bool {
        takers.into_iter().any(|taker| {
            let listens = match taker.listener {
                ListenerState::Acknowledged | ListenerState::Ready | ListenerState::Busy => true,
                ListenerState::Unknown => false,
            };
            taker.process == ProcessState::Running && listens && (taker.holds || self.waiting() > 0)
        })
    }

    /// What it has been through.
    pub(crate) const fn counters(&self) -> Counters {
        self.counters
    }

    /// The events that wait, the next one first.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Numbered> {
        self.buffer.iter()
    }

    /// Takes an event that has just happened. The caller has asked [`hears`](Self::hears).
    pub(crate) fn accept(&mut self, serial: u64, event_type: EventType, payload: &Arc<str>) -> Option<Note> {
        let event = Numbered { serial, pool_serial: self.next_serial, event_type, payload: Arc::clone(payload) };
        self.next_serial += 1;
        self.counters.accepted += 1;
        let full = self.is_full();
        if full && self.overflow == BufferOverflow::DropNewest {
            return Some(self.dropped(&event));
        }
        let oldest = if full { self.next() } else { None };
        self.bytes += event.payload.len();
        self.buffer.push_back(event);
        oldest.map(|event| self.dropped(&event))
    }

    /// The oldest event that waits, for a taker that is ready. It ends in [`delivered`](Self::delivered),
    /// [`give_back`](Self::give_back), [`rejected`](Self::rejected) or [`put_back`](Self::put_back).
    pub(crate) fn next(&mut self) -> Option<Numbered> {
        let event = self.buffer.pop_front()?;
        self.bytes -= event.payload.len();
        Some(event)
    }

    fn pop_newest(&mut self) -> Option<Numbered> {
        let event = self.buffer.pop_back()?;
        self.bytes -= event.payload.len();
        Some(event)
    }

    /// The header line that goes before the payload of an event of this pool on its way to a child listener. `server` is
    /// the supervisor's `identifier`.
    pub(crate) fn header(&self, server: &str, event: &Numbered) -> String {
        let Numbered { serial, pool_serial, event_type, ref payload } = *event;
        header(Address { server, pool: &self.name, serial, pool_serial }, event_type, payload)
    }

    /// A taker has processed an event.
    pub(crate) fn delivered(&mut self) {
        self.counters.delivered += 1;
    }

    /// A taker has rejected an event or died with it: it comes again, before all that happened later.
    pub(crate) fn give_back(&mut self, event: Numbered) -> Vec<Note> {
        self.rejected();
        self.put_back(event)
    }

    /// A taker has rejected an event, or has ended with it.
    pub(crate) fn rejected(&mut self) {
        self.counters.rejected += 1;
    }

    /// No taker could be given this event: it comes again, and nobody is blamed.
    ///
    /// If the buffer is full, another event makes room: what has been tried must not be lost to what has not.
    pub(crate) fn put_back(&mut self, event: Numbered) -> Vec<Note> {
        let mut notes = vec![self.rebuffered(&event, self.buffer.len())];
        if self.is_full() {
            let other = match self.overflow {
                BufferOverflow::DropNewest => self.pop_newest(),
                BufferOverflow::DropOldest | BufferOverflow::Grow(_) => self.next(),
            };
            notes.extend(other.map(|other| self.dropped(&other)));
        }
        // With several takers an older event may have come back before this one.
        let at = self.buffer.partition_point(|other| other.pool_serial < event.pool_serial);
        self.bytes += event.payload.len();
        self.buffer.insert(at, event);
        notes
    }

    fn dropped(&mut self, event: &Numbered) -> Note {
        self.counters.dropped += 1;
        Note::Overflowed { pool: Arc::clone(&self.name), serial: event.serial }
    }

    fn rebuffered(&self, event: &Numbered, waiting: usize) -> Note {
        Note::Rebuffered { pool: Arc::clone(&self.name), serial: event.serial, waiting, limit: self.limit() }
    }
}

impl Note {
    /// How much the line matters.
    pub(crate) const fn level(&self) -> Level {
        match self {
            Self::Overflowed { .. } => Level::Error,
            Self::Rebuffered { .. } | Self::Sent { .. } | Self::BrokenPipe { .. } => Level::Debug,
        }
    }
}

impl fmt::Display for Note {
    /// The line of the activity log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflowed { pool, serial } => {
                write!(f, "pool {pool} event buffer overflowed, discarding event {serial}")
            }
            Self::Rebuffered { pool, serial, waiting, limit } => {
                write!(f, "rebuffering event {serial} for pool {pool} (buf size={waiting}, max={limit})")
            }
            Self::Sent { serial, listener } => write!(f, "event {serial} sent to listener {listener}"),
            Self::BrokenPipe { serial, listener } => write!(
                f,
                "epipe occurred while sending event {serial} to listener {listener}, listener state unchanged"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
