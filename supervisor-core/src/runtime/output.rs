//! Reads what programs write, until they end, and hands it to its sinks.
//!
//! One task for each channel, on the lane of its log. Bytes never pass through the loop, except those that the loop asked
//! for: events and the words of listeners, which the reader waits to get rid of, so that each channel has its own
//! back-pressure. What is done with a chunk is decided in `output/channel.rs`.

use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use async_io::{Async, Timer};
use futures_lite::{FutureExt, future};
use rustix::io::Errno;

use super::lane::{Key, Lanes, PATIENCE};
use super::sink::LogSink;
use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::domain::spec;
use crate::process::Stream;
use channel::Channel;

mod channel;
mod copy;

/// So many reads in a row, then the other channels of the lane have their turn.
const READS_PER_TURN: u32 = 8;

/// A read that gives this much finds the pipe full, or nearly so.
const FULL: usize = 48 << 10;

/// After so many full reads in a row a larger pipe is asked for, once.
const FULL_READS: u32 = 4;

/// A turn that brings less than this, sooner than [`GATHER`] after the one before, is one of a flood of small writes.
const LITTLE: usize = 4 << 10;

/// After so many such turns in a row, output is let gather for a moment, which costs a program nothing (its pipe has
/// room) and the lane a fraction of the wake-ups.
const LITTLE_TURNS: u32 = 16;

/// It goes on as long as this is not reached: a pipe that fills while output gathers would keep the program waiting.
const GATHERED: usize = 32 << 10;

/// For how long: far less than anybody who follows a log can see.
const GATHER: Duration = Duration::from_millis(1);

/// The larger pipe: what Linux gives to everybody (`/proc/sys/fs/pipe-max-size`).
#[cfg(any(target_os = "linux", target_os = "android"))]
const LARGE_PIPE: usize = 1 << 20;

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
    pub(crate) name: ProcessName,
    /// Which channel.
    pub(crate) stream: Stream,
    /// Its settings.
    pub(crate) settings: spec::Channel,
    /// Its log, if it has one.
    pub(crate) sink: Option<Arc<LogSink>>,
    /// Escape sequences are removed (Supervisor 4.3: `strip_ansi`).
    pub(crate) strip_ansi: bool,
    /// It is the stdout of an event listener: capture, events and syslog have no effect, the bytes go to the loop.
    pub(crate) listener: bool,
    /// Takes its notices.
    pub(crate) report: Arc<dyn OutputReport>,
}

/// A channel being read. Dropping it ends the reading as [`finish`](Self::finish) does, without waiting.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Closed when there is nothing more to wait for.
    stop: Sender<()>,
    /// Closed by the task at its end.
    ended: Receiver<()>,
    progress: Arc<AtomicU64>,
    /// Bytes that were read and have not been handed to the sinks yet.
    in_hand: Arc<AtomicUsize>,
    /// Gone with the task.
    pipe: Weak<Async<OwnedFd>>,
}

