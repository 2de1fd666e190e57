//! `shutdown`: ends the daemon and everything that it runs.

use supervisor_core::rpc::{FaultCode, Value};

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::session::{Failure, Outcome, Session};
use super::{Arguments, Command, Usage};

pub(super) struct Shutdown;

static USAGE: &[Usage] = &[Usage::new("shutdown", "Stop every process, then supervisord itself")];

impl Command for Shutdown {
    fn name(&self) -> &str {
        "shutdown"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        if !arguments.text.is_empty() {
            return session.misuse(self, "Error: shutdown accepts no arguments", ExitStatus::FAILED);
        }
        if !confirmed(session, "Really shut the remote supervisord process down y/N? ")? {
            return Ok(());
        }
        let reason = match session.ask::<Value>("shutdown", vec![]) {
            Ok(Ok(_)) => return session.line("Shut down"),
            Ok(Err(fault)) if fault.code == FaultCode::ShutdownState.number() => {
                return session.line("ERROR: already shutting down");
            }
            Ok(Err(fault)) => return Err(ClientError::Fault(fault).into()),
            Err(Failure::Client(ClientError::Refused)) => "refused connection",
            Err(Failure::Client(ClientError::NoSuchSocket)) => "no such file",
            Err(failure) => return Err(failure),
        };
        let url = session.url().to_owned();
        session.fail(format_args!("ERROR: {url} {reason} (already shut down?)"), ExitStatus::FAILED)
    }
}

/// Asks in the shell and with `-i`; else the command line was the answer. Nobody's answer is a failure.
pub(super) fn confirmed(session: &mut Session, question: &str) -> Result<bool, Failure> {
    if !session.is_interactive() {
        return Ok(true);
    }
    let answer = session.question(question)?;
    if answer.is_none() {
        session.set_status(ExitStatus::FAILED);
    }
    Ok(answer.is_some_and(|answer| answer.starts_with(['y', 'Y'])))
}
