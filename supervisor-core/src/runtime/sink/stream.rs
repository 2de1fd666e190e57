//! A log that is a pipe, a terminal or a socket (`/dev/stdout` in a container): it can be full.
//!
//! One that is slow is waited for: nothing is lost. One that takes nothing for a while ([`STALL`]) is given up until it
//! takes something again; so neither a program nor the lane waits for ever for a reader that does not read. Chunks of
//! several programs do not mix. The mode of a description that others share is never changed.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use async_io::{Async, Timer};
use futures_lite::FutureExt;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SendFlags;

use crate::logfile::loss::{Loss, Notice};

/// How long something that takes nothing is waited for.
pub(in super::super) const STALL: Duration = Duration::from_secs(1);

/// What POSIX promises that a pipe takes in one piece, without waiting, when it is ready.
const PIECE: usize = 512;

/// How to write without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Our own non-blocking description.
    Ours,
    /// Each call says that it does not wait.
    Socket,
    /// Others share it: asked first, then given no more than it takes without waiting.
    Shared,
}

/// Something that can be full.
#[derive(Debug)]
pub(in super::super) struct StreamSink {
    fd: OwnedFd,
    how: How,
    /// Holds one token while somebody's chunk is being written.
    turn: (Sender<()>, Receiver<()>),
    stalled: AtomicBool,
    loss: Mutex<Loss>,
}

impl StreamSink {
    /// Takes an open file, unless it never keeps a writer waiting (`/dev/null`): then it is given back.
    ///
    /// # Errors
    /// The file, as it was.
    pub(in super::super) fn new(file: File) -> Result<Self, File> {
        let Ok(kind) = file.metadata().map(|metadata| metadata.file_type()) else { return Err(file) };
        let pollable = kind.is_fifo() || kind.is_socket() || rustix::termios::isatty(&file);
        if !pollable {
            return Err(file);
        }
        let (fd, how) = match reopened(file.as_fd()) {
            _ if kind.is_socket() => (file.into(), How::Socket),
            Ok(own) => (own, How::Ours),
            Err(_) => (file.into(), How::Shared),
        };
        let (turn, stalled, loss) = (async_channel::bounded(1), AtomicBool::new(false), Mutex::default());
        Ok(Self { fd, how, turn, stalled, loss })
    }

    /// Writes what fits at once. Gives the number of bytes done with, and how many of them were lost.
    pub(super) fn offer(&self, bytes: &[u8], tell: &mut dyn FnMut(Notice)) -> (usize, usize) {
        if self.turn.0.is_full() {
            return (0, 0);
        }
        let mut done = 0;
        while done < bytes.len() {
            match self.try_write(&bytes[done..]) {
                Ok(count) => {
                    done += count;
                    self.stalled.store(false, Ordering::Relaxed);
                }
                Err(Errno::AGAIN) if !self.stalled.load(Ordering::Relaxed) => return (done, 0),
                Err(error) => return (bytes.len(), self.lose(bytes.len() - done, error, tell)),
            }
        }
        self.loss().kept(tell);
        (done, 0)
    }

    /// Writes `rest`, waiting as long as there is progress. Gives the number of bytes lost.
    pub(super) async fn settle(&self, rest: &[u8], tell: &mut dyn FnMut(Notice)) -> usize {
        let _turn = Turn::take(&self.turn).await;
        let mut done = 0;
        let mut patience = Instant::now() + STALL;
        while done < rest.len() {
            match self.try_write(&rest[done..]) {
                Ok(count) => {
                    done += count;
                    patience = Instant::now() + STALL;
                    self.stalled.store(false, Ordering::Relaxed);
                }
                Err(Errno::AGAIN) if !self.stalled.load(Ordering::Relaxed) && Instant::now() < patience => {
                    room(self.fd.as_fd(), patience).await;
                }
                Err(error) => {
                    self.stalled.store(error == Errno::AGAIN, Ordering::Relaxed);
                    return self.lose(rest.len() - done, error, tell);
                }
            }
        }
        self.loss().kept(tell);
        0
    }

    /// Reports the losses that have not been reported.
    pub(super) fn end_loss(&self, tell: &mut dyn FnMut(Notice)) {
        self.loss().end(tell);
    }

    fn lose(&self, lost: usize, error: Errno, tell: &mut dyn FnMut(Notice)) -> usize {
        let error = match error {
            Errno::AGAIN => io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"),
            other => other.into(),
        };
        self.loss().lost(lost, error, tell);
        lost
    }

    fn loss(&self) -> std::sync::MutexGuard<'_, Loss> {
        self.loss.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_write(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        loop {
            let written = match self.how {
                How::Ours => rustix::io::write(&self.fd, bytes),
                How::Socket => rustix::net::send(&self.fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
                How::Shared => self.write_if_ready(bytes),
            };
            match written {
                Err(Errno::INTR) => {}
                other => return other,
            }
        }
    }

    fn write_if_ready(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        let mut asked = [PollFd::new(&self.fd, PollFlags::OUT)];
        if rustix::event::poll(&mut asked, Some(&rustix::event::Timespec::default()))? == 0 {
            return Err(Errno::AGAIN);
        }
        rustix::io::write(&self.fd, &bytes[..bytes.len().min(PIECE)])
    }
}

/// A description of our own of what `fd` names, so that it can be non-blocking without anybody noticing. Only where
/// opening `/proc/self/fd/N` makes a new one: elsewhere it is a duplicate.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn reopened(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(format!("/proc/self/fd/{}", fd.as_raw_fd()), flags, Mode::empty())?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn reopened(_fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Waits until `fd` takes more, at the longest until `patience` ends.
pub(in super::super) async fn room(fd: BorrowedFd<'_>, patience: Instant) {
    let writable = async {
        // Watched for this moment only: most streams are never full.
        match fd.try_clone_to_owned().and_then(Async::new_nonblocking) {
            Ok(watched) => {
                // An error shows at the next write.
                let _ = watched.writable().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    let timeout = async {
        Timer::at(patience).await;
    };
    writable.or(timeout).await;
}

/// The right to write, until it is dropped.
struct Turn<'a>(&'a Receiver<()>);

impl<'a> Turn<'a> {
    async fn take((take, give): &'a (Sender<()>, Receiver<()>)) -> Self {
        // Fails only if the channel is closed, and nobody closes it.
        let _ = take.send(()).await;
        Self(give)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_recv();
    }
}
