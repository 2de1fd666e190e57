//! The actions of the page: how a request names them, what they do, and what is said afterwards.
//!
//! Messages are those of Supervisor 4.3 where it has the action. Whether a request may act at all is decided before.

use supervisor_core::domain::name::{Namespec, ProcessName};
use supervisor_core::process::Outcome;
use supervisor_core::{Handle, RequestError};
use supervisor_rpc::namespace::fault;

use super::moment;
use super::parameters::{Parameters, encoded};

/// What is to be done to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Start,
    Stop,
    Restart,
    ClearLog,
}

/// Who it is about, as the request spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Process(String),
    Group(String),
    All,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Action {
    verb: Verb,
    whom: Whom,
}

/// Names of actions, what they do, and whether they are about a process (`p`), a group (`g`) or all (`a`).
const ACTIONS: &[(&str, Verb, char)] = &[
    ("start", Verb::Start, 'p'),
    ("stop", Verb::Stop, 'p'),
    ("restart", Verb::Restart, 'p'),
    ("clearlog", Verb::ClearLog, 'p'),
    ("startgroup", Verb::Start, 'g'),
    ("stopgroup", Verb::Stop, 'g'),
    ("restartgroup", Verb::Restart, 'g'),
    ("cleargroup", Verb::ClearLog, 'g'),
    ("startall", Verb::Start, 'a'),
    ("stopall", Verb::Stop, 'a'),
    ("restartall", Verb::Restart, 'a'),
    ("clearall", Verb::ClearLog, 'a'),
];

impl Action {
    /// The action with this name.
    ///
    /// # Errors
    /// Why there is none, for people.
    pub(super) fn read(name: &str, parameters: &Parameters) -> Result<Self, String> {
        let (_, verb, whom) = ACTIONS
            .iter()
            .find(|(known, ..)| *known == name)
            .ok_or_else(|| format!("ERROR: there is no action named {name}"))?;
        let named = |parameter| {
            let value = parameters.get(parameter).map(str::to_owned);
            value.ok_or_else(|| format!("ERROR: the action {name} needs a {parameter}"))
        };
        let whom = match whom {
            'p' => Whom::Process(named("processname")?),
            'g' => Whom::Group(named("group")?),
            _ => Whom::All,
        };
        Ok(Self { verb: *verb, whom })
    }

    fn name(&self) -> &'static str {
        let whom = match self.whom {
            Whom::Process(_) => 'p',
            Whom::Group(_) => 'g',
            Whom::All => 'a',
        };
        ACTIONS.iter().find(|(_, verb, of)| (*verb, *of) == (self.verb, whom)).map_or("", |(name, ..)| name)
    }

    /// The query that names it.
    pub(super) fn query(&self) -> String {
        match &self.whom {
            Whom::Process(name) => format!("action={}&processname={}", self.name(), encoded(name)),
            Whom::Group(name) => format!("action={}&group={}", self.name(), encoded(name)),
            Whom::All => format!("action={}", self.name()),
        }
    }

    /// What it does, as the words of a button.
    pub(super) fn words(&self) -> String {
        let verb = match self.verb {
            Verb::Start => "Start",
            Verb::Stop => "Stop",
            Verb::Restart => "Restart",
            Verb::ClearLog => "Clear the log of",
        };
        match &self.whom {
            Whom::Process(name) => format!("{verb} {name}"),
            Whom::Group(name) => format!("{verb} group {name}"),
            Whom::All => format!("{verb} all processes"),
        }
    }

    /// Does it, waits for the outcome, and says it.
    pub(super) async fn perform(&self, handle: &Handle) -> String {
        match &self.whom {
            Whom::Process(given) => match Namespec::parse(given) {
                Namespec { group, process: Some(process) } => {
                    self.one(handle, &ProcessName { group, process }, given).await
                }
                Namespec { process: None, .. } => no_such_process(given),
            },
            Whom::Group(group) => self.group(handle, group).await,
            Whom::All => self.all(handle).await,
        }
    }

    async fn one(&self, handle: &Handle, name: &ProcessName, given: &str) -> String {
        let (result, done) = match self.verb {
            Verb::Start => (handle.start(name).await, format!("Process {given} started")),
            Verb::Stop => (handle.stop(name).await, format!("Process {given} stopped")),
            Verb::ClearLog => (handle.clear_logs(name).await, format!("Log for {given} cleared")),
            Verb::Restart => {
                // Only whether there is such a process is looked at.
                let known = handle.process(name).await.map(drop);
                if known.is_ok() {
                    let _ = handle.stop(name).await;
                    let _ = handle.start(name).await;
                }
                (known, format!("Process {given} restarted"))
            }
        };
        match result {
            Ok(()) => done,
            Err(error) => refusal(self.verb, &error, given),
        }
    }

    async fn group(&self, handle: &Handle, group: &str) -> String {
        let (result, done) = match self.verb {
            Verb::Stop => (handle.stop_group(group, true).await, "stopped"),
            Verb::Start => (handle.start_group(group, true).await, "started"),
            Verb::ClearLog => (clear_group(handle, group).await, "logs cleared"),
            Verb::Restart => match handle.stop_group(group, true).await {
                Ok(_) => (handle.start_group(group, true).await, "restarted"),
                Err(error) => (Err(error), "restarted"),
            },
        };
        match result {
            Ok(outcomes) => format!("Group {group} {done}{}", failures(&outcomes)),
            Err(RequestError::BadName(_)) => format!("No such group named {group}"),
            Err(error) => unexpected(&error, group),
        }
    }

    async fn all(&self, handle: &Handle) -> String {
        let (result, done) = match self.verb {
            Verb::Start => (handle.start_all(true).await, "All started"),
            Verb::Stop => (handle.stop_all(true).await, "All stopped"),
            Verb::ClearLog => (handle.clear_all_logs().await, "All logs cleared"),
            Verb::Restart => match handle.stop_all(true).await {
                Ok(_) => (handle.start_all(true).await, "All restarted"),
                Err(error) => (Err(error), "All restarted"),
            },
        };
        match result {
            Ok(outcomes) => format!("{done} at {}{}", moment::long(moment::now()), failures(&outcomes)),
            Err(error) => unexpected(&error, ""),
        }
    }
}

