//! What the daemon shows in the foreground: the copy of the activity log on stdout, complaints on stderr.
//!
//! Nobody has to read it. A reader that stops reading costs lines of this copy, which are counted; one that goes away
//! ends the copy, and nothing else. The descriptors are used as they are, never set non-blocking: they are shared with
//! whoever started us.

use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use supervisor_core::domain::level::Level;

use super::lane::{Lane, Line, Place};
use super::line::Record;

/// Bytes that may wait for a reader: output that is shown by `supervisor_stdout:event_handler` comes in floods.
const QUEUE: usize = 32 << 20;

/// Which of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Stdout,
    Stderr,
}

/// Some text for one of the streams.
pub(super) struct Shown {
    pub(super) target: Target,
    pub(super) text: String,
}

impl Line for Shown {
    fn size(&self) -> usize {
        self.text.len()
    }

    fn counts_as(&self) -> u64 {
        self.text.bytes().filter(|byte| *byte == b'\n').count() as u64
    }
}

/// The two streams; `None` once nobody can read it any more.
pub(super) struct Streams {
    stdout: Option<Stream>,
    stderr: Option<Stream>,
}

/// A stream of this process, as it is: a duplicate would be one descriptor less for a program.
type Stream = Box<dyn AsFd + Send>;

/// The way to the console.
pub(super) type Console = Lane<Shown, Streams>;

/// Opens the way to stdout and stderr, and starts its thread: for the foreground only, where no fork follows.
pub(super) fn open() -> Console {
    let streams = Streams { stdout: Some(Box::new(io::stdout())), stderr: Some(Box::new(io::stderr())) };
    let console = Lane::new(streams, QUEUE);
    console.start("console");
    console
}

impl Place<Shown> for Streams {
    fn write(&mut self, line: Shown) {
        let stream = match line.target {
            Target::Stdout => &mut self.stdout,
            Target::Stderr => &mut self.stderr,
        };
        if let Some(open) = stream
            && write_all(open, line.text.as_bytes()).is_err()
        {
            *stream = None;
        }
    }

    fn lost(&mut self, lines: u64) {
        let record = Record::now(Level::Warn, format!("{lines} lines were not shown here: nobody read them in time"));
        self.write(Shown { target: Target::Stdout, text: record.render() });
    }
}

/// Writes everything, waiting for room where whoever started us has made the stream non-blocking.
fn write_all(stream: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(stream, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(stream, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read;
    use std::time::Duration;

    use super::*;

    /// Bytes that may wait here.
    const FEW: usize = 1 << 20;

    fn console_into_a_pipe() -> (Console, io::PipeReader) {
        let (reader, writer) = io::pipe().unwrap();
        let streams = Streams { stdout: Some(Box::new(writer)), stderr: None };
        let console = Lane::new(streams, FEW);
        console.start("console");
        (console, reader)
    }

    fn show(console: &Console, text: &str) {
        console.post(Shown { target: Target::Stdout, text: text.to_owned() });
    }

    #[test]
    fn a_reader_that_stops_reading_loses_lines_and_is_told_of_it() {
        let (console, mut reader) = console_into_a_pipe();
        let line = "x".repeat(1023) + "\n";
        for _ in 0..4096 {
            show(&console, &line);
        }
        let collected = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        assert!(console.flush(Duration::from_secs(20)));
        drop(console);
        let text = collected.join().unwrap();
        assert!(text.contains(" lines were not shown here"), "the loss is told");
        assert!(text.len() > FEW, "what fitted is there");
    }

    #[test]
    fn a_reader_that_went_away_ends_the_copy_only() {
        let (console, reader) = console_into_a_pipe();
        drop(reader);
        for _ in 0..100 {
            show(&console, "line\n");
        }
        assert!(console.flush(Duration::from_secs(20)));
    }
}
