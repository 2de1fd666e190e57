//! A lane: lines on their way to a place that may be slow, gone or hung, with a thread and a bounded queue of its own.
//!
//! Whoever posts a line never waits for the place: a full queue drops the line and counts it. Lines and commands reach
//! the place in the order in which they were posted. Until [`Lane::start`] there is no thread, and a line is written by
//! whoever posts it: the daemon must not have threads before it forks. Knows nothing of formats and files.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// So many items are taken at once. Whoever waits sees nothing move until they are done with.
const AT_ONCE: usize = 32;

/// A line whose size counts against the limit of the queue.
pub(super) trait Line: Send + 'static {
    /// Bytes that it keeps alive.
    fn size(&self) -> usize;

    /// As how many lines it counts if it is lost.
    fn counts_as(&self) -> u64 {
        1
    }
}

/// The place at the end of a lane. Deals with its failures itself.
pub(super) trait Place<L>: Send + 'static {
    /// Writes a line.
    fn write(&mut self, line: L);

    /// Is told, as soon as it can write again, that this many lines did not fit into the queue.
    fn lost(&mut self, lines: u64);
}

enum Item<L, P> {
    Line(L),
    Command(Box<dyn FnOnce(&mut P) + Send>),
}

struct Queue<L, P> {
    items: VecDeque<Item<L, P>>,
    bytes: usize,
    lost: u64,
    /// The place itself, while no thread has it.
    place: Option<P>,
    /// Items that were ever put into the queue.
    posted: u64,
    /// Items that were taken and done with; a standstill of this number is a standstill of the place.
    done: u64,
    /// What `done` was when somebody waited in vain.
    stuck_at: Option<u64>,
    /// The thread has items in its hands.
    busy: bool,
    /// The thread sleeps, and nobody has woken it yet.
    idle: bool,
    /// How many wait for progress.
    watchers: usize,
    closed: bool,
}

struct Shared<L, P> {
    queue: Mutex<Queue<L, P>>,
    filled: Condvar,
    progress: Condvar,
    limit: usize,
}

impl<L, P> Shared<L, P> {
    fn lock(&self) -> MutexGuard<'_, Queue<L, P>> {
        // A panic while the lock was held leaves at worst a wrong count behind.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item into the queue. A thread that is awake finds it without being told, which would be a system call.
    fn put(&self, mut queue: MutexGuard<'_, Queue<L, P>>, item: Item<L, P>) {
        queue.posted += 1;
        queue.items.push_back(item);
        let is_asleep = std::mem::take(&mut queue.idle);
        drop(queue);
        if is_asleep {
            self.filled.notify_one();
        }
    }

    /// Waits for progress; false if there has been none for as long as `patience`.
    fn watch<'a>(
        &'a self,
        mut queue: MutexGuard<'a, Queue<L, P>>,
        patience: Duration,
    ) -> (MutexGuard<'a, Queue<L, P>>, bool) {
        let before = queue.done;
        queue.watchers += 1;
        let (mut queue, wait) = self.progress.wait_timeout(queue, patience).unwrap_or_else(PoisonError::into_inner);
        queue.watchers -= 1;
        let has_moved = !wait.timed_out() || queue.done != before;
        (queue, has_moved)
    }

    fn tell_watchers(&self, queue: &Queue<L, P>) {
        if queue.watchers > 0 {
            self.progress.notify_all();
        }
    }
}

/// See the module.
pub(super) struct Lane<L, P> {
    shared: Arc<Shared<L, P>>,
}

impl<L: Line, P: Place<L>> Lane<L, P> {
    /// A lane to `place` whose queue holds at most `limit` bytes.
    pub(super) fn new(place: P, limit: usize) -> Self {
        let queue = Queue {
            items: VecDeque::new(),
            bytes: 0,
            lost: 0,
            place: Some(place),
            posted: 0,
            done: 0,
            stuck_at: None,
            busy: false,
            idle: false,
            watchers: 0,
            closed: false,
        };
        let shared = Shared { queue: Mutex::new(queue), filled: Condvar::new(), progress: Condvar::new(), limit };
        Self { shared: Arc::new(shared) }
    }

