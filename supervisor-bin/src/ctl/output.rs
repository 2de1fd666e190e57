//! The output of a command, which may be lost on the way: its reader has left, or the disk behind it is full.
//!
//! Remembers the first error and tries no more then. Whether a command goes on without its output is decided in
//! `session.rs`.

use std::io::{self, Write};

/// See the module.
pub(super) struct Output {
    to: Box<dyn Write>,
    lost: Option<io::ErrorKind>,
}

impl Output {
    pub(super) fn new(to: Box<dyn Write>) -> Self {
        Self { to, lost: None }
    }

    fn attempt<T>(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        if let Some(kind) = self.lost {
            return Err(kind.into());
        }
        write(&mut *self.to).inspect_err(|error| {
            // One that is interrupted is tried again by the caller.
            if error.kind() != io::ErrorKind::Interrupted {
                self.lost = Some(error.kind());
            }
        })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|to| to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt(|to| to.flush())
    }
}
