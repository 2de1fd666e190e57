//! `restart`: stops everything that is named, then starts it.

use super::super::exit_status::ExitStatus;
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Completion, ONLY_JSON, Usage, start, stop};
use crate::getopt::OptionSpec;

pub(super) struct Restart;

static USAGE: &[Usage] = &[
    Usage::new("restart <name>", "Stop one process, then start it; its configuration is not read again"),
    Usage::new("restart <gname>:*", "Stop every process of a group, then start them"),
    Usage::new("restart <name> <name>", "Stop several processes or groups, then start them"),
    Usage::new("restart all", "Stop every process, then start them all"),
];

impl Command for Restart {
    fn name(&self) -> &str {
        "restart"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn options(&self) -> &'static [OptionSpec] {
        ONLY_JSON
    }

    fn completion(&self) -> Completion {
        Completion::Processes
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.check()?;
        if arguments.words.is_empty() {
            return session.misuse(self, "Error: restart requires a process name", ExitStatus::FAILED);
        }
        stop::VERB.apply(session, arguments, &[])?;
        start::VERB.apply(session, arguments, &[])
    }
}
