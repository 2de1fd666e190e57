//! One connected stream, over a UNIX socket or TCP.
//!
//! Knows nothing of HTTP. Clones share the connection, so that whoever holds one can still say a last word when the
//! layer above has given up.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_std::io::{Read, Write};
use async_std::net::TcpStream;
use async_std::os::unix::net::UnixStream;

/// A connected stream.
#[derive(Debug, Clone)]
pub(crate) enum Stream {
    /// Over a UNIX socket.
    Unix(UnixStream),
    /// Over TCP.
    Tcp(TcpStream),
}

macro_rules! forward {
    ($stream:expr, $method:ident $(, $argument:expr)*) => {
        match $stream {
            Stream::Unix(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl Stream {
    /// Ends the sending side, so that the peer reads to the end of what was sent.
    pub(crate) fn finish_sending(&self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// Ready once the peer sends nothing more, or is gone, or has sent more than `patience` bytes: for whoever does not read
    /// any more. What it sends is thrown away.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>, patience: &mut u64) -> Poll<()> {
        let mut bytes = [0; 4096];
        for _ in 0..16 {
            match ready!(Pin::new(&mut *self).poll_read(cx, &mut bytes)) {
                Ok(count @ 1..) if count as u64 <= *patience => *patience -= count as u64,
                Ok(_) | Err(_) => return Poll::Ready(()),
            }
        }
        // However much it sends, others get their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        forward!(&mut *self, poll_read, cx, buf)
    }
}

// Vectored writes are left at the trait's default: UNIX sockets of async-std have none, and hyper then joins head,
// chunk size and body into one write.
impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        forward!(&mut *self, poll_write, cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(&mut *self, poll_flush, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(&mut *self, poll_close, cx)
    }
}
