//! A log as it is followed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_std::io::BufRead;
use futures_lite::Stream;

/// The chunks of a log stream, as they come. Ends when the server ends it; dropping it closes the connection.
pub struct LogStream {
    body: surf::Body,
}

impl LogStream {
    pub(super) fn new(body: surf::Body) -> Self {
        Self { body }
    }
}

impl std::fmt::Debug for LogStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogStream").finish_non_exhaustive()
    }
}

impl Stream for LogStream {
    type Item = io::Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = ready!(Pin::new(&mut self.body).poll_fill_buf(cx))?.to_vec();
        if chunk.is_empty() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).consume(chunk.len());
        Poll::Ready(Some(Ok(chunk)))
    }
}
