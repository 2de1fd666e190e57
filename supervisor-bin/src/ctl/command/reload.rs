//! `reload`: ends everything and starts it anew in the same daemon.

use supervisor_core::rpc::{FaultCode, Value};

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::session::{Outcome, Session};
use super::shutdown::confirmed;
use super::{Arguments, Command, Usage};

pub(super) struct Reload;

static USAGE: &[Usage] =
    &[Usage::new("reload", "Restart supervisord: stop every process, read the configuration, start anew")];

impl Command for Reload {
    fn name(&self) -> &str {
        "reload"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        if !arguments.text.is_empty() {
            return session.misuse(self, "Error: reload accepts no arguments", ExitStatus::FAILED);
        }
        if !confirmed(session, "Really restart the remote supervisord process y/N? ")? {
            return Ok(());
        }
        match session.ask::<Value>("restart", vec![])? {
            Ok(_) => session.line("Restarted supervisord"),
            Err(fault) if fault.code == FaultCode::ShutdownState.number() => {
                session.fail("ERROR: already shutting down", ExitStatus::FAILED)
            }
            Err(fault) => Err(ClientError::Fault(fault).into()),
        }
    }
}
