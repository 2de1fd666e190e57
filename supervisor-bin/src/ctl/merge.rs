//! Many logs as one: lines stay whole, and each says where it comes from.

use std::io;
use std::task::Poll;

use futures_lite::future;
use supervisor_core::process::Stream;

use super::connection::LogStream;
use super::look::{Colour, Look};

/// A line longer than this is shown in pieces, in bytes.
const LONGEST_LINE: usize = 64 << 10;

/// What stands before each line of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix(Vec<u8>);

impl Prefix {
    /// The prefix of a log of the process with this name and number; names are padded to `width`.
    pub(super) fn new(name: &str, number: usize, width: usize, stream: Stream, look: Look) -> Self {
        let name = look.paint(Colour::of_name(number), &format!("{name:width$}"));
        let stream = match stream {
            Stream::Stdout => "out".to_owned(),
            Stream::Stderr => look.paint(Colour::RED, "err"),
        };
        Self(format!("{name} {stream} | ").into_bytes())
    }

    /// A line as it is shown: its own colours end with it, if there are colours.
    pub(super) fn put(&self, line: &[u8], look: Look) -> Vec<u8> {
        let end: &[u8] = if look.colours && line.contains(&0x1b) { b"\x1b[0m\n" } else { b"\n" };
        [&self.0, line, end].concat()
    }
}

/// Makes lines of chunks.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that are whole with this chunk, without their newlines.
    pub(super) fn add(&mut self, chunk: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(chunk);
        let mut lines = Vec::new();
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in self.rest.drain(..whole).as_slice().split_inclusive(|byte| *byte == b'\n') {
            lines.push(line.strip_suffix(b"\n").unwrap_or(line).to_vec());
        }
        while self.rest.len() >= LONGEST_LINE {
            lines.push(self.rest.drain(..LONGEST_LINE).collect());
        }
        lines
    }

    /// What has no newline yet.
    pub(super) fn end(self) -> Option<Vec<u8>> {
        Some(self.rest).filter(|rest| !rest.is_empty())
    }
}

/// The last `count` lines of a text, newlines included.
pub(super) fn last_lines(text: &[u8], count: usize) -> &[u8] {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let Some(before) = count.checked_sub(1) else { return &[] };
    match body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').nth(before) {
        Some((at, _)) => &text[at + 1..],
        None => text,
    }
}

/// Many logs that grow.
#[derive(Default)]
pub(super) struct Merge {
    logs: Vec<(usize, LogStream)>,
    turn: usize,
}

impl Merge {
    /// Adds the log with this number.
    pub(super) fn add(&mut self, number: usize, log: LogStream) {
        self.logs.push((number, log));
    }

    /// The next chunk of any log, with the number of the log. `None` in its place is the end of that log, and instead of
    /// all of it the end of all. Each log gets its turn, however much another one writes.
    pub(super) async fn next(&mut self) -> Option<(usize, Option<io::Result<Vec<u8>>>)> {
        future::poll_fn(|context| {
            let count = self.logs.len();
            if count == 0 {
                return Poll::Ready(None);
            }
            for step in 0..count {
                let at = (self.turn + step) % count;
                let (number, log) = &mut self.logs[at];
                let number = *number;
                let Poll::Ready(chunk) = log.as_mut().poll_next(context) else { continue };
                self.turn = at + 1;
                if !matches!(chunk, Some(Ok(_))) {
                    drop(self.logs.swap_remove(at));
                }
                return Poll::Ready(Some((number, chunk)));
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::stream;

    use super::*;

    #[test]
    fn chunks_become_lines() {
        let mut lines = Lines::default();
        assert_eq!(lines.add(b"one\ntw"), [b"one".to_vec()]);
        assert_eq!(lines.add(b"o\n\nrest"), [b"two".to_vec(), b"".to_vec()]);
        let long = lines.add(&vec![b'x'; LONGEST_LINE]);
        assert_eq!((long.len(), long[0].len()), (1, LONGEST_LINE));
        assert_eq!(lines.end().map(|rest| rest.len()), Some(4));
        assert_eq!(Lines::default().end(), None);
    }

    #[test]
    fn the_last_lines_of_a_text() {
        for (count, want) in
            [(0, ""), (1, "three\n"), (2, "two\nthree\n"), (3, "one\ntwo\nthree\n"), (9, "one\ntwo\nthree\n")]
        {
            assert_eq!(last_lines(b"one\ntwo\nthree\n", count), want.as_bytes());
        }
        assert_eq!(last_lines(b"one\ntwo", 1), b"two");
        assert_eq!(last_lines(b"", 3), b"");
    }

    #[test]
    fn a_prefix_says_which_log_it_is() {
        let plain = Prefix::new("web", 0, 5, Stream::Stderr, Look::default());
        assert_eq!(plain.put(b"oops\x1b[31m", Look::default()), b"web   err | oops\x1b[31m\n");
        let look = Look { colours: true, progress: false };
        let painted = Prefix::new("web", 0, 3, Stream::Stdout, look);
        assert_eq!(painted.put(b"\x1b[1mx", look), b"\x1b[36mweb\x1b[0m out | \x1b[1mx\x1b[0m\n");
        assert_eq!(painted.put(b"x", look), b"\x1b[36mweb\x1b[0m out | x\n");
    }

    #[test]
    fn every_log_gets_its_turn() {
        let log = |count: usize| -> LogStream { Box::pin(stream::iter((0..count).map(|_| Ok(b"x".to_vec())))) };
        let mut merge = Merge::default();
        merge.add(0, log(3));
        merge.add(1, log(2));
        let mut order = Vec::new();
        while let Some((number, chunk)) = future::block_on(merge.next()) {
            order.push((number, chunk.is_some()));
        }
        assert_eq!(order, [(0, true), (1, true), (0, true), (1, true), (0, true), (1, false), (0, false)]);
    }
}
