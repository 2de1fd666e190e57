//! `reread`: has the daemon read its configuration again, and shows what differs. Nothing is applied.

use supervisor_core::rpc::FaultCode;

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::reply::ConfigChanges;
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Usage};

pub(super) struct Reread;

static USAGE: &[Usage] = &[Usage::new("reread", "Read the configuration again and show what differs; apply nothing")];

impl Command for Reread {
    fn name(&self) -> &str {
        "reread"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        if !arguments.text.is_empty() {
            return session.misuse(self, "Error: reread accepts no arguments", ExitStatus::FAILED);
        }
        let fault = match session.ask("reloadConfig", vec![])? {
            Ok(value) => {
                return lines(&ConfigChanges::read(&value)?).into_iter().try_for_each(|line| session.line(line));
            }
            Err(fault) => fault,
        };
        if fault.code == FaultCode::ShutdownState.number() {
            session.fail("ERROR: supervisor shutting down", ExitStatus::FAILED)
        } else if fault.code == FaultCode::CantReread.number() {
            session.fail(format_args!("ERROR: {}", fault.text), ExitStatus::FAILED)
        } else {
            Err(ClientError::Fault(fault).into())
        }
    }
}

/// A line for each group that differs, sorted by name.
fn lines(changes: &ConfigChanges) -> Vec<String> {
    let kinds = [(&changes.added, "available"), (&changes.changed, "changed"), (&changes.removed, "disappeared")];
    let mut found: Vec<(&String, &str)> =
        kinds.into_iter().flat_map(|(names, what)| names.iter().map(move |name| (name, what))).collect();
    found.sort();
    if found.is_empty() {
        return vec!["No config updates to processes".to_owned()];
    }
    found.into_iter().map(|(name, what)| format!("{name}: {what}")).collect()
}
