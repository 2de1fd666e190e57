//! Log lanes: the threads that read the output of programs and write their logs.
//!
//! One lane for each file system that holds logs (two where there are many logs, and descriptors are not few), one for
//! each pipe, terminal or socket that output is copied to, one for output that goes to no file. What hangs holds up its own
//! lane and nothing else: neither the loop nor another file system. A lane starts when it is first needed and ends with
//! [`Lanes`]; one that hangs then is left behind. What is done with output is not decided here (`output.rs`), nor how a log
//! is written (`sink.rs`).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_executor::LocalExecutor;
use async_io::Timer;
use futures_lite::FutureExt;
use futures_lite::future::CatchUnwind;
use pin_project_lite::pin_project;

use super::sink::{Limits, LogSink, Open, Share};
use crate::activity::ActivityLog;
use crate::domain::level::Level;
use crate::logfile::open::open_append;
use crate::logfile::syslog::{self, Syslog};
use crate::sys::fds;
use crate::sys::poller::Poller;
use reactor::Reactor;

pub(super) mod reactor;
mod reopening;

/// The most bytes of one read. Untouched memory costs nothing, so a lane of quiet programs is small.
const BUFFER: usize = 128 << 10;

/// The most lanes of one file system: what one processor can copy is less than many programs can write.
const LANES: usize = 2;

/// A second one is worth its thread and its descriptors when there are more logs than this.
const LOGS_OF_ONE_LANE: usize = 16;

/// How long a lane may take to do what is asked of it before the asker is told that it hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The most questions that wait for a lane. While it hangs, each of them stays.
pub(super) const QUESTIONS: usize = 1 << 14;

/// What the tasks of a lane share: one of each for the thread, none for a channel.
pub(super) struct Local {
    pub(super) activity: Arc<dyn ActivityLog>,
    /// What was read.
    pub(super) read: RefCell<Vec<u8>>,
    /// The same without escape sequences.
    pub(super) stripped: RefCell<Vec<u8>>,
    pub(super) syslog: RefCell<Syslog>,
    /// The system log has not taken anything for a while: it is not waited for until it does.
    pub(super) syslog_stalled: Cell<bool>,
    /// How many channels have a larger pipe.
    pub(super) large_pipes: Cell<usize>,
    pub(super) reactor: Rc<Reactor>,
}

impl Local {
    fn new(activity: Arc<dyn ActivityLog>, syslog: Syslog, poller: Poller) -> Rc<Self> {
        Rc::new(Self {
            activity,
            read: RefCell::new(vec![0; BUFFER]),
            stripped: RefCell::default(),
            syslog: RefCell::new(syslog),
            syslog_stalled: Cell::new(false),
            large_pipes: Cell::new(0),
            reactor: Reactor::new(poller),
        })
    }
}

/// Makes a task and spawns it, in one piece of memory.
type Job = Box<dyn FnOnce(&LocalExecutor<'static>, &Rc<Local>) + Send>;

/// The way to one thread.
pub(super) struct Lane {
    jobs: Sender<Job>,
    /// Questions that were not answered yet.
    questions: Arc<AtomicUsize>,
}

impl Lane {
    fn start(activity: Arc<dyn ActivityLog>, syslog: Syslog) -> io::Result<Arc<Self>> {
        let (jobs, receiver) = async_channel::unbounded();
        let poller = Poller::new()?;
        thread::Builder::new()
            .name("log-lane".to_owned())
            .spawn(move || run(&receiver, &Local::new(activity, syslog, poller)))?;
        Ok(Arc::new(Self { jobs, questions: Arc::default() }))
    }

    /// Runs a task on the lane. It is made there, so that it need not be `Send`; it is dropped when the lane ends.
    pub(super) fn spawn<F>(&self, make: impl FnOnce(Rc<Local>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.spawn_wanted(|local| Some(make(local)));
    }

    /// The same for a task that may turn out to be wanted no more when its turn comes.
    pub(super) fn spawn_wanted<F>(&self, make: impl FnOnce(Rc<Local>) -> Option<F> + Send + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        let job = move |executor: &LocalExecutor<'static>, local: &Rc<Local>| {
            let Some(task) = make(Rc::clone(local)) else { return };
            let task = AssertUnwindSafe(task).catch_unwind();
            executor.spawn(Guarded { task, activity: Arc::clone(&local.activity) }).detach();
        };
        // Only a lane that has ended refuses: then there is nothing to do any more.
        let _ = self.jobs.try_send(Box::new(job));
    }

    /// Does something on the lane.
    ///
    /// # Errors
    /// What `work` says; `TimedOut` if the lane hangs. The work is done all the same once it does not; `ResourceBusy` if it
    /// will not be, since too much waits already.
    pub(super) async fn ask(&self, work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
        let (reply, answer) = async_channel::bounded(1);
        let questions = Arc::clone(&self.questions);
        if questions.fetch_add(1, Ordering::Relaxed) >= QUESTIONS {
            questions.fetch_sub(1, Ordering::Relaxed);
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "the file system does not answer"));
        }
        self.spawn(move |_| async move {
            questions.fetch_sub(1, Ordering::Relaxed);
            // Whoever asked may have gone.
            let _ = reply.try_send(work());
        });
        let answer = async { answer.recv().await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())) };
        let timeout = async {
            Timer::after(PATIENCE).await;
            Err(io::Error::new(io::ErrorKind::TimedOut, "the file system does not answer"))
        };
        answer.or(timeout).await
    }
}

