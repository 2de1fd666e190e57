//! The shell: reads lines until the person leaves. An error in a command never ends it.
//!
//! On a terminal that can move its cursor rustyline edits and completes; elsewhere the prompt is printed and plain lines
//! are read.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};
use std::rc::{Rc, Weak};
use std::time::Duration;

use async_io::Timer;
use futures_lite::future;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use supervisor_core::rpc::FromValue;
use supervisor_rpc::client::ProcessInfo;

use super::command::{Available, Completion};
use super::completion::{Names, candidates};
use super::connection::{ClientError, read};
use super::controller::Controller;
use super::history::{self, History};
use super::input::{Input, Line, StandardInput};
use super::look::PLAIN_TERMINALS;
use super::session::{Failure, Session, wait};
use super::settings::ClientSettings;

/// How long Tab waits for the server.
const PATIENCE: Duration = Duration::from_secs(3);

/// Runs the shell to its end.
///
/// # Errors
/// If the output cannot be written or the input cannot be read; of the latter the person has been told.
pub(super) fn run(controller: Controller, settings: &ClientSettings) -> io::Result<()> {
    let controller = Rc::new(RefCell::new(controller));
    let is_terminal = io::stdin().is_terminal();
    let mut history = History::load(if is_terminal { settings.history_file.clone() } else { None });
    let editor = if is_terminal && can_edit() { editor(&controller, &history) } else { None };
    let editor = editor.map(|editor| Rc::new(RefCell::new(editor)));
    let prompt = format!("{}> ", settings.prompt);
    {
        let session = &mut controller.borrow_mut().session;
        session.interactive = true;
        session.interrupts.listen()?;
        if let Some(editor) = &editor {
            let plain = StandardInput::default();
            session.streams.input = Box::new(EditedInput { editor: Rc::downgrade(editor), plain });
        }
    }
    controller.borrow_mut().execute("status")?;
    while !controller.borrow().session.ended {
        let next = match &editor {
            Some(editor) => edited_line(&mut editor.borrow_mut(), &prompt).ok(),
            None => plain_line(&mut controller.borrow_mut().session, &prompt)?,
        };
        let Some(line) = next else { break };
        for line in commands(&line) {
            history.add(line);
            if let Some(editor) = &editor {
                // The history of a session in memory; the file is written at the end.
                let _ = editor.borrow_mut().add_history_entry(line);
            }
            // An interrupt of the past must not end a command of the future.
            controller.borrow_mut().session.interrupts.listen()?;
            controller.borrow_mut().execute(line)?;
            if controller.borrow().session.ended {
                break;
            }
        }
    }
    // A history that cannot be kept is no reason to complain.
    let _ = history.save();
    Ok(())
}

/// What was entered at once as commands: each line is one, also where a newline was typed or pasted into the text.
fn commands(entered: &str) -> impl Iterator<Item = &str> {
    entered.split(['\n', '\r'])
}

fn can_edit() -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    io::stdout().is_terminal() && !PLAIN_TERMINALS.contains(&term.to_ascii_lowercase().as_str())
}

type ShellEditor = Editor<Completions, MemHistory>;

fn editor(controller: &Rc<RefCell<Controller>>, history: &History) -> Option<ShellEditor> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        // Pasted lines are commands like typed ones, not the text of one command.
        .bracketed_paste(false)
        .max_history_size(history::LIMIT)
        .ok()?
        .build();
    let memory = MemHistory::with_config(&config);
    let mut editor = Editor::with_history(config, memory).ok()?;
    editor.set_helper(Some(Completions { controller: Rc::clone(controller) }));
    for line in history.lines() {
        let _ = editor.add_history_entry(line.as_str());
    }
    Some(editor)
}

/// The next line; an error if the person leaves (Ctrl-C, Ctrl-D, or a terminal that is gone).
fn edited_line(editor: &mut ShellEditor, prompt: &str) -> Result<String, ReadlineError> {
    loop {
        match editor.readline(prompt) {
            Err(ReadlineError::Signal(_)) => {}
            // Bytes that are no characters: what was typed is lost, the shell is not.
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {}
            outcome => return outcome,
        }
    }
}