    /// Starts the thread. Without one (none can be had) lines go on being written by whoever posts them.
    pub(super) fn start(&self, name: &str) {
        let shared = Arc::clone(&self.shared);
        let Some(place) = self.shared.lock().place.take() else { return };
        // The place travels in a cell, so that it is not lost with the closure when there is no thread to be had.
        let cell = Arc::new(Mutex::new(Some(place)));
        let travelling = Arc::clone(&cell);
        let started = thread::Builder::new().name(name.to_owned()).stack_size(256 << 10).spawn(move || {
            let place = travelling.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(place) = place {
                serve(&shared, place);
            }
        });
        if started.is_err() {
            self.shared.lock().place = cell.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// Posts a line; drops and counts it if the queue is full.
    pub(super) fn post(&self, line: L) {
        let mut queue = self.shared.lock();
        if let Some(place) = &mut queue.place {
            place.write(line);
            return;
        }
        // One that is larger than the whole queue has it for itself.
        let is_full = queue.bytes > 0 && queue.bytes.saturating_add(line.size()) > self.shared.limit;
        if queue.closed || is_full {
            queue.lost += line.counts_as();
            return;
        }
        queue.bytes += line.size();
        self.shared.put(queue, Item::Line(line));
    }

    /// Has `command` done to the place, behind all lines posted so far, and waits for it, but not longer than `patience`.
    ///
    /// # Errors
    /// The lane has ended; `TimedOut` if the place hangs: it is done all the same once it does not.
    pub(super) fn run<R: Send + 'static>(
        &self,
        patience: Duration,
        command: impl FnOnce(&mut P) -> R + Send + 'static,
    ) -> io::Result<R> {
        let mut queue = self.shared.lock();
        if let Some(place) = &mut queue.place {
            return Ok(command(place));
        }
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        if queue.closed {
            drop((reply, queue));
        } else {
            // The one who waits may have given up; then nobody wants the reply.
            self.shared.put(queue, Item::Command(Box::new(move |place| drop(reply.send(command(place))))));
        }
        answer.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                io::Error::new(io::ErrorKind::TimedOut, "what it is written to does not answer")
            }
            RecvTimeoutError::Disconnected => io::Error::other("the log has been closed"),
        })
    }

    /// Waits until what was posted so far is written, but not longer than `patience`; and not at all while the place is
    /// still where it was when somebody waited in vain.
    pub(super) fn settle(&self, patience: Duration) {
        let mut queue = self.shared.lock();
        let target = queue.posted;
        while queue.done < target && queue.stuck_at != Some(queue.done) {
            let (after, has_moved) = self.shared.watch(queue, patience);
            queue = after;
            if !has_moved {
                queue.stuck_at = Some(queue.done);
            }
        }
    }

    /// Waits until all that was posted is written. Gives up when nothing moves for as long as `patience`.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let mut queue = self.shared.lock();
        while queue.place.is_none() && (queue.busy || !queue.items.is_empty()) {
            let (after, has_moved) = self.shared.watch(queue, patience);
            queue = after;
            if !has_moved {
                return false;
            }
        }
        true
    }
}

/// The thread ends once all that was posted is written.
impl<L, P> Drop for Lane<L, P> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.filled.notify_one();
    }
}

