//! `signal`: sends a signal to processes.

use supervisor_core::rpc::{FaultCode, Value};

use super::super::exit_status::ExitStatus;
use super::super::session::{Outcome, Session};
use super::verb::{Refusal, Verb};
use super::{Arguments, Command, Completion, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Signal;

static VERB: Verb = Verb {
    done: "signalled",
    one: "signalProcess",
    group: Some("signalProcessGroup"),
    all: "signalAllProcesses",
    goal: None,
    no_such_group: ExitStatus::FAILED,
    refusals: &[
        Refusal::bad(FaultCode::BadName, "no such process", ExitStatus::FAILED),
        Refusal::bad(FaultCode::BadSignal, "bad signal name", ExitStatus::FAILED),
        Refusal::bad(FaultCode::NotRunning, "not running", ExitStatus::NOT_RUNNING),
        Refusal::verbatim(FaultCode::Failed),
    ],
};

static USAGE: &[Usage] = &[
    Usage::new("signal <signal name> <name>", "Send a signal, by name or number, to one process"),
    Usage::new("signal <signal name> <gname>:*", "Send a signal to every process of a group"),
    Usage::new("signal <signal name> <name> <name>", "Send a signal to several processes or groups"),
    Usage::new("signal <signal name> all", "Send a signal to every process"),
];

impl Command for Signal {
    fn name(&self) -> &str {
        "signal"
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
        match arguments.words.as_slice() {
            [signal, names @ ..] if !names.is_empty() => {
                let names = Arguments { text: arguments.text, words: names.to_vec() };
                VERB.apply(session, &names, &[Value::from(*signal)])
            }
            _ => {
                let text = "Error: signal requires a signal name and a process name";
                session.misuse(self, text, ExitStatus::FAILED)
            }
        }
    }
}
