//! `pid`: the process ids of the daemon and of processes.

use supervisor_core::rpc::{FaultCode, Value};

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::reply::{self, ProcessStatus};
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Completion, Usage};

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

    fn completion(&self) -> Completion {
        Completion::Processes
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.check()?;
        if arguments.words.is_empty() {
            let pid: i64 = reply::read(&session.call("getPID", vec![])?)?;
            return session.line(pid);
        }
        if arguments.names_all() {
            let processes = ProcessStatus::read_all(&session.call("getAllProcessInfo", vec![])?)?;
            return processes.iter().try_for_each(|process| session.line(process.pid));
        }
        arguments.words.iter().try_for_each(|name| one(session, name))
    }
}

fn one(session: &mut Session, name: &str) -> Outcome {
    match session.ask("getProcessInfo", vec![Value::from(name)])? {
        Ok(value) => {
            let process = ProcessStatus::read(&value)?;
            if process.pid == 0 {
                session.set_status(ExitStatus::NOT_RUNNING);
            }
            session.line(process.pid)
        }
        Err(fault) if fault.code == FaultCode::BadName.number() => {
            session.fail(format_args!("No such process {name}"), ExitStatus::FAILED)
        }
        Err(fault) => Err(ClientError::Fault(fault).into()),
    }
}