pin_project! {
    /// A task whose panic ends one channel, never the lane. There is one for each channel, and an async block would hold it
    /// twice: as what it was given and as what it awaits.
    struct Guarded<F> {
        #[pin]
        task: CatchUnwind<AssertUnwindSafe<F>>,
        activity: Arc<dyn ActivityLog>,
    }
}

impl<F: Future<Output = ()>> Future for Guarded<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.task.poll(context).map(|done| {
            if done.is_err() {
                this.activity
                    .write(Level::Error, "a task that handles output has failed; see the standard error output");
            }
        })
    }
}

/// The life of a lane's thread: until the way to it is closed.
fn run(jobs: &Receiver<Job>, local: &Rc<Local>) {
    let executor = LocalExecutor::new();
    let taking = async {
        while let Ok(job) = jobs.recv().await {
            job(&executor, local);
        }
    };
    local.reactor.run(executor.run(taking));
}

/// What a lane is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Regular files on the file system with this device number.
    FileSystem(u64),
    /// One thing that can block for ever.
    Stream { device: u64, inode: u64 },
    /// No log file.
    Nothing,
}

impl Key {
    fn most_lanes(self) -> usize {
        match self {
            Self::FileSystem(_) if !fds::are_few() => LANES,
            Self::FileSystem(_) | Self::Stream { .. } | Self::Nothing => 1,
        }
    }
}

fn absolute(path: Arc<Path>) -> io::Result<Arc<Path>> {
    if path.is_absolute() { Ok(path) } else { Ok(std::path::absolute(path)?.into()) }
}

/// All lanes, and the log files that are open or were.
pub(crate) struct Lanes {
    activity: Arc<dyn ActivityLog>,
    /// How to reach the system log; each lane has a way of its own.
    syslog: fn() -> Syslog,
    table: Mutex<Table>,
    /// How many times all logs were to be opened anew.
    reopenings: AtomicU64,
}

/// A log that has just been opened, and is no sink's yet.
pub(super) struct Opened {
    path: Arc<Path>,
    key: Key,
    open: Open,
    limits: Limits,
    /// What [`Lanes::reopenings`] was before.
    reopenings: u64,
}

#[derive(Default)]
struct Table {
    lanes: HashMap<Key, Vec<Arc<Lane>>>,
    sinks: HashMap<Arc<Path>, Weak<LogSink>>,
    /// Those whose path leads to another device by now, while somebody still writes to them.
    displaced: Vec<Weak<LogSink>>,
    /// So many sinks may be known before those that are gone are looked for.
    many: usize,
}

impl Lanes {
    /// No lane yet.
    pub(crate) fn new(activity: Arc<dyn ActivityLog>) -> Self {
        Self::reaching(activity, || Syslog::new(&syslog::program_name()))
    }

    #[cfg(test)]
    pub(super) fn with_syslog(activity: Arc<dyn ActivityLog>, syslog: fn() -> Syslog) -> Self {
        Self::reaching(activity, syslog)
    }

    fn reaching(activity: Arc<dyn ActivityLog>, syslog: fn() -> Syslog) -> Self {
        Self { activity, syslog, table: Mutex::default(), reopenings: AtomicU64::new(0) }
    }

