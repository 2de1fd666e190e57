//! A stream as hyper reads and writes it, with its time limits.
//!
//! Which limits hold at a moment is told by a [`Pace`]; this module only measures.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_io::Timer;
use async_std::io::{Read, Write};
use hyper::rt::ReadBufCursor;

/// Told what happens on a stream, and asked how long to wait for the peer.
pub(crate) trait Pace: Unpin {
    /// Until when the peer must have sent something; `None` waits without end.
    fn read_deadline(&self) -> Option<Instant> {
        None
    }

    /// False while nothing may be read, which lasts at least until something has been sent. Whoever sends asks again.
    fn may_read(&self) -> bool {
        true
    }

    /// The read deadline has passed.
    fn expired(&self) {}

    /// These bytes came in.
    fn received(&self, _bytes: &[u8]) {}

    /// Bytes went out.
    fn sent(&self, _count: usize) {}

    /// The peer does not take what is to be written; from `sent` on it does again.
    fn blocked(&self) {}

    /// All that was written has gone out.
    fn flushed(&self) {}
}

/// A stream under hyper.
pub(crate) struct Io<S, P> {
    stream: S,
    pace: P,
    stall: Duration,
    reading: Option<(Instant, Timer)>,
    writing: Option<Timer>,
}

impl<S, P: Pace> Io<S, P> {
    /// Wraps a stream; a write that makes no progress for `stall` fails.
    pub(crate) fn new(stream: S, pace: P, stall: Duration) -> Self {
        Self { stream, pace, stall, reading: None, writing: None }
    }

    /// Pending until the read deadline, then an error. The deadline may move between calls.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(deadline) = self.pace.read_deadline() else {
            self.reading = None;
            return Poll::Pending;
        };
        let (set_to, timer) = self.reading.get_or_insert_with(|| (deadline, Timer::at(deadline)));
        if *set_to != deadline {
            *set_to = deadline;
            timer.set_at(deadline);
        }
        ready!(pin!(timer).poll(cx));
        self.reading = None;
        self.pace.expired();
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    /// Bounds the time that a write waits. Progress starts it anew.
    fn poll_stall<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.writing = None;
            return result;
        }
        if self.writing.is_none() {
            self.pace.blocked();
        }
        let stall = self.stall;
        ready!(pin!(self.writing.get_or_insert_with(|| Timer::after(stall))).poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: Read + Unpin, P: Pace> hyper::rt::Read for Io<S, P> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        // Through a buffer on the stack: filling hyper's own one without a copy would need `unsafe`. As often as that takes,
        // for hyper's buffer grows only if it has been filled, and whoever reads a large answer is woken for each of them.
        if !self.pace.may_read() {
            return Poll::Pending;
        }
        let mut bytes = [0_u8; 8192];
        let mut is_first = true;
        loop {
            let room = bytes.len().min(into.remaining());
            match Pin::new(&mut self.stream).poll_read(cx, &mut bytes[..room]) {
                Poll::Ready(Ok(count)) => {
                    if count > 0 {
                        self.pace.received(&bytes[..count]);
                    }
                    into.put_slice(&bytes[..count]);
                    if count < bytes.len() || into.remaining() == 0 {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Pending if is_first => return self.poll_deadline(cx).map(Err),
                Poll::Ready(Err(error)) if is_first => return Poll::Ready(Err(error)),
                // What came before it is for hyper first; an error is there again for the next one who asks, or the end.
                Poll::Pending | Poll::Ready(Err(_)) => return Poll::Ready(Ok(())),
            }
            is_first = false;
        }
    }
}

impl<S: Write + Unpin, P: Pace> hyper::rt::Write for Io<S, P> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = &result {
            self.pace.sent(*count);
        }
        self.poll_stall(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(result, Poll::Ready(Ok(()))) {
            self.pace.flushed();
        }
        self.poll_stall(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_close(cx);
        self.poll_stall(cx, result)
    }
}
