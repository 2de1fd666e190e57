//! The configuration file of a daemon: read at its start, at each restart and at each re-read, with the values of the
//! command line on top whenever they are applied. What a re-read has to say that the last one had not said goes to the
//! activity log.
//!
//! Relative paths always mean what they meant at first: they belong to the directory in which the daemon was started, also
//! after it went into the background and to another one (`directory`).

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use supervisor_core::ConfigSource;
use supervisor_core::activity::ActivityLog;
use supervisor_core::config::{Known, Loader, Note, Occasion, Overrides, Settings};
use supervisor_core::domain::host::Host;
use supervisor_core::domain::spec::{Group, User};
use supervisor_core::sys::host::SystemHost;
use supervisor_rpc::namespace::Factories;
use supervisor_rpc::server::check_password;

use super::error::StartError;
use super::{result_handler, service};

/// See the module.
pub(super) struct FileSource {
    path: PathBuf,
    overrides: Overrides,
    factories: Factories,
    machine: Machine,
    told: Mutex<Told>,
}

/// What whoever reads the activity log knows.
#[derive(Default)]
struct Told {
    /// Where the next notes go.
    log: Option<Arc<dyn ActivityLog>>,
    /// Those of the last reading.
    notes: Vec<Note>,
}

/// The machine as it is seen from the directory in which the daemon was started.
struct Machine {
    started_in: PathBuf,
}

impl FileSource {
    /// The configuration in the file at `path`.
    pub(super) fn new(path: PathBuf, overrides: Overrides, factories: &Factories) -> Self {
        let machine = Machine { started_in: SystemHost.current_directory() };
        Self { path, overrides, factories: factories.clone(), machine, told: Mutex::default() }
    }

    /// From now on a re-read is told of in this log, where these notes are already.
    pub(super) fn tell_from_now_on(&self, log: Arc<dyn ActivityLog>, notes: Vec<Note>) {
        *self.told() = Told { log: Some(log), notes };
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, notes: Vec<Note>) {
        let mut told = self.told();
        if let Some(log) = &told.log {
            let fresh = notes.iter().filter(|note| !told.notes.contains(note) && log.enabled(note.level));
            fresh.for_each(|note| log.write(note.level, &note.text));
        }
        told.notes = notes;
    }

    /// Reads it all, and looks whether the namespaces that it asks for can be made.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub(super) fn read(&self, occasion: Occasion) -> Result<Settings, StartError> {
        let factories: Vec<&str> = self.factories.names().collect();
        let known = Known {
            rpc_factories: Some(&factories),
            result_handlers: Some(&result_handler::NAMES),
            passwords: Some(password),
        };
        let loader = Loader::new(&self.machine).overrides(&self.overrides).known(known).occasion(occasion);
        let settings = loader.load(&self.path)?;
        self.factories.check(&service::sections(&settings))?;
        Ok(settings)
    }

    /// From now on the file is at this absolute path: the working directory may change.
    pub(super) fn stays_at(&mut self, path: PathBuf) {
        self.path = path;
    }
}

impl Host for Machine {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        SystemHost.read(&self.started_in.join(path))
    }

    fn exists(&self, path: &Path) -> bool {
        SystemHost.exists(&self.started_in.join(path))
    }

    fn writable_by_others(&self, path: &Path) -> Option<String> {
        SystemHost.writable_by_others(&self.started_in.join(path))
    }

    /// Patterns are absolute: they are joined to the directory of the file that names them.
    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        SystemHost.glob(pattern)
    }

    fn is_directory(&self, path: &Path) -> bool {
        SystemHost.is_directory(&self.started_in.join(path))
    }

    fn can_create_in(&self, path: &Path) -> bool {
        SystemHost.can_create_in(&self.started_in.join(path))
    }

    fn user_by_name(&self, name: &str) -> Option<User> {
        SystemHost.user_by_name(name)
    }

    fn user_by_id(&self, uid: u32) -> Option<User> {
        SystemHost.user_by_id(uid)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        SystemHost.group_by_name(name)
    }

    fn group_exists(&self, gid: u32) -> bool {
        SystemHost.group_exists(gid)
    }

    fn home(&self, user: Option<&str>) -> Option<PathBuf> {
        SystemHost.home(user)
    }

    fn environment(&self) -> BTreeMap<String, String> {
        SystemHost.environment()
    }

    fn has_variable(&self, name: &str) -> bool {
        SystemHost.has_variable(name)
    }

    fn node_name(&self) -> String {
        SystemHost.node_name()
    }

    fn current_directory(&self) -> PathBuf {
        self.started_in.clone()
    }
}

fn password(text: &str) -> Result<(), String> {
    check_password(text).map_err(|error| error.to_string())
}

impl ConfigSource for FileSource {
    fn load(&self) -> Result<Vec<Group>, String> {
        let settings = self.read(Occasion::Reread).map_err(|error| error.to_string())?;
        self.tell(settings.notes);
        Ok(settings.groups)
    }
}