/// The terminal of the shell: questions go through the editor, since it may hold lines that were typed ahead.
struct EditedInput {
    /// Not owned: the editor knows the session, which knows this.
    editor: Weak<RefCell<ShellEditor>>,
    plain: StandardInput,
}

impl Input for EditedInput {
    fn line(&mut self) -> Line<'_> {
        self.plain.line()
    }

    fn answer(&mut self, prompt: &str) -> Option<io::Result<Option<String>>> {
        let editor = self.editor.upgrade()?;
        let answer = edited_line(&mut editor.borrow_mut(), prompt);
        Some(match answer {
            Ok(line) => Ok(Some(line)),
            Err(ReadlineError::Eof) => Ok(None),
            Err(ReadlineError::Interrupted) => Err(io::ErrorKind::Interrupted.into()),
            Err(ReadlineError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        })
    }

    fn password(&mut self, prompt: &str) -> io::Result<Option<String>> {
        self.plain.password(prompt)
    }
}

fn plain_line(session: &mut Session, prompt: &str) -> io::Result<Option<String>> {
    match session.question(prompt) {
        Ok(Some(line)) => return Ok(Some(line)),
        Ok(None) | Err(Failure::Interrupted) => {}
        Err(Failure::Output(error)) => return Err(error),
        Err(Failure::Input(error)) => {
            session.complain(format_args!("error: cannot read the input: {error}"));
            return Err(error);
        }
        // A question asks no server.
        Err(Failure::Told | Failure::Client(_)) => {}
    }
    session.bytes(b"\n").map(|()| None).map_err(|failure| match failure {
        Failure::Output(error) | Failure::Input(error) => error,
        Failure::Told | Failure::Client(_) | Failure::Interrupted => io::ErrorKind::Other.into(),
    })
}

/// Completes with what the server knows.
struct Completions {
    controller: Rc<RefCell<Controller>>,
}

impl Completer for Completions {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _context: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        // While a command asks something there is nothing to complete.
        let Ok(mut controller) = self.controller.try_borrow_mut() else { return Ok((at, Vec::new())) };
        let commands = controller.session.commands();
        Ok(candidates(&commands, &line[..at], |kind| names(&mut controller.session, kind)))
    }
}

/// The names that the server knows; none if it does not answer.
fn names(session: &mut Session, kind: Completion) -> Names {
    let active: Vec<ProcessInfo> = ask_soon(session, "getAllProcessInfo");
    let mut groups: BTreeSet<String> = active.iter().map(|process| process.name.group.clone()).collect();
    if kind == Completion::ConfiguredGroups {
        let configured: Vec<Available> = ask_soon(session, "getAllConfigInfo");
        groups.extend(configured.into_iter().map(|process| process.name.group));
    }
    Names { processes: active.into_iter().map(|process| process.name).collect(), groups }
}

/// The list that a method answers; an empty one if it does not come soon.
fn ask_soon<T: FromValue>(session: &mut Session, method: &str) -> Vec<T> {
    let mut ask = || -> Result<Vec<T>, Failure> {
        let (server, interrupts, _) = session.parts()?;
        let full_name = format!("supervisor.{method}");
        let late = async {
            Timer::after(PATIENCE).await;
            Err(ClientError::TimedOut(PATIENCE))
        };
        Ok(read(&wait(interrupts, future::or(server.call(&full_name, vec![]), late))??, method)?)
    };
    ask().unwrap_or_default()
}

impl Hinter for Completions {
    type Hint = String;
}
impl Highlighter for Completions {}
impl Validator for Completions {}
impl Helper for Completions {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_command() {
        let split = |entered| commands(entered).collect::<Vec<_>>();
        assert_eq!(split("stop a b"), ["stop a b"]);
        assert_eq!(split("stop a\nstart b\rstatus"), ["stop a", "start b", "status"]);
    }
}
