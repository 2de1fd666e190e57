//! Room for large bodies: so many bytes of them are in memory at once, over all connections. Who comes later waits.
//!
//! Small ones are free, so that no number of large ones, however slowly they come, keeps a small call waiting.

use async_channel::{Receiver, Sender, bounded};

/// Bodies that are not longer are free, in bytes.
pub(super) const FREE: usize = 64 * 1024;

/// What room is given in, in bytes.
const UNIT: u64 = FREE as u64;

/// See the module.
pub(super) struct Room {
    /// A token for each unit that is taken.
    taken: (Sender<()>, Receiver<()>),
    /// Holds a token while somebody waits: the one who came first is served first, and nobody holds a half.
    turn: (Sender<()>, Receiver<()>),
    units: usize,
}

impl Room {
    /// Room for so many bytes, at least a unit.
    pub(super) fn new(bytes: u64) -> Self {
        let units = usize::try_from(bytes / UNIT).unwrap_or(usize::MAX).max(1);
        Self { taken: bounded(units), turn: bounded(1), units }
    }

    /// Waits for room for a body of this length. One that is larger than the whole room takes all of it.
    pub(super) async fn take(&self, length: u64) -> Taken {
        let mut taken = Taken { from: None, units: 0 };
        if length <= UNIT {
            return taken;
        }
        let wanted = usize::try_from(length.div_ceil(UNIT)).unwrap_or(usize::MAX).min(self.units);
        let turn = Turn::wait(&self.turn).await;
        taken.from = Some(self.taken.1.clone());
        while taken.units < wanted {
            // We hold both ends, so that it is never closed.
            let _ = self.taken.0.send(()).await;
            taken.units += 1;
        }
        drop(turn);
        taken
    }
}

/// The right to wait; given back when it is dropped, be it in the middle.
struct Turn<'a>(&'a Receiver<()>);

impl<'a> Turn<'a> {
    async fn wait((next, given_back): &'a (Sender<()>, Receiver<()>)) -> Self {
        let _ = next.send(()).await;
        Self(given_back)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_recv();
    }
}

/// Room that somebody has; given back when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Taken {
    from: Option<Receiver<()>>,
    units: usize,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some(from) = &self.from else { return };
        for _ in 0..self.units {
            let _ = from.try_recv();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use async_std::task::block_on;
    use futures_lite::future::poll_once;

    use super::*;

    #[test]
    fn small_ones_are_free_and_large_ones_wait_their_turn() {
        let room = Room::new(4 * UNIT);
        block_on(async {
            let first = room.take(3 * UNIT).await;
            let mut second = Box::pin(room.take(2 * UNIT));
            assert!(poll_once(&mut second).await.is_none(), "there is room for one only");
            let mut third = Box::pin(room.take(UNIT + 1));
            assert!(poll_once(&mut third).await.is_none(), "not before the second");
            assert!(poll_once(room.take(UNIT)).await.is_some());
            drop(first);
            let second = poll_once(&mut second).await.unwrap();
            assert!(poll_once(&mut third).await.is_some());
            drop(second);
        });
    }

    #[test]
    fn who_gives_up_waiting_leaves_nothing_behind() {
        let room = Room::new(4 * UNIT);
        block_on(async {
            let first = room.take(3 * UNIT).await;
            for _ in 0..3 {
                assert!(poll_once(Box::pin(room.take(4 * UNIT))).await.is_none());
            }
            drop(first);
            assert!(poll_once(room.take(u64::MAX)).await.is_some(), "what is larger than all takes all");
            assert!(poll_once(room.take(4 * UNIT)).await.is_some());
        });
    }
}
