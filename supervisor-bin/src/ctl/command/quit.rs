//! `quit`, `exit` and the end of the input: leave the shell.

use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Listing, Usage};

pub(super) struct Quit;
pub(super) struct Exit;
pub(super) struct EndOfFile;

static QUIT: &[Usage] = &[Usage::new("quit", "Leave the shell")];
static EXIT: &[Usage] = &[Usage::new("exit", "Leave the shell")];
static END_OF_FILE: &[Usage] = &[Usage::new("EOF", "Leave the shell; Ctrl-D does the same")];

fn leave(session: &mut Session) -> Outcome {
    session.ended = true;
    session.line("")
}

impl Command for Quit {
    fn name(&self) -> &str {
        "quit"
    }

    fn usage(&self) -> &[Usage] {
        QUIT
    }

    fn run(&self, session: &mut Session, _arguments: &Arguments<'_>) -> Outcome {
        leave(session)
    }
}

impl Command for Exit {
    fn name(&self) -> &str {
        "exit"
    }

    fn usage(&self) -> &[Usage] {
        EXIT
    }

    fn run(&self, session: &mut Session, _arguments: &Arguments<'_>) -> Outcome {
        leave(session)
    }
}

impl Command for EndOfFile {
    fn name(&self) -> &str {
        "EOF"
    }

    fn usage(&self) -> &[Usage] {
        END_OF_FILE
    }

    fn listing(&self) -> Listing {
        Listing::Nowhere
    }

    fn run(&self, session: &mut Session, _arguments: &Arguments<'_>) -> Outcome {
        leave(session)
    }
}
