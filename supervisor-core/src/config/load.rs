//! The whole of a configuration: from a path or a text to [`Settings`].
//!
//! Decides the order of reading. Nothing is applied here, and nothing is returned unless everything is valid.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::host::Host;
use crate::domain::server::Server;
use crate::domain::spec::Group;

use super::daemon::{Daemon, daemon};
use super::error::{ConfigError, ErrorKind};
use super::expand::Names;
use super::group::{Context, groups};
use super::include;
use super::ini::{Document, Place, Source};
use super::note::{self, Note, Notes};
use super::overrides::Overrides;
use super::plugin::{RpcInterfaceSection, plugins};
use super::section::Reader;
use super::server::servers;

/// Why the configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Occasion {
    /// The daemon starts, or starts anew in the same process.
    #[default]
    Start,
    /// It is read again to see what has changed: no notes about includes and log files, and an included file that cannot be
    /// read is an error. Nothing of `[supervisord]` is applied then, so that values of the command line are not looked at:
    /// what they name may have gone since.
    Reread,
}

/// Says why the `password` of a server, such as a hash, cannot be used, without showing it.
pub type PasswordCheck = fn(&str) -> Result<(), String>;

/// What only the daemon can check; `None` takes anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Values of `supervisor.rpcinterface_factory`; one that ends in `*` stands for all that begin with the rest of it.
    pub rpc_factories: Option<&'a [&'a str]>,
    /// Values of `result_handler`.
    pub result_handlers: Option<&'a [&'a str]>,
    /// Passwords of servers.
    pub passwords: Option<PasswordCheck>,
}

/// Everything that a configuration says, valid as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The file, as given; made absolute against the working directory of that time.
    pub path: PathBuf,
    /// `[supervisord]` and the command line.
    pub daemon: Daemon,
    /// Where to listen: TCP ports first, in the order of the file, then socket files.
    pub servers: Vec<Server>,
    /// `[rpcinterface:x]`.
    pub rpc_interfaces: Vec<RpcInterfaceSection>,
    /// Groups by priority, then name.
    pub groups: Vec<Group>,
    /// Lines for the activity log, in order.
    pub notes: Vec<Note>,
}

/// Reads configurations. The machine and the command line stay the same over all readings.
#[derive(Clone, Copy)]
pub struct Loader<'a> {
    host: &'a dyn Host,
    overrides: Option<&'a Overrides>,
    known: Known<'a>,
    occasion: Occasion,
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").field("occasion", &self.occasion).finish_non_exhaustive()
    }
}

impl<'a> Loader<'a> {
    /// A loader that overrides nothing and takes any name of a factory.
    pub fn new(host: &'a dyn Host) -> Self {
        Self { host, overrides: None, known: Known::default(), occasion: Occasion::Start }
    }

    /// Lets the command line win.
    #[must_use]
    pub fn overrides(self, overrides: &'a Overrides) -> Self {
        Self { overrides: Some(overrides), ..self }
    }

    /// Names what factories and handlers there are.
    #[must_use]
    pub fn known(self, known: Known<'a>) -> Self {
        Self { known, ..self }
    }

    /// Says why the configuration is read.
    #[must_use]
    pub fn occasion(self, occasion: Occasion) -> Self {
        Self { occasion, ..self }
    }

