//! The supervisor's side of one listener's protocol (Supervisor 4.3: event listener states).
//!
//! Reads what the listener writes to stdout and says what it means. What a result means is the result handler's
//! business: after a [`Step::Result`] the caller asks it and reports with [`Protocol::handled`]. Events are sent by the
//! caller, who says so with [`Protocol::sent`]. The process keeps running whatever happens here.

use std::fmt;

use memchr::memchr;

use crate::domain::level::Level;
use crate::domain::state::ListenerState;
use crate::domain::text::text_of;
use crate::domain::token::{OK, READY, RESULT};

/// The longest result line, without its newline, in bytes.
pub(crate) const MAX_RESULT_LINE: usize = 64 * 1024;

/// The longest result, in bytes.
pub(crate) const MAX_RESULT: usize = 1024 * 1024;

/// How much of a bad result line is told, in bytes.
const MAX_TOLD: usize = 512;

/// How much may be waiting while a result is being handled, in bytes: a READY line, or what came in the same read.
const MAX_WAITING: usize = 1024 * 1024;

/// What the listener's output came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The state changed.
    Changed(Transition),
    /// A whole result; it waits for [`Protocol::handled`], and nothing follows it before.
    Result(Vec<u8>),
    /// The line that should have announced a result (shortened if it is very long). A change to UNKNOWN follows.
    BadResultLine(String),
    /// The event that the listener has is to be given back to its pool.
    GiveBack,
}

/// A change of a listener's state; `Display` gives `ACKNOWLEDGED -> READY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transition {
    /// The state left.
    pub(crate) from: ListenerState,
    /// The state entered.
    pub(crate) to: ListenerState,
}

/// What the result handler made of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handled {
    /// The event is done.
    Processed,
    /// The event is to come again.
    Rejected,
    /// The handler itself failed: the event is to come again, but not to this listener.
    Failed,
}

/// The result handler that stands in every configuration: exactly `OK` is done, anything else a rejection.
pub(crate) fn default_handler(result: &[u8]) -> Handled {
    if result == OK { Handled::Processed } else { Handled::Rejected }
}

/// The protocol with one run of a listener process.
///
/// Invariants: how the output is cut into reads changes nothing. Memory is bounded by the limits above, whatever the
/// listener writes. In UNKNOWN nothing is kept.
#[derive(Debug)]
pub(crate) struct Protocol {
    state: ListenerState,
    /// What has been read and not yet understood.
    buffer: Vec<u8>,
    /// The length of the result whose line has been read.
    announced: Option<usize>,
    /// A result has been given out and not yet been handled.
    handling: bool,
}

impl Protocol {
    /// A listener that has just been started: ACKNOWLEDGED.
    pub(crate) const fn new() -> Self {
        Self { state: ListenerState::Acknowledged, buffer: Vec::new(), announced: None, handling: false }
    }

    /// The listener's state.
    pub(crate) const fn state(&self) -> ListenerState {
        self.state
    }

    /// An event has been handed to the listener: READY becomes BUSY, which Supervisor does not log. False, and nothing
    /// changes, in any other state.
    pub(crate) fn sent(&mut self) -> bool {
        let ready = self.state == ListenerState::Ready;
        if ready {
            self.state = ListenerState::Busy;
        }
        ready
    }

