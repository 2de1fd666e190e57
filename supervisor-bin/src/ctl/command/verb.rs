//! What `start`, `stop`, `signal` and `clear` have in common: something is done to processes, groups or everything, and
//! each process gets a line.
//!
//! A verb is data: its methods, its word for success, and what each refusal means.

use supervisor_core::domain::name::{Namespec, ProcessName};
use supervisor_core::rpc::{Fault, FaultCode, Value};

use super::super::exit_status::ExitStatus;
use super::super::reply::MemberResult;
use super::super::session::{Outcome, Session};
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
            let answer = session.call(self.all, extra.to_vec())?;
            return self.report(session, &MemberResult::read_all(&answer)?);
        }
        arguments.words.iter().try_for_each(|word| self.apply_to(session, word, extra))
    }

    fn apply_to(&self, session: &mut Session, word: &str, extra: &[Value]) -> Outcome {
        let with_name = |name: &str| [vec![Value::from(name)], extra.to_vec()].concat();
        let Namespec { group, process } = Namespec::parse(word);
        match (process, self.group) {
            (None, Some(method)) => match session.ask(method, with_name(&group))? {
                Ok(answer) => self.report(session, &MemberResult::read_all(&answer)?),
                Err(fault) if fault.code == FaultCode::BadName.number() => {
                    session.fail(format_args!("{group}: ERROR (no such group)"), self.no_such_group)
                }
                Err(fault) => self.refused(session, word, &fault),
            },
            (process, _) => {
                let result = session.ask(self.one, with_name(word))?.map(drop);
                let name = process.map_or_else(|| word.to_owned(), |p| ProcessName::new(group, p).to_string());
                self.result(session, &name, result.as_ref().err())
            }
        }
    }

    fn report(&self, session: &mut Session, results: &[MemberResult]) -> Outcome {
        results
            .iter()
            .try_for_each(|member| self.result(session, &member.name.to_string(), member.result.as_ref().err()))
    }

    fn result(&self, session: &mut Session, name: &str, refusal: Option<&Fault>) -> Outcome {
        match refusal {
            None => session.line(format_args!("{name}: {}", self.done)),
            Some(fault) => self.refused(session, name, fault),
        }
    }

    fn refused(&self, session: &mut Session, name: &str, fault: &Fault) -> Outcome {
        let Some(refusal) = self.refusals.iter().find(|refusal| refusal.code.number() == fault.code) else {
            return session.fail(format_args!("{name}: ERROR ({})", fault.text), ExitStatus::FAILED);
        };
        if let Some(status) = refusal.status {
            session.set_status(status);
        }
        match refusal.meaning {
            Meaning::Reason(reason) => session.line(format_args!("{name}: ERROR ({reason})")),
            Meaning::Fault => session.line(&fault.text),
        }
    }
}
