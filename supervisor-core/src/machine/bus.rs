//! Offers each event to every subscriber and numbers it.
//!
//! Decides who hears what; never waits for anybody. What waits is kept in each subscriber's [`Pool`].

use std::sync::Arc;

use crate::domain::event_type::EventType;
use crate::event::occurrence::Occurrence;

use super::pool::{Note, Pool};

/// Which subscriber. Never given out twice by one bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PoolId(u64);

/// What came of publishing an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Published {
    /// Its number, which is the next one's as well if only onlookers hear of it; `None` if nobody does.
    pub(crate) serial: Option<u64>,
    /// Who now has it waiting, in the order of subscription.
    pub(crate) heard: Vec<PoolId>,
    /// What to tell in the activity log.
    pub(crate) notes: Vec<Note>,
}

/// All subscribers of one supervisor.
///
/// Invariants: an event that nobody hears of takes no number, nor does one that only onlookers hear of; a subscriber hears
/// of an event once, however many of its types it asked for; pools are served in the order of subscription.
#[derive(Debug, Default)]
pub(crate) struct Bus {
    next_serial: u64,
    next_id: u64,
    pools: Vec<(PoolId, Pool)>,
}

impl Bus {
    /// A bus without subscribers whose first event gets this number: 0, or after a restart in place what
    /// [`next_serial`](Self::next_serial) said.
    pub(crate) fn new(next_serial: u64) -> Self {
        Self { next_serial, ..Self::default() }
    }

    /// The number that the next event will get.
    pub(crate) const fn next_serial(&self) -> u64 {
        self.next_serial
    }

    /// Adds a subscriber; it hears of what happens from now on.
    pub(crate) fn subscribe(&mut self, pool: Pool) -> PoolId {
        let id = PoolId(self.next_id);
        self.next_id += 1;
        self.pools.push((id, pool));
        id
    }

    /// Removes a subscriber, with all that waits for it.
    pub(crate) fn unsubscribe(&mut self, id: PoolId) -> Option<Pool> {
        let at = self.pools.iter().position(|(other, _)| *other == id)?;
        Some(self.pools.remove(at).1)
    }

    /// A subscriber.
    pub(crate) fn pool(&mut self, id: PoolId) -> Option<&mut Pool> {
        self.pools.iter_mut().find(|(other, _)| *other == id).map(|(_, pool)| pool)
    }

    /// A subscriber, to look at.
    pub(crate) fn find(&self, id: PoolId) -> Option<&Pool> {
        self.pools.iter().find(|(other, _)| *other == id).map(|(_, pool)| pool)
    }

    /// All subscribers, in the order of subscription.
    pub(crate) fn pools(&self) -> impl Iterator<Item = (PoolId, &Pool)> {
        self.pools.iter().map(|(id, pool)| (*id, pool))
    }

    /// True if anybody hears of events of this concrete type; if not, there is no need to make one.
    pub(crate) fn wants(&self, event_type: EventType) -> bool {
        self.pools.iter().any(|(_, pool)| pool.hears(event_type))
    }

    /// Who hears of events of this concrete type and would lose one to the next.
    pub(crate) fn full(&self, event_type: EventType) -> Vec<PoolId> {
        let full = self.pools.iter().filter(|(_, pool)| pool.is_full() && pool.hears(event_type));
        full.map(|(id, _)| *id).collect()
    }

    /// Offers what happened to every subscriber. The payload is made now, and only if somebody hears of it.
    pub(crate) fn publish(&mut self, occurrence: &Occurrence) -> Published {
        let event_type = occurrence.event_type();
        if self.wants(event_type) {
            self.publish_text(event_type, &occurrence.payload().into())
        } else {
            Published::default()
        }
    }

