//! `[supervisorctl]` and `[ctlplugin:x]`: what the client reads.
//!
//! It follows no `[include]` and looks at no other section, so a file that the daemon would refuse may do here.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::host::Host;

use super::convert;
use super::error::{ConfigError, ErrorKind};
use super::expand::Names;
use super::include;
use super::ini::Document;
use super::overrides::Typed;
use super::plugin::{PluginSection, plugins};
use super::section::Reader;

pub use super::convert::is_url;

/// Where the client connects by default.
const DEFAULT_SERVER_URL: &str = "http://localhost:9001";

/// Values typed on the client's command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field is the key that it overrides")]
pub struct Overrides {
    pub serverurl: Option<Typed>,
    pub username: Option<Typed>,
    pub password: Option<Typed>,
    pub history_file: Option<Typed>,
}

/// Settings of the client (Supervisor 4.3: `[supervisorctl]`). `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The file that was read; `None` if there was none and the defaults hold.
    pub file: Option<PathBuf>,
    /// `serverurl`; the path of `unix://` is absolute. Default `http://localhost:9001`.
    pub serverurl: String,
    /// `username`.
    pub username: Option<String>,
    /// `password`.
    pub password: Option<String>,
    /// `prompt`. Default `supervisor`.
    pub prompt: String,
    /// `history_file`.
    pub history_file: Option<PathBuf>,
    /// `[ctlplugin:x]`.
    pub plugins: Vec<PluginSection>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            file: None,
            serverurl: DEFAULT_SERVER_URL.to_owned(),
            username: None,
            password: None,
            prompt: "supervisor".to_owned(),
            history_file: None,
            plugins: Vec::new(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("file", &self.file)
            .field("serverurl", &self.serverurl)
            .field("username", &self.username)
            .field("prompt", &self.prompt)
            .field("history_file", &self.history_file)
            .field("plugins", &self.plugins)
            .finish_non_exhaustive()
    }
}

/// Reads the client's part of a file. Without a path the usual places are searched, and if no file is there the defaults
/// hold; so they do with an empty path, which is no file.
///
/// # Errors
/// The first thing that is wrong.
pub fn load(
    path: Option<&Path>,
    program: &Path,
    overrides: &Overrides,
    host: &dyn Host,
) -> Result<Client, ConfigError> {
    let found = match path {
        Some(path) => Some(path.to_path_buf()).filter(|path| !path.as_os_str().is_empty()),
        None => super::search::find(program, host).ok(),
    };
    let mut client = match found {
        Some(path) => {
            let bytes = include::read_main(&path, host)?;
            let client = parse(include::decode(&bytes, &path.display().to_string())?, &path, host)?;
            Client { file: Some(path), ..client }
        }
        None => Client::default(),
    };
    apply(&mut client, overrides, host)?;
    Ok(client)
}

/// Reads the client's part of a text.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(text: &str, path: &Path, host: &dyn Host) -> Result<Client, ConfigError> {
    let source = include::source(path, host);
    let mut document = Document::new(&source);
    document.scan(text, &source)?;
    let section = document.section("supervisorctl").ok_or(ErrorKind::MissingSection("supervisorctl"))?;
    let (environment, host_node_name) = (host.environment(), host.node_name());
    let here = source.here.as_str();
    let names = Names { here, host_node_name: &host_node_name, environment: Some(&environment), ..Names::default() };
    let reader = Reader::new(&document, section, names, host);
    Ok(Client {
        file: None,
        serverurl: reader.value("serverurl", |text| Ok(convert::unix_url(text, host)))?,
        username: reader.text("username")?.map(Cow::into_owned),
        password: reader.text("password")?.map(Cow::into_owned),
        prompt: reader.text("prompt")?.unwrap_or_default().into_owned(),
        history_file: reader.optional("history_file", |text| Ok(history_file(text, host)))?.flatten(),
        plugins: plugins(&document, names, host, ("ctlplugin", "supervisor.ctl_factory"), None)?,
    })
}

fn apply(client: &mut Client, overrides: &Overrides, host: &dyn Host) -> Result<(), ConfigError> {
    if let Some(typed) = &overrides.serverurl {
        client.serverurl = typed.convert(convert::server_url)?;
    }
    if let Some(typed) = &overrides.username {
        client.username = Some(typed.value.clone());
    }
    if let Some(typed) = &overrides.password {
        client.password = Some(typed.value.clone());
    }
    if let Some(typed) = &overrides.history_file {
        client.history_file = history_file(&typed.value, host);
    }
    Ok(())
}

/// `~` expanded and absolute; an empty value is none.
fn history_file(text: &str, host: &dyn Host) -> Option<PathBuf> {
    (!text.is_empty()).then(|| convert::absolute(&convert::expand_user(text, host), host))
}
