//! Reads what programs write, until they end, and hands it to its sinks.
//!
//! One task for each channel, on the lane of its log. Bytes never pass through the loop, except those that the loop asked
//! for: events and the words of listeners, which the reader waits to get rid of, so that each channel has its own
//! back-pressure. What is done with a chunk is decided in `output/channel.rs`.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use async_io::Timer;
use futures_lite::{FutureExt, future};
use rustix::io::Errno;

use super::lane::reactor::Pipe;
use super::lane::{Key, Lanes, Local, PATIENCE};
use super::latch::Latch;
use super::sink::Share;
use crate::activity::ActivityLog;
use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::domain::spec;
use crate::process::Stream;
use channel::Channel;
use pace::{GATHER, Pace};

mod channel;
mod copy;
mod pace;

/// So many reads in a row, then the other channels of the lane have their turn.
const READS_PER_TURN: u32 = 8;

/// A read that gives this much finds the pipe full, or nearly so.
const FULL: usize = 48 << 10;

/// After so many full reads in a row a larger pipe is asked for, once.
const FULL_READS: u32 = 4;

/// The larger pipe: what Linux gives to everybody (`/proc/sys/fs/pipe-max-size`).
#[cfg(any(target_os = "linux", target_os = "android"))]
const LARGE_PIPE: usize = 1 << 20;

/// So many channels of a lane have one at a time. What lies in many of them is cold when it is read, which costs more than
/// fewer wake-ups save; and the memory is the kernel's, which has better uses for it.
const LARGE_PIPES: usize = 8;

/// What the loop wants to know of a channel's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputNotice {
    /// Output, for PROCESS_LOG events.
    Log(Vec<u8>),
    /// Text between the tokens of capture mode, for a PROCESS_COMMUNICATION event.
    Communication(Vec<u8>),
    /// What a listener says on its stdout.
    Listener(Vec<u8>),
}

/// Takes the notices of a channel.
pub(crate) trait OutputReport: Send + Sync {
    /// False if there is no need for [`OutputNotice::Log`] at the moment, since nobody hears of it.
    fn wants_output(&self) -> bool;

    /// Resolves when the notice is taken; until then the channel is not read any further. Must resolve, too, when
    /// nobody is there any more to take it.
    fn report(&self, notice: OutputNotice) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// What is to be done with the output of one channel.
pub(crate) struct ChannelPlan {
    /// Whose it is.
    pub(crate) name: Arc<ProcessName>,
    /// Which channel.
    pub(crate) stream: Stream,
    /// Its settings.
    pub(crate) settings: spec::Channel,
    /// Its log, if it has one.
    pub(crate) log: Option<Share>,
    /// Escape sequences are removed (Supervisor 4.3: `strip_ansi`).
    pub(crate) strip_ansi: bool,
    /// It is the stdout of an event listener: capture, events and syslog have no effect, the bytes go to the loop.
    pub(crate) listener: bool,
    /// Takes its notices.
    pub(crate) report: Arc<dyn OutputReport>,
}

impl ChannelPlan {
    /// Whether nothing of the output is kept back for what may follow, such as half of a token.
    fn is_direct(&self) -> bool {
        !self.listener && !self.strip_ansi && self.settings.capture_maxbytes <= 0
    }
}

/// What a reader and its task know of each other.
#[derive(Debug, Default)]
struct Link {
    /// There is nothing more to wait for.
    stop: Latch,
    /// The task is done.
    ended: Latch,
    /// Counts what the task did.
    progress: AtomicU64,
    /// Bytes that were read and have not been handed to the sinks yet.
    in_hand: AtomicUsize,
    /// The task may have read something that is not in the sinks yet.
    busy: AtomicBool,
    /// All that the process wrote is in the sinks.
    settled: AtomicBool,
    /// The pipe until the task begins, which is as long as the lane hangs: one that nothing was written to can be closed
    /// without it.
    unread: Mutex<Option<Arc<OwnedFd>>>,
}

impl Link {
    /// The pipe, if the task has not begun and `which` says so.
    fn take_unread(&self, which: impl FnOnce(&mut Arc<OwnedFd>) -> bool) -> Option<Arc<OwnedFd>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).take_if(which)
    }
}

fn is_empty(pipe: &OwnedFd) -> bool {
    rustix::io::ioctl_fionread(pipe).is_ok_and(|left| left == 0)
}

/// Held by the task: however it ends, that is known.
struct Ending(Arc<Link>);

impl Drop for Ending {
    fn drop(&mut self) {
        drop(self.0.take_unread(|_| true));
        self.0.ended.open();
    }
}

/// A channel being read. Dropping it ends the reading as [`finish`](Self::finish) does, without waiting.
#[derive(Debug)]
pub(crate) struct Reader {
    link: Arc<Link>,
    /// Gone with the task.
    pipe: Weak<OwnedFd>,
    /// What is read is handed on at once, and nothing of it is kept back for what may follow.
    direct: bool,
}

