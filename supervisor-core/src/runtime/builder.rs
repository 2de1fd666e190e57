//! What a supervisor is made of, and its making.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use async_executor::Executor;

use crate::Error;
use crate::activity::{ActivityLog, LogFacade};
use crate::config_source::ConfigSource;
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
use crate::runtime::prepare::Preparation;
use crate::runtime::pressure::Pressure;
use crate::runtime::spawn::Spawner;
use crate::runtime::spawner::{RealSpawner, SpawnOptions};
use crate::runtime::subscribers::Subscribers;
use crate::runtime::waiters::Waiters;
use crate::sys::host::SystemHost;
use crate::sys::orphan::KnownChildren;

use crate::runtime::supervisor::{Handover, Supervisor};

/// How many requests may wait for the loop; more make their senders wait.
const MAILBOX: usize = 1024;

/// How many notices may wait for the loop; more make their senders wait.
const NOTICES: usize = 1024;

/// Puts a [`Supervisor`] together.
pub struct Builder {
    identifier: String,
    groups: Vec<spec::Group>,
    programs: Vec<Program>,
    activity: Arc<dyn ActivityLog>,
    directory: Option<PathBuf>,
    strip_ansi: bool,
    server_url: Option<String>,
    source: Option<Arc<dyn ConfigSource>>,
    listeners: Vec<Arc<dyn EventListener>>,
    handlers: HashMap<String, Arc<dyn ResultHandler>>,
    reap_orphans: bool,
    pass_service_manager_env: bool,
    descriptors_are_close_on_exec: bool,
    handover: Handover,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.groups.iter().map(|group| group.name.as_str()).collect();
        f.debug_struct("Builder").field("identifier", &self.identifier).field("groups", &names).finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            identifier: "supervisor".to_owned(),
            groups: Vec::new(),
            programs: Vec::new(),
            activity: Arc::new(LogFacade),
            directory: None,
            strip_ansi: false,
            server_url: None,
            source: None,
            listeners: Vec::new(),
            handlers: HashMap::new(),
            reap_orphans: false,
            pass_service_manager_env: false,
            descriptors_are_close_on_exec: false,
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
    pub fn program(mut self, program: Program) -> Self {
        self.programs.push(program);
        self
    }

    /// Adds a group.
    #[must_use]
    pub fn group(mut self, group: spec::Group) -> Self {
        self.groups.push(group);
        self
    }

    /// Adds groups.
    #[must_use]
    pub fn groups(mut self, groups: impl IntoIterator<Item = spec::Group>) -> Self {
        self.groups.extend(groups);
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

    /// Where [`Handle::reload_config`] reads from. Without it, a re-read finds what there was.
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

    /// Promises that every descriptor of this program above 2 is close-on-exec and that no signal is ignored or blocked:
    /// children may then be started in the quickest way. Default false.
    #[must_use]
    pub fn descriptors_are_close_on_exec(mut self, promise: bool) -> Self {
        self.descriptors_are_close_on_exec = promise;
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
    /// [`Error::Settings`], [`Error::File`], [`Error::FastCgiSocket`], [`Error::Resource`].
    pub fn build(mut self) -> Result<Supervisor, Error> {
        for program in std::mem::take(&mut self.programs) {
            let group = program.build(&SystemHost).map_err(|error| Error::Settings(error.to_string()))?;
            self.groups.push(group);
        }
        let children = self.reap_orphans.then(KnownChildren::new);
        let options = SpawnOptions {
            pass_service_manager_env: self.pass_service_manager_env,
            trusted: self.descriptors_are_close_on_exec,
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
        self,
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
        let pressure = Arc::<Pressure>::default();
        let launcher = Launcher {
            spawner,
            lanes: Arc::new(Lanes::new(Arc::clone(&self.activity))),
            executor: Arc::clone(&executor),
            notices: notices.clone(),
            clock: Arc::clone(&clock),
            strip_ansi: self.strip_ansi,
            pressure: Arc::clone(&pressure),
        };
        let preparation = Preparation {
            identifier: self.identifier,
            directory: self.directory,
            activity: Arc::clone(&self.activity),
        };
        let now = clock.now();
        let mut groups: Vec<Arc<spec::Group>> = self.groups.into_iter().map(Arc::new).collect();
        groups.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
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
            configured: Configured { groups: groups.clone(), autos: HashMap::new() },
            mood: Mood::Running,
            unstopped: BTreeMap::new(),
            waiters: Waiters::default(),
            lane_watched: false,
            deadlines: Deadlines::new(),
            subscribers: Subscribers::new(self.handover.serial, now, self.handlers, pressure),
            effects: Vec::new(),
        };
        for listener in self.listeners {
            engine.add_listener(listener);
        }
        for group in groups {
            let prepared = engine.preparation.prepare(&group, &[])?;
            engine.activate(group, prepared);
        }
        let handle = Handle::new(mailbox, shared);
        Ok(Supervisor { engine, handle, notices: notices_in, requests, children: None })
    }
}
