//! What `start`, `stop`, `signal` and `clear` have in common: something is done to processes, groups or everything, and
//! each process gets a line.
//!
//! A verb is data: its methods, its word for success, and what each refusal means.

use supervisor_core::domain::name::{Namespec, ProcessName};
use supervisor_core::rpc::{Fault, FaultCode, FromValue, Value};
use supervisor_rpc::client::ProcessResult;

use super::super::exit_status::ExitStatus;
use super::super::progress::{self, Goal, Scope};
use super::super::report::{Entry, Problem};
use super::super::session::{Failure, Outcome, Session};
use super::Arguments;

/// Something that can be done to processes.
pub(super) struct Verb {
    /// The line of success behind `NAME: `.
    pub(super) done: &'static str,
    /// The method for one process.
    pub(super) one: &'static str,
    /// The method for a group; `None` if the server has none.
    pub(super) group: Option<&'static str>,
    /// The method for all processes.
    pub(super) all: &'static str,
    /// What a person at a terminal is waiting for meanwhile; `None` if it takes no time.
    pub(super) goal: Option<Goal>,
    /// The exit status for an unknown group.
    pub(super) no_such_group: ExitStatus,
    /// The refusals that are expected.
    pub(super) refusals: &'static [Refusal],
}

/// What a refusal means.
pub(super) struct Refusal {
    code: FaultCode,
    meaning: Meaning,
    status: Option<ExitStatus>,
}

enum Meaning {
    /// `NAME: ERROR (REASON)`
    Reason(&'static str),
    /// The line is what the server said.
    Fault,
}

impl Refusal {
    /// A refusal that leaves the exit status as it was.
    pub(super) const fn harmless(code: FaultCode, reason: &'static str) -> Self {
        Self { code, meaning: Meaning::Reason(reason), status: None }
    }

    /// A refusal that sets the exit status.
    pub(super) const fn bad(code: FaultCode, reason: &'static str, status: ExitStatus) -> Self {
        Self { code, meaning: Meaning::Reason(reason), status: Some(status) }
    }

    /// A refusal that is shown as the server worded it.
    pub(super) const fn verbatim(code: FaultCode) -> Self {
        Self { code, meaning: Meaning::Fault, status: Some(ExitStatus::FAILED) }
    }
}

impl Verb {
    /// Does it to everything that is named, in order; `extra` follows the name in each call.
    pub(super) fn apply(&self, session: &mut Session, arguments: &Arguments<'_>, extra: &[Value]) -> Outcome {
        if arguments.names_all() {
            let results: Result<Vec<ProcessResult>, Fault> = self.ask(session, self.all, extra.to_vec(), Scope::All)?;
            return self.report(session, &results.map_err(|fault| Failure::Client(fault.into()))?);
        }
        arguments.words.iter().try_for_each(|word| self.apply_to(session, word, extra))
    }

    fn apply_to(&self, session: &mut Session, word: &str, extra: &[Value]) -> Outcome {
        let with_name = |name: &str| [vec![Value::from(name)], extra.to_vec()].concat();
        let Namespec { group, process } = Namespec::parse(word);
        match (process, self.group) {
            (None, Some(method)) => {
                match self.ask::<Vec<_>>(session, method, with_name(&group), Scope::Group(&group))? {
                    Ok(results) => self.report(session, &results),
                    Err(fault) if fault.code == FaultCode::BadName.number() => {
                        session.set_status(self.no_such_group);
                        let entry = Entry::of_group(&group).failed(Problem::fault(&fault, "no such group"));
                        session.tell(format_args!("{group}: ERROR (no such group)"), entry)
                    }
                    Err(fault) => self.refused(session, Entry::of(word), word, &fault),
                }
            }
            (process, _) => {
                let name = process.map(|process| ProcessName::new(group, process));
                let scope = name.as_ref().map_or(Scope::All, Scope::One);
                let result = self.ask::<Value>(session, self.one, with_name(word), scope)?.map(drop);
                match name {
                    Some(name) => self.result(session, &name, result.as_ref().err()),
                    // A group, of a verb that knows none; whatever the server made of it.
                    None => match result {
                        Ok(()) => session.tell(format_args!("{word}: {}", self.done), Entry::of(word).done(self.done)),
                        Err(fault) => self.refused(session, Entry::of(word), word, &fault),
                    },
                }
            }
        }
    }

    fn ask<T: FromValue>(
        &self,
        session: &mut Session,
        method: &str,
        params: Vec<Value>,
        scope: Scope<'_>,
    ) -> Result<Result<T, Fault>, Failure> {
        match self.goal {
            Some(goal) => progress::ask(session, method, params, goal, scope),
            None => session.ask(method, params),
        }
    }

    fn report(&self, session: &mut Session, results: &[ProcessResult]) -> Outcome {
        results.iter().try_for_each(|member| self.result(session, &member.name, member.result.as_ref().err()))
    }

    fn result(&self, session: &mut Session, name: &ProcessName, refusal: Option<&Fault>) -> Outcome {
        let entry = Entry::of_process(name);
        match refusal {
            None => session.tell(format_args!("{name}: {}", self.done), entry.done(self.done)),
            Some(fault) => self.refused(session, entry, &name.to_string(), fault),
        }
    }

    fn refused(&self, session: &mut Session, entry: Entry, name: &str, fault: &Fault) -> Outcome {
        let refusal = self.refusals.iter().find(|refusal| refusal.code.number() == fault.code);
        let (status, reason) = match refusal {
            None => (Some(ExitStatus::FAILED), fault.text.as_str()),
            Some(Refusal { status, meaning: Meaning::Reason(reason), .. }) => (*status, *reason),
            Some(Refusal { status, meaning: Meaning::Fault, .. }) => (*status, fault.text.as_str()),
        };
        if let Some(status) = status {
            session.set_status(status);
        }
        let entry = entry.failed(Problem::fault(fault, reason));
        match refusal {
            Some(Refusal { meaning: Meaning::Fault, .. }) => session.tell(reason, entry),
            _ => session.tell(format_args!("{name}: ERROR ({reason})"), entry),
        }
    }
}