async fn clear_group(handle: &Handle, group: &str) -> Result<Vec<Outcome>, RequestError> {
    let mut outcomes = Vec::new();
    for info in handle.processes().await?.into_iter().filter(|info| info.name.group == group) {
        outcomes.push(Outcome { result: handle.clear_logs(&info.name).await, name: info.name });
    }
    if outcomes.is_empty() { Err(RequestError::BadName(group.to_owned())) } else { Ok(outcomes) }
}

fn no_such_process(given: &str) -> String {
    format!("No such process named {given}")
}

fn unexpected(error: &RequestError, given: &str) -> String {
    format!("unexpected rpc fault {}", fault(error, Some(given)))
}

/// Why an action on one process came to nothing.
fn refusal(verb: Verb, error: &RequestError, given: &str) -> String {
    let why = match error {
        RequestError::BadName(_) => return no_such_process(given),
        _ if verb != Verb::Start => return unexpected(error, given),
        RequestError::NoFile(_) => "no such file".to_owned(),
        RequestError::NotExecutable(_) => "file not executable".to_owned(),
        RequestError::AlreadyStarted(_) => "already started".to_owned(),
        RequestError::SpawnError(_) => "spawn error".to_owned(),
        RequestError::AbnormalTermination(_) => "abnormal termination".to_owned(),
        other => unexpected(other, given),
    };
    format!("ERROR: Process {given}: {why}")
}

/// The first few processes that an action on several failed for.
fn failures(outcomes: &[Outcome]) -> String {
    let failed: Vec<String> = outcomes
        .iter()
        .filter_map(|Outcome { name, result }| {
            let (name, error) = (name.to_string(), result.as_ref().err()?.to_string());
            let says_whose = error.strip_prefix(&name).is_some_and(|rest| rest.starts_with(':'));
            Some(if says_whose { error } else { format!("{name}: {error}") })
        })
        .collect();
    if failed.is_empty() { String::new() } else { format!(", but not all: {}", few(&failed, "; ")) }
}

/// The first few of many, and how many more there are.
pub(super) fn few(texts: &[String], join: &str) -> String {
    const SHOWN: usize = 5;
    let shown = texts.get(..SHOWN).unwrap_or(texts).join(join);
    match texts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Action, String> {
        let parameters = Parameters::read(Some(query), b"");
        Action::read(parameters.get("action").unwrap_or_default(), &parameters)
    }

    #[test]
    fn every_action_is_named_as_it_is_read() {
        for (name, ..) in ACTIONS {
            let action = read(&format!("action={name}&processname=g:a%2Bb&group=g")).expect(name);
            assert_eq!(action.name(), *name);
            assert_eq!(read(&action.query()), Ok(action));
        }
    }

    #[test]
    fn what_is_no_action_says_why() {
        assert_eq!(read("action=explode"), Err("ERROR: there is no action named explode".to_owned()));
        assert_eq!(read("action=stop"), Err("ERROR: the action stop needs a processname".to_owned()));
        assert_eq!(read("action=stopgroup&processname=x"), Err("ERROR: the action stopgroup needs a group".to_owned()));
    }

    #[test]
    fn refusals_have_the_words_of_the_original() {
        use RequestError as E;
        let name = || ProcessName::new("x", "x");
        let table = [
            (E::NoFile("/no".into()), "ERROR: Process x: no such file"),
            (E::NotExecutable("/no".into()), "ERROR: Process x: file not executable"),
            (E::AlreadyStarted(name()), "ERROR: Process x: already started"),
            (E::SpawnError(name()), "ERROR: Process x: spawn error"),
            (E::AbnormalTermination(name()), "ERROR: Process x: abnormal termination"),
            (E::BadName("x".into()), "No such process named x"),
            (E::Failed("why".into()), "ERROR: Process x: unexpected rpc fault [30] FAILED: why"),
        ];
        for (error, expected) in table {
            assert_eq!(refusal(Verb::Start, &error, "x"), expected);
        }
        assert_eq!(refusal(Verb::Stop, &E::NotRunning(name()), "x"), "unexpected rpc fault [70] NOT_RUNNING: x");
    }

    #[test]
    fn the_first_failures_are_told() {
        let outcome = |number: usize, result: bool| {
            let name = ProcessName::new("g", format!("p{number}"));
            Outcome { name: name.clone(), result: if result { Ok(()) } else { Err(RequestError::SpawnError(name)) } }
        };
        assert_eq!(failures(&[outcome(1, true)]), "");
        assert_eq!(failures(&[outcome(1, true), outcome(2, false)]), ", but not all: g:p2: spawn error");
        let many: Vec<_> = (0..7).map(|number| outcome(number, false)).collect();
        assert!(failures(&many).ends_with("g:p4: spawn error and 2 more"), "{}", failures(&many));
        let nameless = Outcome { name: ProcessName::new("g", "p"), result: Err(RequestError::NoFile("/no".into())) };
        assert!(failures(&[nameless]).starts_with(", but not all: g:p: "));
        let error = RequestError::NotExecutable("command at '/tmp' is a directory".into());
        let alike = Outcome { name: ProcessName::new("dir", "dir"), result: Err(error) };
        assert!(failures(&[alike]).starts_with(", but not all: dir: "));
    }
}
