//! A connection to the server that is driven by whoever waits for its answer: no task of its own, hence no other thread
//! on the way of a call. When to connect, and what is kept for the next call, is decided by `transport.rs`.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_std::io::{BufRead, Read};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, Connection, SendRequest};

use crate::bridge::{InBody, Io, OutBody, Pace, Stream, poll_copy};

/// A write that makes no progress for this long fails.
const WRITE_STALL: Duration = Duration::from_secs(30);

/// True once the first request has begun to go out. An answer may be there before it (a server that has no room says so to
/// whoever connects), and hyper takes what comes before a question for nonsense.
#[derive(Clone, Default)]
struct Asked(Arc<AtomicBool>);

impl Pace for Asked {
    fn may_read(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn sent(&self, _count: usize) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// See the module.
pub(super) struct Link {
    sender: SendRequest<OutBody>,
    /// None once it is closed.
    connection: Option<Box<Connection<Io<Stream, Asked>, OutBody>>>,
    asked: Asked,
}

impl Link {
    /// Over a stream that is connected.
    pub(super) async fn new(stream: Stream) -> Result<Self, hyper::Error> {
        let asked = Asked::default();
        let (sender, connection) = http1::handshake(Io::new(stream, asked.clone(), WRITE_STALL)).await?;
        Ok(Self { sender, connection: Some(Box::new(connection)), asked })
    }

    /// Does what can be done at once; more is done when `context` is woken and this is called again.
    fn advance(&mut self, context: &mut Context<'_>) {
        let was_asked = self.asked.may_read();
        self.poll(context);
        if !was_asked && self.asked.may_read() {
            // Reading had to wait for the first byte to go out.
            self.poll(context);
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            // Whoever waits for the answer hears of the error.
            && Pin::new(connection).poll(context).is_ready()
        {
            self.connection = None;
        }
    }

    /// True if a request can be sent: the server has not closed it, and nothing is left of an answer.
    pub(super) async fn is_free(&mut self) -> bool {
        poll_fn(|context| {
            self.advance(context);
            Poll::Ready(self.connection.is_some() && self.sender.is_ready())
        })
        .await
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// Those of the connection, with the request if not a byte of it has gone out.
    pub(super) async fn send(
        &mut self,
        request: hyper::Request<OutBody>,
    ) -> Result<hyper::Response<Incoming>, TrySendError<hyper::Request<OutBody>>> {
        let mut answer = pin!(self.sender.try_send_request(request));
        poll_fn(|context| {
            self.advance(context);
            answer.as_mut().poll(context)
        })
        .await
    }
}

/// The body of an answer, with its connection, which is given back to `keep` at the end of the body.
pub(super) struct Answer<K> {
    body: InBody,
    link: Option<Link>,
    keep: K,
}

impl<K: Fn(Link)> Answer<K> {
    pub(super) fn new(incoming: Incoming, link: Link, keep: K) -> Self {
        Self { body: InBody::new(incoming, u64::MAX), link: Some(link), keep }
    }
}

impl<K: Fn(Link) + Unpin> BufRead for Answer<K> {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Self { body, link, keep } = self.get_mut();
        if let Some(link) = link {
            link.advance(context);
        }
        let filled = Pin::new(body).poll_fill_buf(context);
        if let Poll::Ready(Ok([])) = filled
            && let Some(link) = link.take()
        {
            keep(link);
        }
        filled
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        Pin::new(&mut self.body).consume(amount);
    }
}

impl<K: Fn(Link) + Unpin> Read for Answer<K> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_copy(self, context, into)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use futures_lite::future::block_on;
    use http_types::Body;

    use super::*;

    #[test]
    fn an_answer_may_be_there_before_the_question() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").unwrap();
        let mut link = block_on(Link::new(Stream::Unix(ours.into()))).unwrap();
        let request = hyper::Request::post("/RPC2").body(OutBody(Body::from_string("x".to_owned()))).unwrap();
        let answer = block_on(link.send(request)).map_err(|error| error.into_error().to_string()).unwrap();
        assert_eq!(answer.status(), 503);
        let mut question = [0; 15];
        theirs.read_exact(&mut question).unwrap();
        assert_eq!(&question, b"POST /RPC2 HTTP");
    }
}
