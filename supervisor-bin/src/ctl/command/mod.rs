//! The commands: one file and one definition each, from which parsing, help and completion come.

mod add;
mod avail;
mod clear;
mod fg;
mod help;
mod logs;
mod maintail;
mod open;
mod pid;
mod quit;
mod reload;
mod remove;
mod reread;
mod restart;
mod shutdown;
mod signal;
mod start;
mod status;
mod stop;
mod tail;
mod update;
mod verb;
mod version;

use std::borrow::Cow;

pub(super) use self::avail::Available;
use super::report::JSON;
use super::session::{Outcome, Session};
use crate::getopt::OptionSpec;

/// A command of supervisorctl.
pub trait Command: Sync {
    /// The word that calls it: letters, digits and underscores.
    fn name(&self) -> &str;

    /// Its forms and what each does, for `help`.
    fn usage(&self) -> &[Usage];

    /// What its arguments are completed with in the shell; default nothing.
    fn completion(&self) -> Completion {
        Completion::Nothing
    }

    /// The options that may stand before its arguments; default none.
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }

    /// Where it is shown; default everywhere.
    fn listing(&self) -> Listing {
        Listing::Everywhere
    }

    /// Does it: asks the server, prints the answer, sets the exit status.
    ///
    /// # Errors
    /// A [`Failure`](super::session::Failure) ends the command, not the shell.
    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome;
}

/// Where a command is shown. Every one of them can be called and has its help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Listed by `help`, completed, and in the manual.
    Everywhere,
    /// Completed and in the manual; not listed by `help`, which lists what Supervisor 4.3 has.
    ManualOnly,
    /// Nowhere.
    Nowhere,
}

/// The options of a command that can answer with a document and knows no other option.
static ONLY_JSON: &[OptionSpec] = &[JSON];

/// True if the command can answer with a document.
pub(super) fn knows_json(command: &dyn Command) -> bool {
    command.options().contains(&JSON)
}

/// One form of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// How it is written, such as `start <name>`.
    pub form: Cow<'static, str>,
    /// What it does.
    pub text: Cow<'static, str>,
}

impl Usage {
    /// A form known at compile time.
    pub const fn new(form: &'static str, text: &'static str) -> Self {
        Self { form: Cow::Borrowed(form), text: Cow::Borrowed(text) }
    }
}

/// What the arguments of a command are completed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// Nothing.
    Nothing,
    /// Names of commands.
    Commands,
    /// Names of active groups.
    Groups,
    /// Names of active groups and of those in the configuration.
    ConfiguredGroups,
    /// Names of processes, and groups as `g:*`.
    Processes,
}

/// What stands behind the command's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments<'a> {
    /// All of it, without white space around.
    pub text: &'a str,
    /// The same, split at white space.
    pub words: Vec<&'a str>,
}

impl<'a> Arguments<'a> {
    /// Takes a text apart.
    pub fn new(text: &'a str) -> Self {
        let text = text.trim();
        Self { text, words: text.split_whitespace().collect() }
    }

    /// True if `all` is among the words.
    pub fn names_all(&self) -> bool {
        self.words.contains(&"all")
    }
}

/// The built-in commands, by name.
static BUILT_IN: &[&dyn Command] = &[
    &add::Add,
    &avail::Avail,
    &clear::Clear,
    &quit::Exit,
    &fg::Foreground,
    &help::Help,
    &logs::Logs,
    &maintail::MainTail,
    &open::Open,
    &pid::Pid,
    &quit::Quit,
    &reload::Reload,
    &remove::Remove,
    &reread::Reread,
    &restart::Restart,
    &shutdown::Shutdown,
    &signal::Signal,
    &start::Start,
    &status::Status,
    &stop::Stop,
    &tail::Tail,
    &update::Update,
    &version::Version,
    &quit::EndOfFile,
];

/// All commands of a run.
#[derive(Default)]
pub(super) struct Table {
    plugins: Vec<(String, Vec<Box<dyn Command>>)>,
}

impl Table {
    /// Adds the commands of the plugin with this name; those added before win over them.
    pub(super) fn add_plugin(&mut self, name: &str, commands: Vec<Box<dyn Command>>) {
        self.plugins.push((name.to_owned(), commands));
    }

    /// The command with this name. Built-in ones win over those of plugins, earlier plugins over later ones.
    pub(super) fn find(&self, name: &str) -> Option<&dyn Command> {
        self.commands().find(|command| command.name() == name)
    }

    /// The sorted names of the built-in commands that `help` lists.
    pub(super) fn built_in_names(&self) -> Vec<&str> {
        listed(BUILT_IN.iter().copied())
    }

    /// The plugins with the sorted names of their commands.
    pub(super) fn plugin_names(&self) -> Vec<(&str, Vec<&str>)> {
        self.plugins
            .iter()
            .map(|(name, commands)| (name.as_str(), listed(commands.iter().map(|command| &**command))))
            .collect()
    }

    /// The sorted names of everything that is offered to be typed.
    pub(super) fn all_names(&self) -> Vec<&str> {
        let offered = self.commands().filter(|command| command.listing() != Listing::Nowhere);
        let mut names: Vec<_> = offered.map(Command::name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn commands(&self) -> impl Iterator<Item = &dyn Command> {
        let plugins = self.plugins.iter().flat_map(|(_, commands)| commands.iter().map(|command| &**command));
        BUILT_IN.iter().copied().chain(plugins)
    }
}

/// The built-in commands that are offered, by name.
pub(super) fn offered() -> Vec<&'static dyn Command> {
    let mut commands: Vec<_> =
        BUILT_IN.iter().copied().filter(|command| command.listing() != Listing::Nowhere).collect();
    commands.sort_by(|a, b| a.name().cmp(b.name()));
    commands
}

fn listed<'t>(commands: impl Iterator<Item = &'t dyn Command>) -> Vec<&'t str> {
    let mut names: Vec<_> =
        commands.filter(|command| command.listing() == Listing::Everywhere).map(Command::name).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests;
