//! What a supervisor is made of, and its making.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use async_executor::Executor;

use crate::Error;
use crate::activity::{ActivityLog, LogFacade};
use crate::config::{ConfigError, Loader, Occasion, Settings};
use crate::config_source::ConfigSource;
use crate::definition::Definition;
use crate::domain::level::Level;
use crate::domain::spec;
use crate::domain::state::SupervisorState;
use crate::handle::{Handle, Shared};
use crate::listener::{EventListener, ResultHandler};
use crate::program::Program;
use crate::runtime::clock::{Clock, SystemClock};
use crate::runtime::deadlines::Deadlines;
use crate::runtime::door::LaunchDoor;
use crate::runtime::ending::Mood;
use crate::runtime::engine::{Configured, Engine};
use crate::runtime::lane::Lanes;
use crate::runtime::launch::Launcher;
use crate::runtime::leftovers::Leftovers;
use crate::runtime::prepare::{AutoLogs, Preparation};
use crate::runtime::pressure::Pressure;
use crate::runtime::spawn::Spawner;
use crate::runtime::spawner::{RealSpawner, SpawnOptions};
use crate::runtime::state_file::StateFile;
use crate::runtime::state_file::record::Record;
use crate::runtime::subscribers::Subscribers;
use crate::runtime::tasks::{TaskSpawner, Tasks};
use crate::runtime::waiters::Waiters;
use crate::runtime::weak_executor::WeakExecutor;
use crate::sys::host::SystemHost;
use crate::sys::orphan::KnownChildren;
use crate::task::Task;

use crate::runtime::supervisor::{Handover, Mailbox, Supervisor};

/// How many requests may wait for the loop; more make their senders wait.
const MAILBOX: usize = 256;

/// How many notices may wait for the loop; more make their senders wait.
const NOTICES: usize = 256;

/// Puts a [`Supervisor`] together.
pub struct Builder {
    identifier: String,
    configured: Vec<spec::Group>,
    definitions: Vec<Definition>,
    activity: Arc<dyn ActivityLog>,
    directory: Option<PathBuf>,
    strip_ansi: bool,
    server_url: Option<String>,
    source: Option<Arc<dyn ConfigSource>>,
    listeners: Vec<Arc<dyn EventListener>>,
    handlers: HashMap<String, Arc<dyn ResultHandler>>,
    task_spawner: Option<TaskSpawner>,
    reap_orphans: bool,
    pass_service_manager_env: bool,
    state_file: Option<PathBuf>,
    handover: Handover,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.configured.iter().map(|group| group.name.as_str()).collect();
        f.debug_struct("Builder")
            .field("identifier", &self.identifier)
            .field("configured", &names)
            .field("definitions", &self.definitions)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            identifier: "supervisor".to_owned(),
            configured: Vec::new(),
            definitions: Vec::new(),
            activity: Arc::new(LogFacade),
            directory: None,
            strip_ansi: false,
            server_url: None,
            source: None,
            listeners: Vec::new(),
            handlers: HashMap::new(),
            task_spawner: None,
            reap_orphans: false,
            pass_service_manager_env: false,
            state_file: None,
            handover: Handover::default(),
        }
    }
}

impl Builder {
    /// The name under which events and AUTO logs are known. Default `supervisor` (Supervisor 4.3: `identifier`).
    #[must_use]
    pub fn identifier(mut self, identifier: impl Into<String>) -> Self {
        self.identifier = identifier.into();
        self
    }

    /// Adds a program; its settings are checked by [`build`](Self::build).
    #[must_use]
    pub fn program(self, program: Program) -> Self {
        self.define(program)
    }

    /// Adds a task of this program; its settings are checked by [`build`](Self::build).
    #[must_use]
    pub fn task(self, task: Task) -> Self {
        self.define(task)
    }

    /// Adds a group.
    #[must_use]
    pub fn group(self, group: spec::Group) -> Self {
        self.define(group)
    }

    /// Adds groups.
    #[must_use]
    pub fn groups(self, groups: impl IntoIterator<Item = spec::Group>) -> Self {
        groups.into_iter().fold(self, Self::define)
    }

    /// Adds a program, a task or a group. It belongs to the embedding program: no re-read of a configuration touches it.
    #[must_use]
    pub fn define(mut self, definition: impl Into<Definition>) -> Self {
        self.definitions.push(definition.into());
        self
    }

    /// Adds groups that were read from the [`config_source`](Self::config_source): they are compared with what it gives
    /// when it is read again.
    #[must_use]
    pub fn configured(mut self, groups: impl IntoIterator<Item = spec::Group>) -> Self {
        self.configured.extend(groups);
        self
    }