    /// Reads a file and what it includes.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(&self, path: &Path) -> Result<Settings, ConfigError> {
        let bytes = include::read_main(path, self.host)?;
        let mut notes = Notes::new(self.occasion);
        include::distrust(path, self.host, &mut notes);
        self.text(include::decode(&bytes, &path.display().to_string())?, path, notes)
    }

    /// Reads a text as if it stood in the file `path`, which need not exist.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(&self, text: &str, path: &Path) -> Result<Settings, ConfigError> {
        self.text(text, path, Notes::new(self.occasion))
    }

    fn text(&self, text: &str, path: &Path, notes: Notes) -> Result<Settings, ConfigError> {
        let source = include::source(path, self.host);
        let mut document = Document::new(&source);
        document.scan(text, &source)?;
        self.settle(document, path, notes)
    }

    /// Takes a document of the `ini` crate as if it stood in the file `path`, which need not exist.
    ///
    /// ```
    /// use std::path::Path;
    /// use supervisor_core::{config::Loader, sys::host::SystemHost};
    ///
    /// let mut ini = ini::Ini::new();
    /// ini.with_section(Some("supervisord")).set("identifier", "shop");
    /// ini.with_section(Some("program:web")).set("command", "./serve");
    /// let settings = Loader::new(&SystemHost).ini(&ini, Path::new("/etc/shop/shop.conf"))?;
    /// let supervisor = supervisor_core::Supervisor::builder().settings(&settings);
    /// # Ok::<(), supervisor_core::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// The first thing that is wrong.
    #[cfg(feature = "ini")]
    pub fn ini(&self, ini: &ini::Ini, path: &Path) -> Result<Settings, ConfigError> {
        let source = include::source(path, self.host);
        self.document(Document::from_ini(ini, &source)?, path)
    }

    /// Takes a document that is already there.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn document(&self, document: Document, path: &Path) -> Result<Settings, ConfigError> {
        self.settle(document, path, Notes::new(self.occasion))
    }

    fn settle(&self, mut document: Document, path: &Path, mut notes: Notes) -> Result<Settings, ConfigError> {
        let host = self.host;
        let (here, node_name) = (document.defaults().place.source.here.clone(), host.node_name());
        let mut environment = host.environment();
        let plain =
            Names { here: &here, host_node_name: &node_name, environment: Some(&environment), ..Names::default() };
        include::follow(&mut document, plain, host, self.occasion, &mut notes)?;
        let section = document.section("supervisord").ok_or(ErrorKind::MissingSection("supervisord"))?;
        let reader = Reader::new(&document, section, plain, host);
        let daemon = daemon(&reader, self.overrides.unwrap_or(&Overrides::default()), self.occasion)?;
        environment.extend(daemon.environment.clone());
        let names =
            Names { here: &here, host_node_name: &node_name, environment: Some(&environment), ..Names::default() };
        let context = Context {
            document: &document,
            host,
            names,
            environment: &daemon.environment,
            result_handlers: self.known.result_handlers,
            passwords: self.known.passwords,
        };
        let kind = ("rpcinterface", "supervisor.rpcinterface_factory");
        let rpc_interfaces = plugins(&document, names, host, kind, self.known.rpc_factories)?;
        let servers = servers(&context)?;
        let groups = groups(&context, &mut notes)?;
        note::hints(&document, &mut notes);
        let path = super::convert::absolute(path, host);
        Ok(Settings { path, servers, rpc_interfaces, groups, notes: notes.into_vec(), daemon })
    }
}

/// Reads a file and what it includes, as the daemon does when it starts.
///
/// # Errors
/// The first thing that is wrong.
pub fn load(path: &Path, overrides: &Overrides, host: &dyn Host) -> Result<Settings, ConfigError> {
    Loader::new(host).overrides(overrides).load(path)
}

/// Reads a text as if it stood in the file `path`.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(text: &str, path: &Path, host: &dyn Host) -> Result<Settings, ConfigError> {
    Loader::new(host).parse(text, path)
}

/// The group of one section that was not read from a file; `environment` is what `[supervisord]` would add.
pub(crate) fn single_group(
    section: &str,
    options: impl IntoIterator<Item = (&'static str, String)>,
    environment: &BTreeMap<String, String>,
    host: &dyn Host,
) -> Result<Group, ConfigError> {
    let source =
        Arc::new(Source { name: "(program)".to_owned(), here: host.current_directory().display().to_string() });
    let mut document = Document::new(&source);
    let place = Place { source: Arc::clone(&source), line: None };
    let open = document.open(section, place.clone());
    for (key, value) in options {
        document.set(open, key, value, place.clone());
    }
    let (host_node_name, mut all) = (host.node_name(), host.environment());
    all.extend(environment.clone());
    let names =
        Names { here: &source.here, host_node_name: &host_node_name, environment: Some(&all), ..Names::default() };
    let context = Context { document: &document, host, names, environment, result_handlers: None, passwords: None };
    let made = groups(&context, &mut Notes::new(Occasion::Reread))?.pop();
    made.ok_or_else(|| ErrorKind::MissingSection("program").into())
}
