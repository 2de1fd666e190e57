//! What supervisorctl knows before it asks anybody: `[supervisorctl]` with the values of the command line over it.
//!
//! Decides nothing: which file it is and what its values are worth is known where they are read.

use std::ffi::OsStr;
use std::path::Path;

use supervisor_core::config::client::{self, Overrides};
use supervisor_core::config::{ConfigError, Typed};
use supervisor_core::sys::host::SystemHost;

use super::args::Options;
use crate::executable;

pub use supervisor_core::config::PluginSection;
pub use supervisor_core::config::client::Client as ClientSettings;

/// The settings of the file that is named or found, with those of the command line over them.
pub(super) fn load(program: &OsStr, options: &Options) -> Result<ClientSettings, ConfigError> {
    let typed = |option: &str, value: &Option<String>| value.as_ref().map(|value| Typed::new(option, value));
    let overrides = Overrides {
        serverurl: typed("-s", &options.serverurl),
        username: typed("-u", &options.username),
        password: typed("-p", &options.password),
        history_file: typed("-r", &options.history_file),
    };
    client::load(options.configuration.as_deref().map(Path::new), &executable::path(program), &overrides, &SystemHost)
}
