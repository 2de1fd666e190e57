//! supervisorctl: asks a running supervisord and shows what it answers.
//!
//! The way of a command line: `args` takes it apart, `settings` merges it with the file, `controller` finds the command,
//! `command/*` asks the server behind `connection`, `render` lays the answer out. Everything that a plugin needs is
//! public; the rest is not.

mod args;
mod command;
mod completion;
mod connection;
mod controller;
mod exit_status;
mod follow;
mod history;
pub(crate) mod input;
mod interrupt;
mod look;
mod merge;
mod output;
mod plugin;
mod progress;
mod render;
mod report;
mod session;
mod settings;
mod shell;
mod surroundings;
#[cfg(test)]
mod testing;
mod transport;

use std::ffi::{OsStr, OsString};
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::rc::Rc;

use self::args::Request;
use self::command::Table;
use self::controller::Controller;
use self::input::StandardInput;
use self::look::Look;
use self::output::Output;
use self::session::Streams;
use self::transport::Network;

pub use self::args::OPTIONS;
pub use self::command::{Arguments, Command, Completion, Listing, Usage};
pub use self::connection::ClientError;
pub use self::exit_status::ExitStatus;
pub use self::plugin::{Factory, Plugins};
pub use self::session::{Failure, Outcome, Session};
pub use self::settings::{ClientSettings, PluginSection};

/// The built-in commands that are offered, by name.
pub fn commands() -> Vec<&'static dyn Command> {
    command::offered()
}

/// Why supervisorctl does not even begin: one line.
#[derive(Debug)]
struct Refusal(String);

impl<T: std::fmt::Display> From<T> for Refusal {
    fn from(error: T) -> Self {
        Self(error.to_string())
    }
}

/// Runs supervisorctl with the words of its command line, the program's name included.
pub fn run(plugins: &Plugins, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_else(|| "supervisorctl".into());
    let shown = program.to_string_lossy().into_owned();
    match begin(plugins, &program, words) {
        // Whoever reads our output has left; there is nobody to tell.
        Ok(Err(_)) => ExitCode::FAILURE,
        Ok(Ok(status)) => ExitCode::from(status.number()),
        Err(Refusal(message)) => {
            // Without a standard error the exit status must do.
            let _ = io::stderr().write_all(crate::getopt::complaint(&shown, &message).as_bytes());
            ExitCode::from(ExitStatus::USAGE.number())
        }
    }
}

fn begin(
    plugins: &Plugins,
    program: &OsStr,
    words: impl Iterator<Item = OsString>,
) -> Result<io::Result<ExitStatus>, Refusal> {
    let words = crate::getopt::texts(words)?;
    let options = match args::parse(&words)? {
        Request::Help => {
            let help = args::help(&program.to_string_lossy());
            return Ok(io::stdout().write_all(help.as_bytes()).map(|()| ExitStatus::DONE));
        }
        Request::Run(options) => options,
    };
    let settings = settings::load(program, &options)?;
    let mut commands = Table::default();
    let warnings = plugins.load(&settings.plugins, &mut commands);
    let streams = Streams {
        output: Output::new(Box::new(BufWriter::new(io::stdout().lock()))),
        errors: Box::new(io::stderr()),
        input: Box::new(StandardInput::default()),
    };
    let mut session = Session::new(&settings, Box::new(Network), streams, Rc::new(commands));
    session.look = Look::of_the_terminal();
    warnings.into_iter().for_each(|warning| session.complain(warning));
    let mut controller = Controller { session, json: options.json };
    if options.action.is_empty() && options.json {
        return Err(Refusal("--json needs an action".to_owned()));
    }
    if options.action.is_empty() {
        return Ok(shell::run(controller, &settings).map(|()| ExitStatus::DONE));
    }
    // A document is for programs, which answer no questions.
    if options.interactive && !options.json {
        controller.session.interactive = true;
        controller.session.interrupts.listen()?;
    }
    let done = controller.execute(&options.action.join(" "));
    Ok(done.map(|()| controller.session.status()))
}
