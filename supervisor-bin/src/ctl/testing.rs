//! A server that answers from a script, and a person who types from one: for the tests of commands.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::rc::Rc;

use futures_lite::{future, stream};
use supervisor_core::domain::server::Credentials;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::rpc::{Fault, FaultCode, FromValue as _, Value};
use supervisor_rpc::client::ProcessInfo;

use super::command::Table;
use super::connection::{ClientError, Connect, LogStream, Reply, Rpc};
use super::controller::Controller;
use super::input::{Input, Line};
use super::output::Output;
use super::plugin::Plugins;
use super::session::{Session, Streams};
use super::settings::{ClientSettings, PluginSection};
use super::surroundings::Surroundings;

/// Calls in the order expected, such as `startProcess(cat)`, `open unix:///x as user:pw` or `GET /logtail/cat/stdout`,
/// with their answers.
type Script = Rc<RefCell<VecDeque<(String, Result<Value, ClientError>)>>>;

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe whose reader leaves.
struct Forgetful {
    shared: Box<Shared>,
    left: usize,
}

impl Write for Forgetful {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(self.left);
        self.left -= count;
        self.shared.write(&bytes[..count])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The most bytes of a log that our servers give at once.
const PIECE: i64 = 8 << 20;

/// What a server of ours answers of a log of these bytes; what is no text is replaced.
fn part(log: &[u8], offset: i64, length: i64) -> String {
    let size = i64::try_from(log.len()).unwrap();
    let begin = if offset < 0 { (size + offset.max(-PIECE)).max(0) } else { offset.min(size) };
    let length = if length == 0 { PIECE } else { length.min(PIECE) };
    let span = usize::try_from(begin).unwrap()..usize::try_from((begin + length).min(size)).unwrap();
    String::from_utf8_lossy(&log[span]).into_owned()
}

#[derive(Clone)]
struct FakeServer {
    script: Script,
    /// The stdout log of every process, where it is not a matter of the script.
    log: Rc<RefCell<Option<Vec<u8>>>>,
}

impl FakeServer {
    fn answer(&self, call: &str) -> Result<Value, ClientError> {
        let (expected, answer) = self.script.borrow_mut().pop_front().unwrap_or_else(|| panic!("unexpected {call}"));
        assert_eq!(call, expected);
        answer
    }
}

impl Connect for FakeServer {
    fn connect(&self, url: &str, credentials: Option<&Credentials>) -> Result<Box<dyn Rpc>, ClientError> {
        if !url.starts_with("unix://") && !url.starts_with("http://") {
            return Err(ClientError::UnsupportedScheme);
        }
        if let Some(Credentials { username, password }) = credentials {
            self.answer(&format!("open {url} as {username}:{password}"))?;
        }
        Ok(Box::new(self.clone()))
    }

    fn look(&self, _url: &str) -> Surroundings {
        Surroundings { is_local: true, ..Surroundings::default() }
    }
}

impl Rpc for FakeServer {
    fn call<'a>(&'a self, method: &'a str, params: Vec<Value>) -> Reply<'a, Value> {
        if let (Some(log), "supervisor.readProcessStdoutLog", [_, Value::Int(offset), Value::Int(length)]) =
            (&*self.log.borrow(), method, &*params)
        {
            return Box::pin(future::ready(Ok(part(log, *offset, *length).into())));
        }
        let params: Vec<String> = params.iter().map(shown).collect();
        let call = format!("{}({})", method.strip_prefix("supervisor.").unwrap(), params.join(", "));
        Box::pin(future::ready(self.answer(&call)))
    }

