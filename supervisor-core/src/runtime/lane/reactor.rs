//! What wakes the tasks of a lane: a pipe that has become readable, a pause that is over, or somebody else.
//!
//! A lane reads hundreds of pipes with one thread, so it waits for them itself. By the reactor that all share, output would
//! wake whichever thread happens to wait there, and that one the lane; and each pipe would have room there for many that
//! wait for it, in both directions.

#![expect(clippy::disallowed_methods, reason = "it waits in real time")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use slab::Slab;

use crate::sys::poller::{Found, Poller, Watched};

/// Belongs to one thread.
pub(in crate::runtime) struct Reactor {
    poller: Arc<Poller>,
    pipes: RefCell<Slab<Interest>>,
    /// Who waits for a moment; the number tells equal moments apart.
    pauses: RefCell<BTreeMap<(Instant, u64), Waker>>,
    number: Cell<u64>,
}

/// What is known of a pipe.
enum Interest {
    /// It will be told when it is readable, to whoever waits.
    Watched(Option<Waker>),
    /// It is, and nobody has heard of it yet.
    Readable,
    /// Somebody has.
    Told,
}

impl Reactor {
    pub(super) fn new(poller: Poller) -> Rc<Self> {
        Rc::new(Self {
            poller: Arc::new(poller),
            pipes: RefCell::default(),
            pauses: RefCell::default(),
            number: Cell::default(),
        })
    }

    /// Runs a future to its end.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let bell = Arc::new(Bell {
            rung: AtomicBool::new(false),
            lane: thread::current().id(),
            poller: Arc::clone(&self.poller),
        });
        let waker = Waker::from(Arc::clone(&bell));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        let (mut found, mut woken) = (Found::new(), Vec::new());
        loop {
            bell.rung.store(false, Ordering::SeqCst);
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            // Whoever rings from now on ends the wait.
            let timeout = if bell.rung.load(Ordering::SeqCst) { Some(Duration::ZERO) } else { self.until_next_pause() };
            self.poller.wait(&mut found, timeout);
            self.take_found(&found, &mut woken);
            self.take_over(&mut woken);
            woken.drain(..).for_each(Waker::wake);
        }
    }

    fn until_next_pause(&self) -> Option<Duration> {
        let pauses = self.pauses.borrow();
        pauses.first_key_value().map(|((until, _), _)| until.saturating_duration_since(Instant::now()))
    }

    fn take_found(&self, found: &Found, woken: &mut Vec<Waker>) {
        let mut pipes = self.pipes.borrow_mut();
        for key in found.keys() {
            if let Some(interest) = pipes.get_mut(key)
                && let Interest::Watched(waker) = std::mem::replace(interest, Interest::Readable)
            {
                woken.extend(waker);
            }
        }
    }

    /// Pauses that are over.
    fn take_over(&self, woken: &mut Vec<Waker>) {
        let mut pauses = self.pauses.borrow_mut();
        if pauses.is_empty() {
            return;
        }
        let later = pauses.split_off(&(Instant::now(), u64::MAX));
        woken.extend(std::mem::replace(&mut *pauses, later).into_values());
    }

    /// Resolves after a while.
    pub(in crate::runtime) fn pause(self: &Rc<Self>, time: Duration) -> Pause {
        self.number.set(self.number.get().wrapping_add(1));
        Pause { reactor: Rc::clone(self), until: (Instant::now() + time, self.number.get()) }
    }
}

/// Wakes the lane's thread.
struct Bell {
    rung: AtomicBool,
    lane: ThreadId,
    poller: Arc<Poller>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // The lane itself looks before it waits.
        if !self.rung.swap(true, Ordering::SeqCst) && thread::current().id() != self.lane {
            self.poller.ring();
        }
    }
}

/// The reading end of a pipe; one task waits for it at a time.
pub(in crate::runtime) struct Pipe {
    watched: Watched,
    reactor: Rc<Reactor>,
    key: usize,
}

impl Pipe {
    /// # Errors
    /// What the system says of a descriptor that cannot be watched.
    pub(in crate::runtime) fn new(reactor: &Rc<Reactor>, fd: Arc<OwnedFd>) -> io::Result<Self> {
        let key = reactor.pipes.borrow_mut().insert(Interest::Watched(None));
        match Watched::new(&reactor.poller, fd, key) {
            Ok(watched) => Ok(Self { watched, reactor: Rc::clone(reactor), key }),
            Err(error) => {
                reactor.pipes.borrow_mut().remove(key);
                Err(error)
            }
        }
    }

