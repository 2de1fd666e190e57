//! A log as it is followed.

use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_std::io::BufRead;
use futures_lite::Stream;
use supervisor_core::process;

/// The path of the stream of the server's own log.
pub(super) const MAIN_LOG: &str = "/mainlogtail";

/// The path of the stream of a process log, such as `/logtail/web/stdout`, with what is special in the name
/// percent-encoded.
pub fn log_path(name: &str, stream: process::Stream) -> String {
    let channel = match stream {
        process::Stream::Stdout => "stdout",
        process::Stream::Stderr => "stderr",
    };
    format!("/logtail/{}/{channel}", segment(name))
}

/// A text as one part of a path: bytes that could mean something else there are percent-encoded.
fn segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@!$&'()*+,=".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The chunks of a log stream, as they come. Ends when the server ends it, or goes away: Supervisor 4.3 says nothing of the
/// end when it leaves. Dropping it closes the connection.
pub struct LogStream {
    body: surf::Body,
    has_ended: bool,
}

impl LogStream {
    pub(super) fn new(body: surf::Body) -> Self {
        Self { body, has_ended: false }
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
        if self.has_ended {
            return Poll::Ready(None);
        }
        let chunk = match ready!(Pin::new(&mut self.body).poll_fill_buf(cx)) {
            Ok(chunk) => chunk.to_vec(),
            Err(error) if is_end(&error) => Vec::new(),
            Err(error) => {
                self.has_ended = true;
                return Poll::Ready(Some(Err(error)));
            }
        };
        if chunk.is_empty() {
            self.has_ended = true;
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).consume(chunk.len());
        Poll::Ready(Some(Ok(chunk)))
    }
}

/// True if the connection is gone.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_part_of_the_path() {
        let path = |name| log_path(name, process::Stream::Stdout);
        assert_eq!(path("g:a-1"), "/logtail/g:a-1/stdout");
        assert_eq!(path("a/b c?%é"), "/logtail/a%2Fb%20c%3F%25%C3%A9/stdout");
    }
}