    /// A share of `who` in the log at `path`, opened anew for a process that is about to start; the log is shared by all
    /// that write to this path. It stays known, and can be cleared, as long as somebody holds it; the file is open as
    /// long as there are shares. Blocks as long as the file system does.
    ///
    /// # Errors
    /// What the system says of the path, or of a thread that cannot be had.
    pub(crate) fn open(
        &self,
        path: impl Into<Arc<Path>>,
        maxbytes: i64,
        backups: i64,
        who: impl Into<Box<str>>,
    ) -> io::Result<Share> {
        self.share(self.open_file(path, maxbytes, backups)?, who)
    }

    /// The first half of [`open`](Self::open).
    pub(super) fn open_file(&self, path: impl Into<Arc<Path>>, maxbytes: i64, backups: i64) -> io::Result<Opened> {
        let path = absolute(path.into())?;
        let limits = (u64::try_from(maxbytes).unwrap_or(0), u64::try_from(backups).unwrap_or(0));
        let reopenings = self.reopenings.load(Ordering::SeqCst);
        // Not under the lock: the file system may hang.
        let (key, open) = Open::new(&path, open_append(&path)?, limits)?;
        Ok(Opened { path, key, open, limits, reopenings })
    }

    /// The second half.
    pub(super) fn share(&self, opened: Opened, who: impl Into<Box<str>>) -> io::Result<Share> {
        let Opened { path, key, open, limits, reopenings } = opened;
        let share = Share::new(self.known_or_new(path, key)?, who.into(), open, limits);
        // From here on it is found by whoever reopens. Who did so before may have meant another file than we have opened.
        if self.reopenings.load(Ordering::SeqCst) != reopenings && share.sink().ask_to_reopen() {
            share.sink().reopen_as_asked(self.activity.as_ref());
        }
        Ok(share)
    }

    /// The log at `path`, if somebody holds it.
    pub(crate) fn known(&self, path: &Arc<Path>) -> Option<Arc<LogSink>> {
        self.table().sinks.get(&absolute(Arc::clone(path)).ok()?)?.upgrade()
    }

    fn known_or_new(&self, path: Arc<Path>, key: Key) -> io::Result<Arc<LogSink>> {
        let mut table = self.table();
        // The path may lead to another device than before.
        if let Some(known) = table.sinks.get(&path).and_then(Weak::upgrade).filter(|sink| sink.key() == key) {
            return Ok(known);
        }
        let lane = self.lane(&mut table, key)?;
        let sink = Arc::new(LogSink::new(Arc::clone(&path), key, lane, Arc::clone(&self.activity)));
        if table.sinks.len() > table.many {
            table.sinks.retain(|_, sink| sink.strong_count() > 0);
            table.many = 2 * table.sinks.len();
        }
        if let Some(before) = table.sinks.insert(path, Arc::downgrade(&sink))
            && before.strong_count() > 0
        {
            table.displaced.retain(|sink| sink.strong_count() > 0);
            table.displaced.push(before);
        }
        Ok(sink)
    }

    /// The logs that somebody writes to.
    fn in_use(&self) -> Vec<Arc<LogSink>> {
        let table = self.table();
        let all = table.sinks.values().chain(&table.displaced).filter_map(Weak::upgrade);
        all.filter(|sink| sink.is_in_use()).collect()
    }

    /// The lane for output without a log file. Never blocks.
    ///
    /// # Errors
    /// Neither a thread for it nor any other lane can be had.
    pub(super) fn plain_lane(&self) -> io::Result<Arc<Lane>> {
        let mut table = self.table();
        self.lane(&mut table, Key::Nothing).or_else(|error| table.lanes.values().flatten().next().cloned().ok_or(error))
    }

    pub(super) fn activity(&self) -> &Arc<dyn ActivityLog> {
        &self.activity
    }

    fn lane(&self, table: &mut Table, key: Key) -> io::Result<Arc<Lane>> {
        let lanes = table.lanes.entry(key).or_default();
        // Each log holds its lane, and so does the table.
        if let Some(lane) = lanes.iter().min_by_key(|lane| Arc::strong_count(lane))
            && (Arc::strong_count(lane) <= LOGS_OF_ONE_LANE || lanes.len() >= key.most_lanes())
        {
            return Ok(Arc::clone(lane));
        }
        match (Lane::start(Arc::clone(&self.activity), (self.syslog)()), lanes.first()) {
            (Ok(lane), _) => {
                lanes.push(Arc::clone(&lane));
                Ok(lane)
            }
            (Err(_), Some(lane)) => Ok(Arc::clone(lane)),
            (Err(error), None) => Err(error),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        let table = self.table.get_mut().unwrap_or_else(PoisonError::into_inner);
        for lane in table.lanes.values().flatten() {
            lane.jobs.close();
        }
    }
}