    /// Ready once for each time that it may have become readable.
    pub(in crate::runtime) fn poll_readable(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        let mut pipes = self.reactor.pipes.borrow_mut();
        let interest = &mut pipes[self.key];
        match interest {
            Interest::Readable => {
                *interest = Interest::Told;
                return Poll::Ready(Ok(()));
            }
            Interest::Watched(Some(waker)) if waker.will_wake(context.waker()) => return Poll::Pending,
            Interest::Watched(_) => {}
            Interest::Told => self.watched.again()?,
        }
        let before = std::mem::replace(interest, Interest::Watched(Some(context.waker().clone())));
        // Nothing foreign runs while the table is borrowed.
        drop(pipes);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let last = self.reactor.pipes.borrow_mut().remove(self.key);
        drop(last);
    }
}

/// See [`Reactor::pause`].
pub(in crate::runtime) struct Pause {
    reactor: Rc<Reactor>,
    until: (Instant, u64),
}

impl Future for Pause {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.until.0 {
            return Poll::Ready(());
        }
        let before = self.reactor.pauses.borrow_mut().insert(self.until, context.waker().clone());
        drop(before);
        Poll::Pending
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        let last = self.reactor.pauses.borrow_mut().remove(&self.until);
        drop(last);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::future::poll_fn;
    use std::io::{Read, Write};

    use async_executor::LocalExecutor;
    use futures_lite::future::{self, yield_now};

    use super::*;

    fn reactor() -> Rc<Reactor> {
        Reactor::new(Poller::new().unwrap())
    }

    #[test]
    fn whoever_rings_is_heard_however_often() {
        let (ask, asked) = async_channel::bounded(1);
        let (answer, answered) = async_channel::bounded(1);
        let other = thread::spawn(move || {
            for number in 0..20_000_u32 {
                ask.send_blocking(number).unwrap();
                assert_eq!(answered.recv_blocking(), Ok(number));
            }
        });
        reactor().run(async {
            while let Ok(number) = asked.recv().await {
                answer.send(number).await.unwrap();
            }
        });
        other.join().unwrap();
    }

    #[test]
    fn each_byte_of_many_pipes_is_heard() {
        const PIPES: usize = 16;
        const BYTES: usize = 2_000;
        let (readers, mut writers): (Vec<_>, Vec<_>) = (0..PIPES).map(|_| io::pipe().unwrap()).unzip();
        let (got, hears) = std::sync::mpsc::channel();
        let writing = thread::spawn(move || {
            for number in 0..BYTES {
                writers.iter_mut().for_each(|writer| writer.write_all(b"x").unwrap());
                // The next ones sometimes come while those before are waited for, and sometimes while they are read.
                if number % 3 == 0 {
                    (0..PIPES).for_each(|_| hears.recv().unwrap());
                }
            }
        });
        let (reactor, executor) = (reactor(), LocalExecutor::new());
        let tasks: Vec<_> = readers
            .into_iter()
            .map(|mut reader| {
                rustix::io::ioctl_fionbio(&reader, true).unwrap();
                let fd = Arc::new(OwnedFd::from(reader.try_clone().unwrap()));
                let (pipe, got) = (Pipe::new(&reactor, fd).unwrap(), got.clone());
                executor.spawn(async move {
                    let mut sum = 0;
                    loop {
                        poll_fn(|context| pipe.poll_readable(context)).await.unwrap();
                        match reader.read(&mut [0; 2]) {
                            Ok(0) => return sum,
                            Ok(count) => {
                                sum += count;
                                (0..count).for_each(|_| got.send(()).unwrap_or_default());
                            }
                            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                        }
                        if sum % 5 == 0 {
                            yield_now().await;
                        }
                    }
                })
            })
            .collect();
        let sums = reactor.run(executor.run(async {
            let mut sums = Vec::new();
            for task in tasks {
                sums.push(task.await);
            }
            sums
        }));
        assert_eq!(sums, [BYTES; PIPES]);
        writing.join().unwrap();
        assert!(reactor.pipes.borrow().is_empty());
    }

    #[test]
    fn pauses_end_when_they_are_over_and_leave_nothing_behind() {
        let reactor = reactor();
        let start = Instant::now();
        let pause = async |time: u64| {
            reactor.pause(Duration::from_millis(time)).await;
            assert!(start.elapsed() >= Duration::from_millis(time));
        };
        reactor.run(async {
            future::zip(future::zip(pause(30), pause(10)), future::zip(pause(20), pause(0))).await;
            // One that is given up.
            future::or(reactor.pause(Duration::from_secs(600)), async { yield_now().await }).await;
        });
        assert!(reactor.pauses.borrow().is_empty());
    }
}
