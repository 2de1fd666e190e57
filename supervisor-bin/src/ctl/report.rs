//! What commands report, as data: with `--json` one document takes the place of the lines (docs/JSON.md).
//!
//! Everything here comes from XML-RPC answers, so that it works with Supervisor 4.3 too. Decides names and types of the
//! members, and nothing else. Settings whose values may come from the environment, such as `command`, are left out.

use std::borrow::Cow;

use serde::Serialize;
use supervisor_core::domain::name::ProcessName;
use supervisor_core::rpc::{Fault, FaultCode};
use supervisor_rpc::client::ProcessInfo;

use super::command::Available;
use super::connection::ClientError;
use crate::getopt::OptionSpec;

/// The option that asks for a document; commands that know it have it in their table.
pub(super) const JSON: OptionSpec =
    OptionSpec { short: &[], long: "json", argument: None, help: "answer with one JSON document" };

/// The version of the document's form: it grows when a member is removed or changes its meaning.
const FORMAT: u32 = 1;

/// The whole answer of a command.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    format: u32,
    supervisorctl: &'static str,
    command: &'a str,
    server: &'a str,
    exit_status: u8,
    results: &'a [Entry],
    error: Option<&'a Problem>,
}

/// The document while a command runs.
#[derive(Debug)]
pub(super) struct Report {
    command: String,
    results: Vec<Entry>,
    error: Option<Problem>,
}

impl Report {
    /// A document of this command without anything in it.
    pub(super) fn new(command: &str) -> Self {
        Self { command: command.to_owned(), results: Vec::new(), error: None }
    }

    /// Adds what is known of, or became of, one thing.
    pub(super) fn add(&mut self, entry: Entry) {
        self.results.push(entry);
    }

    /// Says why the command as a whole did not come to its end.
    pub(super) fn fail(&mut self, problem: Problem) {
        self.error = Some(problem);
    }

    /// The document as one line.
    pub(super) fn line(&self, server: &str, exit_status: u8) -> String {
        let document = Document {
            format: FORMAT,
            supervisorctl: env!("CARGO_PKG_VERSION"),
            command: &self.command,
            server: &without_user(server),
            exit_status,
            results: &self.results,
            error: self.error.as_ref(),
        };
        serde_json::to_string(&document).expect("text keys and plain values always have a JSON form")
    }
}

/// The URL without the user name and password that it may hold, which are of no use anyway.
fn without_user(url: &str) -> Cow<'_, str> {
    let user = url.split_once("://").filter(|(scheme, _)| !scheme.eq_ignore_ascii_case("unix"));
    match user.and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, place)) => format!("{scheme}://{place}").into(),
        None => url.into(),
    }
}

/// What is known of, or became of, one process, group or other thing.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<String>,
    #[serde(flatten)]
    facts: Option<Facts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

/// What an entry tells, by command.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Facts {
    Status {
        state: &'static str,
        statecode: i32,
        description: String,
        pid: Option<u32>,
        started: Option<i64>,
        stopped: Option<i64>,
        now: i64,
        exit_status: i64,
        spawn_error: String,
        stdout_log: Option<String>,
        stderr_log: Option<String>,
    },
    Pid {
        pid: Option<u32>,
    },
    Configured {
        in_use: bool,
        autostart: bool,
        group_priority: i64,
        priority: i64,
    },
    Version {
        version: String,
    },
    Change {
        change: &'static str,
    },
    Done {
        done: &'static str,
    },
}

impl Entry {
    /// Something that is called so: the daemon, or a name that nobody knows.
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), group: None, process: None, facts: None, error: None }
    }

    /// A group.
    pub(super) fn of_group(name: &str) -> Self {
        Self { group: Some(name.to_owned()), ..Self::of(name) }
    }

    /// A process.
    pub(super) fn of_process(name: &ProcessName) -> Self {
        Self { process: Some(name.process.clone()), group: Some(name.group.clone()), ..Self::of(&name.to_string()) }
    }

    /// The state of a process.
    pub(super) fn status(info: &ProcessInfo) -> Self {
        let path = |path: &String| Some(path.clone()).filter(|path| !path.is_empty());
        let facts = Facts::Status {
            state: info.state.name(),
            statecode: info.state.code(),
            description: info.description.clone(),
            pid: info.pid,
            started: info.started,
            stopped: info.stopped,
            now: info.now,
            exit_status: info.exit_status,
            spawn_error: info.spawn_error.clone(),
            stdout_log: path(&info.stdout_log),
            stderr_log: path(&info.stderr_log),
        };
        Self { facts: Some(facts), ..Self::of_process(&info.name) }
    }

    /// A configured process.
    pub(super) fn configured(config: &Available) -> Self {
        let facts = Facts::Configured {
            in_use: config.in_use,
            autostart: config.autostart,
            group_priority: config.group_priority,
            priority: config.priority,
        };
        Self { facts: Some(facts), ..Self::of_process(&config.name) }
    }

    /// Has this process id, or none.
    pub(super) fn pid(self, pid: Option<u32>) -> Self {
        Self { facts: Some(Facts::Pid { pid }), ..self }
    }

    /// Has this version.
    pub(super) fn version(self, version: &str) -> Self {
        Self { facts: Some(Facts::Version { version: version.to_owned() }), ..self }
    }

    /// Differs in this way from what is active.
    pub(super) fn change(self, change: &'static str) -> Self {
        Self { facts: Some(Facts::Change { change }), ..self }
    }

    /// This was done.
    pub(super) fn done(self, done: &'static str) -> Self {
        Self { facts: Some(Facts::Done { done }), ..self }
    }

    /// This went wrong.
    pub(super) fn failed(self, problem: Problem) -> Self {
        Self { error: Some(problem), ..self }
    }
}

/// What went wrong.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Problem {
    /// The name of the fault, or a word of ours for what is none.
    kind: &'static str,
    /// The code of the fault.
    code: Option<i32>,
    /// A sentence for a person.
    message: String,
}

impl Problem {
    /// A command line that means nothing.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { kind: "USAGE", code: None, message: message.into() }
    }

    /// Something that only this program knows to be wrong.
    pub(super) fn other(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into() }
    }

    /// A refusal of the server, in our words.
    pub(super) fn fault(fault: &Fault, message: impl Into<String>) -> Self {
        let kind = FaultCode::from_number(fault.code).map_or("FAULT", FaultCode::name);
        Self { kind, code: Some(fault.code), message: message.into() }
    }

    /// A name that nobody knows.
    pub(super) fn bad_name(message: impl Into<String>) -> Self {
        Self::fault(&Fault::new(FaultCode::BadName), message)
    }

    /// No answer, or not a good one.
    pub(super) fn client(error: &ClientError, url: &str) -> Self {
        let kind = match error {
            ClientError::Fault(fault) => return Self::fault(fault, fault.text.clone()),
            ClientError::NoSuchSocket => "NO_SUCH_SOCKET",
            ClientError::Refused => "CONNECTION_REFUSED",
            ClientError::PermissionDenied => "PERMISSION_DENIED",
            ClientError::Unauthorised => "AUTHENTICATION_REQUIRED",
            ClientError::Http { .. } => "HTTP_STATUS",
            ClientError::NotASupervisor(_) => "NOT_A_SUPERVISOR",
            ClientError::UnknownHost => "UNKNOWN_HOST",
            ClientError::UnsupportedScheme | ClientError::InvalidUrl(_) => "INVALID_URL",
            ClientError::TimedOut(_) => "TIMED_OUT",
            ClientError::Io(_) => "IO",
        };
        Self::other(kind, error.sentence(url))
    }
}

#[cfg(test)]
mod tests;
