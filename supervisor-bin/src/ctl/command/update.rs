//! `update`: has the daemon read its configuration again and applies what differs, group by group.
//!
//! One group that cannot be changed does not keep the others from it. A group whose processes are being stopped by
//! somebody else is waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use async_io::Timer;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::rpc::{Fault, FaultCode, Value};
use supervisor_rpc::client::{ConfigChanges, ProcessInfo, ProcessResult};

use super::super::connection::{ClientError, fault_line};
use super::super::exit_status::ExitStatus;
use super::super::progress::{self, Goal, Scope};
use super::super::report::{Entry, Problem};
use super::super::session::{Failure, Outcome, Session, wait};
use super::{Arguments, Command, Completion, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Update;

/// How often a group is looked at that still stops.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How often processes are stopped again that somebody else has started meanwhile.
const STOPS: usize = 3;

static USAGE: &[Usage] = &[
    Usage::new("update", "Read the configuration again and apply it: remove, replace and add groups"),
    Usage::new("update all", "The same"),
    Usage::new("update <gname> [...]", "Do so for these groups only"),
];

impl Command for Update {
    fn name(&self) -> &str {
        "update"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn options(&self) -> &'static [OptionSpec] {
        ONLY_JSON
    }

    fn completion(&self) -> Completion {
        Completion::ConfiguredGroups
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        let changes: ConfigChanges = match session.ask("reloadConfig", vec![])? {
            Ok(changes) => changes,
            Err(fault) if fault.code == FaultCode::ShutdownState.number() => {
                let problem = Problem::fault(&fault, "already shutting down");
                return session.fail_for("ERROR: already shutting down", ExitStatus::FAILED, problem);
            }
            Err(fault) => return Err(ClientError::Fault(fault).into()),
        };
        let restricted = !arguments.words.is_empty() && !arguments.names_all();
        if restricted {
            refuse_unknown(session, &changes, &arguments.words)?;
        }
        let wanted = |name: &&String| !restricted || arguments.words.contains(&name.as_str());
        for name in changes.removed.iter().filter(wanted) {
            let result = remove(session, name);
            tell(session, name, result)?;
        }
        for name in changes.changed.iter().filter(wanted) {
            let result = replace(session, name);
            tell(session, name, result)?;
        }
        for name in changes.added.iter().filter(wanted) {
            let result = add(session, name);
            tell(session, name, result)?;
        }
        Ok(())
    }
}

/// Why a group was left as it is.
enum Trouble {
    /// The server refused it.
    Refused(Fault),
    /// A process could not be stopped.
    Problems,
    /// Nothing more can be done for other groups either.
    Failure(Failure),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl<T: Into<Failure>> From<T> for Trouble {
    fn from(failure: T) -> Self {
        Self::Failure(failure.into())
    }
}

/// Names the words that are no groups.
fn refuse_unknown(session: &mut Session, changes: &ConfigChanges, words: &[&str]) -> Outcome {
    let active: Vec<ProcessInfo> = session.call("getAllProcessInfo", vec![])?;
    let mut known: BTreeSet<&str> = active.iter().map(|process| process.name.group.as_str()).collect();
    known.extend(changes.added.iter().chain(&changes.changed).chain(&changes.removed).map(String::as_str));
    for word in words.iter().filter(|word| !known.contains(*word)) {
        session.set_status(ExitStatus::FAILED);
        let entry = Entry::of_group(word).failed(Problem::bad_name("no such group"));
        session.tell(format_args!("ERROR: no such group: {word}"), entry)?;
    }
    Ok(())
}

/// The line that tells what became of a group.
fn tell(session: &mut Session, name: &str, result: Result<&'static str, Trouble>) -> Outcome {
    let entry = Entry::of_group(name);
    match result {
        Ok(done) => session.tell(format_args!("{name}: {done} process group"), entry.done(done)),
        Err(Trouble::Problems) => {
            session.set_status(ExitStatus::FAILED);
            let entry = entry.failed(Problem::other("STILL_RUNNING", "has problems; not removing"));
            session.tell(format_args!("{name}: has problems; not removing"), entry)
        }
        Err(Trouble::Refused(fault)) => {
            session.set_status(ExitStatus::FAILED);
            let entry = entry.failed(Problem::fault(&fault, fault.text.clone()));
            session.tell(format_args!("error: {name}: {}", fault_line(&fault)), entry)
        }
        Err(Trouble::Failure(failure)) => Err(failure),
    }
}

fn remove(session: &mut Session, name: &str) -> Result<&'static str, Trouble> {
    let results = stop(session, name)?;
    tell_stopped(session, name)?;
    let failed =
        |member: &ProcessResult| member.result.as_ref().is_err_and(|fault| fault.code == FaultCode::Failed.number());
    if results.iter().any(failed) {
        return Err(Trouble::Problems);
    }
    take_out(session, name)?;
    Ok("removed")
}

fn replace(session: &mut Session, name: &str) -> Result<&'static str, Trouble> {
    stop(session, name)?;
    tell_stopped(session, name)?;
    take_out(session, name)?;
    add(session, name).map(|_| "updated")
}

fn add(session: &mut Session, name: &str) -> Result<&'static str, Trouble> {
    session.ask::<Value>("addProcessGroup", vec![Value::from(name)])??;
    Ok("added")
}

fn stop(session: &mut Session, name: &str) -> Result<Vec<ProcessResult>, Trouble> {
    let params = vec![Value::from(name)];
    Ok(progress::ask(session, "stopProcessGroup", params, Goal::Stop, Scope::Group(name))??)
}

fn tell_stopped(session: &mut Session, name: &str) -> Outcome {
    session.tell(format_args!("{name}: stopped"), Entry::of_group(name).done("stopped"))
}

/// Removes a group; waits for processes that still stop, and stops what somebody else has started meanwhile.
fn take_out(session: &mut Session, name: &str) -> Result<(), Trouble> {
    let mut stops = 0;
    loop {
        let fault = match session.ask::<Value>("removeProcessGroup", vec![Value::from(name)])? {
            Ok(_) => return Ok(()),
            Err(fault) if fault.code == FaultCode::StillRunning.number() => fault,
            Err(fault) => return Err(fault.into()),
        };
        let processes: Vec<ProcessInfo> = session.ask("getAllProcessInfo", vec![])??;
        let stopping = |one: &ProcessInfo| one.name.group == name && one.state == ProcessState::Stopping;
        if processes.iter().any(stopping) {
            wait(&mut session.interrupts, Timer::after(LOOK_AGAIN))?;
        } else if stops < STOPS {
            stops += 1;
            stop(session, name)?;
        } else {
            return Err(fault.into());
        }
    }
}