impl Reader {
    /// The process has ended: what it has written is read to the end and handed to the sinks, then our end of the pipe
    /// is closed, even if somebody else still holds the other. Resolves when that is done, or when the lane has made no
    /// progress for five seconds: a file system that hangs does not keep a process from having ended.
    pub(crate) async fn finish(&self) {
        self.stop.close();
        loop {
            let before = self.progress.load(Ordering::Relaxed);
            let ended = async {
                let _ = self.ended.recv().await;
                true
            };
            let timeout = async {
                Timer::after(PATIENCE).await;
                false
            };
            if ended.or(timeout).await || self.progress.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

impl Reader {
    /// How many bytes have been written by the process and not yet to its sinks.
    pub(crate) fn held_up(&self) -> u64 {
        let in_pipe = self.pipe.upgrade().and_then(|pipe| rustix::io::ioctl_fionread(&*pipe).ok()).unwrap_or(0);
        in_pipe.saturating_add(self.in_hand.load(Ordering::Relaxed) as u64)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.close();
    }
}

impl Lanes {
    /// Reads the output that comes through `fd`, the reading end of a pipe that is ours alone. Never blocks. If it
    /// cannot be read at all, that is written to the activity log and the pipe closed.
    pub(crate) fn read(&self, fd: OwnedFd, plan: ChannelPlan) -> Reader {
        let (stop, stopped) = async_channel::bounded(1);
        let (end, ended) = async_channel::bounded(1);
        let progress = Arc::new(AtomicU64::new(0));
        let in_hand = Arc::new(AtomicUsize::new(0));
        let mut reader =
            Reader { stop, ended, progress: Arc::clone(&progress), in_hand: Arc::clone(&in_hand), pipe: Weak::new() };
        let lane = plan.sink.as_ref().map_or_else(|| self.plain_lane(), |sink| Ok(Arc::clone(sink.lane())));
        // A stream is the slower end anyway; and what fits into one read is not cut in the middle of a line, which others
        // may write to the same stream.
        let to_stream = plan.sink.as_ref().is_some_and(|sink| matches!(sink.key(), Key::Stream { .. }));
        let full_reads = if to_stream { FULL_READS } else { 0 };
        match lane.and_then(|lane| Ok((lane, Async::new(fd)?))) {
            Ok((lane, pipe)) => {
                let pipe = Arc::new(pipe);
                reader.pipe = Arc::downgrade(&pipe);
                lane.spawn(move |local| async move {
                    let task = Task { pipe, stopped, progress, in_hand, full_reads };
                    task.run(Channel::new(plan, local)).await;
                    drop(end);
                });
            }
            Err(error) => self
                .activity()
                .write(Level::Error, &format!("cannot read {} of '{}': {error}", plan.stream.name(), plan.name)),
        }
        reader
    }
}

/// What became of an attempt to read.
enum Got {
    Bytes(usize),
    /// Nothing there now.
    Nothing,
    /// Nothing any more.
    End,
}

/// The reading of one channel.
struct Task {
    pipe: Arc<Async<OwnedFd>>,
    stopped: Receiver<()>,
    progress: Arc<AtomicU64>,
    in_hand: Arc<AtomicUsize>,
    /// In a row, so far; stays at the limit where no larger pipe is to be asked for (any more).
    full_reads: u32,
}

impl Task {
    async fn run(mut self, mut channel: Channel) {
        let mut last = Instant::now();
        let mut little_turns = 0;
        while self.wait().await {
            let Ok(count) = self.turn(&mut channel).await else { return channel.finish().await };
            let now = Instant::now();
            let little = if little_turns < LITTLE_TURNS { LITTLE } else { GATHERED };
            little_turns = if count < little && now < last + GATHER { little_turns.saturating_add(1) } else { 0 };
            last = now;
            if little_turns < LITTLE_TURNS {
                future::yield_now().await;
            } else {
                Timer::after(GATHER).await;
                last = Instant::now();
            }
        }
        self.drain(&mut channel).await;
        channel.finish().await;
    }

    /// Waits for output; false when the process has ended.
    async fn wait(&self) -> bool {
        let stopped = async {
            let _ = self.stopped.recv().await;
            false
        };
        // The end first: a grandchild may write without end.
        stopped.or(async { self.pipe.readable().await.is_ok() }).await
    }

    /// Reads what is there, within the budget of a turn.
    ///
    /// # Errors
    /// The pipe has ended.
    async fn turn(&mut self, channel: &mut Channel) -> Result<usize, ()> {
        let mut sum = 0;
        for _ in 0..READS_PER_TURN {
            match self.read(channel, usize::MAX).await {
                Got::Bytes(count) if count >= FULL => {
                    sum += count;
                    self.full_read();
                }
                Got::Bytes(count) => {
                    sum += count;
                    if self.full_reads < FULL_READS {
                        self.full_reads = 0;
                    }
                    break;
                }
                Got::Nothing => break,
                Got::End => return Err(()),
            }
        }
        Ok(sum)
    }

    /// Reads what is in the pipe now, but not what somebody goes on to write.
    async fn drain(&mut self, channel: &mut Channel) {
        let mut left = rustix::io::ioctl_fionread(&*self.pipe).map_or(1 << 20, |left| left as usize);
        while left > 0 {
            match self.read(channel, left).await {
                Got::Bytes(count) => left -= count,
                Got::Nothing | Got::End => return,
            }
        }
    }

    async fn read(&mut self, channel: &mut Channel, most: usize) -> Got {
        let count = {
            let local = Rc::clone(channel.local());
            let mut buffer = local.read.borrow_mut();
            let most = most.min(buffer.len());
            match read_some(&self.pipe, &mut buffer[..most]) {
                Got::Bytes(count) => {
                    self.in_hand.store(count, Ordering::Relaxed);
                    channel.sort(&buffer[..count]);
                    count
                }
                other => return other,
            }
        };
        channel.settle().await;
        self.in_hand.store(0, Ordering::Relaxed);
        self.progress.fetch_add(1, Ordering::Relaxed);
        Got::Bytes(count)
    }

    fn full_read(&mut self) {
        if self.full_reads < FULL_READS {
            self.full_reads += 1;
            if self.full_reads == FULL_READS {
                enlarge(&self.pipe);
            }
        }
    }
}

fn read_some(pipe: &Async<OwnedFd>, buffer: &mut [u8]) -> Got {
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
fn enlarge(pipe: &Async<OwnedFd>) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::pipe::fcntl_getpipe_size(pipe)
        .is_ok_and(|size| size < LARGE_PIPE && rustix::pipe::fcntl_setpipe_size(pipe, LARGE_PIPE).is_ok());
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = pipe;
}

#[cfg(test)]
mod tests;
