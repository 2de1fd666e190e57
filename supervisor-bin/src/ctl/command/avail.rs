//! `avail`: the processes of the last read configuration.

use supervisor_core::rpc::FaultCode;

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::render;
use super::super::reply::ConfiguredProcess;
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Usage};

pub(super) struct Avail;

static USAGE: &[Usage] = &[Usage::new("avail", "Show every configured process, in use or not")];

impl Command for Avail {
    fn name(&self) -> &str {
        "avail"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        if !arguments.text.is_empty() {
            return session.misuse(self, "Error: avail accepts no arguments", ExitStatus::FAILED);
        }
        match session.ask("getAllConfigInfo", vec![])? {
            Ok(value) => {
                ConfiguredProcess::read_all(&value)?.iter().try_for_each(|one| session.line(render::avail_line(one)))
            }
            Err(fault) if fault.code == FaultCode::ShutdownState.number() => {
                session.fail("ERROR: supervisor shutting down", ExitStatus::FAILED)
            }
            Err(fault) => Err(ClientError::Fault(fault).into()),
        }
    }
}