    fn follow<'a>(&'a self, path: &'a str) -> Reply<'a, LogStream> {
        let log = self.answer(&format!("GET {path}")).map(|value| -> LogStream {
            let Value::Array(chunks) = value else { panic!("a log is a list of texts") };
            Box::pin(stream::iter(chunks.into_iter().map(|chunk| match chunk {
                Value::String(text) => Ok(text.into_bytes()),
                _ => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            })))
        });
        Box::pin(future::ready(log))
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim_end().to_owned(),
        Value::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

struct FakeInput(VecDeque<String>);

impl Input for FakeInput {
    fn line(&mut self) -> Line<'_> {
        Box::pin(future::ready(Ok(self.0.pop_front())))
    }

    fn password(&mut self, _prompt: &str) -> io::Result<Option<String>> {
        Ok(self.0.pop_front())
    }
}

/// A run of supervisorctl with nobody real at the other ends.
pub(super) struct Run {
    controller: Controller,
    output: Shared,
    errors: Shared,
    server: FakeServer,
}

impl Run {
    /// One command after the other outside of the shell; the server is at `unix:///x`.
    pub(super) fn new() -> Self {
        Self::with(&Plugins::default(), &[], &[])
    }

    /// In the shell, where the person types these lines.
    pub(super) fn interactive(lines: &[&str]) -> Self {
        let mut run = Self::with(&Plugins::default(), &[], lines);
        run.controller.session.interactive = true;
        run
    }

    pub(super) fn with(plugins: &Plugins, sections: &[PluginSection], lines: &[&str]) -> Self {
        let (output, errors) = (Shared::default(), Shared::default());
        let server = FakeServer { script: Script::default(), log: Rc::default() };
        let settings = ClientSettings { serverurl: "unix:///x".to_owned(), ..ClientSettings::default() };
        let mut commands = Table::default();
        let warnings = plugins.load(sections, &mut commands);
        let streams = Streams {
            output: Output::new(Box::new(output.clone())),
            errors: Box::new(errors.clone()),
            input: Box::new(FakeInput(lines.iter().map(|line| (*line).to_owned()).collect())),
        };
        let connector = Box::new(server.clone());
        let mut session = Session::new(&settings, connector, streams, Rc::new(commands));
        warnings.into_iter().for_each(|warning| session.complain(warning));
        Self { controller: Controller { session, json: false }, output, errors, server }
    }

    /// Every process has this log on its stdout, whatever of it is asked for.
    pub(super) fn with_log(self, log: &[u8]) -> Self {
        *self.server.log.borrow_mut() = Some(log.to_owned());
        self
    }

    /// The reader of the output leaves after so many bytes.
    pub(super) fn heard_until(mut self, bytes: usize) -> Self {
        let shared = Box::new(self.output.clone());
        self.controller.session.streams.output = Output::new(Box::new(Forgetful { shared, left: bytes }));
        self
    }

    /// Runs a line, which must make every expected call, though its output is lost; what was seen of it.
    pub(super) fn run_unheard(&mut self, line: &str) -> String {
        let error = self.controller.execute(line).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        let rest = self.server.script.borrow();
        assert!(rest.is_empty(), "{line}: not called: {rest:?}");
        drop(rest);
        String::from_utf8(self.output.0.borrow().clone()).unwrap()
    }

    /// With `--json` before the action.
    pub(super) fn asking_for_documents(mut self) -> Self {
        self.controller.json = true;
        self
    }

    /// Adds an expected call and its answer.
    pub(super) fn on(self, call: &str, answer: impl IntoAnswer) -> Self {
        self.server.script.borrow_mut().push_back((call.to_owned(), answer.into_answer()));
        self
    }

    /// Adds the check that most commands begin with.
    pub(super) fn checked(self) -> Self {
        self.on("getVersion()", "3.0")
    }

    /// Runs a line, which must make every expected call; what it printed and the exit status.
    pub(super) fn run(&mut self, line: &str) -> (String, u8) {
        self.controller.execute(line).unwrap();
        let rest = self.server.script.borrow();
        assert!(rest.is_empty(), "{line}: not called: {rest:?}");
        drop(rest);
        let output = std::mem::take(&mut *self.output.0.borrow_mut());
        (String::from_utf8(output).unwrap(), self.controller.session.status().number())
    }

    /// What has been written on standard error.
    pub(super) fn errors(&self) -> String {
        String::from_utf8(self.errors.0.borrow().clone()).unwrap()
    }

