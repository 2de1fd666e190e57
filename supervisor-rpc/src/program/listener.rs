//! The event listener protocol from the listener's side (Supervisor 4.3: event listener protocol).

use std::io::{self, BufRead, Write};
use std::ops::Deref;

use supervisor_core::domain::token::{OK, READY, RESULT};
use supervisor_core::listener::Verdict;

use super::{Event, ProgramError};

/// The result that the helpers give for a rejection; any other than `OK` would do.
const FAIL: &[u8] = b"FAIL";

/// A program started as `[eventlistener:x]`.
///
/// Standard output belongs to the protocol: whatever else is written there (`println!`) makes the supervisor give the
/// listener up. Messages for people belong on standard error.
#[derive(Debug)]
pub struct Listener<R, W> {
    input: R,
    output: W,
    /// An event was given out and has not been answered.
    owing: bool,
}

impl Listener<io::StdinLock<'static>, io::Stdout> {
    /// A listener on standard input and standard output.
    pub fn from_stdio() -> Self {
        Self::new(io::stdin().lock(), io::stdout())
    }
}

impl<R: BufRead, W: Write> Listener<R, W> {
    /// A listener on any pair of pipes.
    pub const fn new(input: R, output: W) -> Self {
        Self { input, output, owing: false }
    }

    /// Says READY and waits for the next event; `None` when the supervisor has closed its end, which is the time to
    /// exit.
    ///
    /// # Errors
    /// [`ProgramError`]; the protocol cannot go on after one, so a listener should exit and be restarted.
    pub fn next_event(&mut self) -> Result<Option<Pending<'_, R, W>>, ProgramError> {
        if self.owing {
            self.answer(FAIL)?;
        }
        self.write("say READY", READY)?;
        let event = Event::read(&mut self.input)?;
        self.owing = event.is_some();
        Ok(event.map(|event| Pending { listener: self, event }))
    }

    /// Hears of every event until the supervisor closes its end. What is rejected comes again.
    ///
    /// # Errors
    /// As [`next_event`](Self::next_event).
    pub fn run(&mut self, mut hear: impl FnMut(&Event) -> Verdict) -> Result<(), ProgramError> {
        while let Some(event) = self.next_event()? {
            match hear(&event) {
                Verdict::Processed => event.processed()?,
                Verdict::Rejected => event.rejected()?,
            }
        }
        Ok(())
    }

    fn answer(&mut self, result: &[u8]) -> Result<(), ProgramError> {
        self.owing = false;
        let length = format!("{}\n", result.len());
        self.write("answer an event", &[RESULT, length.as_bytes(), result].concat())
    }

    fn write(&mut self, doing: &'static str, bytes: &[u8]) -> Result<(), ProgramError> {
        let written = self.output.write_all(bytes).and_then(|()| self.output.flush());
        written.map_err(|source| ProgramError::Pipe { doing, source })
    }
}

/// An event that owes an answer. Dropped without one, it is rejected when the next event is asked for.
#[derive(Debug)]
#[must_use = "an event that is not answered is rejected"]
pub struct Pending<'a, R, W> {
    listener: &'a mut Listener<R, W>,
    event: Event,
}

impl<R: BufRead, W: Write> Pending<'_, R, W> {
    /// The event is done.
    ///
    /// # Errors
    /// [`ProgramError::Pipe`].
    pub fn processed(self) -> Result<(), ProgramError> {
        self.listener.answer(OK)
    }

    /// The event is to come again, to this listener or to another one of the pool.
    ///
    /// # Errors
    /// [`ProgramError::Pipe`].
    pub fn rejected(self) -> Result<(), ProgramError> {
        self.listener.answer(FAIL)
    }

    /// Answers with any bytes (at most 1 MiB), for pools with a `result_handler` of their own.
    ///
    /// # Errors
    /// [`ProgramError::Pipe`].
    pub fn result(self, result: &[u8]) -> Result<(), ProgramError> {
        self.listener.answer(result)
    }
}

impl<R, W> Deref for Pending<'_, R, W> {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}
