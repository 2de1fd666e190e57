//! What supervisorctl knows before it asks anybody: the merged settings of the command line and of `[supervisorctl]`.
//!
//! Decides which file is read and which value wins. The grammar of the file is not known here.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use super::args::Options;

/// The settings of supervisorctl, with their defaults.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Where the server is (Supervisor 4.3: `serverurl`); default `http://localhost:9001`.
    pub serverurl: String,
    /// The name for the server; default none.
    pub username: Option<String>,
    /// The password for the server; default none.
    pub password: Option<String>,
    /// What the shell shows before `> `; default `supervisor`.
    pub prompt: String,
    /// Where the shell keeps its lines; default nowhere.
    pub history_file: Option<PathBuf>,
    /// The `[ctlplugin:x]` sections, in their order.
    pub plugins: Vec<PluginSection>,
}

/// One `[ctlplugin:x]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginSection {
    /// The name behind the colon.
    pub name: String,
    /// The value of `supervisor.ctl_factory`.
    pub factory: String,
    /// The other keys and their values.
    pub options: BTreeMap<String, String>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            serverurl: "http://localhost:9001".to_owned(),
            username: None,
            password: None,
            prompt: "supervisor".to_owned(),
            history_file: None,
            plugins: Vec::new(),
        }
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSettings")
            .field("serverurl", &self.serverurl)
            .field("username", &self.username)
            .field("prompt", &self.prompt)
            .field("history_file", &self.history_file)
            .finish_non_exhaustive()
    }
}

impl ClientSettings {
    /// Puts the values of the command line over these.
    pub(super) fn overridden(mut self, options: &Options) -> Self {
        if let Some(url) = &options.serverurl {
            self.serverurl.clone_from(url);
        }
        self.username = options.username.clone().or(self.username);
        self.password = options.password.clone().or(self.password);
        self.history_file = options.history_file.as_deref().map(home_expanded).or(self.history_file);
        self
    }
}

/// The settings of the file that is named or found, with those of the command line over them.
pub(super) fn load(program: &OsStr, options: &Options) -> Result<ClientSettings, String> {
    let file = match &options.configuration {
        Some(named) if !Path::new(named).exists() => return Err(format!("could not find config file {named}")),
        Some(named) => Some(PathBuf::from(named)),
        None => find_configuration(program),
    };
    let loaded = file.map_or_else(|| Ok(ClientSettings::default()), |path| super::transport::load_settings(&path))?;
    Ok(loaded.overridden(options))
}

/// The file to read if none is named: the first one that exists (Supervisor 4.3: the search paths).
fn find_configuration(program: &OsStr) -> Option<PathBuf> {
    search_paths(program).into_iter().find(|path| path.exists())
}

fn search_paths(program: &OsStr) -> Vec<PathBuf> {
    let named = Path::new(program);
    let executable = if named.components().count() > 1 { Some(named.to_owned()) } else { std::env::current_exe().ok() };
    let above = executable.as_deref().and_then(Path::parent).map(|folder| folder.join(".."));
    let beside = above.iter().flat_map(|base| [base.join("etc/supervisord.conf"), base.join("supervisord.conf")]);
    let fixed =
        ["supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"];
    beside.chain(fixed.map(PathBuf::from)).collect()
}

/// A path whose leading `~` stands for the home folder.
fn home_expanded(path: &str) -> PathBuf {
    match (path.strip_prefix('~'), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            Path::new(&home).join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins() {
        let file = ClientSettings { username: Some("f".into()), password: Some("pw".into()), ..Default::default() };
        let options = Options { username: Some("o".into()), serverurl: Some("unix:///x".into()), ..Default::default() };
        let merged = file.overridden(&options);
        assert_eq!((merged.username.as_deref(), merged.password.as_deref()), (Some("o"), Some("pw")));
        assert_eq!(merged.serverurl, "unix:///x");
        assert!(!format!("{merged:?}").contains("pw"));
    }

    #[test]
    fn the_search_begins_beside_the_program() {
        let paths: Vec<_> = search_paths(OsStr::new("/opt/sv/bin/supervisorctl"));
        assert_eq!(paths[0], Path::new("/opt/sv/bin/../etc/supervisord.conf"));
        assert_eq!(paths[1], Path::new("/opt/sv/bin/../supervisord.conf"));
        assert_eq!(paths[2], Path::new("supervisord.conf"));
        assert_eq!(paths.len(), 6);
    }
}
