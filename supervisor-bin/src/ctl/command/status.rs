//! `status`: the states of processes.

use supervisor_core::domain::name::{Namespec, ProcessName};

use super::super::exit_status::ExitStatus;
use super::super::render;
use super::super::reply::ProcessStatus;
use super::super::session::{Failure, Outcome, Session};
use super::{Arguments, Command, Completion, Usage};

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

    fn completion(&self) -> Completion {
        Completion::Processes
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.check().inspect_err(|failure| {
            if matches!(failure, Failure::Told) {
                session.set_status(ExitStatus::STATUS_UNKNOWN);
            }
        })?;
        let processes = ProcessStatus::read_all(&session.call("getAllProcessInfo", vec![])?)?;
        let shown = if arguments.words.is_empty() || arguments.names_all() {
            processes
        } else {
            let Selection { found, unknown } = select(&processes, &arguments.words);
            for line in unknown {
                session.fail(line, ExitStatus::STATUS_UNKNOWN)?;
            }
            found
        };
        if shown.iter().any(ProcessStatus::is_stopped) {
            session.set_status(ExitStatus::NOT_ALL_RUNNING);
        }
        render::status_lines(&shown).into_iter().try_for_each(|line| session.line(line))
    }
}

/// What the names of a command line mean.
#[derive(Default)]
struct Selection {
    /// The processes in the order named, repeats included.
    found: Vec<ProcessStatus>,
    /// A line for each name that means nothing.
    unknown: Vec<String>,
}

fn select(processes: &[ProcessStatus], words: &[&str]) -> Selection {
    let mut selection = Selection::default();
    for word in words {
        let before = selection.found.len();
        let Namespec { group, process } = Namespec::parse(word);
        let wanted = |one: &&ProcessStatus| {
            one.name.group == group && process.as_ref().is_none_or(|process| one.name.process == *process)
        };
        selection.found.extend(processes.iter().filter(wanted).cloned());
        if selection.found.len() == before {
            selection.unknown.push(match process {
                None => format!("{group}: ERROR (no such group)"),
                Some(process) => format!("{}: ERROR (no such process)", ProcessName::new(group, process)),
            });
        }
    }
    selection
}
