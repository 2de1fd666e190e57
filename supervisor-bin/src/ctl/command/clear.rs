//! `clear`: empties the logs of processes. Groups are not supported, as in Supervisor 4.3; an error names them as given.

use supervisor_core::rpc::FaultCode;

use super::super::exit_status::ExitStatus;
use super::super::session::{Outcome, Session};
use super::verb::{Refusal, Verb};
use super::{Arguments, Command, Completion, Usage};

pub(super) struct Clear;

static VERB: Verb = Verb {
    done: "cleared",
    one: "clearProcessLogs",
    group: None,
    all: "clearAllProcessLogs",
    goal: None,
    no_such_group: ExitStatus::FAILED,
    refusals: &[
        Refusal::bad(FaultCode::BadName, "no such process", ExitStatus::FAILED),
        Refusal::bad(FaultCode::Failed, "failed", ExitStatus::FAILED),
    ],
};

static USAGE: &[Usage] = &[
    Usage::new("clear <name>", "Empty the log files of one process"),
    Usage::new("clear <name> <name>", "Empty the log files of several processes"),
    Usage::new("clear all", "Empty the log files of every process"),
];

impl Command for Clear {
    fn name(&self) -> &str {
        "clear"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn completion(&self) -> Completion {
        Completion::Processes
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.check()?;
        if arguments.words.is_empty() {
            return session.misuse(self, "Error: clear requires a process name", ExitStatus::FAILED);
        }
        VERB.apply(session, arguments, &[])
    }
}
