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
    for name in visit.parameters.all_queried("log").take(LOGS) {
        let log = open(&visit.site.handle, name).await;
        // By lot, so that a flood in one log holds up no other for good.
        all = Box::pin(stream::race(all, log));
    }
    let hello = stream::once(sse::event("hello", &"logs"));
    Ok(sse::answer(Box::pin(hello.chain(all))))
}

fn beats() -> impl Stream<Item = Vec<u8>> + Send {
    Timer::interval(BEAT).map(|_| sse::BEAT.to_vec())
}

async fn open(handle: &Handle, name: &str) -> Chunks {
    let name = name.to_owned();
    let follow = match name.split_once(':') {
        _ if name == "main" => handle.follow_activity_log(BACKLOG).await,
        Some(("stdout", process)) => {
            handle.follow_log(&Namespec::parse(process), process::Stream::Stdout, BACKLOG).await
        }
        Some(("stderr", process)) => {
            handle.follow_log(&Namespec::parse(process), process::Stream::Stderr, BACKLOG).await
        }
        _ => Err(RequestError::BadName(name.clone())),
    };
    match follow {
        Ok(follow) => {
            let mut decoder = Decoder::default();
            Box::pin(follow.map(move |bytes| {
                let text = Some(decoder.read(&bytes));
                sse::event("log", &Piece { log: &name, text, problem: None })
            }))
        }
        Err(error) => {
            let problem = Some(match error {
                RequestError::NoFile(_) => "no log file".to_owned(),
                other => other.to_string(),
            });
            Box::pin(stream::once(sse::event("log", &Piece { log: &name, text: None, problem })))
        }
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
