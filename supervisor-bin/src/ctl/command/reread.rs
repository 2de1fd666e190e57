//! `reread`: has the daemon read its configuration again, and shows what differs. Nothing is applied.

use supervisor_core::rpc::FaultCode;
use supervisor_rpc::client::ConfigChanges;

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::report::{Entry, Problem};
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Reread;

static USAGE: &[Usage] = &[Usage::new("reread", "Read the configuration again and show what differs; apply nothing")];

impl Command for Reread {
    fn name(&self) -> &str {
        "reread"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn options(&self) -> &'static [OptionSpec] {
        ONLY_JSON
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        if !arguments.text.is_empty() {
            return session.misuse(self, "Error: reread accepts no arguments", ExitStatus::FAILED);
        }
        let fault = match session.ask::<ConfigChanges>("reloadConfig", vec![])? {
            Ok(changes) => return tell(session, &changes),
            Err(fault) => fault,
        };
        let reason = match FaultCode::from_number(fault.code) {
            Some(FaultCode::ShutdownState) => "supervisor shutting down",
            Some(FaultCode::CantReread) => fault.text.as_str(),
            _ => return Err(ClientError::Fault(fault).into()),
        };
        session.fail_for(&format!("ERROR: {reason}"), ExitStatus::FAILED, Problem::fault(&fault, reason))
    }
}

/// A line for each group that differs, sorted by name.
fn tell(session: &mut Session, changes: &ConfigChanges) -> Outcome {
    let kinds = [(&changes.added, "available"), (&changes.changed, "changed"), (&changes.removed, "disappeared")];
    let mut found: Vec<(&String, &str)> =
        kinds.into_iter().flat_map(|(names, what)| names.iter().map(move |name| (name, what))).collect();
    found.sort();
    if found.is_empty() && !session.is_reporting() {
        return session.line("No config updates to processes");
    }
    found
        .into_iter()
        .try_for_each(|(name, what)| session.tell(format_args!("{name}: {what}"), Entry::of_group(name).change(what)))
}
