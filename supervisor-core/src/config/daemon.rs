//! `[supervisord]`: the settings of the daemon itself, with the values of the command line on top.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::host::Host;
use crate::domain::level::Level;
use crate::domain::spec::User;

use super::convert::{self, ValueError};
use super::environment;
use super::error::ConfigError;
use super::load::Occasion;
use super::overrides::{Overrides, Typed};
use super::section::Reader;

/// Where the activity log goes (Supervisor 4.3: `logfile`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DaemonLog {
    /// The system log.
    Syslog,
    /// A file; absolute.
    File(PathBuf),
}

/// What becomes of programs that outlived a daemon that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Orphans {
    /// They are stopped before their programs are started.
    #[default]
    Stop,
    /// They are left alone.
    Ignore,
}

/// Settings of the daemon (Supervisor 4.3: `[supervisord]`). `Debug` shows no values of variables.
#[derive(Clone, PartialEq, Eq)]
pub struct Daemon {
    /// `identifier`. Default `supervisor`.
    pub identifier: String,
    /// `logfile`. Default `supervisord.log` in the working directory.
    pub logfile: DaemonLog,
    /// `logfile_maxbytes`; 0 or less turns rotation off. Default 50 MiB.
    pub logfile_maxbytes: i64,
    /// `logfile_backups`. Default 10.
    pub logfile_backups: i64,
    /// `loglevel`. Default info.
    pub loglevel: Level,
    /// `pidfile`; absolute. Default `supervisord.pid` in the working directory.
    pub pidfile: PathBuf,
    /// `umask`; applied when going to the background. Default 022.
    pub umask: u32,
    /// `nodaemon`. Default false.
    pub nodaemon: bool,
    /// `silent`. Default false.
    pub silent: bool,
    /// `minfds`. Default 1024.
    pub minfds: i64,
    /// `minprocs`. Default 200.
    pub minprocs: i64,
    /// `nocleanup`. Default false.
    pub nocleanup: bool,
    /// `childlogdir`; absolute. Default: the first directory of TMPDIR, TEMP, TMP, `/tmp`, `/var/tmp`, `/usr/tmp` and the working
    /// directory in which files can be made.
    pub childlogdir: PathBuf,
    /// `user`.
    pub user: Option<User>,
    /// `directory`; entered when going to the background.
    pub directory: Option<PathBuf>,
    /// `strip_ansi`. Default false.
    pub strip_ansi: bool,
    /// `environment`: already part of the environment of every process.
    pub environment: BTreeMap<String, String>,
    /// `orphans`. Default stop.
    pub orphans: Orphans,
    /// `pass_service_manager_env`: NOTIFY_SOCKET and the like reach the programs. Default false.
    pub pass_service_manager_env: bool,
}

impl fmt::Debug for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<&String> = self.environment.keys().collect();
        f.debug_struct("Daemon")
            .field("identifier", &self.identifier)
            .field("logfile", &self.logfile)
            .field("loglevel", &self.loglevel)
            .field("pidfile", &self.pidfile)
            .field("nodaemon", &self.nodaemon)
            .field("childlogdir", &self.childlogdir)
            .field("user", &self.user)
            .field("environment", &variables)
            .finish_non_exhaustive()
    }
}

type Result<T> = std::result::Result<T, ConfigError>;

/// The value of the command line, else that of the file. The file's is checked in any case.
fn pick<T>(
    reader: &Reader<'_>,
    key: &str,
    typed: Option<&Typed>,
    convert: impl Fn(&str) -> std::result::Result<T, ValueError>,
) -> Result<Option<T>> {
    let from_file = reader.optional(key, &convert)?;
    match typed {
        Some(typed) => typed.convert(convert).map(Some),
        None => Ok(from_file),
    }
}

/// As [`pick`], for a key that has a default.
fn set<T>(
    reader: &Reader<'_>,
    key: &str,
    typed: Option<&Typed>,
    convert: impl Fn(&str) -> std::result::Result<T, ValueError>,
) -> Result<T> {
    let from_file = reader.value(key, &convert)?;
    typed.map_or(Ok(from_file), |typed| typed.convert(convert))
}

