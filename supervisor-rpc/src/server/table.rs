//! The table of live connections: at most so many, and so many logs followed by them. Of those that wait for their client, one
//! of the client that has most connections makes room: the one that has been idle for longest; if none is idle, the one that
//! has kept us waiting for a request for longest; if there is none, the one that has not read its answer for longest. So
//! whoever opens many pays for it, and not who has just come with a call.
//!
//! Who is asked to go keeps its seat until its socket is closed, and who comes waits for that: descriptors are what runs out.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_channel::{Receiver, Sender, bounded};
use async_io::Timer;
use futures_lite::FutureExt as _;

use supervisor_core::rpc::Peer;
use supervisor_core::sys::fds::{Lent, lend};

use super::wire::Wire;

/// How long to wait for those who were asked to go, and after an error of accept, which would else come again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// How many are asked to go at once when there are no descriptors left: a program that starts takes as many, too.
const AT_ONCE: usize = 8;

/// All connections of a server.
pub(super) struct Table {
    seats: Mutex<Seats>,
    limit: usize,
    streams: AtomicUsize,
    stream_limit: usize,
    /// Who waits for room waits alone, so that nobody else is told of it in its place.
    turn: async_std::sync::Mutex<()>,
    /// Told when there may be room, or will be none from somebody who was asked to go.
    news: (Sender<()>, Receiver<()>),
}

/// What comes of a wish for a seat.
enum Admission {
    Seated(Seat),
    /// Somebody is about to go.
    Soon,
    /// All are answered, and take their answers.
    Full,
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

impl Seats {
    /// Asks the connection that matters least to go; false if there is none.
    fn evict_one(&self) -> bool {
        let staying = || self.taken.iter().filter(|(_, taken)| !taken.wire.is_evicted());
        let mut counts = HashMap::new();
        for (_, taken) in staying() {
            *counts.entry(taken.holder).or_insert(0_usize) += 1;
        }
        let rank = |(number, taken): (&u64, &Taken)| {
            let waits = taken.wire.waits()?;
            Some((Reverse(counts.get(&taken.holder).copied()), waits, *number))
        };
        let Some((_, _, number)) = staying().filter_map(rank).min() else { return false };
        if let Some(taken) = self.taken.get(&number) {
            taken.wire.evict();
        }
        true
    }
}

impl Table {
    pub(super) fn new(limit: usize, stream_limit: usize) -> Arc<Self> {
        Arc::new(Self {
            seats: Mutex::default(),
            limit,
            streams: AtomicUsize::new(0),
            stream_limit,
            turn: async_std::sync::Mutex::default(),
            news: bounded(1),
        })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a new connection, at the cost of one that waits for its client if need be; `None` if all are answered.
    pub(super) async fn seat(self: &Arc<Self>, wire: &Arc<Wire>, peer: &Peer) -> Option<Seat> {
        let (mut turn, mut is_patient) = (None, true);
        loop {
            match self.admit(wire, peer, is_patient) {
                Admission::Seated(seat) => return Some(seat),
                Admission::Full => return None,
                Admission::Soon if turn.is_none() => turn = Some(self.turn.lock().await),
                // Whoever takes its time does not keep others waiting: then one more has to go.
                Admission::Soon => is_patient = self.has_news().await,
            }
        }
    }

    fn admit(self: &Arc<Self>, wire: &Arc<Wire>, peer: &Peer, is_patient: bool) -> Admission {
        let mut seats = self.seats();
        if seats.taken.len() >= self.limit {
            let is_soon = is_patient && seats.taken.values().any(|taken| taken.wire.is_leaving());
            if is_soon || seats.evict_one() {
                return Admission::Soon;
            }
            // Who does not take its answer either goes on in a moment, or will have to go.
            let is_blocked = seats.taken.values().any(|taken| taken.wire.is_blocked());
            return if is_blocked { Admission::Soon } else { Admission::Full };
        }
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, Taken { holder: Holder::of(peer), wire: Arc::clone(wire) });
        Admission::Seated(Seat { table: Arc::clone(self), number, socket: Mutex::new(Some(lend(1))) })
    }

    /// There are no descriptors left: asks some connections to go, and waits for the first of them, or for a moment.
    pub(super) async fn make_room(&self) {
        let _turn = self.turn.lock().await;
        // What was told before says nothing of those who go now.
        let _ = self.news.1.try_recv();
        self.evict(AT_ONCE);
        self.has_news().await;
    }

    fn evict(&self, count: usize) {
        let seats = self.seats();
        let _ = (0..count).try_for_each(|_| seats.evict_one().then_some(()));
    }

    /// False if nothing was told for a moment.
    async fn has_news(&self) -> bool {
        let told = async { self.news.1.recv().await.is_ok() };
        let late = async {
            Timer::after(PAUSE).await;
            false
        };
        told.or(late).await
    }

    /// Whoever waits for room looks again: a seat was given back, or somebody who was asked to go is answered first.
    pub(super) fn tell(&self) {
        // If it is full, that is already known.
        let _ = self.news.0.try_send(());
    }

