//! The thread that starts processes, one after the other and in order.
//!
//! Starting may block: a log directory on a file system that hangs, an account that must be looked up. So it never happens
//! on the loop. When one start makes no progress for [`PATIENCE`], a fresh thread takes over what is queued behind it, and
//! the stuck one ends with the start it is in.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long one start may hold up the others.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

struct State<J> {
    jobs: VecDeque<J>,
    /// The thread that is in charge; an older one ends when it comes back.
    generation: u64,
    running: bool,
    /// Counts the jobs that were begun.
    begun: u64,
    closed: bool,
}

struct Shared<J> {
    state: Mutex<State<J>>,
    wake: Condvar,
    work: Box<dyn Fn(J) + Send + Sync>,
}

/// A queue of jobs with a thread behind it. Dropping it drops what is queued.
pub(crate) struct StartLane<J: Send + 'static> {
    shared: Arc<Shared<J>>,
    /// What [`check`](Self::check) saw last.
    seen: u64,
}

impl<J: Send + 'static> StartLane<J> {
    /// A lane that does `work` for each job.
    pub(crate) fn new(work: impl Fn(J) + Send + Sync + 'static) -> Self {
        let state = State { jobs: VecDeque::new(), generation: 0, running: false, begun: 0, closed: false };
        let shared = Shared { state: Mutex::new(state), wake: Condvar::new(), work: Box::new(work) };
        Self { shared: Arc::new(shared), seen: 0 }
    }

    /// Queues a job; false if no thread can be had for it.
    pub(crate) fn push(&self, job: J) -> bool {
        let mut state = self.shared.lock();
        if !state.running {
            if self.start_thread(state.generation).is_err() {
                return false;
            }
            state.running = true;
        }
        state.jobs.push_back(job);
        self.shared.wake.notify_one();
        true
    }

    /// To be called [`PATIENCE`] after a push and again as long as it answers true (jobs are queued): if no job was begun
    /// since the last call, a fresh thread takes over.
    pub(crate) fn check(&mut self) -> bool {
        let mut state = self.shared.lock();
        if state.jobs.is_empty() {
            return false;
        }
        if state.begun == self.seen && self.start_thread(state.generation + 1).is_ok() {
            state.generation += 1;
        }
        self.seen = state.begun;
        true
    }

    fn start_thread(&self, generation: u64) -> std::io::Result<()> {
        let shared = Arc::clone(&self.shared);
        std::thread::Builder::new()
            .name("supervisor-start".to_owned())
            .stack_size(256 << 10)
            .spawn(move || shared.run(generation))
            .map(drop)
    }
}

impl<J: Send + 'static> Drop for StartLane<J> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.jobs.clear();
        self.shared.wake.notify_all();
    }
}

impl<J> Shared<J> {
    fn lock(&self) -> std::sync::MutexGuard<'_, State<J>> {
        // A panic while the lock is held would have to come from the queue itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, generation: u64) {
        let mut state = self.lock();
        loop {
            if state.closed || state.generation != generation {
                return;
            }
            let Some(job) = state.jobs.pop_front() else {
                // A thousand starts at boot are not to be remembered by the room they took.
                state.jobs = VecDeque::new();
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.begun += 1;
            drop(state);
            (self.work)(job);
            state = self.lock();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn jobs_are_done_in_order() {
        let (done, results) = mpsc::channel();
        let lane = StartLane::new(move |job: u32| done.send(job).unwrap());
        for job in 0..100 {
            assert!(lane.push(job));
        }
        assert_eq!(results.iter().take(100).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_stuck_start_does_not_hold_up_the_others() {
        let (done, results) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let mut lane = StartLane::new(move |job: u32| {
            if job == 0 {
                let _ = released.lock().unwrap().recv();
            }
            done.send(job).unwrap();
        });
        for job in 0..3 {
            assert!(lane.push(job));
        }
        while lane.shared.lock().begun == 0 {
            std::thread::yield_now();
        }
        // The first look only takes note; the second sees that nothing was begun since.
        lane.seen = 1;
        assert!(lane.check());
        assert_eq!((results.recv(), results.recv()), (Ok(1), Ok(2)));
        assert!(!lane.check());
        release.send(()).unwrap();
        assert_eq!(results.recv(), Ok(0));
    }
}
