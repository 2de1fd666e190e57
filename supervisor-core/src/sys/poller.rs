//! Waiting for descriptors to become readable, on a thread of one's own (`epoll(7)`, `kqueue(2)`).
//!
//! Who waits for what, and for how long, is not decided here.
#![expect(unsafe_code, reason = "whoever watches a descriptor vouches that it stays open")]

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use polling::{Event, Events};

/// Tells which of the descriptors that are watched are readable.
#[derive(Debug)]
pub(crate) struct Poller(polling::Poller);

impl Poller {
    /// One that watches nothing.
    ///
    /// # Errors
    /// EMFILE and the like.
    pub(crate) fn new() -> io::Result<Self> {
        polling::Poller::new().map(Self)
    }

    /// Waits until something is readable, until somebody [rings](Self::ring), or for this long; without end for `None`. The
    /// keys of what is readable are in `found` afterwards. It may end early.
    pub(crate) fn wait(&self, found: &mut Found, timeout: Option<Duration>) {
        found.0.clear();
        // What cannot be waited for is looked at again by whoever has a reason to.
        let _ = self.0.wait(&mut found.0, timeout);
    }

    /// Ends a [`wait`](Self::wait) that goes on, or the next one.
    pub(crate) fn ring(&self) {
        let _ = self.0.notify();
    }
}

/// What was found by a wait.
#[derive(Debug)]
pub(crate) struct Found(Events);

impl Found {
    /// Nothing.
    pub(crate) fn new() -> Self {
        Self(Events::new())
    }

    /// The keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|event| event.key)
    }
}

/// A descriptor that is watched until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    poller: Arc<Poller>,
    fd: Arc<OwnedFd>,
    key: usize,
}

impl Watched {
    /// Watches a descriptor; that it is readable, or that nobody writes to it any more, is told once.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new(poller: &Arc<Poller>, fd: Arc<OwnedFd>, key: usize) -> io::Result<Self> {
        // SAFETY: the descriptor stays open as long as `fd`, and is no longer watched when that is dropped: see `drop`.
        unsafe { poller.0.add(&*fd, Event::readable(key)) }?;
        Ok(Self { poller: Arc::clone(poller), fd, key })
    }

    /// Tells it once more.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn again(&self) -> io::Result<()> {
        self.poller.0.modify(&*self.fd, Event::readable(self.key))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.poller.0.delete(&*self.fd);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_readable_is_told_once_until_it_is_asked_for_again() {
        let poller = Arc::new(Poller::new().unwrap());
        let (reader, mut writer) = io::pipe().unwrap();
        let watched = Watched::new(&poller, Arc::new(reader.into()), 7).unwrap();
        let mut found = Found::new();
        let mut keys = |timeout: u64| {
            poller.wait(&mut found, Some(Duration::from_millis(timeout)));
            found.keys().collect::<Vec<_>>()
        };
        assert!(keys(0).is_empty());
        writer.write_all(b"x").unwrap();
        assert_eq!(keys(10_000), [7]);
        assert!(keys(0).is_empty());
        watched.again().unwrap();
        assert_eq!(keys(10_000), [7]);
        watched.again().unwrap();
        drop(watched);
        assert!(keys(0).is_empty());
    }

    #[test]
    fn an_end_is_told_and_a_ring_ends_the_wait() {
        let poller = Arc::new(Poller::new().unwrap());
        let (reader, writer) = io::pipe().unwrap();
        let _watched = Watched::new(&poller, Arc::new(reader.into()), 0).unwrap();
        let mut found = Found::new();
        poller.ring();
        poller.wait(&mut found, None);
        assert_eq!(found.keys().count(), 0);
        drop(writer);
        poller.wait(&mut found, None);
        assert_eq!(found.keys().collect::<Vec<_>>(), [0]);
    }
}
