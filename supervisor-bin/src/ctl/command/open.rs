//! `open`: makes another server the one that is asked.

use super::super::exit_status::ExitStatus;
use super::super::session::{Failure, Outcome, Session};
use super::{Arguments, Command, Usage, status};

pub(super) struct Open;

static USAGE: &[Usage] =
    &[Usage::new("open <url>", "Talk to another supervisord from now on: http://HOST:PORT or unix:///PATH")];

impl Command for Open {
    fn name(&self) -> &str {
        "open"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        let url = arguments.text;
        if !url.starts_with("http://") && !url.starts_with("unix://") {
            return session.fail("ERROR: url must be http:// or unix://", ExitStatus::FAILED);
        }
        session.set_url(url);
        let before = session.status();
        match status::Status.run(session, &Arguments::new("")) {
            // What the status says about the new server is no failure of this command.
            Ok(()) | Err(Failure::Told) => session.set_status(before),
            Err(failure) => return Err(failure),
        }
        Ok(())
    }
}
