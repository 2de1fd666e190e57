//! `avail`: the processes of the last read configuration.

use supervisor_core::domain::name::ProcessName;
use supervisor_core::rpc::{FaultCode, FromValue, Value};

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::render;
use super::super::report::{Entry, Problem};
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Avail;

static USAGE: &[Usage] = &[Usage::new("avail", "Show every configured process, in use or not")];

/// What is shown of a configured process. Daemons older than Supervisor 4.3 tell of fewer other settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Available {
    pub(in super::super) name: ProcessName,
    pub(in super::super) in_use: bool,
    pub(in super::super) autostart: bool,
    pub(in super::super) group_priority: i64,
    pub(in super::super) priority: i64,
}

impl FromValue for Available {
    fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| String::from_value(value.get(name)?);
        let flag = |name: &str| bool::from_value(value.get(name)?);
        let number = |name: &str| i64::from_value(value.get(name)?);
        Some(Self {
            name: ProcessName::new(text("group")?, text("name")?),
            in_use: flag("inuse")?,
            autostart: flag("autostart")?,
            group_priority: number("group_prio")?,
            priority: number("process_prio")?,
        })
    }
}

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
        match session.ask::<Vec<Available>>("getAllConfigInfo", vec![])? {
            Ok(all) => all.iter().try_for_each(|one| session.tell(render::avail_line(one), Entry::configured(one))),
            Err(fault) if fault.code == FaultCode::ShutdownState.number() => {
                let problem = Problem::fault(&fault, "supervisor shutting down");
                session.fail_for("ERROR: supervisor shutting down", ExitStatus::FAILED, problem)
            }
            Err(fault) => Err(ClientError::Fault(fault).into()),
        }
    }
}
