//! `avail`: the processes of the last read configuration.

use supervisor_core::rpc::FaultCode;
use supervisor_rpc::client::ProcessConfig;

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::render;
use super::super::report::{Entry, Problem};
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Avail;

static USAGE: &[Usage] = &[Usage::new("avail", "Show every configured process, in use or not")];

impl Command for Avail {
    fn name(&self) -> &str {
        "avail"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn options(&self) -> &'static [OptionSpec] {
        ONLY_JSON
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        if !arguments.text.is_empty() {
            return session.misuse(self, "Error: avail accepts no arguments", ExitStatus::FAILED);
        }
        match session.ask::<Vec<ProcessConfig>>("getAllConfigInfo", vec![])? {
            Ok(all) => all.iter().try_for_each(|one| session.tell(render::avail_line(one), Entry::configured(one))),
            Err(fault) if fault.code == FaultCode::ShutdownState.number() => {
                let problem = Problem::fault(&fault, "supervisor shutting down");
                session.fail_for("ERROR: supervisor shutting down", ExitStatus::FAILED, problem)
            }
            Err(fault) => Err(ClientError::Fault(fault).into()),
        }
    }
}