    /// The same for a payload made elsewhere, such as where output is read.
    pub(crate) fn publish_text(&mut self, event_type: EventType, payload: &Arc<str>) -> Published {
        let serial = self.next_serial;
        let mut published = Published::default();
        let mut counts = false;
        for (id, pool) in self.pools.iter_mut().filter(|(_, pool)| pool.hears(event_type)) {
            published.serial = Some(serial);
            published.heard.push(*id);
            counts |= pool.counts();
            published.notes.extend(pool.accept(serial, event_type, payload));
        }
        if counts {
            self.next_serial += 1;
        }
        published
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use super::*;
    use crate::event::occurrence::Period;

    fn tick(when: u64) -> Occurrence {
        Occurrence::Tick { period: Period::Seconds5, when }
    }

    fn numbers(bus: &mut Bus, id: PoolId) -> Vec<(u64, u64, String)> {
        let pool = bus.pool(id).unwrap();
        pool.iter().map(|event| (event.serial, event.pool_serial, event.payload.to_string())).collect()
    }

    #[test]
    fn only_what_is_heard_takes_a_number() {
        let mut bus = Bus::new(7);
        assert_eq!(bus.publish(&tick(0)), Published::default());
        let both =
            bus.subscribe(Pool::new("both", [EventType::Tick, EventType::Tick5, EventType::RemoteCommunication], 9));
        let remote = bus.subscribe(Pool::new("remote", [EventType::RemoteCommunication], 9));
        assert_eq!(bus.publish(&Occurrence::SupervisorRunning), Published::default());
        assert_eq!(bus.publish(&tick(5)), Published { serial: Some(7), heard: vec![both], notes: vec![] });
        let data = Occurrence::Remote { kind: "t".into(), data: "d".into() };
        assert_eq!(bus.publish(&data), Published { serial: Some(8), heard: vec![both, remote], notes: vec![] });
        assert_eq!(numbers(&mut bus, both), [(7, 0, "when:5".into()), (8, 1, "type:t\nd".into())]);
        assert_eq!(numbers(&mut bus, remote), [(8, 0, "type:t\nd".into())]);
        assert_eq!(bus.next_serial(), 9);
    }

    #[test]
    fn who_looks_on_changes_no_number() {
        let mut bus = Bus::new(0);
        let onlooker = bus.subscribe(Pool::new("stream", [EventType::Event], 9).onlooker());
        let listener = bus.subscribe(Pool::new("p", [EventType::Tick60], 9));
        bus.publish(&tick(5));
        assert_eq!(bus.publish(&tick(10)), Published { serial: Some(0), heard: vec![onlooker], notes: vec![] });
        let minute = Occurrence::Tick { period: Period::Seconds60, when: 60 };
        assert_eq!(bus.publish(&minute).serial, Some(0));
        assert_eq!(bus.publish(&minute).serial, Some(1));
        bus.publish(&tick(65));
        assert_eq!(bus.next_serial(), 2);
        let serials = numbers(&mut bus, onlooker).into_iter().map(|(serial, pool_serial, _)| (serial, pool_serial));
        assert_eq!(serials.collect::<Vec<_>>(), [(0, 0), (0, 1), (0, 2), (1, 3), (2, 4)], "its own count has no gap");
        assert_eq!(numbers(&mut bus, listener).iter().map(|(serial, ..)| *serial).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn full_is_who_would_lose_an_event_of_the_type() {
        let mut bus = Bus::new(0);
        let narrow = bus.subscribe(Pool::new("narrow", [EventType::Tick], 1));
        let wide = bus.subscribe(Pool::new("wide", [EventType::Event], 2));
        assert_eq!(bus.full(EventType::Tick5), []);
        bus.publish(&tick(5));
        assert_eq!(bus.full(EventType::Tick5), [narrow]);
        bus.publish(&tick(10));
        assert_eq!(bus.full(EventType::Tick5), [narrow, wide]);
        assert_eq!(bus.full(EventType::RemoteCommunication), [wide]);
        bus.pool(wide).unwrap().next();
        assert_eq!(bus.full(EventType::RemoteCommunication), []);
    }

    #[test]
    fn who_left_hears_nothing() {
        let mut bus = Bus::new(0);
        let first = bus.subscribe(Pool::new("p", [EventType::Event], 1));
        bus.publish(&tick(5));
        assert_eq!(bus.unsubscribe(first).unwrap().waiting(), 1);
        assert!(bus.unsubscribe(first).is_none() && bus.pool(first).is_none() && !bus.wants(EventType::Tick5));
        let second = bus.subscribe(Pool::new("p", [EventType::Event], 1));
        assert_ne!(first, second);
        bus.publish(&tick(10));
        let published = bus.publish(&tick(15));
        assert_eq!(published.notes, [Note::Overflowed { pool: "p".into(), serial: 1 }]);
        assert_eq!(numbers(&mut bus, second), [(2, 1, "when:15".into())]);
        assert_eq!(
            bus.pools().map(|(id, pool)| (id, pool.name().to_string())).collect::<Vec<_>>(),
            [(second, "p".into())]
        );
    }
}
