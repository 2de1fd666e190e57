//! `help`: what the commands are and what each does.

use super::super::render;
use super::super::session::{Outcome, Session};
use super::{Arguments, Command, Completion, Listing, Usage};

pub(super) struct Help;

static USAGE: &[Usage] =
    &[Usage::new("help", "List the commands"), Usage::new("help <action>", "Show the forms of one command")];

impl Command for Help {
    fn name(&self) -> &str {
        "help"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn completion(&self) -> Completion {
        Completion::Commands
    }

    fn listing(&self) -> Listing {
        Listing::ManualOnly
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        let commands = session.commands();
        if arguments.text.is_empty() {
            session.line("")?;
            let mut text = render::topics("default commands (type help <topic>):", &commands.built_in_names());
            for (plugin, names) in commands.plugin_names() {
                text += &render::topics(&format!("{plugin} commands (type help <topic>):"), &names);
            }
            return session.bytes(text.as_bytes());
        }
        match commands.find(arguments.text) {
            Some(command) => session.bytes(render::help(command).as_bytes()),
            None => session.line(format_args!("*** No help on {}", arguments.text)),
        }
    }
}
