//! One connection, from its acceptance to its last byte.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_io::Timer;
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _, FutureExt as _};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tide::StatusCode;

use super::answer::{Context, answer};
use super::page::raw_refusal;
use super::wire::Waits;
use crate::bridge::{Io, Stream};

/// How long a client that has just connected may take for its first request when the server stops: it could not know.
const FIRST_REQUEST: Duration = Duration::from_millis(250);

/// How many bytes of a refused client, or of one that is told a log without end, are read and thrown away.
pub(super) const LINGER_BYTES: u64 = 64 * 1024 * 1024;

/// Serves one connection to its end.
pub(super) async fn run(context: Context) {
    let context = Arc::new(context);
    let stream = context.stream.clone();
    let (house, wire) = (Arc::clone(&context.house), Arc::clone(&context.wire));
    let mut word = None;
    let result = {
        let io = Io::new(stream.clone(), Arc::clone(&wire), house.limits.write_stall);
        let service_context = Arc::clone(&context);
        let service = service_fn(move |request| answer(request, Arc::clone(&service_context)));
        let mut serving = pin!(
            http1::Builder::new()
                .max_buf_size(house.limits.head.max(8192))
                .max_headers(100)
                // Who has said all that it wants to say still wants the answer. So nothing is read before the answer is out, and
                // then with the deadline of the next request.
                .half_close(true)
                .serve_connection(io, service)
        );
        let mut result = race(serving.as_mut(), async { house.stopped().or(wire.evicted()).await }).await;
        if result.is_none() && wire.is_fresh() && house.stop.is_closed() {
            let late = async {
                Timer::after(FIRST_REQUEST).await;
            };
            result = race(serving.as_mut(), late).await;
        }
        if result.is_none() {
            // In the middle of a request the client is told; an idle one would take it for the answer to its next.
            let is_told = wire.is_evicted() && matches!(wire.waits(), Some(Waits::Unfinished(_)));
            word = is_told.then_some(StatusCode::ServiceUnavailable);
            serving.as_mut().graceful_shutdown();
            // Idle, or half a head: nobody waits for an answer. Who is busy finishes, within the grace time after a stop.
            if wire.is_busy() {
                word = None;
                // Whoever wants the place does not wait for us.
                house.table.tell();
                let cut = async {
                    house.stopped().await;
                    Timer::after(house.grace()).await;
                };
                result = race(serving.as_mut(), cut).await;
            }
        }
        result.unwrap_or(Ok(()))
    };
    wire.ended();
    // Whoever needs the place does not wait for good manners.
    let end = async {
        let late = async {
            Timer::after(house.limits.linger).await;
        };
        late.or(wire.evicted()).await;
    };
    context.seat.closes();
    match last_word(&context, result).or(word) {
        Some(status) => farewell(stream, &raw_refusal(status), end).await,
        None if wire.lingers() => farewell(stream, "", end).await,
        None => drop(stream),
    }
    // The socket, too, is closed before the seat is given back, and the seat before the connection is as good as gone.
    drop(context);
    wire.closed();
}

/// What `work` yields, or nothing if `end` comes first.
async fn race<T>(work: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let end = async {
        end.await;
        None
    };
    async { Some(work.await) }.or(end).await
}

/// What is still to be said to a client whose request could not be read.
fn last_word(context: &Context, result: Result<(), hyper::Error>) -> Option<StatusCode> {
    let error = result.err()?;
    if context.wire.head_expired() {
        return Some(StatusCode::RequestTimeout);
    }
    // hyper answers other nonsense itself, but is silent towards those who speak HTTP/2.
    (error.is_parse_version_h2() && !context.wire.ever_sent()).then_some(StatusCode::BadRequest)
}

/// Says a last word, then reads on until `end`: closing with unread bytes would take the word away from the client.
pub(super) async fn farewell(mut stream: Stream, word: &str, end: impl Future<Output = ()>) {
    let talk = async {
        if stream.write_all(word.as_bytes()).await.is_err() || stream.finish_sending().is_err() {
            return;
        }
        let mut rest = [0_u8; 8192];
        let mut left = LINGER_BYTES;
        while let Ok(count @ 1..) = stream.read(&mut rest).await
            && left > 0
        {
            left = left.saturating_sub(count as u64);
        }
    };
    talk.or(end).await;
}
