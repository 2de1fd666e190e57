//! `pid`: the process ids of the daemon and of processes.

use supervisor_core::rpc::{FaultCode, Value};
use supervisor_rpc::client::ProcessInfo;

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::report::{Entry, Problem};
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Completion, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Pid;

static USAGE: &[Usage] = &[
    Usage::new("pid", "Show the process id of supervisord"),
    Usage::new("pid <name>", "Show the process id of one process, 0 if it does not run"),
    Usage::new("pid <name> <name>", "Show the process ids of several processes"),
    Usage::new("pid all", "Show the process ids of all processes, one a line, in the order of status"),
];

impl Command for Pid {
    fn name(&self) -> &str {
        "pid"
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
            let pid: i64 = session.call("getPID", vec![])?;
            return session.tell(pid, Entry::of("supervisord").pid(u32::try_from(pid).ok()));
        }
        if arguments.names_all() {
            let processes: Vec<ProcessInfo> = session.call("getAllProcessInfo", vec![])?;
            return processes.iter().try_for_each(|process| tell(session, process));
        }
        arguments.words.iter().try_for_each(|name| one(session, name))
    }
}

fn tell(session: &mut Session, process: &ProcessInfo) -> Outcome {
    session.tell(process.pid.unwrap_or(0), Entry::of_process(&process.name).pid(process.pid))
}

fn one(session: &mut Session, name: &str) -> Outcome {
    match session.ask::<ProcessInfo>("getProcessInfo", vec![Value::from(name)])? {
        Ok(process) => {
            if process.pid.is_none() {
                session.set_status(ExitStatus::NOT_RUNNING);
            }
            tell(session, &process)
        }
        Err(fault) if fault.code == FaultCode::BadName.number() => {
            session.set_status(ExitStatus::FAILED);
            let entry = Entry::of(name).failed(Problem::fault(&fault, "no such process"));
            session.tell(format_args!("No such process {name}"), entry)
        }
        Err(fault) => Err(ClientError::Fault(fault).into()),
    }
}