    /// Room for an answer without end that follows so many logs, as far as there can be room for so many; `None` if others
    /// have it.
    pub(super) fn admit_stream(self: &Arc<Self>, logs: usize) -> Option<StreamSeat> {
        let logs = logs.clamp(1, self.stream_limit.max(1));
        let more = |count: usize| count.checked_add(logs).filter(|count| *count <= self.stream_limit);
        self.streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(StreamSeat { table: Arc::clone(self), logs, _files: lend(logs as u64) })
    }
}

/// The right to be connected; given back when it is dropped.
pub(super) struct Seat {
    table: Arc<Table>,
    number: u64,
    socket: Mutex<Option<Lent>>,
}

impl Seat {
    /// The socket is about to be closed. Its descriptor is no longer counted as lent, not to be free and lent for a moment: a
    /// program that was started then would take one that is left for clients.
    pub(super) fn closes(&self) {
        drop(self.socket.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.table.seats().taken.remove(&self.number);
        self.table.tell();
    }
}

/// The right to answer without end; given back when it is dropped.
pub(super) struct StreamSeat {
    table: Arc<Table>,
    logs: usize,
    _files: Lent,
}

impl Drop for StreamSeat {
    fn drop(&mut self) {
        self.table.streams.fetch_sub(self.logs, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use async_std::task::block_on;
    use futures_lite::future::poll_once;

    use super::super::access::AccessLog;
    use super::super::limits::Limits;
    use super::super::tests::FakeBackend;
    use super::*;

    const PEER: Peer = Peer::Unix { pid: Some(7), uid: Some(0) };

    fn wire() -> Arc<Wire> {
        Wire::new(&Limits::default(), AccessLog::new(Arc::new(FakeBackend::default()), &PEER))
    }

    fn seated(table: &Arc<Table>) -> (Arc<Wire>, Seat) {
        let wire = wire();
        let seat = block_on(table.seat(&wire, &PEER)).unwrap();
        (wire, seat)
    }

    #[test]
    fn a_place_is_taken_when_who_had_it_is_gone() {
        let table = Table::new(2, 1);
        let [(first, first_seat), (second, _second_seat)] = [seated(&table), seated(&table)];
        let newcomer = wire();
        let mut next = Box::pin(table.seat(&newcomer, &PEER));
        block_on(async {
            assert!(poll_once(&mut next).await.is_none());
            assert!(first.is_evicted() && !second.is_evicted());
            drop(first_seat);
            assert!(poll_once(&mut next).await.unwrap().is_some());
        });
        assert!(!second.is_evicted());
    }

    #[test]
    fn what_is_lent_is_given_back_before_the_socket_is_closed() {
        let table = Table::new(2, 1);
        let (_wire, seat) = seated(&table);
        seat.closes();
        assert!(seat.socket.lock().unwrap().is_none());
        seat.closes();
    }

    #[test]
    fn whoever_is_answered_first_keeps_nobody_waiting() {
        let table = Table::new(2, 1);
        let [(first, _first_seat), (second, second_seat)] = [seated(&table), seated(&table)];
        let newcomer = wire();
        let mut next = Box::pin(table.seat(&newcomer, &PEER));
        block_on(async {
            assert!(poll_once(&mut next).await.is_none() && first.is_leaving());
            // A request came in the last moment.
            let ticket = first.begin();
            ticket.has_request();
            table.tell();
            assert!(poll_once(&mut next).await.is_none() && second.is_leaving());
            drop(second_seat);
            assert!(poll_once(&mut next).await.unwrap().is_some());
            drop(ticket);
        });
    }

    #[test]
    fn work_whose_socket_is_closed_is_not_asked_to_go() {
        let table = Table::new(1, 1);
        let (wire, _seat) = seated(&table);
        wire.closed();
        assert!(block_on(table.seat(&self::wire(), &PEER)).is_none());
        assert!(!wire.is_evicted());
    }

    #[test]
    fn without_descriptors_several_go_and_each_is_asked_once() {
        let table = Table::new(20, 1);
        let held: Vec<_> = (0..20).map(|_| seated(&table)).collect();
        let evicted = || held.iter().filter(|(wire, _)| wire.is_evicted()).count();
        for expected in [AT_ONCE, 2 * AT_ONCE, 20] {
            assert!(block_on(poll_once(Box::pin(table.make_room()))).is_none());
            assert_eq!(evicted(), expected);
        }
    }

    #[test]
    fn streams_are_counted_by_their_logs() {
        let table = Table::new(1, 4);
        let [one, three] = [0, 3].map(|logs| table.admit_stream(logs).unwrap());
        assert!(table.admit_stream(1).is_none());
        drop(one);
        assert!(table.admit_stream(2).is_none());
        let one = table.admit_stream(1).unwrap();
        drop((one, three));
        // More than there may be at all takes all.
        let all = table.admit_stream(usize::MAX).unwrap();
        assert!(table.admit_stream(1).is_none());
        drop(all);
        assert!(table.admit_stream(4).is_some());
        assert!(Table::new(1, 0).admit_stream(1).is_none());
    }

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