/// The settings of a section `[supervisord]`.
pub(crate) fn daemon(reader: &Reader<'_>, overrides: &Overrides, occasion: Occasion) -> Result<Daemon> {
    let nothing = Overrides::default();
    let typed = if occasion == Occasion::Reread { &nothing } else { overrides };
    let host = reader.host;
    let flag = |key, typed: bool| reader.value(key, convert::boolean).map(|on| on || typed);
    let directory = |text: &str| convert::existing_directory(text, host);
    let text = |text: &str| Ok(text.to_owned());
    let childlogdir = pick(reader, "childlogdir", typed.childlogdir.as_ref(), directory)?;
    Ok(Daemon {
        identifier: set(reader, "identifier", typed.identifier.as_ref(), text)?,
        logfile: set(reader, "logfile", typed.logfile.as_ref(), |text| logfile(text, host))?,
        logfile_maxbytes: set(reader, "logfile_maxbytes", typed.logfile_maxbytes.as_ref(), convert::byte_size)?,
        logfile_backups: set(reader, "logfile_backups", typed.logfile_backups.as_ref(), convert::integer)?,
        loglevel: set(reader, "loglevel", typed.loglevel.as_ref(), convert::level)?,
        pidfile: set(reader, "pidfile", typed.pidfile.as_ref(), |text| file(text, host))?,
        umask: set(reader, "umask", typed.umask.as_ref(), convert::mask)?,
        nodaemon: flag("nodaemon", typed.nodaemon)?,
        silent: flag("silent", typed.silent)?,
        minfds: set(reader, "minfds", typed.minfds.as_ref(), convert::integer)?,
        minprocs: set(reader, "minprocs", typed.minprocs.as_ref(), convert::integer)?,
        nocleanup: flag("nocleanup", typed.nocleanup)?,
        childlogdir: convert::absolute(&childlogdir.unwrap_or_else(|| temporary_directory(host)), host),
        user: user(reader, overrides.user.as_ref(), occasion)?,
        directory: pick(reader, "directory", typed.directory.as_ref(), directory)?,
        strip_ansi: flag("strip_ansi", typed.strip_ansi)?,
        environment: reader.value("environment", environment::parse)?,
        orphans: reader.value("orphans", orphans)?,
        pass_service_manager_env: reader.value("pass_service_manager_env", convert::boolean)?,
    })
}

/// Of the keys that can be overridden this is the one where that of the file is not looked up then. Supervisor's words for a
/// user that does not exist are the same for both. At a re-read nobody becomes another user, so that an account which cannot
/// be found keeps nobody from changing a program.
fn user(reader: &Reader<'_>, typed: Option<&Typed>, occasion: Occasion) -> Result<Option<User>> {
    match (occasion, typed) {
        (Occasion::Start, None) => reader.optional("user", |text| convert::user(text, reader.host)),
        (Occasion::Start, Some(typed)) => {
            reader.text("user")?;
            Ok(Some(convert::user(&typed.value, reader.host)?))
        }
        (Occasion::Reread, _) => {
            reader.text("user")?;
            Ok(None)
        }
    }
}

fn file(text: &str, host: &dyn Host) -> std::result::Result<PathBuf, ValueError> {
    convert::path_with_parent(text, host).map(|path| convert::absolute(&path, host))
}

fn logfile(text: &str, host: &dyn Host) -> std::result::Result<DaemonLog, ValueError> {
    if text == "syslog" { Ok(DaemonLog::Syslog) } else { file(text, host).map(DaemonLog::File) }
}

fn orphans(text: &str) -> std::result::Result<Orphans, ValueError> {
    match text.to_lowercase().as_str() {
        "stop" => Ok(Orphans::Stop),
        "ignore" => Ok(Orphans::Ignore),
        _ => Err(ValueError::Choice { key: "orphans", value: text.to_owned(), allowed: "stop or ignore" }),
    }
}

/// The directory for temporary files: the first one that they can be made in.
fn temporary_directory(host: &dyn Host) -> PathBuf {
    let environment = host.environment();
    let named = ["TMPDIR", "TEMP", "TMP"].into_iter().filter_map(|name| environment.get(name).map(PathBuf::from));
    let usual = ["/tmp", "/var/tmp", "/usr/tmp"].into_iter().map(PathBuf::from);
    let usable = |path: &PathBuf| *path != Path::new("") && host.can_create_in(path);
    named.chain(usual).find(usable).unwrap_or_default()
}
