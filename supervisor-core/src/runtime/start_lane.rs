//! The thread that starts processes, one after the other and in order.
//!
//! Starting may block: a log directory on a file system that hangs, an account that must be looked up. So it never happens
//! on the loop. When one start makes no progress for [`PATIENCE`], another thread takes over what is queued behind it.
//!
//! A thread that was stuck does not end when it comes back, but waits to take over from the next one: children that asked
//! for a signal when their parent dies (PR_SET_PDEATHSIG, `prctl(2)`) get it when the thread that started them ends. So
//! there are never more threads than were stuck at once, and one; they end with the lane.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long one start may hold up the others.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

struct State<J> {
    jobs: VecDeque<J>,
    /// The thread that is in charge; an older one steps aside when it comes back.
    generation: u64,
    running: bool,
    /// Threads that have stepped aside and are not called upon.
    aside: usize,
    /// One of them is to take charge.
    vacant: bool,
    /// Counts the jobs that were begun.
    begun: u64,
    closed: bool,
}

struct Shared<J> {
    state: Mutex<State<J>>,
    wake: Condvar,
    /// For those who have stepped aside.
    vacancy: Condvar,
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
        let state = State {
            jobs: VecDeque::new(),
            generation: 0,
            running: false,
            aside: 0,
            vacant: false,
            begun: 0,
            closed: false,
        };
        let (wake, vacancy) = (Condvar::new(), Condvar::new());
        let shared = Shared { state: Mutex::new(state), wake, vacancy, work: Box::new(work) };
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
    /// since the last call, another thread takes over.
    pub(crate) fn check(&mut self) -> bool {
        let mut state = self.shared.lock();
        if state.jobs.is_empty() {
            return false;
        }
        if state.begun == self.seen {
            self.replace(&mut state);
        }
        self.seen = state.begun;
        true
    }

    /// Puts another thread in charge, if one can be had.
    fn replace(&self, state: &mut State<J>) {
        // Whoever was called upon has not come yet: another one would not come sooner.
        if state.vacant {
            return;
        }
        if state.aside > 0 {
            state.aside -= 1;
            state.generation += 1;
            state.vacant = true;
            self.shared.vacancy.notify_one();
        } else if self.start_thread(state.generation + 1).is_ok() {
            state.generation += 1;
        }
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
        self.shared.vacancy.notify_all();
    }
}

impl<J> Shared<J> {
    fn lock(&self) -> std::sync::MutexGuard<'_, State<J>> {
        // A panic while the lock is held would have to come from the queue itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut generation: u64) {
        let mut state = self.lock();
        loop {
            if !state.closed && state.generation != generation {
                state.aside += 1;
                let stays = |state: &mut State<J>| !state.vacant && !state.closed;
                state = self.vacancy.wait_while(state, stays).unwrap_or_else(PoisonError::into_inner);
                state.vacant = false;
                generation = state.generation;
            }
            if state.closed {
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
    use std::cell::RefCell;
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

    /// Tells of the end of the thread that has it.
    struct Last(mpsc::Sender<()>);

    impl Drop for Last {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }

    #[test]
    fn a_thread_that_was_stuck_does_not_end_but_takes_over_from_the_next_one() {
        thread_local! {
            static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
        }
        let (done, results) = mpsc::channel();
        let (ended, ends) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let mut lane = StartLane::new(move |job: u32| {
            LAST.with_borrow_mut(|last| {
                last.get_or_insert_with(|| Last(ended.clone()));
            });
            if job.is_multiple_of(2) {
                released.lock().unwrap().recv().unwrap();
            }
            done.send((job, std::thread::current().id())).unwrap();
        });
        let mut threads = Vec::new();
        for job in (0..20).step_by(2) {
            assert!(lane.push(job) && lane.push(job + 1));
            while lane.shared.lock().begun != u64::from(job) + 1 {
                std::thread::yield_now();
            }
            lane.seen = u64::from(job) + 1;
            assert!(lane.check());
            let (next, taken_over) = results.recv().unwrap();
            release.send(()).unwrap();
            let (stuck, thread) = results.recv().unwrap();
            assert_eq!((next, stuck), (job + 1, job));
            assert_ne!(thread, taken_over);
            threads.extend([thread, taken_over]);
            while lane.shared.lock().aside == 0 {
                assert_eq!(ends.try_recv(), Err(mpsc::TryRecvError::Empty));
                std::thread::yield_now();
            }
        }
        threads.sort_by_key(|thread| format!("{thread:?}"));
        threads.dedup();
        assert_eq!(threads.len(), 2);
        drop(lane);
        assert_eq!((ends.recv(), ends.recv()), (Ok(()), Ok(())));
    }
}
