//! Log streams: the end of a log, then what is appended, without end.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use async_std::io::{BufRead, Read};
use supervisor_core::domain::name::Namespec;
use supervisor_core::process;
use tide::http::conditional::LastModified;
use tide::{Body, Request, Response, StatusCode};

use super::answer::Target;
use super::app::{Chunks, Log, OpenLog, State};
use super::page;
use super::path::logtail_target;
use crate::bridge::poll_copy;

/// How much of a log comes before what is new, in bytes.
const BACKLOG: u64 = 1024;

/// `GET /logtail/NAME[/CHANNEL]`.
pub(super) async fn process(request: Request<State>) -> tide::Result {
    let target = request.ext::<Target>().map_or("", |target| &target.0);
    match process_log(target) {
        Some(log) => Ok(follow(&request, log).await),
        None => Ok(not_found()),
    }
}

/// `GET /mainlogtail`.
pub(super) async fn activity(request: Request<State>) -> tide::Result {
    Ok(follow(&request, Log::Activity).await)
}

fn process_log(path: &str) -> Option<Log> {
    let (name, channel) = logtail_target(path)?;
    let stream = match channel {
        "stdout" => process::Stream::Stdout,
        "stderr" => process::Stream::Stderr,
        _ => return None,
    };
    let name = Namespec::parse(name);
    name.process.is_some().then_some(Log::Process(name, stream))
}

fn not_found() -> Response {
    page::refusal(StatusCode::NotFound).into()
}

async fn follow(request: &Request<State>, log: Log) -> Response {
    let Ok(OpenLog { stream, modified }) = request.state().backend().follow(log, BACKLOG).await else {
        return not_found();
    };
    let mut response = Response::new(StatusCode::Ok);
    response.set_body(stream_body(stream));
    response.insert_header("content-type", "text/plain;charset=utf-8");
    // A proxy must not hold lines back.
    response.insert_header("x-accel-buffering", "no");
    if let Some(modified) = modified {
        let modified = LastModified::new(modified);
        response.insert_header(modified.name(), modified.value());
    }
    response
}

/// How many logs an answer without end opens as it is read, among its extensions: they take descriptors, and are counted
/// with those of all other answers. One that does not say it counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follows(pub usize);

/// A body that sends each chunk of a stream at once. Empty chunks are skipped.
pub fn stream_body(stream: Chunks) -> Body {
    Body::from_reader(ChunkReader { stream: Mutex::new(stream), chunk: Vec::new(), at: 0 }, None)
}

/// Reads the chunks of a stream. The mutex is never locked; it makes the stream `Sync`, as bodies must be.
struct ChunkReader {
    stream: Mutex<Chunks>,
    chunk: Vec<u8>,
    at: usize,
}

impl BufRead for ChunkReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.at >= this.chunk.len() {
            let stream = this.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
            // What has been read is forgotten before the stream may make us wait.
            (this.chunk, this.at) = (Vec::new(), 0);
            match ready!(stream.as_mut().poll_next(cx)) {
                Some(chunk) => this.chunk = chunk,
                None => return Poll::Ready(Ok(&[])),
            }
        }
        Poll::Ready(Ok(&this.chunk[this.at..]))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.at = (self.at + amount).min(self.chunk.len());
    }
}

impl Read for ChunkReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_copy(self, cx, into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_log() {
        let process = |name, stream| Some(Log::Process(Namespec::parse(name), stream));
        for (path, expected) in [
            ("/logtail/cat", process("cat", process::Stream::Stdout)),
            ("/logtail/g:p/stderr", process("g:p", process::Stream::Stderr)),
            ("/logtail/cat/bogus", None),
            ("/logtail/cat/stdout/", None),
            ("/logtail/g:*", None),
            ("/logtail/g:", None),
            ("/logtail", None),
        ] {
            assert_eq!(process_log(path), expected, "{path}");
        }
    }
}