    /// Takes over what a configuration says: `identifier`, `childlogdir`, `strip_ansi`, `pass_service_manager_env` and the
    /// groups. Servers, the activity log and the other keys of `[supervisord]` are for whoever has such things.
    #[must_use]
    pub fn settings(self, settings: &Settings) -> Self {
        self.identifier(&settings.daemon.identifier)
            .child_log_directory(&settings.daemon.childlogdir)
            .strip_ansi(settings.daemon.strip_ansi)
            .pass_service_manager_env(settings.daemon.pass_service_manager_env)
            .configured(settings.groups.iter().cloned())
    }

    /// Takes over what the configuration file at `path` says ([`settings`](Self::settings)), and reads it again when that is
    /// asked for. Blocks.
    ///
    /// # Errors
    /// The first thing that is wrong with the file.
    pub fn configuration_file(self, path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let settings = Loader::new(&SystemHost).load(path.as_ref())?;
        let path = settings.path.clone();
        let reread = move || {
            let settings = Loader::new(&SystemHost).occasion(Occasion::Reread).load(&path);
            settings.map(|settings| settings.groups).map_err(|error| error.to_string())
        };
        Ok(self.settings(&settings).config_source(Arc::new(reread)))
    }

    /// Runs tasks on an executor of your choice: `spawn` must bring each future to its end, and may drop it to kill the task.
    /// It is called on a thread of the supervisor's. By default tasks run where [`Supervisor::run`] does, and one that blocks
    /// its thread blocks the supervisor.
    ///
    /// For tokio: `let handle = tokio::runtime::Handle::current();` and `move |task| drop(handle.spawn(task))`.
    #[must_use]
    pub fn spawn_tasks_with(
        mut self,
        spawn: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        self.task_spawner = Some(Arc::new(spawn));
        self
    }

    /// Where the lines of the activity log go. Default: the `log` facade.
    #[must_use]
    pub fn activity_log(mut self, activity: Arc<dyn ActivityLog>) -> Self {
        self.activity = activity;
        self
    }

    /// Where AUTO logs are made (Supervisor 4.3: `childlogdir`). Without it, AUTO means that no log is kept.
    #[must_use]
    pub fn child_log_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// AUTO means that no log is kept, as it does unless a [`child_log_directory`](Self::child_log_directory) is named.
    #[must_use]
    pub fn without_auto_logs(mut self) -> Self {
        self.directory = None;
        self
    }

    /// Removes escape sequences of terminals from logs and events. Default false.
    #[must_use]
    pub fn strip_ansi(mut self, strip: bool) -> Self {
        self.strip_ansi = strip;
        self
    }

    /// What children find in SUPERVISOR_SERVER_URL if their `serverurl` is AUTO. Default: not set.
    #[must_use]
    pub fn server_url(mut self, url: Option<String>) -> Self {
        self.server_url = url;
        self
    }

    /// Where [`Handle::reload_config`] reads from. Without it, a re-read finds what there was. What it gives first is for
    /// [`configured`](Self::configured).
    #[must_use]
    pub fn config_source(mut self, source: Arc<dyn ConfigSource>) -> Self {
        self.source = Some(source);
        self
    }

