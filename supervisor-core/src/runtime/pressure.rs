//! Holds back programs that write faster than event listeners can hear of it, a little.
//!
//! Each chunk of output may be an event (Supervisor 4.3: `stdout_events_enabled`), and a program makes them faster than a
//! listener deals with them: buffers would overflow although everybody is at work. So a channel waits before it reports
//! as long as the buffers are half full, but not longer than [`PATIENCE`], and hardly at all for listeners that do not move:
//! one that is slow or hangs costs events, as ever, and no program its pace.

use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, Ordering};
use std::time::Duration;

use async_io::Timer;
use event_listener::Event;
use futures_lite::FutureExt;

/// So long a channel waits for room at most. A pipe holds 64 KiB, so a program that writes less than 3 MiB a second does
/// not notice.
const PATIENCE: Duration = Duration::from_millis(20);

/// So long if a channel has waited in vain and no room was made since: 64 MiB a second go on.
const SHORT: Duration = Duration::from_millis(1);

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
    made_room: Event,
}

impl Pressure {
    /// For the loop: how much room there is; `None` if nobody hears of output.
    pub(crate) fn set(&self, room: Option<isize>) {
        self.wanted.store(room.is_some(), Ordering::Relaxed);
        let room = room.unwrap_or(0);
        if self.room.swap(room, Ordering::Relaxed) < room {
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
            let before = self.progress.load(Ordering::Relaxed);
            let patience = if self.stalled.load(Ordering::Relaxed) { SHORT } else { PATIENCE };
            let waited = async {
                self.wait().await;
                true
            };
            let in_vain = async {
                Timer::after(patience).await;
                false
            };
            if !waited.or(in_vain).await && self.progress.load(Ordering::Relaxed) == before {
                self.stalled.store(true, Ordering::Relaxed);
            }
        }
        self.on_the_way.fetch_add(1, Ordering::Relaxed);
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
    use std::time::Instant;

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
        let began = Instant::now();
        block_on(pressure.admit());
        assert!(began.elapsed() >= PATIENCE && pressure.stalled.load(Ordering::Relaxed), "it has waited in vain");
        block_on(pressure.admit());
        pressure.set(Some(3));
        assert!(!pressure.has_room() && !pressure.stalled.load(Ordering::Relaxed), "they move again");
        pressure.arrived();
        pressure.arrived();
        assert!(pressure.has_room());
        pressure.set(None);
        assert!(!pressure.is_wanted());
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
