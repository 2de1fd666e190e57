//! What Tab offers in the shell. Pure: the names come from whoever asks the server.

use std::collections::BTreeSet;

use supervisor_core::domain::name::ProcessName;

use super::command::{Completion, Table};
use super::controller::split;

/// The words that fit at the end of `line`, and where in it the word to be completed begins.
///
/// Words end at white space only: `:`, `*` and `-` are parts of a word. Each word has a space behind it, since it is
/// whole.
pub(super) fn candidates(table: &Table, line: &str, names: impl FnOnce(Completion) -> Names) -> (usize, Vec<String>) {
    let start = line.rfind(char::is_whitespace).map_or(0, |at| at + char_width(line, at));
    let word = &line[start..];
    let offered: Vec<String> = if line[..start].trim().is_empty() {
        table.all_names().into_iter().map(str::to_owned).collect()
    } else {
        let command = split(line).and_then(|(name, _)| table.find(name));
        match command.map_or(Completion::Nothing, |command| command.completion()) {
            Completion::Nothing => Vec::new(),
            Completion::Commands => table.all_names().into_iter().map(str::to_owned).collect(),
            kind @ (Completion::Groups | Completion::ConfiguredGroups) => names(kind).groups.into_iter().collect(),
            Completion::Processes => processes(&names(Completion::Processes), word),
        }
    };
    (start, offered.into_iter().filter(|name| name.starts_with(word)).map(|name| name + " ").collect())
}

fn char_width(line: &str, at: usize) -> usize {
    line[at..].chars().next().map_or(0, char::len_utf8)
}

/// Names as the server knows them.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) processes: Vec<ProcessName>,
    pub(super) groups: BTreeSet<String>,
}

/// Processes in their short form, and in full with their groups where the short form would hide the group.
fn processes(names: &Names, word: &str) -> Vec<String> {
    let mut offered = BTreeSet::new();
    for name in &names.processes {
        if name.group == name.process && !word.contains(':') {
            offered.insert(name.process.clone());
        } else {
            offered.insert(format!("{}:{}", name.group, name.process));
            offered.insert(format!("{}:*", name.group));
        }
    }
    offered.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> (usize, String) {
        let (start, words) = candidates(&Table::default(), line, |kind| Names {
            processes: vec![ProcessName::new("cat", "cat"), ProcessName::new("g", "a-1"), ProcessName::new("g", "b")],
            groups: match kind {
                Completion::Groups => BTreeSet::from(["cat".to_owned(), "g".to_owned()]),
                _ => BTreeSet::from(["cat".to_owned(), "new".to_owned()]),
            },
        });
        (start, words.concat())
    }

    #[test]
    fn words_are_completed() {
        for (line, start, want) in [
            ("versi", 0, "version "),
            ("  st", 2, "start status stop "),
            ("re", 0, "reload remove reread restart "),
            ("E", 0, ""),
            ("zz", 0, ""),
            ("help sta", 5, "start status "),
            ("help h", 5, "help "),
            ("start ", 6, "cat g:* g:a-1 g:b "),
            ("start c", 6, "cat "),
            ("start cat:", 6, "cat:* cat:cat "),
            ("start cat g:a", 10, "g:a-1 "),
            ("start cat g:a-", 10, "g:a-1 "),
            ("stop g:*", 5, "g:* "),
            ("signal HUP c", 11, "cat "),
            ("tail -f g:", 8, "g:* g:a-1 g:b "),
            ("remove ", 7, "cat g "),
            ("update n", 7, "new "),
            ("add n", 4, "new "),
            ("version ", 8, ""),
            ("bogus ", 6, ""),
            ("start\u{a0}c", 7, "cat "),
            ("! ", 2, ""),
        ] {
            assert_eq!(offered(line), (start, want.to_owned()), "{line:?}");
        }
    }
}
