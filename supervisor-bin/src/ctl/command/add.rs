//! `add`: makes configured groups active.

use supervisor_core::rpc::{FaultCode, Value};

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Completion, Usage};

pub(super) struct Add;

static USAGE: &[Usage] =
    &[Usage::new("add <name> [...]", "Make groups of the last read configuration active and start what autostarts")];

impl Command for Add {
    fn name(&self) -> &str {
        "add"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn completion(&self) -> Completion {
        Completion::ConfiguredGroups
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        arguments.words.iter().try_for_each(|name| one(session, name))
    }
}

fn one(session: &mut Session, name: &str) -> Outcome {
    let Err(fault) = session.ask::<Value>("addProcessGroup", vec![Value::from(name)])? else {
        return session.line(format_args!("{name}: added process group"));
    };
    match FaultCode::from_number(fault.code) {
        Some(FaultCode::AlreadyAdded) => session.line("ERROR: process group already active"),
        Some(FaultCode::ShutdownState) => session.fail("ERROR: shutting down", ExitStatus::FAILED),
        Some(FaultCode::BadName) => {
            session.fail(format_args!("ERROR: no such process/group: {name}"), ExitStatus::FAILED)
        }
        _ => Err(ClientError::Fault(fault).into()),
    }
}
