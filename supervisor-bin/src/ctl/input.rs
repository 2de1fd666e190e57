//! Lines and passwords that a person or a script types.
//!
//! Standard input is read by one buffer for the shell and for `fg`, without a thread, so that no line is lost between
//! the two; its descriptor is never set non-blocking, since other processes share it.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::pin::Pin;

use async_io::Async;
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The longest line that is read; more than that ends the input with an error.
const LINE_LIMIT: usize = 1 << 20;

/// Ctrl-C as a character.
const INTERRUPT: u8 = 3;

/// A line to come: without its newline, `None` at the end of the input.
pub(super) type Line<'a> = Pin<Box<dyn Future<Output = io::Result<Option<String>>> + 'a>>;

/// Where lines come from.
pub(super) trait Input {
    /// The next line.
    fn line(&mut self) -> Line<'_>;

    /// Asks with an editor of its own; `None` without one, so that a prompt and [`Input::line`] must do.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] for Ctrl-C.
    fn answer(&mut self, _prompt: &str) -> Option<io::Result<Option<String>>> {
        None
    }

    /// Asks for a password on the terminal without showing it; `None` at the end of the input.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] for Ctrl-C.
    fn password(&mut self, prompt: &str) -> io::Result<Option<String>>;
}

/// Standard input.
#[derive(Debug, Default)]
pub(super) struct StandardInput {
    buffer: Vec<u8>,
    readiness: Option<Async<io::Stdin>>,
}

impl Input for StandardInput {
    fn line(&mut self) -> Line<'_> {
        Box::pin(self.next_line())
    }

    fn password(&mut self, prompt: &str) -> io::Result<Option<String>> {
        match OpenOptions::new().read(true).write(true).open("/dev/tty") {
            Ok(terminal) => hidden_line(terminal, prompt),
            Err(_) => {
                // No terminal, so nothing is shown anyway.
                io::stderr().write_all(prompt.as_bytes())?;
                async_io::block_on(self.next_line())
            }
        }
    }
}

impl StandardInput {
    async fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(line) = take_line(&mut self.buffer) {
                return Ok(Some(line));
            }
            if self.buffer.len() > LINE_LIMIT {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the input is too long"));
            }
            if self.fill().await? == 0 {
                let rest = std::mem::take(&mut self.buffer);
                return Ok((!rest.is_empty()).then(|| text(rest)));
            }
        }
    }

    /// Reads what is there, or waits for more; 0 at the end.
    async fn fill(&mut self) -> io::Result<usize> {
        if self.readiness.is_none() {
            // A regular file cannot be waited for and is always ready.
            self.readiness = Async::new_nonblocking(io::stdin()).ok();
        }
        let mut chunk = [0; 4096];
        loop {
            if let Some(readiness) = &self.readiness {
                readiness.readable().await?;
            }
            match rustix::io::read(io::stdin(), &mut chunk) {
                Ok(count) => {
                    self.buffer.extend_from_slice(&chunk[..count]);
                    return Ok(count);
                }
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn take_line(buffer: &mut Vec<u8>) -> Option<String> {
    let end = buffer.iter().position(|byte| *byte == b'\n')?;
    let mut line: Vec<u8> = buffer.drain(..=end).collect();
    line.pop();
    Some(text(line))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A terminal whose settings are put back in the end.
struct Quiet {
    terminal: std::fs::File,
    before: Termios,
}

impl Quiet {
    /// Neither echo nor signals; Ctrl-C ends a line instead, so that the settings are put back then too.
    fn new(terminal: std::fs::File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut settings = before.clone();
        settings.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
        settings.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(&terminal, OptionalActions::Drain, &settings)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing is left to do about a terminal that is gone.
        let _ = tcsetattr(&self.terminal, OptionalActions::Drain, &self.before);
        let _ = self.terminal.write_all(b"\n");
    }
}

/// A line typed at a terminal that does not show it; `None` at the end of the input.
///
/// # Errors
/// [`io::ErrorKind::Interrupted`] for Ctrl-C.
pub(crate) fn hidden_line(terminal: std::fs::File, prompt: &str) -> io::Result<Option<String>> {
    let mut quiet = Quiet::new(terminal)?;
    quiet.terminal.write_all(prompt.as_bytes())?;
    let mut line = Vec::new();
    let mut chunk = [0; 256];
    loop {
        let count = quiet.terminal.read(&mut chunk)?;
        line.extend_from_slice(&chunk[..count]);
        match line.last() {
            Some(&INTERRUPT) => return Err(io::ErrorKind::Interrupted.into()),
            Some(b'\n') => {
                line.pop();
                return Ok(Some(text(line)));
            }
            None => return Ok(None),
            Some(_) if count == 0 || line.len() > LINE_LIMIT => return Ok(Some(text(line))),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_one_by_one() {
        let mut buffer = b"one\ntw\xff\n\nrest".to_vec();
        assert_eq!(take_line(&mut buffer).as_deref(), Some("one"));
        assert_eq!(take_line(&mut buffer).as_deref(), Some("tw\u{fffd}"));
        assert_eq!(take_line(&mut buffer).as_deref(), Some(""));
        assert_eq!(take_line(&mut buffer), None);
        assert_eq!(buffer, b"rest");
    }
}
