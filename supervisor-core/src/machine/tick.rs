//! Says when a slice of wall time begins (Supervisor 4.3: TICK events).
//!
//! Reads no clock: the caller tells the wall time and asks how long to sleep.

use std::time::Duration;

use crate::domain::event_type::EventType;
use crate::event::occurrence::{Occurrence, Period};

/// The slices that have been told.
///
/// Invariants: a slice is told at most once as long as the clock is not set back by more than the length of the slice;
/// however far the clock jumps ahead, one call tells at most one slice of each period, the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticks {
    /// The start of the last slice seen, for each of [`Period::ALL`], in seconds since the epoch.
    seen: [u64; 3],
}

impl Ticks {
    /// Begins at this wall time; the slices under way are not told.
    pub(crate) fn new(wall: Duration) -> Self {
        Self { seen: Period::ALL.map(|period| slice(period, wall)) }
    }

    /// The ticks of slices that have begun since the last call, the shortest period first.
    ///
    /// To be called as well before a subscriber to ticks is added, and the ticks dropped, if nobody wanted them until
    /// then: so the first that it hears of is one that begins.
    pub(crate) fn advance(&mut self, wall: Duration) -> Vec<Occurrence> {
        let mut ticks = Vec::new();
        for (period, seen) in Period::ALL.into_iter().zip(&mut self.seen) {
            let now = slice(period, wall);
            if now > *seen {
                ticks.push(Occurrence::Tick { period, when: now });
            }
            if now > *seen || set_back(period, *seen, now) {
                *seen = now;
            }
        }
        ticks
    }

    /// How long until a slice of a wanted period begins; zero if one has. `None` if none is wanted: then there is no
    /// need to wake up.
    pub(crate) fn next_deadline(&self, wall: Duration, wants: impl Fn(EventType) -> bool) -> Option<Duration> {
        let wanted = Period::ALL.into_iter().zip(self.seen).filter(|(period, _)| wants(period.event_type()));
        wanted
            .map(|(period, seen)| {
                let now = slice(period, wall);
                let last = if set_back(period, seen, now) { now } else { seen };
                Duration::from_secs(last.saturating_add(period.seconds())).saturating_sub(wall)
            })
            .min()
    }
}

/// The start of the slice that this time is in.
const fn slice(period: Period, wall: Duration) -> u64 {
    wall.as_secs() - wall.as_secs() % period.seconds()
}

/// True if the clock was set back so far that the slices told before are to be told again. A smaller step is waited out.
const fn set_back(period: Period, seen: u64, now: u64) -> bool {
    seen.saturating_sub(now) > period.seconds()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn told(ticks: Vec<Occurrence>) -> Vec<(u64, u64)> {
        ticks
            .into_iter()
            .map(|tick| match tick {
                Occurrence::Tick { period, when } => (period.seconds(), when),
                other => panic!("not a tick: {other:?}"),
            })
            .collect()
    }

    #[test]
    fn slices_as_time_goes_on_and_jumps() {
        let mut ticks = Ticks::new(at(3597.2));
        let table: &[(f64, &[(u64, u64)])] = &[
            (3599.9, &[]),
            (3600.0, &[(5, 3600), (60, 3600), (3600, 3600)]),
            (3600.1, &[]),
            (3605.0, &[(5, 3605)]),
            // Set back a little: nothing twice.
            (3601.0, &[]),
            (3605.1, &[]),
            (3610.0, &[(5, 3610)]),
            // After a sleep of ten hours: one of each.
            (39_661.0, &[(5, 39_660), (60, 39_660), (3600, 39_600)]),
            (39_664.0, &[]),
            // Set back for long: goes on from there.
            (3601.0, &[]),
            (3605.0, &[(5, 3605)]),
            (3660.0, &[(5, 3660), (60, 3660)]),
            (7200.0, &[(5, 7200), (60, 7200), (3600, 7200)]),
        ];
        for (wall, expected) in table {
            assert_eq!(told(ticks.advance(at(*wall))), *expected, "{wall}");
        }
    }

    #[test]
    fn deadlines_are_those_of_wanted_periods() {
        let ticks = Ticks::new(at(3597.5));
        assert_eq!(ticks.next_deadline(at(3597.5), |_| true), Some(at(2.5)));
        assert_eq!(ticks.next_deadline(at(3601.0), |_| true), Some(Duration::ZERO));
        assert_eq!(ticks.next_deadline(at(3597.5), |_| false), None);
        let ticks = Ticks::new(at(3606.0));
        assert_eq!(ticks.next_deadline(at(3606.0), |wanted| wanted == EventType::Tick60), Some(at(54.0)));
        assert_eq!(ticks.next_deadline(at(3606.0), |wanted| wanted == EventType::Tick3600), Some(at(3594.0)));
        assert_eq!(ticks.next_deadline(at(3604.0), |_| true), Some(at(6.0)), "waits out a step back");
        assert_eq!(ticks.next_deadline(at(6.0), |_| true), Some(at(4.0)), "starts again after a long one");
    }

    proptest! {
        #[test]
        fn a_tick_comes_at_its_deadline_and_not_before(start in 0u64..1 << 40, walls in proptest::collection::vec(0u64..20_000, 0..20)) {
            let base = Duration::from_secs(start);
            let mut ticks = Ticks::new(base);
            for wall in walls {
                let wall = base + Duration::from_secs(wall);
                ticks.advance(wall);
                let rest = ticks.next_deadline(wall, |_| true).unwrap();
                prop_assert!(rest > Duration::ZERO && rest <= Duration::from_secs(10));
                prop_assert!(ticks.clone().advance(wall + rest - Duration::from_nanos(1)).is_empty());
                prop_assert!(!ticks.clone().advance(wall + rest).is_empty());
            }
        }
    }
}