    /// Adds a listener that hears of events from the first one on.
    #[must_use]
    pub fn listener(mut self, listener: impl EventListener + 'static) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// Adds a handler that `result_handler=` can name (Supervisor 4.3: `result_handler`).
    #[must_use]
    pub fn result_handler(mut self, name: impl Into<String>, handler: impl ResultHandler + 'static) -> Self {
        self.handlers.insert(name.into(), Arc::new(handler));
        self
    }

    /// Reaps children that are not ours, as PID 1 or a subreaper must. Takes a handler for SIGCHLD. Default false.
    #[must_use]
    pub fn reap_orphans(mut self, reap: bool) -> Self {
        self.reap_orphans = reap;
        self
    }

    /// Hands the service manager's variables (NOTIFY_SOCKET, LISTEN_*, WATCHDOG_*) to children. Default false.
    #[must_use]
    pub fn pass_service_manager_env(mut self, pass: bool) -> Self {
        self.pass_service_manager_env = pass;
        self
    }

    /// Where running processes are written down. Those that a supervisor left behind there, because it was killed, are
    /// stopped by the next one, before their programs are started. Linux only. Default: not at all.
    #[must_use]
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Goes on where a supervisor that was restarted left off.
    #[must_use]
    pub fn handover(mut self, handover: Handover) -> Self {
        self.handover = handover;
        self
    }

    /// Makes the supervisor: AUTO logs are made, shared sockets are proved; nothing is started.
    ///
    /// # Errors
    /// [`Error::Settings`] (also for two groups of one name), [`Error::File`], [`Error::FastCgiSocket`], [`Error::Resource`].
    pub fn build(self) -> Result<Supervisor, Error> {
        let children = self.reap_orphans.then(KnownChildren::new);
        let options = SpawnOptions {
            pass_service_manager_env: self.pass_service_manager_env,
            children: children.clone(),
            ..SpawnOptions::default()
        };
        let spawner: Arc<dyn Spawner> = Arc::new(RealSpawner::new(options));
        let mut supervisor = self.build_with(Arc::new(SystemClock::new()), spawner, LaunchDoor::lane)?;
        supervisor.children = children;
        // Reaps children that were dropped; without it async-process starts a thread for that.
        supervisor.engine.executor.spawn(async_process::driver()).detach();
        Ok(supervisor)
    }

    /// The same with other clocks, spawners and doors than the real ones.
    pub(crate) fn build_with(
        mut self,
        clock: Arc<dyn Clock>,
        spawner: Arc<dyn Spawner>,
        door: impl FnOnce(Launcher) -> LaunchDoor,
    ) -> Result<Supervisor, Error> {
        let executor = Arc::new(Executor::new());
        let (notices, notices_in) = async_channel::bounded(NOTICES);
        let (mailbox, requests) = async_channel::bounded(MAILBOX);
        let shared = Arc::new(Shared {
            identifier: self.identifier.clone(),
            activity: Arc::clone(&self.activity),
            state: AtomicU8::default(),
        });
        shared.set_state(SupervisorState::Running);
        let (state_file, leftovers) = open_state_file(self.state_file.as_deref(), self.activity.as_ref());
        let pressure = Arc::<Pressure>::default();
        let launcher = Launcher {
            spawner,
            tasks: Tasks {
                executor: WeakExecutor::new(&executor),
                spawner: self.task_spawner.take(),
                activity: Arc::clone(&self.activity),
            },
            lanes: Arc::new(Lanes::new(Arc::clone(&self.activity))),
            executor: WeakExecutor::new(&executor),
            notices: notices.clone(),
            clock: Arc::clone(&clock),
            strip_ansi: self.strip_ansi,
            state_file,
            activity: Arc::clone(&self.activity),
            pressure: Arc::clone(&pressure),
        };
        let configured = configured(std::mem::take(&mut self.configured), std::mem::take(&mut self.definitions))?;
        let groups = configured.groups.clone();
        let preparation = Preparation {
            identifier: self.identifier,
            directory: self.directory,
            activity: Arc::clone(&self.activity),
        };
        let now = clock.now();
        let mut engine = Engine {
            shared: Arc::clone(&shared),
            clock,
            executor,
            notices,
            door: door(launcher),
            preparation,
            source: self.source,
            server_url: self.server_url.map(Into::into),
            groups: BTreeMap::new(),
            group_orders: HashMap::new(),
            activations: 0,
            processes: HashMap::new(),
            names: BTreeMap::new(),
            keys: 0,
            configured,
            preparing: HashMap::new(),
            mood: Mood::Running,
            unstopped: BTreeMap::new(),
            waiters: Waiters::default(),
            spawning: 0,
            inquiries: Vec::new(),
            lane_watched: false,
            deadlines: Deadlines::new(),
            subscribers: Subscribers::new(self.handover.serial, now, self.handlers, pressure),
            leftovers: Leftovers::new(leftovers),
            effects: Vec::new(),
        };
        for listener in self.listeners {
            engine.add_listener(listener);
        }
        for group in groups {
            let prepared = engine.preparation.prepare(&group, &AutoLogs::default())?;
            engine.activate(group, prepared);
        }
        let handle = Handle::new(mailbox, shared);
        Ok(Supervisor { engine, handle, notices: notices_in, requests: Mailbox(requests), children: None })
    }
}

/// What is configured and what is defined, together.
fn configured(read: Vec<spec::Group>, definitions: Vec<Definition>) -> Result<Configured, Error> {
    let mut configured = Configured::default();
    let mut names = HashSet::new();
    let mut unique = |name: &str| match names.insert(name.to_owned()) {
        true => Ok(()),
        false => Err(Error::Settings(format!("the group '{name}' is defined twice"))),
    };
    for group in &read {
        unique(&group.name)?;
    }
    configured.replace(read);
    for definition in definitions {
        let defined = definition.build(&SystemHost).map_err(|error| Error::Settings(error.to_string()))?;
        unique(&defined.group.name)?;
        configured.define(defined);
    }
    Ok(configured)
}

/// Opens the state file, if there is to be one. Without it leftovers stay, and that is said.
fn open_state_file(path: Option<&Path>, activity: &dyn ActivityLog) -> (Option<Arc<StateFile>>, Vec<Record>) {
    let Some(path) = path else { return (None, Vec::new()) };
    match StateFile::open(path) {
        Ok((state_file, leftovers)) => (Some(Arc::new(state_file)), leftovers),
        Err(refusal) => {
            let text =
                format!("programs that outlive a killed supervisor will not be known, {}: {refusal}", path.display());
            activity.write(Level::Warn, &text);
            (None, Vec::new())
        }
    }
}
