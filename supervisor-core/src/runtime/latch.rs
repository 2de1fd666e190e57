//! Something that happens once, and that one task waits for.
//!
//! A channel would do, at some 800 bytes each, and every process has several. Decides nothing.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
enum State {
    Shut(Option<Waker>),
    Open,
}

/// Shut until it is opened, then open for ever. At most one task waits at a time: of several, the last is woken.
#[derive(Debug)]
pub(crate) struct Latch(Mutex<State>);

impl Default for Latch {
    fn default() -> Self {
        Self(Mutex::new(State::Shut(None)))
    }
}

impl Latch {
    /// Opens it.
    pub(crate) fn open(&self) {
        // Woken without the lock: whoever wakes up may look at once.
        if let State::Shut(Some(waker)) = std::mem::replace(&mut *self.state(), State::Open) {
            waker.wake();
        }
    }

    /// Ready once it is open.
    pub(crate) fn poll_open(&self, context: &Context<'_>) -> Poll<()> {
        match &mut *self.state() {
            State::Open => Poll::Ready(()),
            State::Shut(Some(waker)) => {
                waker.clone_from(context.waker());
                Poll::Pending
            }
            State::Shut(none) => {
                *none = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Resolves once it is open.
    pub(crate) async fn opened(&self) {
        poll_fn(|context| self.poll_open(context)).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_lite::future::{block_on, poll_once};

    use super::*;

    #[test]
    fn it_is_shut_until_it_is_opened() {
        let latch = Arc::new(Latch::default());
        assert_eq!(block_on(poll_once(latch.opened())), None);
        let theirs = Arc::clone(&latch);
        let waiting = std::thread::spawn(move || block_on(theirs.opened()));
        latch.open();
        latch.open();
        assert!(waiting.join().is_ok());
        assert_eq!(block_on(poll_once(latch.opened())), Some(()));
    }
}
