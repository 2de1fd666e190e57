//! The table of live connections: at most so many, and so many of them streams. Who has been idle for longest makes room;
//! if nobody is idle, who has kept us waiting for a request for longest does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::wire::Wire;

/// All connections of a server.
#[derive(Default)]
pub(super) struct Table {
    seats: Mutex<Seats>,
    limit: usize,
    streams: AtomicUsize,
    stream_limit: usize,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Arc<Wire>>,
}

impl Table {
    pub(super) fn new(limit: usize, stream_limit: usize) -> Arc<Self> {
        Arc::new(Self { seats: Mutex::default(), limit, streams: AtomicUsize::new(0), stream_limit })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a new connection, at the cost of one that waits for its client if need be; `None` if all are answered.
    pub(super) fn admit(self: &Arc<Self>, wire: &Arc<Wire>) -> Option<Seat> {
        if self.seats().taken.len() >= self.limit && !self.evict_one() {
            return None;
        }
        let mut seats = self.seats();
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, Arc::clone(wire));
        Some(Seat { table: Arc::clone(self), number })
    }

    /// A seat for an answer without end; `None` if there are as many as there may be.
    pub(super) fn admit_stream(self: &Arc<Self>) -> Option<StreamSeat> {
        let more = |count| (count < self.stream_limit).then_some(count + 1);
        self.streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(StreamSeat { table: Arc::clone(self) })
    }

    /// Asks the connection that matters least to go; false if there is none.
    pub(super) fn evict_one(&self) -> bool {
        let mut seats = self.seats();
        let waiting = seats.taken.iter().filter_map(|(number, wire)| wire.waits().map(|waits| (waits, *number)));
        let Some((_, number)) = waiting.min() else { return false };
        if let Some(wire) = seats.taken.remove(&number) {
            wire.evict();
        }
        true
    }
}

/// The right to be connected; given back when it is dropped.
pub(super) struct Seat {
    table: Arc<Table>,
    number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.table.seats().taken.remove(&self.number);
    }
}

/// The right to answer without end; given back when it is dropped.
pub(super) struct StreamSeat {
    table: Arc<Table>,
}

impl Drop for StreamSeat {
    fn drop(&mut self) {
        self.table.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
