//! Counts output that could not be kept, and says so once when it begins and once when it ends.
//!
//! A disk that is full by moments must not fill the activity log: after a loss has been told of, the next one is told of
//! ten seconds later at the earliest. Its bytes are in the count of the next report all the same.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::domain::level::Level;

/// Between two reports that a loss has begun.
const PAUSE: Duration = Duration::from_secs(10);

/// Something about a log that somebody should know. Shown without the name of the log: `cannot be written: …`.
#[derive(Debug)]
pub enum Notice {
    /// From now on output is lost.
    Losing(io::Error),
    /// It is written again; so many bytes were lost.
    Lost(u64),
    /// Nothing more will be written; so many bytes were lost.
    LostToTheEnd(u64),
    /// It cannot be rotated and grows beyond its limit.
    CannotRotate(io::Error),
    /// It is rotated again.
    Rotates,
    /// It could not be opened when it should have been, and now is.
    Reopened,
}

impl Notice {
    /// How much it matters.
    pub const fn level(&self) -> Level {
        match self {
            Self::Losing(_) | Self::CannotRotate(_) => Level::Error,
            Self::Lost(_) | Self::LostToTheEnd(_) => Level::Warn,
            Self::Rotates | Self::Reopened => Level::Info,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Losing(error) => write!(f, "cannot be written, output is lost until it can: {error}"),
            Self::Lost(bytes) => write!(f, "is written again, {bytes} bytes were lost"),
            Self::LostToTheEnd(bytes) => write!(f, "could not be written to the end, {bytes} bytes were lost"),
            Self::CannotRotate(error) => write!(f, "cannot be rotated and grows until it can: {error}"),
            Self::Rotates => write!(f, "is rotated again"),
            Self::Reopened => write!(f, "could be opened again"),
        }
    }
}

/// The losses of one log.
#[derive(Debug, Default)]
pub struct Loss {
    /// Lost since the last report of an end.
    bytes: u64,
    /// When the last beginning was told.
    told_at: Option<Instant>,
    /// A beginning has been told, its end has not.
    told: bool,
}

impl Loss {
    /// Takes note of a write that lost `lost` bytes because of `error`.
    pub fn lost(&mut self, lost: usize, error: io::Error, tell: &mut dyn FnMut(Notice)) {
        self.bytes = self.bytes.saturating_add(lost as u64);
        if !self.told && self.pause_is_over() {
            self.told = true;
            self.told_at = Some(Instant::now());
            tell(Notice::Losing(error));
        }
    }

    /// Takes note of a write that lost nothing.
    pub fn kept(&mut self, tell: &mut dyn FnMut(Notice)) {
        if self.bytes > 0 && (self.told || self.pause_is_over()) {
            self.told = false;
            tell(Notice::Lost(std::mem::take(&mut self.bytes)));
        }
    }

    /// Reports what has not been reported yet: nothing more will be written.
    pub fn end(&mut self, tell: &mut dyn FnMut(Notice)) {
        self.told = false;
        if self.bytes > 0 {
            tell(Notice::LostToTheEnd(std::mem::take(&mut self.bytes)));
        }
    }

    fn pause_is_over(&self) -> bool {
        self.told_at.is_none_or(|at| at.elapsed() >= PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_is_told_at_its_beginning_and_its_end_and_flapping_is_summed() {
        let mut lines = Vec::new();
        let mut loss = Loss::default();
        let mut tell = |notice: Notice| lines.push(notice.to_string());
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        loss.kept(&mut tell);
        loss.lost(3, full(), &mut tell);
        loss.lost(4, full(), &mut tell);
        loss.kept(&mut tell);
        loss.kept(&mut tell);
        // A second loss at once is counted, but not told of before the pause is over.
        loss.lost(5, full(), &mut tell);
        loss.kept(&mut tell);
        loss.lost(6, full(), &mut tell);
        loss.end(&mut tell);
        loss.end(&mut tell);
        assert_eq!(
            lines,
            [
                "cannot be written, output is lost until it can: no storage space",
                "is written again, 7 bytes were lost",
                "could not be written to the end, 11 bytes were lost",
            ]
        );
    }
}
