//! The log view's connection: several logs over one stream, each from near its end on, without end.

use std::time::Duration;

use async_io::Timer;
use futures_lite::stream::{self, Stream, StreamExt as _};
use serde::Serialize;
use supervisor_core::domain::name::Namespec;
use supervisor_core::process;
use supervisor_core::{Handle, RequestError};
use supervisor_rpc::server::Chunks;

use super::site::Visit;
use super::sse;

/// How much of each log comes before what is new, in bytes.
const BACKLOG: u64 = 64 << 10;

/// So many logs at once.
const LOGS: usize = 8;

/// A log that has no file yet is looked for this often.
const AGAIN: Duration = Duration::from_secs(1);

/// A quiet connection says this often that it is there.
const BEAT: Duration = Duration::from_secs(10);

/// What is sent of a log: text, or what is wrong.
#[derive(Serialize)]
struct Piece<'a> {
    log: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// `GET /live/logs?log=stdout:NAME&log=stderr:NAME`; `log=main` is the activity log.
pub(super) async fn answer(visit: Visit) -> tide::Result {
    let mut all: Chunks = Box::pin(beats());
    let mut count = 0;
    for name in visit.parameters.all_queried("log").take(LOGS) {
        count += 1;
        let log = Log::new(visit.site.handle.clone(), name).pieces();
        // By lot, so that a flood in one log holds up no other for good.
        all = Box::pin(stream::race(all, log));
    }
    let hello = stream::once(sse::event("hello", &"logs"));
    Ok(sse::answer(Box::pin(hello.chain(all)), count))
}

fn beats() -> impl Stream<Item = Vec<u8>> + Send {
    Timer::interval(BEAT).map(|_| sse::BEAT.to_vec())
}

/// One log on its way to the page.
struct Log {
    handle: Handle,
    name: String,
    follow: Option<Chunks>,
    decoder: Decoder,
    /// That there is no file has been said.
    is_missed: bool,
    /// There is nothing to wait for.
    has_ended: bool,
}

impl Log {
    fn new(handle: Handle, name: &str) -> Self {
        let (name, decoder) = (name.to_owned(), Decoder::default());
        Self { handle, name, follow: None, decoder, is_missed: false, has_ended: false }
    }

    fn pieces(self) -> Chunks {
        let pieces = stream::unfold(self, |mut log| async move { log.next().await.map(|piece| (piece, log)) });
        // A race asks those again that have ended.
        Box::pin(pieces.fuse())
    }

    /// A file that is not there yet is missed once, then waited for: the first line of a program may come late.
    async fn next(&mut self) -> Option<Vec<u8>> {
        while !self.has_ended {
            if let Some(follow) = &mut self.follow {
                let bytes = follow.next().await?;
                let text = self.decoder.read(&bytes);
                return Some(self.event(Ok(text)));
            }
            match self.open().await {
                Ok(follow) => self.follow = Some(follow),
                Err(RequestError::NoFile(_)) if self.is_missed => {
                    Timer::after(AGAIN).await;
                }
                Err(RequestError::NoFile(_)) => {
                    self.is_missed = true;
                    return Some(self.event(Err("no log file".to_owned())));
                }
                Err(error) => {
                    self.has_ended = true;
                    return Some(self.event(Err(error.to_string())));
                }
            }
        }
        None
    }

    async fn open(&mut self) -> Result<Chunks, RequestError> {
        let handle = &self.handle;
        let follow = match self.name.split_once(':') {
            _ if self.name == "main" => handle.follow_activity_log(BACKLOG).await,
            Some(("stdout", process)) => {
                handle.follow_log(&Namespec::parse(process), process::Stream::Stdout, BACKLOG).await
            }
            Some(("stderr", process)) => {
                handle.follow_log(&Namespec::parse(process), process::Stream::Stderr, BACKLOG).await
            }
            _ => Err(RequestError::BadName(self.name.clone())),
        };
        Ok(Box::pin(follow?))
    }

    fn event(&self, read: Result<String, String>) -> Vec<u8> {
        let (text, problem) = match read {
            Ok(text) => (Some(text), None),
            Err(problem) => (None, Some(problem)),
        };
        sse::event("log", &Piece { log: &self.name, text, problem })
    }
}

/// Turns bytes into text, with characters that are cut in two by the end of a chunk put together again.
#[derive(Default)]
struct Decoder {
    rest: Vec<u8>,
}

impl Decoder {
    fn read(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let cut = incomplete(&self.rest);
        let rest = self.rest.split_off(self.rest.len() - cut);
        let whole = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&whole).into_owned()
    }
}

/// How many bytes at the end begin a character that is not complete.
fn incomplete(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(3);
    (from..bytes.len())
        .find(|at| {
            std::str::from_utf8(&bytes[*at..])
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .map_or(0, |at| bytes.len() - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_survive_being_cut() {
        let text = "aé€😀z".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut decoder = Decoder::default();
                let parts = [&text[..first], &text[first..second], &text[second..]];
                let read: String = parts.map(|part| decoder.read(part)).concat();
                assert_eq!(read, "aé€😀z", "{first} {second}");
            }
        }
    }

    #[test]
    fn what_is_no_text_is_replaced_at_once() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.read(b"a\xff"), "a\u{fffd}");
        assert_eq!(decoder.read(b"\xe2\x82"), "");
        assert_eq!(decoder.read(b"x"), "\u{fffd}x");
    }
}
