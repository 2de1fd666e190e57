//! Signals that are caught, as something to wait for: one descriptor for all of them.
//!
//! A handler may do next to nothing (`signal-safety(7)`): it marks its signal as pending and rings. What a signal means is
//! not decided here, nor which are caught. One that comes again before it was taken counts once, as the kernel has it
//! for signals that are blocked; none is lost for another, and they are taken in the order in which they came.
#![expect(unsafe_code, reason = "signal handlers")]

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_io::Async;
use rustix::io::Errno;
use signal_hook_registry::SigId;

/// Signals that have come and were not taken.
#[derive(Debug)]
struct Pending {
    /// Each signal, and when it came, as a number that grows; 0 if it has not.
    signals: Box<[(i32, AtomicU64)]>,
    /// What the next one that comes is given.
    next: AtomicU64,
}

impl Pending {
    fn new(signals: &[i32]) -> Self {
        let signals = signals.iter().map(|signal| (*signal, AtomicU64::new(0))).collect();
        Self { signals, next: AtomicU64::new(1) }
    }

    /// The signal at this place has come. Async-signal-safe.
    fn mark(&self, place: usize) {
        let now = self.next.fetch_add(1, Ordering::SeqCst);
        // One that is pending keeps its turn.
        let _ = self.signals[place].1.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// The one that came first.
    fn take(&self) -> Option<i32> {
        let came = self.signals.iter().map(|(signal, at)| (at.load(Ordering::SeqCst), *signal, at));
        let (_, signal, at) = came.filter(|(when, ..)| *when > 0).min_by_key(|(when, ..)| *when)?;
        at.store(0, Ordering::SeqCst);
        Some(signal)
    }
}

/// Wakes whoever waits. Rung by handlers, so it must never block.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn bell() -> io::Result<(Arc<OwnedFd>, Arc<OwnedFd>)> {
    use rustix::event::{EventfdFlags, eventfd};
    let both = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    Ok((Arc::clone(&both), both))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bell() -> io::Result<(Arc<OwnedFd>, Arc<OwnedFd>)> {
    let (heard, rung) = io::pipe()?;
    let (heard, rung) = (OwnedFd::from(heard), OwnedFd::from(rung));
    for fd in [&heard, &rung] {
        rustix::io::ioctl_fionbio(fd, true)?;
    }
    Ok((Arc::new(heard), Arc::new(rung)))
}

/// Rings. Async-signal-safe: one write(2), and nothing of ours.
fn ring(bell: &OwnedFd) {
    // Full means that it is ringing already.
    let _ = rustix::io::write(bell, &1_u64.to_ne_bytes());
}

/// Signals that are caught as long as this lives.
#[derive(Debug)]
pub struct Caught {
    pending: Arc<Pending>,
    bell: Async<Arc<OwnedFd>>,
    handlers: Vec<SigId>,
}

impl Caught {
    /// Catches these signals, together with whoever else does. Starts the thread of the reactor if it is not there yet.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// If one of them cannot be caught by anybody or is a fault of the program (SIGKILL, SIGSEGV).
    pub fn new(signals: &[i32]) -> io::Result<Self> {
        let (heard, rung) = bell()?;
        let pending = Arc::new(Pending::new(signals));
        let mut caught = Self { pending, bell: Async::new_nonblocking(heard)?, handlers: Vec::new() };
        for (place, signal) in signals.iter().enumerate() {
            let (pending, bell) = (Arc::clone(&caught.pending), Arc::clone(&rung));
            let handler = move || {
                pending.mark(place);
                ring(&bell);
            };
            // SAFETY: the handler makes async-signal-safe steps only: atomic operations on memory that it keeps alive, at
            // a place that exists, and one write(2) that does not block. It neither allocates nor locks nor panics; the
            // registry preserves `errno`, and drops no handler while one runs.
            caught.handlers.push(unsafe { signal_hook_registry::register(*signal, handler) }?);
        }
        Ok(caught)
    }

