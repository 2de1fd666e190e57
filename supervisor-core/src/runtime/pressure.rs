//! Holds back programs that write faster than event listeners can hear of it, a little.
//!
//! Each chunk of output may be an event (Supervisor 4.3: `stdout_events_enabled`), and a program makes them faster than a
//! listener deals with them: buffers would overflow although everybody is at work. So a channel waits before it reports
//! as long as the buffers are half full, but not longer than [`PATIENCE`], and hardly at all for listeners that do not move:
//! one that is slow or hangs costs events, as ever, and no program its pace. One that was quick until now has lost its
//! processor for a moment, as far as one can tell: it gets a [`RESPITE`], once.
#![expect(clippy::disallowed_methods, reason = "it waits in real time")]

use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_io::Timer;
use event_listener::Event;
use futures_lite::FutureExt;

/// So long a channel waits for room at most. A pipe holds 64 KiB, so a program that writes less than 3 MiB a second does
/// not notice.
const PATIENCE: Duration = Duration::from_millis(20);

/// So long if a channel has waited in vain and no room was made since: 64 MiB a second go on.
const SHORT: Duration = Duration::from_millis(1);

/// So long if no room is made, but was always made within [`PATIENCE`] the last times.
const RESPITE: Duration = Duration::from_millis(500);

/// So many times in a row make a listener a quick one.
const STEADY: u8 = 8;

/// How quickly room is made where it is needed.
#[derive(Debug)]
struct Pulse {
    last: Option<Instant>,
    quick: u8,
}

impl Default for Pulse {
    /// Nothing speaks against a listener that is new.
    fn default() -> Self {
        Self { last: None, quick: STEADY }
    }
}

impl Pulse {
    /// Room was made, and there was none if it was needed.
    fn beat(&mut self, now: Instant, needed: bool) {
        let quick = self.last.replace(now).is_none_or(|last| now.saturating_duration_since(last) <= PATIENCE);
        match (quick, needed) {
            (true, _) => self.quick = STEADY.min(self.quick + 1),
            (false, true) => self.quick = 0,
            // Nobody waited for it.
            (false, false) => {}
        }
    }

    fn is_steady(&self) -> bool {
        self.quick == STEADY
    }
}

/// What the loop tells the channels of the buffers of those who listen to output.
#[derive(Debug, Default)]
pub(crate) struct Pressure {
    /// Somebody hears of output.
    wanted: AtomicBool,
    /// Reports that the loop has not taken yet.
    on_the_way: AtomicIsize,
    /// How many events may come before the fullest buffer is half full; negative beyond that.
    room: AtomicIsize,
    /// Counts the times that room was made.
    progress: AtomicU64,
    /// A channel has waited in vain since room was last made.
    stalled: AtomicBool,
    pulse: Mutex<Pulse>,
    made_room: Event,
}

impl Pressure {
    /// For the loop: how much room there is; `None` if nobody hears of output.
    pub(crate) fn set(&self, room: Option<isize>) {
        self.wanted.store(room.is_some(), Ordering::Relaxed);
        let room = room.unwrap_or(0);
        let before = self.room.swap(room, Ordering::Relaxed);
        if before < room {
            self.pulse(|pulse| pulse.beat(Instant::now(), before <= 0));
            self.progress.fetch_add(1, Ordering::Relaxed);
            self.stalled.store(false, Ordering::Relaxed);
            self.made_room.notify(usize::MAX);
        }
    }

