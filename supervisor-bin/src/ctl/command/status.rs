//! `status`: the states of processes.

use supervisor_core::domain::name::{Namespec, ProcessName};
use supervisor_rpc::client::ProcessInfo;

use super::super::exit_status::ExitStatus;
use super::super::render;
use super::super::report::{Entry, Problem};
use super::super::session::{Failure, Outcome, Session};
use super::{Arguments, Command, Completion, ONLY_JSON, Usage};
use crate::getopt::OptionSpec;

pub(super) struct Status;

static USAGE: &[Usage] = &[
    Usage::new("status <name>", "Show the state of one process"),
    Usage::new("status <gname>:*", "Show the states of the processes of a group"),
    Usage::new("status <name> <name>", "Show the states of several processes or groups"),
    Usage::new("status", "Show the states of all processes"),
];

impl Command for Status {
    fn name(&self) -> &str {
        "status"
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
        session.check().inspect_err(|failure| {
            if matches!(failure, Failure::Told) {
                session.set_status(ExitStatus::STATUS_UNKNOWN);
            }
        })?;
        let processes: Vec<ProcessInfo> = session.call("getAllProcessInfo", vec![])?;
        let shown = if arguments.words.is_empty() || arguments.names_all() {
            processes
        } else {
            let Selection { found, unknown } = select(&processes, &arguments.words);
            for (name, entry, reason) in unknown {
                session.set_status(ExitStatus::STATUS_UNKNOWN);
                session.tell(format_args!("{name}: ERROR ({reason})"), entry.failed(Problem::bad_name(reason)))?;
            }
            found
        };
        if shown.iter().any(|process| process.state.is_stopped()) {
            session.set_status(ExitStatus::NOT_ALL_RUNNING);
        }
        let lines = render::status_lines(&shown, session.look);
        shown.iter().zip(lines).try_for_each(|(process, line)| session.tell(line, Entry::status(process)))
    }
}

/// What the names of a command line mean.
#[derive(Default)]
pub(super) struct Selection {
    /// The processes in the order named, repeats included.
    pub(super) found: Vec<ProcessInfo>,
    /// Each name that means nothing, as it is shown, and what it is not.
    pub(super) unknown: Vec<(String, Entry, &'static str)>,
}

pub(super) fn select(processes: &[ProcessInfo], words: &[&str]) -> Selection {
    let mut selection = Selection::default();
    for word in words {
        let before = selection.found.len();
        let Namespec { group, process } = Namespec::parse(word);
        let wanted = |one: &&ProcessInfo| {
            one.name.group == group && process.as_ref().is_none_or(|process| one.name.process == *process)
        };
        selection.found.extend(processes.iter().filter(wanted).cloned());
        if selection.found.len() == before {
            selection.unknown.push(match process {
                None => (group.clone(), Entry::of_group(&group), "no such group"),
                Some(process) => {
                    let entry = Entry::of_process(&ProcessName::new(group, process));
                    ((*word).to_owned(), entry, "no such process")
                }
            });
        }
    }
    selection
}
