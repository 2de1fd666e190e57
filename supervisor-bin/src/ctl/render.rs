//! Lines and columns: how answers look. Pure; nothing is asked and nothing is printed here.

use std::fmt::Write as _;

use supervisor_rpc::client::ProcessInfo;

use super::command::{Available, Command, Usage};
use super::look::{Colour, Look};

/// The width of a terminal that lists are made for.
const WIDTH: usize = 79;

/// The column at which the texts of a help begin, if the forms leave room.
const TEXT_COLUMN: usize = 24;

/// The lines of `status`: name, state and description in columns.
pub(super) fn status_lines(processes: &[ProcessInfo], look: Look) -> Vec<String> {
    let names: Vec<String> = processes.iter().map(|process| process.name.to_string()).collect();
    let width = names.iter().map(|name| name.chars().count()).fold(30, usize::max) + 3;
    names
        .iter()
        .zip(processes)
        .map(|(name, process)| {
            let state = process.state.name();
            let painted = look.paint(Colour::of_state(process.state), state);
            let gap = 10_usize.saturating_sub(state.len());
            format!("{name:width$}{painted}{:gap$}{}", "", process.description)
        })
        .collect()
}

/// A line of `avail`.
pub(super) fn avail_line(process: &Available) -> String {
    let in_use = if process.in_use { "in use" } else { "avail" };
    let start = if process.autostart { "auto" } else { "manual" };
    let (group, own) = (process.group_priority, process.priority);
    format!("{:32} {in_use:9} {start:9} {group}:{own}", process.name)
}

/// The help of a command: each form, tabs, and what it does; the same for each option.
pub(super) fn help(command: &dyn Command) -> String {
    let options = command.options().iter().map(|option| Usage {
        form: format!("{} {}", command.name(), option.forms(" or ")).into(),
        text: option.help.into(),
    });
    usage(&command.usage().iter().cloned().chain(options).collect::<Vec<_>>())
}

fn usage(lines: &[Usage]) -> String {
    let longest = lines.iter().map(|line| line.form.chars().count()).max().unwrap_or(0);
    let column = ((longest + 1).div_ceil(8) * 8).max(TEXT_COLUMN);
    lines.iter().fold(String::new(), |mut text, line| {
        let tabs = (column - line.form.chars().count()).div_ceil(8);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{}{}", line.form, "\t".repeat(tabs), line.text);
        text
    })
}

/// A list of topics under a header, as `help` shows it.
pub(super) fn topics(header: &str, names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let mut text = format!("{header}\n{}\n", "=".repeat(header.chars().count()));
    for row in columns(names) {
        text += &row;
        text.push('\n');
    }
    text.push('\n');
    text
}

/// The rows of a list filled downward: as few as fit the width.
fn columns(names: &[&str]) -> Vec<String> {
    let widths = |rows: usize| -> Vec<usize> {
        names.chunks(rows).map(|column| column.iter().map(|name| name.chars().count()).max().unwrap_or(0)).collect()
    };
    let rows = (1..names.len())
        .find(|rows| {
            let widths = widths(*rows);
            widths.iter().sum::<usize>() + 2 * (widths.len() - 1) <= WIDTH
        })
        .unwrap_or(names.len());
    let widths = widths(rows);
    (0..rows)
        .map(|row| {
            let cells: Vec<String> = names
                .iter()
                .skip(row)
                .step_by(rows)
                .zip(&widths)
                .map(|(name, width)| format!("{name:width$}"))
                .collect();
            cells.join("  ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use supervisor_core::domain::state::ProcessState;

    use super::super::testing;
    use super::*;

    fn process(group: &str, name: &str, state: ProcessState, description: &str) -> ProcessInfo {
        let mut process = testing::process(group, name, state);
        description.clone_into(&mut process.description);
        process
    }

    #[test]
    fn status_has_columns_that_grow() {
        let plain = |processes: &[ProcessInfo]| status_lines(processes, Look::default());
        let lines =
            plain(&[process("g", "a", ProcessState::Running, "pid 3"), process("x", "x", ProcessState::Starting, "")]);
        assert_eq!(lines, [format!("g:a{}RUNNING   pid 3", " ".repeat(30)), format!("x{}STARTING  ", " ".repeat(32))]);
        let long = "ä".repeat(41);
        let lines = plain(&[
            process(&long, &long, ProcessState::Fatal, "why"),
            process("x", "x", ProcessState::Exited, "when"),
        ]);
        assert_eq!(lines, [format!("{long}   FATAL     why"), format!("x{}EXITED    when", " ".repeat(43))]);
    }

    #[test]
    fn colours_change_nothing_but_the_colour_of_the_state() {
        let look = Look { colours: true, progress: false };
        let lines = status_lines(&[process("x", "x", ProcessState::Running, "pid 3")], look);
        assert_eq!(lines, [format!("x{}\x1b[32mRUNNING\x1b[0m   pid 3", " ".repeat(32))]);
    }

    #[test]
    fn lists_are_filled_downward() {
        assert_eq!(columns(&["a"]), ["a"]);
        assert_eq!(columns(&["a", "bb", "c"]), ["a  bb  c"]);
        let wide = "x".repeat(72);
        assert_eq!(columns(&["a", &wide, "ccc", "d"]), [format!("a{}  ccc", " ".repeat(71)), format!("{wide}  d  ")]);
        let too_wide = "y".repeat(90);
        assert_eq!(columns(&[&too_wide, "z"]), [too_wide.clone(), format!("z{}", " ".repeat(89))]);
        assert_eq!(topics("some", &[]), "");
        assert_eq!(topics("some", &["a", "b"]), "some\n====\na  b\n\n");
    }

    #[test]
    fn forms_and_texts_are_divided_by_tabs() {
        let line = |form: &'static str| Usage { form: Cow::Borrowed(form), text: Cow::Borrowed("T") };
        assert_eq!(usage(&[line("start <name>"), line("start all")]), "start <name>\t\tT\nstart all\t\tT\n");
        let wide = usage(&[line("signal <signal name> <name> <name>"), line("a")]);
        assert_eq!(wide, "signal <signal name> <name> <name>\tT\na\t\t\t\t\tT\n");
    }
}
