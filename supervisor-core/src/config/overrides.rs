//! Values typed on the daemon's command line: they win over the file, whenever what is read is applied.
//!
//! Texts as typed; converted where their keys are. Which options there are and how they are spelt belongs to the daemon.

use super::convert::ValueError;
use super::error::{ConfigError, ErrorKind};

/// A value as typed, with the form of the option that it was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// `-e` or `--loglevel`.
    pub option: String,
    /// The value.
    pub value: String,
}

impl Typed {
    /// A value given to this option.
    pub fn new(option: impl Into<String>, value: impl Into<String>) -> Self {
        Self { option: option.into(), value: value.into() }
    }

    /// The converted value.
    pub(crate) fn convert<T>(&self, convert: impl FnOnce(&str) -> Result<T, ValueError>) -> Result<T, ConfigError> {
        convert(&self.value).map_err(|reason| {
            let (option, value) = (self.option.clone(), self.value.clone());
            ErrorKind::Option { option, value, reason }.into()
        })
    }
}

/// What the command line sets: for each key of `[supervisord]` that has an option, the value. A flag can only turn its key on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field is the key that it overrides")]
pub struct Overrides {
    pub nodaemon: bool,
    pub silent: bool,
    pub nocleanup: bool,
    pub strip_ansi: bool,
    pub user: Option<Typed>,
    pub umask: Option<Typed>,
    pub directory: Option<Typed>,
    pub logfile: Option<Typed>,
    pub logfile_maxbytes: Option<Typed>,
    pub logfile_backups: Option<Typed>,
    pub loglevel: Option<Typed>,
    pub pidfile: Option<Typed>,
    pub identifier: Option<Typed>,
    pub childlogdir: Option<Typed>,
    pub minfds: Option<Typed>,
    pub minprocs: Option<Typed>,
}
