//! RPC namespaces that are programs of their own: `supervisor.rpcinterface_factory = exec:/path/to/program`.
//!
//! The program is supervised like any other, in a group `rpcinterface-NAME` of its own, and speaks JSON-RPC 2.0 over its
//! stdin and stdout (docs/guides/plugins.md). While it does not run, calls answer FAILED; the methods that it described
//! first are the namespace's for as long as the supervisor lives.

mod connection;
mod protocol;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_io::Timer;
use async_std::task;
use async_trait::async_trait;
use futures_lite::future;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::signal::Signal;
use supervisor_core::domain::spec::{Autorestart, Group};
use supervisor_core::rpc::{Answer, Caller, Fault, FaultCode, Method, Params, RpcInterface};
use supervisor_core::sys::host::SystemHost;
use supervisor_core::{Definition, Handle, Pipes, Program};

use crate::namespace::{FactoryError, Section};
use connection::{Connection, NoAnswer};
use protocol::Ask;

/// What a factory's name begins with if the rest of it is the command line of a plugin.
pub const EXECUTABLE: &str = "exec:";

/// The key of the section with the time that a call may take, in seconds.
pub const CALL_TIMEOUT: &str = "supervisor.call_timeout";

/// How long a call may take unless the section says otherwise.
const CALL: Duration = Duration::from_secs(60);

/// How long a plugin may take to describe itself.
const DESCRIBE: Duration = Duration::from_secs(10);

/// A plugin that has closed its stdout ends within this time, or is ended.
const LINGER: Duration = Duration::from_secs(2);

/// A namespace whose methods are answered by a program.
pub struct ExecutablePlugin(Arc<Plugin>);

impl std::fmt::Debug for ExecutablePlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecutablePlugin").field("namespace", &self.0.namespace).finish_non_exhaustive()
    }
}

struct Plugin {
    namespace: String,
    options: BTreeMap<String, String>,
    process: ProcessName,
    limit: Duration,
    handle: Handle,
    methods: OnceLock<Vec<Method>>,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl ExecutablePlugin {
    /// Makes the namespace of a section whose factory is [`EXECUTABLE`] and a command line. Its program is added to the
    /// supervisor, which starts it once it runs.
    ///
    /// # Errors
    /// [`FactoryError::Refused`] for settings that cannot work.
    pub fn new(handle: &Handle, section: &Section) -> Result<Self, FactoryError> {
        let Checked { name, options, limit, group } = Checked::of(section)?;
        let plugin = Arc::new(Plugin {
            namespace: section.name.clone(),
            options,
            process: ProcessName::new(&name, &name),
            limit,
            handle: handle.clone(),
            methods: OnceLock::new(),
            connection: Mutex::new(None),
        });
        let connecting = Arc::clone(&plugin);
        let definition = Definition::from(group).with_pipes(move |pipes| connecting.connect(pipes));
        // The request is taken when the supervisor runs; nobody can wait for it here.
        future::block_on(future::poll_once(handle.add(definition)));
        Ok(Self(plugin))
    }

    /// Says whether the namespace of a section can be made, before there is a supervisor to make it for.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn check(section: &Section) -> Result<(), FactoryError> {
        Checked::of(section).map(drop)
    }
}

/// What a section says, found good.
struct Checked {
    /// Of the program and of its group.
    name: String,
    options: BTreeMap<String, String>,
    limit: Duration,
    group: Group,
}

impl Checked {
    fn of(section: &Section) -> Result<Self, FactoryError> {
        let refused = |text: String| FactoryError::Refused(format!("{text} within [rpcinterface:{}]", section.name));
        let command = section.factory.strip_prefix(EXECUTABLE).unwrap_or(&section.factory).trim();
        if command.is_empty() {
            return Err(refused(format!("{EXECUTABLE} names no program")));
        }
        let mut options = section.settings.clone();
        let limit = match options.remove(CALL_TIMEOUT) {
            None => CALL,
            Some(text) => match text.trim().parse() {
                Ok(seconds @ 1..) => Duration::from_secs(seconds),
                _ => return Err(refused(format!("{CALL_TIMEOUT} is no number of seconds"))),
            },
        };
        let name = section.group().ok_or_else(|| refused(format!("no {EXECUTABLE}")))?;
        // The value has been expanded already.
        let program = Program::new(&name, command.replace('%', "%%")).priority(-1).autorestart(Autorestart::Always);
        let group = program.build(&SystemHost).map_err(|error| refused(error.to_string()))?;
        Ok(Self { name, options, limit, group })
    }
}

