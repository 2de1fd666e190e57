//! Floor 1: texts to settings.
//!
//! A configuration is a pure function of its text and of [`Host`](crate::domain::host::Host): text → [`ini::Document`] →
//! expansion → conversion → [`Settings`]. Loading returns the settings *and* what there is to say about them
//! ([`Note`]); nothing is applied before a whole file is valid. Errors carry Supervisor's words, and the line.
//!
//! ```no_run
//! use std::path::Path;
//! use supervisor_core::{config, sys::host::SystemHost};
//!
//! let text = "[supervisord]\n[program:web]\ncommand=/usr/bin/web --port 8080\n";
//! let settings = config::parse(text, Path::new("web.conf"), &SystemHost)?;
//! assert_eq!(settings.groups[0].processes[0].command, "/usr/bin/web --port 8080");
//! # Ok::<(), config::ConfigError>(())
//! ```

pub mod client;
mod convert;
mod daemon;
pub mod diff;
mod environment;
mod error;
mod expand;
mod group;
mod include;
pub mod ini;
mod load;
mod note;
pub mod options;
mod overrides;
mod plugin;
mod printf;
mod program;
pub(crate) mod python;
mod search;
mod section;
mod server;
#[cfg(test)]
mod table_host;
#[cfg(test)]
mod tests;
#[cfg(feature = "ini")]
pub mod writer;

pub use convert::ValueError;
pub use daemon::{Daemon, DaemonLog, Orphans};
pub use error::{ConfigError, ErrorKind};
pub(crate) use load::single_group;
pub use load::{Known, Loader, Occasion, PasswordCheck, Settings, load, parse};
pub use note::Note;
pub use overrides::{Overrides, Typed};
pub use plugin::{PluginSection, RpcInterfaceSection};
pub use search::{find, search_paths};
