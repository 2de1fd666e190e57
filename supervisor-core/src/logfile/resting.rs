//! A log file that is closed as long as nothing is written to it, for processes that may open few files.
//!
//! Decides nothing about when: whoever writes puts it to [rest](RotatingFile::rest) and [wakes](Resting::wake) it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::loss::{Loss, Notice};
use super::open::open_append;
use super::rotating::RotatingFile;

/// See the module. Its path names the file that was written last, or one that somebody has put there since.
#[derive(Debug)]
pub(crate) struct Resting {
    path: Arc<Path>,
    loss: Loss,
}

impl Resting {
    /// A log whose file has just been closed.
    pub(super) const fn new(path: Arc<Path>, loss: Loss) -> Self {
        Self { path, loss }
    }

    /// Opens it again.
    ///
    /// # Errors
    /// What the system says of the path; it goes on resting then.
    pub(crate) fn wake(&mut self, maxbytes: u64, backups: u64) -> io::Result<RotatingFile> {
        let file = open_append(&self.path)?;
        let file = RotatingFile::with_file(Arc::clone(&self.path), file, maxbytes, backups)?;
        Ok(self.hand_over(file))
    }

    /// Goes on with what was just opened at our path; what was lost so far stays counted.
    pub(crate) fn hand_over(&mut self, file: RotatingFile) -> RotatingFile {
        file.with_loss(std::mem::take(&mut self.loss))
    }

    /// Takes note of what could not be written because it could not be opened.
    pub(crate) fn lost(&mut self, lost: usize, error: io::Error, tell: &mut dyn FnMut(Notice)) {
        self.loss.lost(lost, error, tell);
    }

    /// Reports the losses that have not been reported.
    pub(crate) fn end_loss(&mut self, tell: &mut dyn FnMut(Notice)) {
        self.loss.end(tell);
    }
}
