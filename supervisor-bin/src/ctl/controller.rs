//! Takes a command line, finds its command, runs it, and deals with what the command left unsaid.
//!
//! Decides the rules for every command: unknown ones, unexpected failures (`error: …`), and what happens when the
//! server wants a name and a password.

use std::io;

use supervisor_core::domain::server::Credentials;

use super::command::Arguments;
use super::connection::ClientError;
use super::exit_status::ExitStatus;
use super::session::{Failure, Outcome, Session};

/// Runs command lines one after the other.
pub(super) struct Controller {
    pub(super) session: Session,
}

impl Controller {
    /// Runs a line to its end.
    ///
    /// # Errors
    /// If the output cannot be written; there is no sense in going on then.
    pub(super) fn execute(&mut self, line: &str) -> io::Result<()> {
        let outcome = match self.run(line) {
            Err(Failure::Client(ClientError::Unauthorised)) => self.authenticate(line),
            outcome => outcome,
        };
        let flushed = self.session.bytes(b"");
        outcome.or_else(|failure| self.explain(failure)).and(flushed).or_else(|failure| match failure {
            Failure::Output(error) => Err(error),
            _ => Ok(()),
        })
    }

    fn run(&mut self, line: &str) -> Outcome {
        let Some((name, arguments)) = split(line) else {
            if line.trim().is_empty() {
                return Ok(());
            }
            return self.unknown(line);
        };
        let commands = self.session.commands();
        match commands.find(name) {
            Some(command) => command.run(&mut self.session, &Arguments::new(arguments)),
            None => self.unknown(line),
        }
    }

    fn unknown(&mut self, line: &str) -> Outcome {
        self.session.fail(format_args!("*** Unknown syntax: {}", line.trim()), ExitStatus::FAILED)
    }

    /// What an unexpected failure prints.
    fn explain(&mut self, failure: Failure) -> Outcome {
        match failure {
            Failure::Told => Ok(()),
            Failure::Output(_) => Err(failure),
            Failure::Interrupted => self.session.line(""),
            Failure::Input(error) => {
                self.session.fail(format_args!("error: cannot read the input: {error}"), ExitStatus::FAILED)
            }
            Failure::Client(error) => {
                let sentence = error.sentence(self.session.url());
                let prefix = if matches!(error, ClientError::Unauthorised) { "" } else { "error: " };
                self.session.fail(format_args!("{prefix}{sentence}"), ExitStatus::FAILED)?;
                self.session.advise(&error);
                Ok(())
            }
        }
    }

    /// The server wants to know who asks: in the shell the person is asked and the line runs again.
    fn authenticate(&mut self, line: &str) -> Outcome {
        if !self.session.is_interactive() {
            return Err(ClientError::Unauthorised.into());
        }
        self.session.fail(ClientError::Unauthorised.sentence(""), ExitStatus::FAILED)?;
        let Some(username) = self.session.question("Username:")? else { return Ok(()) };
        let password = match self.session.streams.input.password("Password:") {
            Ok(Some(password)) => password,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(Failure::Interrupted),
            Err(error) => return Err(Failure::Input(error)),
        };
        self.session.set_credentials(Some(Credentials { username, password }));
        let outcome = self.run(line);
        if matches!(outcome, Err(Failure::Client(ClientError::Unauthorised))) {
            // Wrong ones are not kept, so that the next command asks again.
            self.session.set_credentials(None);
        }
        outcome
    }
}

/// The command and its arguments: the longest prefix of letters, digits and underscores, and the rest.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if let Some(topic) = line.strip_prefix('?') {
        return Some(("help", topic.trim()));
    }
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(line.len());
    (end > 0).then(|| (&line[..end], line[end..].trim()))
}

#[cfg(test)]
mod tests;
