//! What a command works with: the server, the output, the exit status, and the person at the other end.
//!
//! Decides how a call is waited for, what the check of the server tells, and whether a report becomes lines or a document.
//! Which command runs, and what an unexpected
//! failure prints, is decided in `controller.rs`.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;

use futures_lite::future;
use supervisor_core::domain::server::Credentials;
use supervisor_core::rpc::{Fault, FaultCode, FromValue, Value};

use super::command::{Command, Table};
use super::connection::{ClientError, Connect, Rpc, read};
use super::exit_status::ExitStatus;
use super::input::Input;
use super::interrupt::Interrupts;
use super::look::Look;
use super::output::Output;
use super::render;
use super::report::{Entry, Problem, Report};
use super::settings::ClientSettings;
use super::surroundings;

/// Why a command did not come to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// Something that has been shown already; the exit status is set too.
    Told,
    /// The server gave no answer, or not a good one.
    Client(ClientError),
    /// The output cannot be written.
    Output(io::Error),
    /// The input cannot be read.
    Input(io::Error),
    /// Ctrl-C.
    Interrupted,
}

/// What a command returns.
pub type Outcome = Result<(), Failure>;

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

/// The streams of the program.
pub(super) struct Streams {
    pub(super) output: Output,
    pub(super) errors: Box<dyn Write>,
    pub(super) input: Box<dyn Input>,
}

/// A run of supervisorctl.
pub struct Session {
    url: String,
    username: Option<String>,
    password: Option<String>,
    connector: Box<dyn Connect>,
    server: Option<Box<dyn Rpc>>,
    pub(super) streams: Streams,
    pub(super) interrupts: Interrupts,
    commands: Rc<Table>,
    status: ExitStatus,
    /// The file that the settings come from.
    file: Option<PathBuf>,
    /// The document that takes the place of lines, while a command runs that was asked for one.
    report: Option<Report>,
    pub(super) look: Look,
    pub(super) interactive: bool,
    pub(super) ended: bool,
}

impl Session {
    pub(super) fn new(
        settings: &ClientSettings,
        connector: Box<dyn Connect>,
        streams: Streams,
        commands: Rc<Table>,
    ) -> Self {
        Self {
            url: settings.serverurl.clone(),
            username: settings.username.clone(),
            password: settings.password.clone(),
            connector,
            server: None,
            streams,
            interrupts: Interrupts::default(),
            commands,
            status: ExitStatus::DONE,
            file: settings.file.clone(),
            report: None,
            look: Look::default(),
            interactive: false,
            ended: false,
        }
    }

    /// The address of the server, as it was configured.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes `url` the server of all later calls.
    pub fn set_url(&mut self, url: &str) {
        url.clone_into(&mut self.url);
        self.server = None;
    }

    pub(super) fn set_credentials(&mut self, credentials: Option<Credentials>) {
        (self.username, self.password) =
            credentials.map(|known| (Some(known.username), Some(known.password))).unwrap_or_default();
        self.server = None;
    }

    /// The exit status so far.
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    /// Sets the exit status; nothing good that happens later takes it back.
    pub fn set_status(&mut self, status: ExitStatus) {
        self.status = status;
    }

    pub(super) fn commands(&self) -> Rc<Table> {
        Rc::clone(&self.commands)
    }

    /// True in the shell and with `-i`, where a person can be asked.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Prints a line.
    ///
    /// A line that cannot be written ends no command halfway: the work is finished, and the failure is that of the
    /// whole run. What is done only to be shown ends with [`Session::bytes`].
    ///
    /// # Errors
    /// None; an [`Outcome`] is what commands end with.
    pub fn line(&mut self, text: impl Display) -> Outcome {
        // The output remembers it.
        let _ = writeln!(self.streams.output, "{text}");
        Ok(())
    }

    /// What is printed is seen before anything is waited for.
    pub(super) fn show(&mut self) {
        // The output remembers an error.
        let _ = self.streams.output.flush();
    }

