//! The table of live connections: at most so many; who has been idle for longest makes room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::wire::Wire;

/// All connections of a server.
#[derive(Default)]
pub(super) struct Table {
    seats: Mutex<Seats>,
    limit: usize,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Arc<Wire>>,
}

impl Table {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { seats: Mutex::default(), limit })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a new connection, at the cost of the one that has been idle for longest if need be; `None` if all
    /// are busy.
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

    /// Asks the connection that has been idle for longest to go; false if there is none.
    pub(super) fn evict_one(&self) -> bool {
        let mut seats = self.seats();
        let idle = seats.taken.iter().filter_map(|(number, wire)| wire.idle_since().map(|since| (since, *number)));
        let Some((_, number)) = idle.min() else { return false };
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