    /// Takes what was read from the listener.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut rest = bytes;
        // One bite at a time, so that no more is kept than the present state can need.
        while !rest.is_empty() {
            if self.state == ListenerState::Unknown {
                break;
            }
            let (bite, later) = rest.split_at(rest.len().min(self.appetite()));
            if bite.is_empty() {
                self.violated(&mut steps);
                break;
            }
            self.buffer.extend_from_slice(bite);
            rest = later;
            self.advance(&mut steps);
        }
        steps
    }

    /// The result handler has spoken about the last [`Step::Result`]. What came after the result is taken up again.
    pub(crate) fn handled(&mut self, handled: Handled) -> Vec<Step> {
        let mut steps = Vec::new();
        if !std::mem::take(&mut self.handling) {
            return steps;
        }
        match (self.state, handled) {
            // It broke the protocol meanwhile.
            (ListenerState::Unknown, _) => {}
            (_, Handled::Failed) => self.violated(&mut steps),
            (_, Handled::Processed | Handled::Rejected) => self.enter(ListenerState::Acknowledged, &mut steps),
        }
        if handled != Handled::Processed && !steps.contains(&Step::GiveBack) {
            steps.push(Step::GiveBack);
        }
        self.advance(&mut steps);
        steps
    }

    /// How many bytes the present state can take before something must come of them; 0 breaks the protocol.
    fn appetite(&self) -> usize {
        let needed = match (self.state, self.announced) {
            (ListenerState::Acknowledged, _) => READY.len(),
            (ListenerState::Busy, _) if self.handling => MAX_WAITING,
            (ListenerState::Busy, None) => MAX_RESULT_LINE + 1,
            (ListenerState::Busy, Some(length)) => length,
            (ListenerState::Ready | ListenerState::Unknown, _) => 1,
        };
        needed.saturating_sub(self.buffer.len())
    }

    /// Makes of the buffer whatever can be made of it.
    fn advance(&mut self, steps: &mut Vec<Step>) {
        while self.advance_once(steps) {}
    }

    /// True if something came of it, so that what is left may be worth a look.
    fn advance_once(&mut self, steps: &mut Vec<Step>) -> bool {
        if self.handling {
            return false;
        }
        match self.state {
            ListenerState::Unknown => {
                self.buffer = Vec::new();
                false
            }
            ListenerState::Ready => {
                let any = !self.buffer.is_empty();
                if any {
                    self.violated(steps);
                }
                any
            }
            ListenerState::Acknowledged if self.buffer.len() < READY.len() => false,
            ListenerState::Acknowledged if self.buffer.starts_with(READY) => {
                self.buffer.drain(..READY.len());
                self.enter(ListenerState::Ready, steps);
                true
            }
            ListenerState::Acknowledged => {
                self.violated(steps);
                true
            }
            ListenerState::Busy => match self.announced {
                None => self.read_result_line(steps),
                Some(length) if self.buffer.len() < length => false,
                Some(length) => {
                    let rest = self.buffer.split_off(length);
                    steps.push(Step::Result(std::mem::replace(&mut self.buffer, rest)));
                    self.announced = None;
                    self.handling = true;
                    true
                }
            },
        }
    }

    fn read_result_line(&mut self, steps: &mut Vec<Step>) -> bool {
        let line = match memchr(b'\n', &self.buffer) {
            Some(end) => &self.buffer[..end],
            None if self.buffer.len() <= MAX_RESULT_LINE => return false,
            None => &self.buffer[..],
        };
        match announced_length(line) {
            Some(length) if line.len() < self.buffer.len() => {
                self.announced = Some(length);
                self.buffer.drain(..=line.len());
            }
            _ => {
                let told = &line[..line.len().min(MAX_TOLD)];
                let more = if told.len() < line.len() { "..." } else { "" };
                steps.push(Step::BadResultLine(format!("{}{more}", text_of(told))));
                self.violated(steps);
            }
        }
        true
    }

    /// Enters UNKNOWN. A whole result that came before still counts: what its handler says decides about the event.
    fn violated(&mut self, steps: &mut Vec<Step>) {
        let had_event = self.state == ListenerState::Busy;
        self.buffer = Vec::new();
        self.announced = None;
        self.enter(ListenerState::Unknown, steps);
        if had_event && !self.handling {
            steps.push(Step::GiveBack);
        }
    }

    fn enter(&mut self, to: ListenerState, steps: &mut Vec<Step>) {
        let from = std::mem::replace(&mut self.state, to);
        if from != to {
            steps.push(Step::Changed(Transition { from, to }));
        }
    }
}

/// The length that a result line announces: `RESULT `, then a number of at most [`MAX_RESULT`], with or without blanks
/// around it and a plus sign.
fn announced_length(line: &[u8]) -> Option<usize> {
    let number = std::str::from_utf8(line.strip_prefix(RESULT)?).ok()?;
    number.trim_ascii().parse().ok().filter(|length| *length <= MAX_RESULT)
}

impl Step {
    /// The lines of the activity log for this step, in order, each given to `write`.
    pub(crate) fn narrate(&self, listener: &str, write: &mut dyn FnMut(Level, fmt::Arguments<'_>)) {
        match self {
            Self::Changed(transition) => {
                write(Level::Debug, format_args!("{listener}: {transition}"));
                if transition.to == ListenerState::Unknown {
                    write(
                        Level::Warn,
                        format_args!(
                            "{listener}: has entered the UNKNOWN state and will no longer receive events, this usually \
                             indicates the process violated the eventlistener protocol"
                        ),
                    );
                }
            }
            Self::BadResultLine(line) => write(Level::Warn, format_args!("{listener}: bad result line: '{line}'")),
            Self::Result(_) | Self::GiveBack => {}
        }
    }
}

impl Handled {
    /// The line of the activity log for a handled result; it goes before those of the steps that follow.
    pub(crate) fn narrate(self, listener: &str, write: &mut dyn FnMut(Level, fmt::Arguments<'_>)) {
        match self {
            Self::Processed => write(Level::Debug, format_args!("{listener}: event was processed")),
            Self::Rejected => write(Level::Warn, format_args!("{listener}: event was rejected")),
            Self::Failed => write(Level::Warn, format_args!("{listener}: event caused an error")),
        }
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests;