    /// Prints bytes as they are, at once.
    ///
    /// # Errors
    /// [`Failure::Output`], also for what could not be written earlier
    pub fn bytes(&mut self, bytes: &[u8]) -> Outcome {
        let output = &mut self.streams.output;
        output.write_all(bytes).and_then(|()| output.flush()).map_err(Failure::Output)
    }

    /// Prints a line about what keeps the command from its work, and sets the exit status.
    ///
    /// # Errors
    /// [`Failure::Output`]
    pub fn fail(&mut self, text: impl Display, status: ExitStatus) -> Outcome {
        let text = text.to_string();
        self.fail_for(&text, status, Problem::other("FAILED", text.as_str()))
    }

    /// Prints a line about wrong arguments and the command's help, and sets the exit status.
    ///
    /// # Errors
    /// [`Failure::Output`]
    pub fn misuse(&mut self, command: &dyn Command, text: impl Display, status: ExitStatus) -> Outcome {
        let text = text.to_string();
        self.fail_for(&text, status, Problem::usage(text.as_str()))?;
        if self.report.is_some() {
            return Ok(());
        }
        self.bytes(render::help(command).as_bytes())
    }

    /// The same as [`Session::fail`], with the reason in terms of the document.
    pub(super) fn fail_for(&mut self, text: &str, status: ExitStatus, problem: Problem) -> Outcome {
        self.status = status;
        match &mut self.report {
            None => self.line(text),
            Some(report) => {
                report.fail(problem);
                Ok(())
            }
        }
    }

    /// Tells of one thing: a line for a person, or its entry in the document.
    pub(super) fn tell(&mut self, line: impl Display, entry: Entry) -> Outcome {
        match &mut self.report {
            None => self.line(line),
            Some(report) => {
                report.add(entry);
                Ok(())
            }
        }
    }

    /// From now on a document is written instead of lines.
    pub(super) fn begin_report(&mut self, command: &str) {
        self.report = Some(Report::new(command));
    }

    /// Prints the document, if one was begun.
    pub(super) fn end_report(&mut self) -> Outcome {
        match self.report.take() {
            None => Ok(()),
            Some(report) => self.line(report.line(&self.url.clone(), self.status.number())),
        }
    }

    pub(super) fn is_reporting(&self) -> bool {
        self.report.is_some()
    }

    /// Prints a line on standard error. What cannot be written there is lost.
    pub fn complain(&mut self, text: impl Display) {
        self.show();
        let _ = writeln!(self.streams.errors, "{text}");
    }

    /// Says on standard error where the server was looked for and what can be done, where there is something to say.
    pub(super) fn advise(&mut self, error: &ClientError) {
        let found = self.connector.look(&self.url);
        for line in surroundings::advice(error, &self.url, self.file.as_deref(), &found) {
            self.complain(line);
        }
    }

    /// Asks the person for a line; `None` at the end of the input.
    ///
    /// # Errors
    /// [`Failure::Output`], [`Failure::Input`], [`Failure::Interrupted`]
    pub fn question(&mut self, prompt: &str) -> Result<Option<String>, Failure> {
        self.bytes(b"")?;
        if let Some(answer) = self.streams.input.answer(prompt) {
            return answer.map_err(|error| match error.kind() {
                io::ErrorKind::Interrupted => Failure::Interrupted,
                _ => Failure::Input(error),
            });
        }
        self.bytes(prompt.as_bytes())?;
        wait(&mut self.interrupts, self.streams.input.line())?.map_err(Failure::Input)
    }

    /// Calls `supervisor.METHOD`, or `NAMESPACE.METHOD` as it is written; a refusal is an ordinary answer.
    ///
    /// # Errors
    /// [`Failure::Client`] without a usable answer, [`Failure::Interrupted`]
    pub fn ask<T: FromValue>(&mut self, method: &str, params: Vec<Value>) -> Result<Result<T, Fault>, Failure> {
        self.show();
        let (server, interrupts, _) = self.parts()?;
        let full_name = if method.contains('.') { method.to_owned() } else { format!("supervisor.{method}") };
        answered(wait(interrupts, server.call(&full_name, params))?, method)
    }