impl Reader {
    /// The process has ended: what it has written is read to the end and handed to the sinks, and our end of the pipe is
    /// closed, even if somebody else still holds the other. Resolves when all is handed on, or when the lane has made no
    /// progress for five seconds: a file system that hangs does not keep a process from having ended.
    pub(crate) async fn finish(&self) {
        let link = &self.link;
        // What was never written needs no lane: one that hangs must not keep the pipes of a program that crashes and crashes.
        let settled = link.take_unread(|pipe| is_empty(pipe)).is_some() || self.is_settled();
        link.settled.store(settled, Ordering::Relaxed);
        link.stop.open();
        if settled {
            return;
        }
        loop {
            let before = link.progress.load(Ordering::Relaxed);
            let ended = async {
                link.ended.opened().await;
                true
            };
            let timeout = async {
                Timer::after(PATIENCE).await;
                false
            };
            if ended.or(timeout).await || link.progress.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }

    /// True if all that the process wrote is in the sinks, which spares whoever waits for that the way to the lane and
    /// back: most processes end without a last word. The process has ended, so what is in the pipe only gets less, and
    /// what has left the pipe was read by a task that was busy before it read.
    fn is_settled(&self) -> bool {
        let Some(pipe) = self.pipe.upgrade() else { return self.direct };
        self.direct && is_empty(&pipe) && !self.link.busy.load(Ordering::SeqCst)
    }

    /// How many bytes have been written by the process and not yet to its sinks.
    pub(crate) fn held_up(&self) -> u64 {
        if self.link.settled.load(Ordering::Relaxed) {
            // What is in the pipe now is somebody else's.
            return 0;
        }
        let in_pipe = self.pipe.upgrade().and_then(|pipe| rustix::io::ioctl_fionread(&*pipe).ok()).unwrap_or(0);
        in_pipe.saturating_add(self.link.in_hand.load(Ordering::Relaxed) as u64)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.link.stop.open();
    }
}

impl Lanes {
    /// Reads the output that comes through `fd`, the reading end of a pipe that is ours alone. Never blocks. If it
    /// cannot be read at all, that is written to the activity log and the pipe closed.
    pub(crate) fn read(&self, fd: OwnedFd, plan: ChannelPlan) -> Reader {
        let link = Arc::new(Link::default());
        let ending = Ending(Arc::clone(&link));
        let mut reader = Reader { link, pipe: Weak::new(), direct: plan.is_direct() };
        let lane = plan.log.as_ref().map_or_else(|| self.plain_lane(), |log| Ok(Arc::clone(log.sink().lane())));
        // A stream is the slower end anyway; and what fits into one read is not cut in the middle of a line, which others
        // may write to the same stream.
        let to_stream = plan.log.as_ref().is_some_and(|log| matches!(log.sink().key(), Key::Stream { .. }));
        let full_reads = if to_stream { FULL_READS } else { 0 };
        // A read that waited would hold up the lane.
        match lane.and_then(|lane| rustix::io::ioctl_fionbio(&fd, true).map(|()| lane).map_err(io::Error::from)) {
            Ok(lane) => {
                let pipe = Arc::new(fd);
                reader.pipe = Arc::downgrade(&pipe);
                *reader.link.unread.lock().unwrap_or_else(PoisonError::into_inner) = Some(pipe);
                lane.spawn_wanted(move |local| {
                    let pipe = ending.0.take_unread(|_| true)?;
                    Some(Task::new(pipe, plan, local, ending, full_reads).run())
                });
            }
            Err(error) => cannot_read(self.activity(), plan.stream, &plan.name, &error),
        }
        reader
    }
}

fn cannot_read(activity: &Arc<dyn ActivityLog>, stream: Stream, name: &ProcessName, error: &io::Error) {
    activity.write(Level::Error, &format!("cannot read {} of '{name}': {error}", stream.name()));
}

/// What became of an attempt to read.
enum Got {
    Bytes(usize),
    /// Nothing there now.
    Nothing,
    /// Nothing any more.
    End,
}

/// The reading of one channel. Most wait most of the time, so what it takes to wait is small: the rest is in boxes that
/// are there while they are needed.
struct Task {
    pipe: Arc<OwnedFd>,
    /// None if it cannot be watched.
    watched: Option<Pipe>,
    channel: Channel,
    ending: Ending,
    /// In a row, so far; stays at the limit where no larger pipe is to be asked for (any more).
    full_reads: u32,
    enlarged: Option<LargePipe>,
}

/// The right to one of the lane's larger pipes.
struct LargePipe(Rc<Local>);

impl LargePipe {
    /// None if the lane has given out all of them.
    fn of(local: &Rc<Local>) -> Option<Self> {
        let given = local.large_pipes.get();
        (given < LARGE_PIPES).then(|| {
            local.large_pipes.set(given + 1);
            Self(Rc::clone(local))
        })
    }
}

impl Drop for LargePipe {
    fn drop(&mut self) {
        self.0.large_pipes.set(self.0.large_pipes.get() - 1);
    }
}

impl Task {
    fn new(pipe: Arc<OwnedFd>, plan: ChannelPlan, local: Rc<Local>, ending: Ending, full_reads: u32) -> Box<Self> {
        let watched = Pipe::new(&local.reactor, Arc::clone(&pipe))
            .inspect_err(|error| cannot_read(&local.activity, plan.stream, &plan.name, error))
            .ok();
        Box::new(Self { pipe, watched, channel: Channel::new(plan, local), ending, full_reads, enlarged: None })
    }

