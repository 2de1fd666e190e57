//! The door through which `benches/` reaches the machines that nobody else needs to reach.
//!
//! Only there with the feature `benching`, which is no part of the public API. Holds no decision of its own: it gives the
//! machines what a running supervisor gives them, and counts what they answer.

use std::time::Duration;

use crate::domain::exit::ExitStatus;
use crate::domain::moment::Moment;
use crate::domain::spec::{Autorestart, Process};
use crate::machine::ansi::StripAnsi;
use crate::machine::capture::Capture;
use crate::machine::process::{Context, Input, ProcessMachine};

/// A process that is started, runs, ends, and is started again.
#[derive(Debug)]
pub struct Lives {
    machine: ProcessMachine,
    settings: Process,
    at: Duration,
}

impl Lives {
    /// Inputs of one life: started, spawned, running, ended.
    pub const INPUTS: u64 = 4;

    /// One that nobody has started yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there is nothing that it could mean")]
    pub fn new() -> Self {
        let mut settings = Process::new("p", "/bin/true");
        settings.autorestart = Autorestart::Never;
        Self { machine: ProcessMachine::default(), settings, at: Duration::ZERO }
    }

    /// One life; gives the number of effects.
    pub fn live(&mut self) -> usize {
        let mut effects = Vec::with_capacity(8);
        let mut count = 0;
        let born = Moment { monotonic: self.at, wall: self.at };
        let ended = born.after(Duration::from_secs(2));
        for (input, now) in [
            (Input::Start, born),
            (Input::Spawned { pid: Some(7), at: born }, born),
            (Input::Deadline, ended),
            (Input::Exited { status: ExitStatus::Exited(0), at: ended }, ended),
        ] {
            self.machine.step(input, Context { now, settings: &self.settings, starts_allowed: true }, &mut effects);
            count += effects.drain(..).count();
        }
        self.at = ended.monotonic;
        count
    }
}

/// The output of a program whose escape sequences are removed.
#[derive(Debug)]
pub struct Stripped {
    machine: StripAnsi,
    left: Vec<u8>,
}

impl Stripped {
    /// Nothing was written yet; there is room for what is left of so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { machine: StripAnsi::new(), left: Vec::with_capacity(bytes) }
    }

    /// One read; gives the number of bytes that are left of it.
    pub fn feed(&mut self, read: &[u8]) -> usize {
        self.left.clear();
        self.machine.feed(read, &mut self.left);
        self.left.len()
    }
}

/// The output of a program that is looked through for the tokens of capture mode.
#[derive(Debug)]
pub struct Captured(Capture);

impl Captured {
    /// Keeps so many bytes of a message.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Capture::new(limit))
    }

    /// One read; gives the number of pieces that it falls into.
    pub fn feed(&mut self, read: &[u8]) -> usize {
        let mut pieces = 0;
        self.0.feed(read, &mut |_| pieces += 1);
        pieces
    }
}