fn serve<L: Line, P: Place<L>>(shared: &Shared<L, P>, mut place: P) {
    let mut taken = Vec::with_capacity(AT_ONCE);
    let mut queue = shared.lock();
    loop {
        let lost = std::mem::take(&mut queue.lost);
        let count = queue.items.len().min(AT_ONCE);
        taken.extend(queue.items.drain(..count));
        if taken.is_empty() && lost == 0 {
            queue.busy = false;
            shared.tell_watchers(&queue);
            if queue.closed {
                return;
            }
            queue.idle = true;
            queue = shared.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle = false;
            continue;
        }
        queue.busy = true;
        drop(queue);
        let mut bytes = 0;
        for item in taken.drain(..) {
            match item {
                Item::Line(line) => {
                    bytes += line.size();
                    place.write(line);
                }
                Item::Command(command) => command(&mut place),
            }
        }
        if lost > 0 {
            place.lost(lost);
        }
        queue = shared.lock();
        queue.bytes = queue.bytes.saturating_sub(bytes);
        queue.done += count as u64;
        shared.tell_watchers(&queue);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    impl Line for String {
        fn size(&self) -> usize {
            self.len()
        }
    }

    /// Writes a line only when it is let through the gate.
    struct Gate {
        open: Receiver<()>,
        written: Sender<String>,
    }

    impl Place<String> for Gate {
        fn write(&mut self, line: String) {
            let _ = self.open.recv();
            self.written.send(line).unwrap();
        }

        fn lost(&mut self, lines: u64) {
            self.written.send(format!("lost {lines}")).unwrap();
        }
    }

    fn gate() -> (Gate, Sender<()>, Receiver<String>) {
        let (opener, open) = channel();
        let (written, seen) = channel();
        (Gate { open, written }, opener, seen)
    }

    #[test]
    fn a_stuck_place_never_stops_the_one_who_posts() {
        let (place, opener, seen) = gate();
        let lane = Lane::new(place, 10);
        lane.start("test");
        lane.post("first".to_owned());
        for _ in 0..100 {
            lane.post("1234567890".to_owned());
        }
        assert!(!lane.flush(Duration::from_millis(50)), "nothing can be written yet");
        drop(opener);
        assert!(lane.flush(PATIENCE));
        let lines: Vec<_> = seen.try_iter().collect();
        assert_eq!(lines.first().map(String::as_str), Some("first"));
        let lost: u64 = lines.iter().filter_map(|line| line.strip_prefix("lost ")?.parse::<u64>().ok()).sum();
        let whole = lines.iter().filter(|line| !line.starts_with("lost")).count() as u64;
        assert_eq!(whole + lost, 101, "every line was written or counted");
    }

    #[test]
    fn who_waits_for_a_stuck_place_waits_once() {
        let (place, opener, seen) = gate();
        let lane = Lane::new(place, 1000);
        lane.start("test");
        lane.post("one".to_owned());
        for _ in 0..1000 {
            lane.settle(Duration::from_millis(20));
        }
        drop(opener);
        assert!(lane.flush(PATIENCE));
        lane.post("two".to_owned());
        lane.settle(PATIENCE);
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["one", "two"], "what was posted is written");
    }

    #[test]
    fn a_command_to_a_stuck_place_is_given_up_and_done_later() {
        let (place, opener, seen) = gate();
        let lane = Lane::new(place, 1000);
        lane.start("test");
        lane.post("line".to_owned());
        let given_up = lane.run(Duration::from_millis(20), |place| place.written.send("command".to_owned()).unwrap());
        assert_eq!(given_up.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(opener);
        assert!(lane.flush(PATIENCE));
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["line", "command"]);
    }

    #[test]
    fn commands_keep_their_place_in_the_order() {
        let (place, opener, seen) = gate();
        drop(opener);
        let lane = Lane::new(place, 1000);
        lane.post("direct".to_owned());
        lane.start("test");
        lane.post("before".to_owned());
        lane.run(PATIENCE, |place| place.written.send("command".to_owned()).unwrap()).unwrap();
        lane.post("after".to_owned());
        assert!(lane.flush(PATIENCE));
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["direct", "before", "command", "after"]);
        drop(lane);
        assert_eq!(seen.recv(), Err(std::sync::mpsc::RecvError), "the thread has let go of the place");
    }
}