    /// For the loop: a report has come.
    pub(crate) fn arrived(&self) {
        self.on_the_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// For a channel: false if there is no need to report output.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// For a channel: waits for room, within bounds, and counts a report that is on its way then.
    pub(crate) async fn admit(&self) {
        if !self.has_room() {
            self.wait().or(self.lose_patience()).await;
        }
        self.on_the_way.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends when there was time enough to make room.
    async fn lose_patience(&self) {
        if self.stalled.load(Ordering::Relaxed) {
            Timer::after(SHORT).await;
            return;
        }
        let (began, before) = (Instant::now(), self.progress.load(Ordering::Relaxed));
        let patience = if self.pulse(|pulse| pulse.is_steady()) { RESPITE } else { PATIENCE };
        loop {
            Timer::after(PATIENCE).await;
            // They move, and others took the room; or others have found out already.
            if self.progress.load(Ordering::Relaxed) != before || self.stalled.load(Ordering::Relaxed) {
                return;
            }
            if began.elapsed() >= patience {
                return self.stalled.store(true, Ordering::Relaxed);
            }
        }
    }

    fn pulse<T>(&self, look: impl FnOnce(&mut Pulse) -> T) -> T {
        look(&mut self.pulse.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn wait(&self) {
        loop {
            let made_room = self.made_room.listen();
            if self.has_room() {
                return;
            }
            made_room.await;
        }
    }

    fn has_room(&self) -> bool {
        self.on_the_way.load(Ordering::Relaxed) < self.room.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, zip};

    use super::*;

    #[test]
    fn reports_are_admitted_as_long_as_there_is_room_or_nobody_moves() {
        let pressure = Pressure::default();
        assert!(!pressure.is_wanted());
        pressure.set(Some(2));
        assert!(pressure.is_wanted() && pressure.has_room());
        block_on(pressure.admit());
        block_on(pressure.admit());
        assert!(!pressure.has_room());
        for (steady, patience) in [(true, RESPITE), (false, PATIENCE)] {
            pressure.stalled.store(false, Ordering::Relaxed);
            pressure.pulse(|pulse| pulse.quick = if steady { STEADY } else { 0 });
            let began = Instant::now();
            block_on(pressure.admit());
            assert!(began.elapsed() >= patience && pressure.stalled.load(Ordering::Relaxed), "it has waited in vain");
        }
        pressure.set(Some(3));
        assert!(!pressure.has_room() && !pressure.stalled.load(Ordering::Relaxed), "they move again");
        pressure.arrived();
        pressure.arrived();
        assert!(pressure.has_room());
        pressure.set(None);
        assert!(!pressure.is_wanted());
    }

    #[test]
    fn a_listener_is_trusted_until_it_is_slow_and_when_it_was_quick_for_a_while() {
        let (mut pulse, mut now) = (Pulse::default(), Instant::now());
        let mut beat = |pause, needed| {
            now += pause;
            pulse.beat(now, needed);
            pulse.is_steady()
        };
        let slow = PATIENCE + Duration::from_millis(1);
        assert!(beat(slow, true), "there is nothing to compare with");
        assert!(beat(PATIENCE, true) && beat(slow, false) && beat(PATIENCE, true));
        assert!(!beat(slow, true));
        assert!((1..STEADY).all(|_| !beat(PATIENCE, true)) && beat(PATIENCE, true));
        // One that takes its time each time never is.
        assert!(!beat(slow, true));
        for _ in 0..3 * STEADY {
            assert!(!beat(PATIENCE, true) && !beat(slow, true));
        }
    }

    #[test]
    fn room_that_is_made_ends_the_wait() {
        let pressure = Pressure::default();
        pressure.set(Some(-5));
        block_on(zip(pressure.wait(), async {
            pressure.set(Some(-1));
            pressure.set(Some(1));
        }));
        assert!(pressure.has_room());
    }

    /// Many channels, a loop that takes reports and makes room: each report is admitted and counted once, and the counts
    /// come out even.
    #[test]
    fn many_at_once_lose_no_count() {
        const CHANNELS: usize = 8;
        const REPORTS: usize = 200;
        let pressure = Pressure::default();
        pressure.set(Some(4));
        let (report, reports) = std::sync::mpsc::sync_channel(4);
        std::thread::scope(|scope| {
            for _ in 0..CHANNELS {
                let (report, pressure) = (report.clone(), &pressure);
                scope.spawn(move || {
                    for _ in 0..REPORTS {
                        block_on(pressure.admit());
                        report.send(()).expect("the loop takes them");
                    }
                });
            }
            drop(report);
            for (count, ()) in reports.iter().enumerate() {
                pressure.arrived();
                pressure.set(Some([-1, 2, 8][count % 3]));
            }
        });
        assert_eq!(pressure.on_the_way.load(Ordering::Relaxed), 0);
        pressure.set(Some(1));
        assert!(pressure.has_room());
    }
}
