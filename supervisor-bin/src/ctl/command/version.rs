//! `version`: the version of the daemon.

use super::super::exit_status::ExitStatus;
use super::super::report::Entry;
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Version;

static USAGE: &[Usage] = &[Usage::new("version", "Show the version of the running supervisord")];

impl Command for Version {
    fn name(&self) -> &str {
        "version"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn options(&self) -> &'static [OptionSpec] {
        ONLY_JSON
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        if !arguments.text.is_empty() {
            return session.misuse(self, "Error: version accepts no arguments", ExitStatus::FAILED);
        }
        session.check()?;
        let version: String = session.call("getSupervisorVersion", vec![])?;
        session.tell(&version, Entry::of("supervisord").version(&version))
    }
}
