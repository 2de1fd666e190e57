//! Work that may block, on threads of its own: the loop and the tasks of clients wait for it without standing still.
//!
//! Threads come when there is work and go after a while without any. Where no thread can be had (a process table that is
//! full), work queues behind the threads there are, and with none at all it is done by whoever asks: late, but done. That
//! is why this is not the `blocking` crate, which asks again and again for a thread and stops the loop with it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// So many pieces of work may hang (on file systems that do not answer) before others wait behind them.
const MOST: usize = 256;

/// A thread without work ends after this time.
const IDLE: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

static POOL: Pool = Pool::new();

/// Does `work` on another thread. Dropping the future abandons the wait, not the work. A panic of the work goes on in
/// whoever waits.
pub async fn unblock<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = async_channel::bounded(1);
    POOL.take(
        Box::new(move || {
            // Nobody may wait any more.
            let _ = done.try_send(catch_unwind(AssertUnwindSafe(work)));
        }),
        start_thread,
    );
    match result.recv().await {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => resume_unwind(panic),
        // Work is never dropped before it is done.
        Err(_) => std::future::pending().await,
    }
}

struct Pool {
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Pool {
    const fn new() -> Self {
        let state = State { jobs: VecDeque::new(), threads: 0, idle: 0 };
        Self { state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Queues a job; `start` starts a thread that calls [`run`](Self::run), and says whether it could.
    fn take(&self, job: Job, start: impl FnOnce() -> bool) {
        let mut state = self.state();
        state.jobs.push_back(job);
        if state.jobs.len() <= state.idle {
            self.wake.notify_one();
            return;
        }
        if state.threads >= MOST {
            return;
        }
        state.threads += 1;
        drop(state);
        if start() {
            return;
        }
        let mut state = self.state();
        state.threads -= 1;
        if state.threads > 0 {
            return;
        }
        // There is nobody else. What came before is done first.
        while let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = self.state();
        }
    }

    /// The life of a thread.
    fn run(&self) {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.state();
                continue;
            }
            state.idle += 1;
            let (guard, timeout) = self.wake.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held would have to come from the queue itself: jobs catch their own.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start_thread() -> bool {
    thread::Builder::new().name("offload".to_owned()).spawn(|| POOL.run()).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_lite::future::block_on;

    use super::*;

    #[test]
    fn work_is_done_elsewhere_and_panics_come_back() {
        let here = thread::current().id();
        assert_ne!(block_on(unblock(|| thread::current().id())), here);
        let panic = catch_unwind(|| block_on(unblock(|| -> () { resume_unwind(Box::new("broken")) })));
        assert_eq!(panic.err().and_then(|panic| panic.downcast::<&str>().ok()).as_deref(), Some(&"broken"));
        assert_eq!(block_on(unblock(|| 7)), 7);
    }

    #[test]
    fn without_any_thread_work_is_done_by_whoever_asks_in_order() {
        let pool = Pool::new();
        let done = Arc::new(AtomicUsize::new(0));
        for number in 0..3 {
            let done = Arc::clone(&done);
            pool.take(Box::new(move || assert_eq!(done.fetch_add(1, Ordering::SeqCst), number)), || false);
        }
        assert_eq!(done.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn where_there_is_a_thread_work_queues_behind_it() {
        static ONE: Pool = Pool::new();
        let (sender, results) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let start = || {
            thread::spawn(|| ONE.run());
            true
        };
        ONE.take(Box::new(move || assert!(released.recv().is_err())), start);
        for number in 0..3 {
            let sender = sender.clone();
            ONE.take(
                Box::new(move || sender.send((number, thread::current().id())).expect("it is waited for")),
                || false,
            );
        }
        assert!(results.try_recv().is_err());
        drop(release);
        let done: Vec<_> = results.iter().take(3).collect();
        assert!(done.iter().all(|(_, by)| *by == done[0].1 && *by != thread::current().id()));
        assert_eq!(done.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
