//! `start`: starts processes and waits until they run.

use supervisor_core::rpc::FaultCode;

use super::super::exit_status::ExitStatus;
use super::super::progress::Goal;
use super::super::session::{Outcome, Session};
use super::verb::{Refusal, Verb};
use super::{Arguments, Command, Completion, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Start;

pub(super) static VERB: Verb = Verb {
    done: "started",
    one: "startProcess",
    group: Some("startProcessGroup"),
    all: "startAllProcesses",
    goal: Some(Goal::Start),
    no_such_group: ExitStatus::USAGE,
    refusals: &[
        Refusal::bad(FaultCode::BadName, "no such process", ExitStatus::FAILED),
        Refusal::bad(FaultCode::NoFile, "no such file", ExitStatus::FAILED),
        Refusal::bad(FaultCode::NotExecutable, "file is not executable", ExitStatus::FAILED),
        Refusal::harmless(FaultCode::AlreadyStarted, "already started"),
        Refusal::bad(FaultCode::SpawnError, "spawn error", ExitStatus::NOT_RUNNING),
        Refusal::bad(FaultCode::AbnormalTermination, "abnormal termination", ExitStatus::NOT_RUNNING),
    ],
};

static USAGE: &[Usage] = &[
    Usage::new("start <name>", "Start one process and wait until it runs"),
    Usage::new("start <gname>:*", "Start every process of a group"),
    Usage::new("start <name> <name>", "Start several processes or groups, one after the other"),
    Usage::new("start all", "Start every process"),
];

impl Command for Start {
    fn name(&self) -> &str {
        "start"
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
            return session.misuse(self, "Error: start requires a process name", ExitStatus::USAGE);
        }
        VERB.apply(session, arguments, &[])
    }
}