    pub(super) fn ended(&self) -> bool {
        self.controller.session.ended
    }
}

/// Whatever a server can answer.
pub(super) trait IntoAnswer {
    fn into_answer(self) -> Result<Value, ClientError>;
}

macro_rules! good_answers {
    ($($from:ty),*) => {
        $(impl IntoAnswer for $from {
            fn into_answer(self) -> Result<Value, ClientError> {
                Ok(self.into())
            }
        })*
    };
}

good_answers!(Value, Vec<Value>, &str, bool, i32);

impl IntoAnswer for FaultCode {
    fn into_answer(self) -> Result<Value, ClientError> {
        Err(ClientError::Fault(Fault::with(self, "detail")))
    }
}

impl IntoAnswer for ClientError {
    fn into_answer(self) -> Result<Value, ClientError> {
        Err(self)
    }
}

/// A struct as it comes over the wire.
pub(super) fn record(members: &[(&str, Value)]) -> Value {
    Value::Struct(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

/// What `getProcessInfo` answers.
pub(super) fn info(group: &str, name: &str, state: ProcessState, pid: i64) -> Value {
    record(&[
        ("group", group.into()),
        ("name", name.into()),
        ("state", state.code().into()),
        ("statename", state.name().into()),
        ("description", "why".into()),
        ("pid", pid.into()),
        ("start", 1_700_000_000.into()),
        ("stop", 0.into()),
        ("now", 1_700_000_060.into()),
        ("exitstatus", 0.into()),
        ("spawnerr", "".into()),
        ("stdout_logfile", format!("/log/{name}.out").into()),
        ("stderr_logfile", format!("/log/{name}.err").into()),
    ])
}

/// The same, read.
pub(super) fn process(group: &str, name: &str, state: ProcessState) -> ProcessInfo {
    ProcessInfo::from_value(&info(group, name, state, 0)).unwrap()
}

/// One entry of what `getAllConfigInfo` answers: of a group with priority 5 that is in use or that starts by itself.
pub(super) fn configured(group: &str, name: &str, in_use: bool) -> Value {
    let mut members: Vec<(String, Value)> = vec![
        ("group".to_owned(), group.into()),
        ("name".to_owned(), name.into()),
        ("inuse".to_owned(), in_use.into()),
        ("autostart".to_owned(), (!in_use).into()),
        ("group_prio".to_owned(), 5.into()),
        ("process_prio".to_owned(), 999.into()),
        ("command".to_owned(), "/bin/cat secret".into()),
        ("exitcodes".to_owned(), vec![Value::Int(0)].into()),
    ];
    let mut add = |names: &[&str], value: Value| {
        members.extend(names.iter().map(|name| ((*name).to_owned(), value.clone())));
    };
    add(&["directory", "uid", "serverurl", "stdout_logfile", "stderr_logfile"], "none".into());
    add(&["killasgroup", "redirect_stderr"], false.into());
    add(&["startsecs", "startretries", "stopsignal", "stopwaitsecs"], 1.into());
    for stream in ["stdout", "stderr"] {
        let names = ["logfile_maxbytes", "logfile_backups", "capture_maxbytes"].map(|name| format!("{stream}_{name}"));
        add(&names.each_ref().map(String::as_str), 0.into());
        let names = ["events_enabled", "syslog"].map(|name| format!("{stream}_{name}"));
        add(&names.each_ref().map(String::as_str), false.into());
    }
    Value::Struct(members)
}

/// One entry of what the calls for many answer.
pub(super) fn entry(group: &str, name: &str, code: FaultCode) -> Value {
    let description = format!("{}: {name}", code.name());
    record(&[
        ("group", group.into()),
        ("name", name.into()),
        ("status", code.number().into()),
        ("description", description.into()),
    ])
}

/// What `reloadConfig` answers.
pub(super) fn changes(added: &[&str], changed: &[&str], removed: &[&str]) -> Vec<Value> {
    let list = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
    vec![Value::Array(vec![list(added), list(changed), list(removed)])]
}
