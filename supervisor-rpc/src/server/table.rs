//! The table of live connections: at most so many, and so many of them streams. Of those that wait for their client, one
//! of the client that has most connections makes room: the one that has been idle for longest; if none is idle, the one that
//! has kept us waiting for a request for longest. So whoever opens many pays for it, and not who has just come with a call.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use supervisor_core::rpc::Peer;

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
    taken: HashMap<u64, Taken>,
}

struct Taken {
    holder: Holder,
    wire: Arc<Wire>,
}

/// Whom connections are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    /// A process of this machine; all of those that the system does not tell.
    Process(Option<u32>),
    /// Who has one address of the sixth version has its whole network of 64 bits.
    Address(IpAddr),
}

impl Holder {
    fn of(peer: &Peer) -> Self {
        match peer {
            Peer::Unix { pid, .. } => Self::Process(*pid),
            Peer::Tcp(address) => Self::Address(match address.ip().to_canonical() {
                IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
                ip @ IpAddr::V4(_) => ip,
            }),
            _ => Self::Process(None),
        }
    }
}

impl Table {
    pub(super) fn new(limit: usize, stream_limit: usize) -> Arc<Self> {
        Arc::new(Self { seats: Mutex::default(), limit, streams: AtomicUsize::new(0), stream_limit })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a new connection, at the cost of one that waits for its client if need be; `None` if all are answered.
    pub(super) fn admit(self: &Arc<Self>, wire: &Arc<Wire>, peer: &Peer) -> Option<Seat> {
        if self.seats().taken.len() >= self.limit && !self.evict_one() {
            return None;
        }
        let mut seats = self.seats();
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, Taken { holder: Holder::of(peer), wire: Arc::clone(wire) });
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
        let mut counts = HashMap::new();
        for taken in seats.taken.values() {
            *counts.entry(taken.holder).or_insert(0_usize) += 1;
        }
        let rank = |(number, taken): (&u64, &Taken)| {
            let waits = taken.wire.waits()?;
            Some((Reverse(counts.get(&taken.holder).copied()), waits, *number))
        };
        let Some((_, _, number)) = seats.taken.iter().filter_map(rank).min() else { return false };
        if let Some(taken) = seats.taken.remove(&number) {
            taken.wire.evict();
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn connections_are_counted_by_process_and_by_address() {
        let tcp = |address: &str| Holder::of(&Peer::Tcp(address.parse().unwrap()));
        assert_eq!(tcp("10.0.0.1:1"), tcp("10.0.0.1:2"));
        assert_eq!(tcp("10.0.0.1:1"), tcp("[::ffff:10.0.0.1]:2"));
        assert_ne!(tcp("10.0.0.1:1"), tcp("10.0.0.2:1"));
        assert_eq!(tcp("[2001:db8::1]:1"), tcp("[2001:db8::ffff:1]:1"));
        assert_ne!(tcp("[2001:db8::1]:1"), tcp("[2001:db8:0:1::1]:1"));
        let unix = |pid| Holder::of(&Peer::Unix { pid, uid: Some(0) });
        assert_eq!(unix(Some(7)), unix(Some(7)));
        assert_ne!(unix(Some(7)), unix(Some(8)));
    }
}
