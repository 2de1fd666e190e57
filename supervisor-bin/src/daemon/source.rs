//! The configuration file of a daemon: read at its start, at each restart and at each re-read, always with the values of
//! the command line on top.

use std::path::PathBuf;

use supervisor_core::ConfigSource;
use supervisor_core::config::{Known, Loader, Occasion, Overrides, Settings};
use supervisor_core::domain::spec::{Group, Pool};
use supervisor_core::sys::host::SystemHost;
use supervisor_rpc::namespace::Factories;
use supervisor_rpc::server::check_password;

use super::error::StartError;
use super::service;

/// See the module.
pub(super) struct FileSource {
    path: PathBuf,
    overrides: Overrides,
    factories: Factories,
}

impl FileSource {
    /// The configuration in the file at `path`.
    pub(super) fn new(path: PathBuf, overrides: Overrides, factories: &Factories) -> Self {
        Self { path, overrides, factories: factories.clone() }
    }

    /// Reads it all, and looks whether the namespaces that it asks for can be made.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub(super) fn read(&self, occasion: Occasion) -> Result<Settings, StartError> {
        let factories: Vec<&str> = self.factories.names().collect();
        let known = Known {
            rpc_factories: Some(&factories),
            result_handlers: Some(&[Pool::DEFAULT_RESULT_HANDLER]),
            passwords: Some(password),
        };
        let loader = Loader::new(&SystemHost).overrides(&self.overrides).known(known).occasion(occasion);
        let settings = loader.load(&self.path)?;
        self.factories.check(&service::sections(&settings))?;
        Ok(settings)
    }

    /// From now on the file is at this absolute path: the working directory may change.
    pub(super) fn stays_at(&mut self, path: PathBuf) {
        self.path = path;
    }
}

fn password(text: &str) -> Result<(), String> {
    check_password(text).map_err(|error| error.to_string())
}

impl ConfigSource for FileSource {
    fn load(&self) -> Result<Vec<Group>, String> {
        self.read(Occasion::Reread).map(|settings| settings.groups).map_err(|error| error.to_string())
    }
}