    async fn run(mut self: Box<Self>) {
        let mut pace = Pace::new(!self.channel.is_listener());
        while poll_fn(|context| self.poll_output(context)).await {
            self.ending.0.busy.store(true, Ordering::SeqCst);
            let mut sum = 0;
            for _ in 0..READS_PER_TURN {
                let got = self.read(usize::MAX);
                if self.channel.waits() {
                    Box::pin(self.channel.settle()).await;
                }
                match got {
                    Got::Bytes(count) => {
                        self.handed_on();
                        sum += count;
                        if !self.was_full(count) {
                            break;
                        }
                    }
                    Got::Nothing => break,
                    Got::End => return Box::pin(self.channel.finish()).await,
                }
            }
            self.ending.0.busy.store(false, Ordering::SeqCst);
            match pace.after(sum) {
                false => future::yield_now().await,
                true => {
                    self.channel.local().reactor.pause(GATHER).await;
                    pace.waited();
                }
            }
        }
        Box::pin(async move {
            self.drain().await;
            self.channel.finish().await;
        })
        .await;
    }

    /// Waits for output; false when the process has ended.
    fn poll_output(&self, context: &mut Context<'_>) -> Poll<bool> {
        // The end first: a grandchild may write without end.
        if self.ending.0.stop.poll_open(context).is_ready() {
            return Poll::Ready(false);
        }
        self.watched.as_ref().map_or(Poll::Ready(false), |pipe| pipe.poll_readable(context).map(|ready| ready.is_ok()))
    }

    /// Reads what is in the pipe now, but not what somebody goes on to write.
    async fn drain(&mut self) {
        let mut left = rustix::io::ioctl_fionread(&*self.pipe).map_or(1 << 20, |left| left as usize);
        while left > 0 {
            match self.read(left) {
                Got::Bytes(count) => left -= count,
                Got::Nothing | Got::End => return,
            }
            self.channel.settle().await;
            self.handed_on();
        }
    }

    /// Reads once and does what can be done at once; the rest is for the channel to settle.
    fn read(&mut self, most: usize) -> Got {
        let local = Rc::clone(self.channel.local());
        let mut buffer = local.read.borrow_mut();
        let most = most.min(buffer.len());
        let got = read_some(&self.pipe, &mut buffer[..most]);
        if let Got::Bytes(count) = got {
            self.ending.0.in_hand.store(count, Ordering::Relaxed);
            self.channel.sort(&buffer[..count]);
        }
        got
    }

    /// What was read is in the sinks.
    fn handed_on(&self) {
        self.ending.0.in_hand.store(0, Ordering::Relaxed);
        self.ending.0.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a read that gave so much found the pipe full.
    fn was_full(&mut self, count: usize) -> bool {
        if count >= FULL {
            self.full_read();
        } else if self.full_reads < FULL_READS {
            self.full_reads = 0;
        }
        count >= FULL
    }

    fn full_read(&mut self) {
        if self.full_reads < FULL_READS {
            self.full_reads += 1;
            if self.full_reads == FULL_READS && self.enlarged.is_none() {
                self.enlarged = LargePipe::of(self.channel.local());
                match &self.enlarged {
                    Some(_) => enlarge(&self.pipe),
                    // Asked again after as many full reads: another writer may have ended.
                    None => self.full_reads = 0,
                }
            }
        }
    }
}

fn read_some(pipe: &OwnedFd, buffer: &mut [u8]) -> Got {
    loop {
        match rustix::io::read(pipe, &mut *buffer) {
            Ok(0) => return Got::End,
            Ok(count) => return Got::Bytes(count),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Got::Nothing,
            Err(_) => return Got::End,
        }
    }
}

/// Asks for a larger pipe; where we may not have it, the old size does.
fn enlarge(pipe: &OwnedFd) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::pipe::fcntl_getpipe_size(pipe)
        .is_ok_and(|size| size < LARGE_PIPE && rustix::pipe::fcntl_setpipe_size(pipe, LARGE_PIPE).is_ok());
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = pipe;
}

#[cfg(test)]
mod tests;
