//! `remove`: makes groups inactive whose processes have all stopped.

use supervisor_core::rpc::{FaultCode, Value};

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Completion, Usage};

pub(super) struct Remove;

static USAGE: &[Usage] = &[Usage::new("remove <name> [...]", "Make groups inactive; their processes must be stopped")];

impl Command for Remove {
    fn name(&self) -> &str {
        "remove"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn completion(&self) -> Completion {
        Completion::Groups
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        arguments.words.iter().try_for_each(|name| one(session, name))
    }
}

fn one(session: &mut Session, name: &str) -> Outcome {
    let Err(fault) = session.ask::<Value>("removeProcessGroup", vec![Value::from(name)])? else {
        return session.line(format_args!("{name}: removed process group"));
    };
    match FaultCode::from_number(fault.code) {
        Some(FaultCode::StillRunning) => {
            session.fail(format_args!("ERROR: process/group still running: {name}"), ExitStatus::FAILED)
        }
        Some(FaultCode::BadName) => {
            session.fail(format_args!("ERROR: no such process/group: {name}"), ExitStatus::FAILED)
        }
        _ => Err(ClientError::Fault(fault).into()),
    }
}