    /// Calls `supervisor.METHOD`, or `NAMESPACE.METHOD` as it is written.
    ///
    /// # Errors
    /// [`Failure::Client`] for a refusal too, [`Failure::Interrupted`]
    pub fn call<T: FromValue>(&mut self, method: &str, params: Vec<Value>) -> Result<T, Failure> {
        self.ask(method, params)?.map_err(|fault| Failure::Client(ClientError::Fault(fault)))
    }

    /// The server, the interrupts and the streams, for commands that wait for several things at once.
    pub(super) fn parts(&mut self) -> Result<(&dyn Rpc, &mut Interrupts, &mut Streams), Failure> {
        let server = match &mut self.server {
            Some(server) => server,
            vacant => {
                let known = self.username.as_ref().zip(self.password.as_ref());
                let credentials = known
                    .map(|(username, password)| Credentials { username: username.clone(), password: password.clone() });
                vacant.insert(self.connector.connect(&self.url, credentials.as_ref())?)
            }
        };
        Ok((&**server, &mut self.interrupts, &mut self.streams))
    }

    /// Makes sure that there is a server that we can talk to (Supervisor 4.3: API version 3.0).
    ///
    /// # Errors
    /// [`Failure::Told`] for what is often met, with the exit status set; else [`Failure::Client`]
    pub fn check(&mut self) -> Outcome {
        let (text, status, kind) = match self.ask::<String>("getVersion", vec![]) {
            Ok(Ok(version)) => match version.as_str() {
                "3.0" => return Ok(()),
                other => (
                    format!(
                        "Sorry, this version of supervisorctl expects to talk to a server with API version 3.0, but the \
                         remote version is {other}."
                    ),
                    ExitStatus::OTHER_VERSION,
                    "OTHER_API_VERSION",
                ),
            },
            Ok(Err(fault)) if fault.code == FaultCode::UnknownMethod.number() => (
                "Sorry, supervisord responded but did not recognize the supervisor namespace commands that \
                 supervisorctl uses to control it.  Add a section [rpcinterface:supervisor] to the configuration file \
                 of supervisord and restart it."
                    .to_owned(),
                ExitStatus::NO_NAMESPACE,
                FaultCode::UnknownMethod.name(),
            ),
            Ok(Err(fault)) => return Err(ClientError::Fault(fault).into()),
            Err(Failure::Client(error @ ClientError::Refused)) => {
                return self.absent(&error, "refused connection", ExitStatus::REFUSED);
            }
            Err(Failure::Client(error @ ClientError::NoSuchSocket)) => {
                return self.absent(&error, "no such file", ExitStatus::NOT_RUNNING);
            }
            Err(failure) => return Err(failure),
        };
        self.fail_for(&text, status, Problem::other(kind, text.as_str()))?;
        Err(Failure::Told)
    }

    fn absent(&mut self, error: &ClientError, text: &str, status: ExitStatus) -> Outcome {
        let text = format!("{} {text}", self.url);
        self.fail_for(&text, status, Problem::client(error, &self.url))?;
        self.advise(error);
        Err(Failure::Told)
    }
}

/// Waits for `work`, or for Ctrl-C where that has been taken over.
pub(super) fn wait<T>(interrupts: &mut Interrupts, work: impl Future<Output = T>) -> Result<T, Failure> {
    let interrupted = async {
        interrupts.next().await;
        Err(Failure::Interrupted)
    };
    // The interrupt comes first, so that no flood of output can keep it waiting.
    async_io::block_on(future::or(interrupted, async { Ok(work.await) }))
}

/// An answer in which a refusal is an ordinary one.
pub(super) fn answered<T: FromValue>(
    answer: Result<Value, ClientError>,
    method: &str,
) -> Result<Result<T, Fault>, Failure> {
    match answer {
        Ok(value) => Ok(Ok(read(&value, method)?)),
        Err(ClientError::Fault(fault)) => Ok(Err(fault)),
        Err(error) => Err(Failure::Client(error)),
    }
}
