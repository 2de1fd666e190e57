//! A live child: its end as a future, and signals that never hit a recycled pid.
//!
//! **Invariant**: the pid is signalled only under the lock under which the child is reaped, and only while it has not
//! been. Until then the kernel keeps the pid (as a zombie at least), and with it the number of the process group.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::spawn::Signaller;
use crate::domain::exit::ExitStatus;
use crate::sys::orphan::Known;
use crate::sys::pinned;
use crate::sys::process::send_signal;

/// Resolves with the end of a child. Must be polled, or the child stays a zombie; dropped before, the child lives on, is
/// reaped unseen, and is not signalled any more.
pub(crate) struct Exit {
    inner: End,
    child: Arc<LiveChild>,
    known: Option<Known>,
}

/// The signalling side.
struct LiveChild {
    pid: u32,
    unreaped: Mutex<bool>,
}

impl LiveChild {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.unreaped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signaller for LiveChild {
    fn signal(&self, signal: i32, whole_group: bool) -> io::Result<()> {
        let unreaped = self.lock();
        if !*unreaped {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        send_signal(self.pid, signal, whole_group)
    }
}

/// Between two questions, where nothing tells when to ask: the reactor failed, or a tracer holds a child that has ended.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// The end of a child, which is reaped by whoever polls this, or by others when it is dropped.
pub(crate) type End = Pin<Box<dyn Future<Output = ExitStatus> + Send>>;

/// Takes over the child `pid`.
pub(crate) fn watch(pid: u32, end: End, known: Option<Known>) -> (Arc<dyn Signaller>, Exit) {
    let live = Arc::new(LiveChild { pid, unreaped: Mutex::new(true) });
    let exit = Exit { inner: end, child: Arc::clone(&live), known };
    (live, exit)
}

/// The end of a child of async-process, whose standard streams nobody holds any more.
pub(crate) async fn end_of(mut child: async_process::Child) -> ExitStatus {
    loop {
        match unhurried(child.id(), child.status()).await {
            Ok(status) => return status.into(),
            // Somebody else in this program has reaped it: it is gone, and nobody knows how.
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return ExitStatus::Exited(-1),
            Err(_) => async_io::Timer::after(PAUSE).await,
        };
    }
}

/// The end of the child `pid`, asked for only from time to time once it has ended without being given to us: a tracer holds
/// it, and whoever asked whenever the pidfd is readable would do nothing else.
async fn unhurried<T>(pid: u32, end: impl Future<Output = T>) -> T {
    let mut end = pin!(end);
    let mut pause: Option<Box<async_io::Timer>> = None;
    let mut woken = false;
    poll_fn(|context| {
        if let Some(timer) = &mut pause {
            ready!(Pin::new(&mut **timer).poll(context));
            pause = None;
        }
        let mut polled = end.as_mut().poll(context);
        // Woken in vain, which hardly ever happens otherwise; or it has ended since.
        if polled.is_pending() && std::mem::replace(&mut woken, true) && pinned::has_ended(pid) {
            polled = end.as_mut().poll(context);
        } else {
            return polled;
        }
        if polled.is_pending() {
            let timer = pause.insert(Box::new(async_io::Timer::after(PAUSE)));
            if Pin::new(&mut **timer).poll(context).is_ready() {
                context.waker().wake_by_ref();
            }
        }
        polled
    })
    .await
}

impl Future for Exit {
    type Output = ExitStatus;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ExitStatus> {
        let exit = self.get_mut();
        let mut unreaped = exit.child.lock();
        let polled = exit.inner.as_mut().poll(context);
        if polled.is_ready() {
            *unreaped = false;
            drop(exit.known.take());
        }
        polled
    }
}

impl Drop for Exit {
    fn drop(&mut self) {
        // From here on it is reaped by others (async-process, `vforked.rs`), not under our lock.
        *self.child.lock() = false;
    }
}