impl Plugin {
    fn log(&self, level: Level, text: &str) {
        self.handle.log(level, &format!("RPC interface '{}': {text}", self.namespace));
    }

    /// The program was started.
    fn connect(self: &Arc<Self>, pipes: Pipes) {
        let pid = pipes.pid;
        let (connection, driver) = match Connection::open(pipes) {
            Ok(both) => both,
            Err(error) => return self.log(Level::Error, &format!("its pipes cannot be used: {error}")),
        };
        let connection = Arc::new(connection);
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&connection));
        let plugin = Arc::clone(self);
        task::spawn(async move {
            let driven = async {
                match driver.run().await {
                    Some(nonsense) => plugin.end(pid, &nonsense).await,
                    None => {
                        Timer::after(LINGER).await;
                        plugin.end(pid, "it has closed its stdout").await;
                    }
                }
            };
            let described = async {
                if let Err(why) = plugin.describe(&connection).await {
                    plugin.end(pid, &why).await;
                }
            };
            future::zip(driven, described).await;
        });
    }

    /// Asks a program that has just been started for its methods.
    async fn describe(&self, connection: &Connection) -> Result<(), String> {
        let ask = Ask::Describe { namespace: &self.namespace, options: &self.options };
        let described = match connection.ask(&ask, DESCRIBE).await {
            Ok(Ok(description)) => protocol::methods(description).map_err(|nonsense| nonsense.to_string())?,
            Ok(Err(refusal)) => return Err(format!("it does not describe itself: {}", protocol::fault(refusal))),
            // It ended, and that is told by whoever supervises it.
            Err(NoAnswer::Gone) => return Ok(()),
            Err(other) => return Err(format!("it {other}")),
        };
        if *self.methods.get_or_init(|| described.clone()) != described {
            self.log(
                Level::Warn,
                "it describes other methods than before; they count after a restart of the supervisor",
            );
        }
        Ok(())
    }

    /// Ends the program if it is still the one with this pid; it is started again as every program is.
    async fn end(&self, pid: Option<u32>, why: &str) {
        let present = self.handle.process(&self.process).await.ok();
        if pid.is_some() && present.is_some_and(|info| info.pid == pid) {
            self.log(Level::Warn, &format!("{why}: the program is ended"));
            // An error means that it is gone.
            let _ = self.handle.signal(&self.process, Signal::KILL).await;
        }
    }

    fn failed(&self, why: NoAnswer) -> Fault {
        Fault::with(FaultCode::Failed, format_args!("the program of '{}' {why}", self.namespace))
    }
}

#[async_trait]
impl RpcInterface for ExecutablePlugin {
    fn methods(&self) -> &[Method] {
        self.0.methods.get().map(Vec::as_slice).unwrap_or_default()
    }

    fn missing(&self, _method: &str) -> Fault {
        match self.0.methods.get() {
            Some(_) => Fault::unknown_method(),
            None => self.0.failed(NoAnswer::Gone),
        }
    }

    async fn call(&self, method: &str, params: Params, caller: &Caller) -> Result<Box<dyn Answer>, Fault> {
        let plugin = &self.0;
        let connection = plugin.connection.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let connection = connection.ok_or_else(|| plugin.failed(NoAnswer::Gone))?;
        let ask = Ask::Call { method, parameters: &params.0, caller };
        match connection.ask(&ask, plugin.limit).await {
            Ok(Ok(result)) => Ok(protocol::from_json(result).into()),
            Ok(Err(refusal)) => Err(protocol::fault(refusal)),
            Err(why) => Err(plugin.failed(why)),
        }
    }
}
