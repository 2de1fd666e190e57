//! What completions and pages are made of: a program, its options and its commands. What completes a word is decided here,
//! once for all shells.

use supervisor_core::domain::state::ProcessState;

use crate::ctl::{Command, Completion};
use crate::getopt::OptionSpec;

/// A program with its tables.
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// Its options.
    pub options: &'static [OptionSpec],
    /// Its commands, by name; none for a program that has none.
    pub commands: Vec<&'static dyn Command>,
}

/// The line at the beginning of every file.
pub(super) const MADE: &str = "Made from the tables of the program (cargo run -p supervisor-bin --example manual).";

/// What the value of an option is completed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// The option has no value.
    None,
    /// Files.
    File,
    /// Directories.
    Directory,
    /// Accounts.
    User,
    /// Nothing that could be known.
    Other,
}

impl Argument {
    pub(super) fn of(option: &OptionSpec) -> Self {
        match option.argument {
            None => Self::None,
            Some("FILE") => Self::File,
            Some("DIRECTORY") => Self::Directory,
            Some("USER") => Self::User,
            Some(_) => Self::Other,
        }
    }
}

impl Program {
    /// The forms of the options that this test holds for, such as `-c`, `--configuration`.
    pub(super) fn forms(&self, test: impl Fn(&OptionSpec) -> bool) -> Vec<String> {
        self.options.iter().filter(|option| test(option)).flat_map(forms).collect()
    }

    /// The options that say which server is meant: what asks it for names needs them too.
    pub(super) fn of_the_server(option: &OptionSpec) -> bool {
        ["configuration", "serverurl", "username", "password"].contains(&option.long)
    }

    /// The commands whose arguments are completed so.
    pub(super) fn completed_with(&self, completion: Completion) -> Vec<&str> {
        self.commands
            .iter()
            .filter(|command| command.completion() == completion)
            .map(|command| command.name())
            .collect()
    }
}

/// `-c` and `--configuration`.
pub(super) fn forms(option: &OptionSpec) -> Vec<String> {
    let short = option.short.iter().map(|letter| format!("-{letter}"));
    short.chain([format!("--{}", option.long)]).collect()
}

/// An awk program that takes process names out of the lines of `status`, and nothing out of error lines.
pub(super) fn names_of_status() -> String {
    let states = ProcessState::ALL.map(ProcessState::name).join("|");
    format!("$2 ~ /^({states})$/ {{ print $1 }}")
}

/// An awk program that takes group names out of process names.
pub(super) const GROUPS: &str = "{ sub(/:.*/, \"\") } !seen[$0]++";

/// An awk program that takes process names out of the lines of `avail`.
pub(super) const NAMES_OF_AVAIL: &str = "$2 == \"in\" && $3 == \"use\" || $2 == \"avail\" { print $1 }";

/// An awk program that adds `g:*` for the group of each member `g:p`.
pub(super) const WITH_GROUPS: &str = "{ print } sub(/:.*/, \":*\") && !seen[$0]++";