    /// The next signal. Can be dropped and called again without loss.
    ///
    /// # Errors
    /// What the system says of the wait; signals are not lost by that.
    pub async fn next(&self) -> io::Result<i32> {
        loop {
            if let Some(signal) = self.pending.take() {
                return Ok(signal);
            }
            self.bell.readable().await?;
            // First silenced, then looked: who rings in between is seen, and who rings later rings again.
            self.silence();
        }
    }

    fn silence(&self) {
        let mut bytes = [0; 512];
        while !matches!(rustix::io::read(self.bell.get_ref(), &mut bytes), Err(error) if error != Errno::INTR) {}
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        for handler in &self.handlers {
            signal_hook_registry::unregister(*handler);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_lite::future::{block_on, poll_once};
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;
    use crate::sys::{alone, fds};

    #[test]
    fn those_that_came_are_taken_once_and_in_their_order() {
        // What comes, by place; what is taken.
        let table: [(&[usize], &[i32]); 6] = [
            (&[], &[]),
            (&[1], &[20]),
            (&[2, 0, 1], &[30, 10, 20]),
            (&[1, 1, 1, 0], &[20, 10]),
            (&[0, 2, 0, 2, 0], &[10, 30]),
            (&[2, 1, 0, 0, 1, 2], &[30, 20, 10]),
        ];
        let pending = Pending::new(&[10, 20, 30]);
        for (coming, taken) in table {
            coming.iter().for_each(|place| pending.mark(*place));
            assert_eq!(std::iter::from_fn(|| pending.take()).collect::<Vec<_>>(), taken, "{coming:?}");
        }
    }

    #[test]
    fn a_bell_rings_however_often_it_was_rung_and_never_blocks() {
        let (heard, rung) = bell().unwrap();
        let bell = Async::new_nonblocking(heard).unwrap();
        for _ in 0..100_000 {
            ring(&rung);
        }
        block_on(bell.readable()).unwrap();
    }

    #[test]
    fn signals_are_caught_with_few_descriptors() {
        alone::run("sys::caught::tests::in_a_process", &[]);
    }

    #[test]
    #[ignore = "run by signals_are_caught_with_few_descriptors"]
    fn in_a_process() {
        // To this thread, so that the handler has run when it returns.
        // SAFETY: takes an integer only.
        let raise = |signal: Signal| assert_eq!(unsafe { libc::raise(signal.as_raw()) }, 0);
        let all = [Signal::TERM, Signal::HUP, Signal::USR1, Signal::USR2, Signal::ALARM, Signal::CHILD];
        // The reactor takes its own now.
        drop(Caught::new(&[libc::SIGWINCH]).unwrap());
        let open = fds::open_count().unwrap();
        let caught = Caught::new(&all.map(Signal::as_raw)).unwrap();
        let descriptors = if cfg!(any(target_os = "linux", target_os = "android")) { 1 } else { 2 };
        assert_eq!(fds::open_count(), Some(open + descriptors));
        assert!(block_on(poll_once(caught.next())).is_none());
        for signal in all {
            for _ in 0..1000 {
                raise(signal);
            }
            // A wait that was given up loses nothing.
            drop(block_on(poll_once(async { caught.bell.readable().await })));
            assert_eq!(block_on(caught.next()).unwrap(), signal.as_raw());
            assert!(block_on(poll_once(caught.next())).is_none());
        }
        // Whoever waits is woken each time.
        let (sent, received) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || {
            for _ in 0..2000 {
                sent.send(block_on(caught.next()).unwrap()).unwrap();
            }
            caught
        });
        for round in 0..2000 {
            let signal = all[round % all.len()];
            kill_process(getpid(), signal).unwrap();
            assert_eq!(received.recv().unwrap(), signal.as_raw());
        }
        drop(waiting.join().unwrap());
        assert_eq!(fds::open_count(), Some(open));
    }
}
