//! `stop`: stops processes and waits for their end.

use supervisor_core::rpc::FaultCode;

use super::super::exit_status::ExitStatus;
use super::super::progress::Goal;
use super::super::session::{Outcome, Session};
use super::verb::{Refusal, Verb};
use super::{Arguments, Command, Completion, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Stop;

pub(super) static VERB: Verb = Verb {
    done: "stopped",
    one: "stopProcess",
    group: Some("stopProcessGroup"),
    all: "stopAllProcesses",
    goal: Some(Goal::Stop),
    no_such_group: ExitStatus::FAILED,
    refusals: &[
        Refusal::bad(FaultCode::BadName, "no such process", ExitStatus::FAILED),
        Refusal::harmless(FaultCode::NotRunning, "not running"),
        Refusal::verbatim(FaultCode::Failed),
    ],
};

static USAGE: &[Usage] = &[
    Usage::new("stop <name>", "Stop one process and wait for its end"),
    Usage::new("stop <gname>:*", "Stop every process of a group"),
    Usage::new("stop <name> <name>", "Stop several processes or groups, one after the other"),
    Usage::new("stop all", "Stop every process"),
];

impl Command for Stop {
    fn name(&self) -> &str {
        "stop"
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
            return session.misuse(self, "Error: stop requires a process name", ExitStatus::FAILED);
        }
        VERB.apply(session, arguments, &[])
    }
}
