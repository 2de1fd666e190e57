//! Takes a command line, finds its command, runs it, and deals with what the command left unsaid.
//!
//! Decides the rules for every command: unknown ones, unexpected failures (`error: …`), `--json`, and what happens when
//! the server wants a name and a password.

use std::io;

use supervisor_core::domain::server::Credentials;

use super::command::{Arguments, Command, knows_json};
use super::connection::ClientError;
use super::exit_status::ExitStatus;
use super::report::{JSON, Problem};
use super::session::{Failure, Outcome, Session};

/// How often name and password are asked for: an input that goes on for ever is nobody who will find them.
const MOST_TRIES: usize = 100;

/// Runs command lines one after the other.
pub(super) struct Controller {
    pub(super) session: Session,
    /// Every command answers with a document.
    pub(super) json: bool,
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
        let told = outcome.or_else(|failure| self.explain(failure));
        told.and_then(|()| self.session.end_report()).and_then(|()| self.session.bytes(b"")).or_else(|failure| {
            match failure {
                Failure::Output(error) => Err(error),
                _ => Ok(()),
            }
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
            Some(command) => self.call(command, arguments),
            None => self.unknown(line),
        }
    }

    fn call(&mut self, command: &dyn Command, arguments: &str) -> Outcome {
        let knows = knows_json(command);
        let stripped = if knows { without_json(arguments) } else { None };
        if self.json && !knows {
            let name = command.name();
            self.session.complain(format_args!("Error: {name} has no --json"));
            self.session.set_status(ExitStatus::USAGE);
            return Ok(());
        }
        if self.json || stripped.is_some() {
            self.session.begin_report(command.name());
        }
        command.run(&mut self.session, &Arguments::new(stripped.as_deref().unwrap_or(arguments)))
    }

    fn unknown(&mut self, line: &str) -> Outcome {
        self.session.fail(format_args!("*** Unknown syntax: {}", line.trim()), ExitStatus::FAILED)
    }

    /// What an unexpected failure prints.
    fn explain(&mut self, failure: Failure) -> Outcome {
        match failure {
            Failure::Told => Ok(()),
            Failure::Output(_) => Err(failure),
            // A document without the reason would be taken for the whole answer.
            Failure::Interrupted if self.session.is_reporting() => {
                let problem = Problem::other("INTERRUPTED", "interrupted");
                self.session.fail_for("", ExitStatus::FAILED, problem)
            }
            Failure::Interrupted => {
                self.session.set_status(ExitStatus::FAILED);
                self.session.line("")
            }
            Failure::Input(error) => {
                self.session.fail(format_args!("error: cannot read the input: {error}"), ExitStatus::FAILED)
            }
            Failure::Client(error) => {
                let sentence = error.sentence(self.session.url());
                let prefix = if matches!(error, ClientError::Unauthorised) { "" } else { "error: " };
                let problem = Problem::client(&error, self.session.url());
                self.session.fail_for(&format!("{prefix}{sentence}"), ExitStatus::FAILED, problem)?;
                self.session.advise(&error);
                Ok(())
            }
        }
    }

    /// The server wants to know who asks: the person is asked, where there is one, and the line runs again, until the
    /// server is content or nobody answers (Supervisor 4.3: in the shell, and with `-i`).
    fn authenticate(&mut self, line: &str) -> Outcome {
        if !self.session.is_interactive() {
            return Err(ClientError::Unauthorised.into());
        }
        for _ in 0..MOST_TRIES {
            self.session.line(ClientError::Unauthorised.sentence(""))?;
            let username = self.session.question("Username:")?;
            let password = match &username {
                None => None,
                Some(_) => self.session.streams.input.password("Password:").map_err(|error| match error.kind() {
                    io::ErrorKind::Interrupted => Failure::Interrupted,
                    _ => Failure::Input(error),
                })?,
            };
            let Some((username, password)) = username.zip(password) else {
                self.session.set_status(ExitStatus::FAILED);
                return Ok(());
            };
            self.session.set_credentials(Some(Credentials { username, password }));
            match self.run(line) {
                // Wrong ones are not kept.
                Err(Failure::Client(ClientError::Unauthorised)) => self.session.set_credentials(None),
                outcome => return outcome,
            }
        }
        Err(ClientError::Unauthorised.into())
    }
}

/// The arguments without `--json`; `None` if it is not among them.
fn without_json(arguments: &str) -> Option<String> {
    let option = format!("--{}", JSON.long);
    let words: Vec<_> = arguments.split_whitespace().collect();
    let others: Vec<_> = words.iter().copied().filter(|word| *word != option).collect();
    (others.len() < words.len()).then(|| others.join(" "))
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
