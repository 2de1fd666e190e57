//! Bodies: those of tide and surf as hyper sends them, and hyper's as tide and surf read them.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_std::io::{BufRead, Read};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

/// The longest chunk of a body that goes out, in bytes: it is copied, and a large answer must not be there twice.
const CHUNK: usize = 64 * 1024;

/// A body that goes out. What its reader has at once becomes one chunk, if it is not too long, sent at once.
pub(crate) struct OutBody(pub(crate) http_types::Body);

impl Body for OutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let bytes = ready!(Pin::new(&mut self.0).poll_fill_buf(cx))?;
        let chunk = Bytes::copy_from_slice(&bytes[..bytes.len().min(CHUNK)]);
        if chunk.is_empty() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.0).consume(chunk.len());
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty() == Some(true)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.len().map_or_else(SizeHint::default, |length| SizeHint::with_exact(length as u64))
    }
}

/// A body that comes in, at most so many bytes of it; more is an error of kind [`io::ErrorKind::FileTooLarge`].
pub(crate) struct InBody {
    incoming: Incoming,
    chunk: Bytes,
    left: u64,
}

impl InBody {
    /// Reads `incoming`, at most `limit` bytes of it.
    pub(crate) fn new(incoming: Incoming, limit: u64) -> Self {
        Self { incoming, chunk: Bytes::new(), left: limit }
    }
}

impl BufRead for InBody {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.chunk.is_empty() {
            match ready!(Pin::new(&mut this.incoming).poll_frame(cx)) {
                None => break,
                Some(Err(error)) => return Poll::Ready(Err(io_error(error))),
                // Trailers say nothing to us.
                Some(Ok(frame)) => {
                    let Ok(chunk) = frame.into_data() else { continue };
                    let Some(left) = this.left.checked_sub(chunk.len() as u64) else {
                        return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
                    };
                    this.left = left;
                    this.chunk = chunk;
                }
            }
        }
        Poll::Ready(Ok(&this.chunk))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        let amount = amount.min(self.chunk.len());
        drop(self.chunk.split_to(amount));
    }
}

impl Read for InBody {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_copy(self, cx, into)
    }
}

/// Reads by way of the buffer that a reader has.
pub(crate) fn poll_copy(
    mut from: Pin<&mut impl BufRead>,
    cx: &mut Context<'_>,
    into: &mut [u8],
) -> Poll<io::Result<usize>> {
    let available = ready!(from.as_mut().poll_fill_buf(cx))?;
    let count = available.len().min(into.len());
    into[..count].copy_from_slice(&available[..count]);
    from.consume(count);
    Poll::Ready(Ok(count))
}

/// Reads a body to its end, at most `limit` bytes of it; more is an error of kind [`io::ErrorKind::FileTooLarge`].
/// `length` is how long it is said to be.
pub(crate) async fn read_whole(
    mut body: impl BufRead + Unpin,
    length: Option<usize>,
    limit: u64,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(trusted(length));
    let too_long = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    match read_on(&mut bytes, &mut body, too_long).await? {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(bytes),
    }
}

/// How much of the length that a body is said to have is taken at once; more is taken as it comes.
pub(crate) fn trusted(length: Option<usize>) -> usize {
    length.unwrap_or(0).min(4 << 20)
}

/// Reads on until there are at least so many bytes; false if the body has ended before.
///
/// `read_to_end` would fill the room that is left with zeros each time that it has to wait.
pub(crate) async fn read_on(bytes: &mut Vec<u8>, body: &mut (impl BufRead + Unpin), enough: usize) -> io::Result<bool> {
    let mut body = Pin::new(body);
    while bytes.len() < enough {
        let count = poll_fn(|cx| {
            body.as_mut().poll_fill_buf(cx).map_ok(|chunk| {
                bytes.extend_from_slice(chunk);
                chunk.len()
            })
        })
        .await?;
        if count == 0 {
            return Ok(false);
        }
        body.as_mut().consume(count);
    }
    Ok(true)
}

/// The I/O error inside an error of hyper, with its kind; else the text of the error.
pub(crate) fn io_error(error: hyper::Error) -> io::Error {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error
                .raw_os_error()
                .map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error);
        }
        cause = error.source();
    }
    io::Error::other(error)
}
