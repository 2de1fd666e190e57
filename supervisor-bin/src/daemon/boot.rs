//! From a command line to a daemon that runs, and from one of its lives to the next.
//!
//! Decides the order of things (docs/ARCHITECTURE.md, "The daemon"). Up to the last fork everything is synchronous and has
//! one thread; whatever could touch a first daemon on the same configuration comes after its sockets have refused us.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use supervisor_core::activity::ActivityLog;
use supervisor_core::config::{self, Daemon, DaemonLog, Occasion, Overrides, Settings};
use supervisor_core::domain::level::Level;
use supervisor_core::domain::server::ServerAddress;
use supervisor_core::logfile::auto;
use supervisor_core::sys::host::SystemHost;
use supervisor_core::sys::signals::Mask;
use supervisor_core::sys::{daemonize, fds, memory, orphan, signals as dispositions, socket};
use supervisor_core::{Handover, Supervisor};
use supervisor_rpc::namespace::Factories;
use supervisor_rpc::server::{Bound, bind_all};

use super::args::{self, Asked};
use super::console::{self, Console};
use super::error::{STATUS, StartError};
use super::identity;
use super::life::{self, Life};
use super::mainlog::{Keeping, MainLog};
use super::pending::Pending;
use super::pidfile::{self, PidFile};
use super::result_handler;
use super::signals::Caught;
use super::source::FileSource;
use crate::{executable, getopt};

/// Runs a daemon whose configuration may name these factories of RPC namespaces. `words` are the words of the command line,
/// the program's own name first.
pub fn run(words: impl IntoIterator<Item = OsString>, factories: &Factories) -> ExitCode {
    let mut words = words.into_iter();
    let called = words.next().unwrap_or_else(|| "supervisord".into());
    let program = called.to_string_lossy();
    let asked = getopt::texts(words).and_then(|words| args::parse(&words, &SystemHost));
    let result = match asked {
        Ok(Asked::Help) => return say(&args::help(&program)),
        Ok(Asked::Version) => return say(&format!("{}\n", super::VERSION)),
        Ok(Asked::Run { configuration, overrides }) => serve(&called, configuration, *overrides, factories),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&getopt::complaint(&program, &error));
            ExitCode::from(STATUS)
        }
    }
}

fn say(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Writes to stderr; there is nobody to tell if that fails.
fn tell(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}

/// A daemon from its first step to its last.
fn serve(
    called: &OsStr,
    configuration: Option<PathBuf>,
    overrides: Overrides,
    factories: &Factories,
) -> Result<(), StartError> {
    memory::give_back_large_pieces();
    fds::mark_inherited();
    dispositions::restore_ignored();
    // Held back until there are handlers, so that a signal in the middle of the start is not lost.
    let mask = Mask::full();
    let mut pending = Pending::default();
    let own = format!("supervisor {}, compatible with Supervisor {}", super::OWN_VERSION, super::VERSION);
    pending.push(Level::Info, own);
    let path = match configuration {
        Some(path) => path,
        None => search(called)?,
    };
    let mut source = FileSource::new(path, overrides, factories);
    let settings = source.read(Occasion::Start)?;
    source.stays_at(settings.path.clone());
    let source = Arc::new(source);
    pending.add(&settings.notes);
    identity::take(&settings.daemon, &mut pending)?;
    identity::raise_limits(&settings.daemon, &mut pending)?;
    let bound = open_sockets(&settings)?;
    match start(settings, source, pending, factories, mask) {
        Ok((life, caught)) => lives(life, bound, caught, factories),
        Err(error) => {
            bound.into_iter().for_each(Bound::close);
            Err(error)
        }
    }
}

/// The first configuration file of the usual places.
fn search(called: &OsStr) -> Result<PathBuf, StartError> {
    if rustix::process::geteuid().is_root() {
        tell(
            "Supervisord is running as root and looks for its configuration file in the usual places, among them the \
             working directory. Naming the file with -c and an absolute path is safer.\n",
        );
    }
    Ok(config::find(&executable::path(called), &SystemHost)?)
}

/// Opens what clients connect to. Refused if another daemon is there; nothing of it is touched.
fn open_sockets(settings: &Settings) -> Result<Vec<Bound>, StartError> {
    // Another daemon of this configuration is known by its sockets, if it has any that can be seen.
    let is_hidden = settings.servers.iter().any(|server| match &server.address {
        ServerAddress::Unix { path, .. } => socket::has_lost_its_file(path),
        ServerAddress::Inet { .. } => false,
    });
    if settings.servers.is_empty() || is_hidden {
        pidfile::check(&settings.daemon.pidfile)?;
    }
    let (bound, notes) = bind_all(&settings.servers, Vec::new())?;
    notes.iter().for_each(|note| tell(&format!("{note}\n")));
    Ok(bound)
}

/// The rest of the start: log, groups, background, handlers.
fn start(
    settings: Settings,
    source: Arc<FileSource>,
    pending: Pending,
    factories: &Factories,
    mask: Mask,
) -> Result<(Life, Caught), StartError> {
    let foreground = settings.daemon.nodaemon;
    let console = foreground.then(|| Arc::new(console::open()));
    let log = open_log(&settings, pending, console.clone())?;
    clean_up(&settings.daemon, log.as_ref());
    let supervisor = life::build(&settings, &source, &log, Handover::default())?;
    // A namespace that cannot be made is known before anybody believes that we run.
    let registry = super::service::namespaces(factories, &supervisor.handle(), &settings)?;
    super::service::announce(&settings, &supervisor.handle());
    let mask = if foreground { mask } else { into_background(&settings.daemon, log.as_ref(), mask)? };
    log.start();
    let caught = Caught::install().map_err(StartError::system("listen for signals"));
    drop(mask);
    let caught = caught.inspect_err(|error| log.write(Level::Critical, &error.to_string()))?;
    let pidfile = write_pidfile(&settings.daemon.pidfile, log.as_ref());
    log.write(Level::Info, &format!("supervisord started with pid {}", std::process::id()));
    Ok((Life { settings, source, console, log, supervisor, registry, pidfile }, caught))
}

/// Opens the activity log and writes what has been said so far.
pub(super) fn open_log(
    settings: &Settings,
    pending: Pending,
    console: Option<Arc<Console>>,
) -> Result<Arc<MainLog>, StartError> {
    let daemon = &settings.daemon;
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    let keeping = match &daemon.logfile {
        DaemonLog::Syslog => Keeping::Syslog,
        DaemonLog::File(path) => Keeping::File {
            path: path.clone(),
            maxbytes: number(daemon.logfile_maxbytes),
            backups: number(daemon.logfile_backups),
        },
    };
    let path = match &keeping {
        Keeping::File { path, .. } => path.clone(),
        Keeping::Syslog => PathBuf::new(),
    };
    let log = MainLog::open(keeping, daemon.loglevel, console, !daemon.silent)
        .map_err(|source| StartError::Log { path, source })?;
    pending.write(&log);
    Ok(Arc::new(log))
}

/// Removes the AUTO logs of earlier lives.
pub(super) fn clean_up(daemon: &Daemon, log: &dyn ActivityLog) {
    if !daemon.nocleanup {
        for trouble in auto::clean(&daemon.childlogdir, &daemon.identifier) {
            log.write(Level::Warn, &trouble.to_string());
        }
    }
}

/// Goes on as a process without a terminal; the one that was started ends here.
fn into_background(daemon: &Daemon, log: &dyn ActivityLog, mask: Mask) -> Result<Mask, StartError> {
    // A signal that came so far is for the process that ends; it ends by it now, before anything was started.
    drop(mask);
    daemonize::into_background().map_err(StartError::system("go into the background"))?;
    let mask = Mask::full();
    log.write(Level::Info, "daemonizing the supervisord process");
    if let Some(directory) = &daemon.directory {
        #[expect(clippy::disallowed_methods, reason = "the daemon decides for the whole process")]
        match std::env::set_current_dir(directory) {
            Ok(()) => log.write(Level::Info, &format!("set current directory: '{}'", directory.display())),
            Err(error) => {
                log.write(Level::Critical, &format!("can't chdir into '{}': {error}", directory.display()));
            }
        }
    }
    daemonize::set_umask(daemon.umask);
    Ok(mask)
}

/// Writes the pid file. Without it the daemon runs all the same.
pub(super) fn write_pidfile(path: &Path, log: &dyn ActivityLog) -> Option<PidFile> {
    PidFile::write(path)
        .inspect_err(|_| log.write(Level::Critical, &format!("could not write pidfile {}", path.display())))
        .ok()
}

/// Lives until a life is the last one.
fn lives(mut life: Life, mut bound: Vec<Bound>, mut caught: Caught, factories: &Factories) -> Result<(), StartError> {
    super::limit_threads();
    loop {
        let ended = async_io::block_on(life.live(bound, &mut caught));
        match ended {
            life::Ended::Shutdown { log, pidfile, result } => {
                pidfile.into_iter().for_each(PidFile::remove);
                if let Err(error) = &result {
                    log.write(Level::Critical, &error.to_string());
                }
                log.flush();
                return result;
            }
            life::Ended::Restart(past) => (life, bound) = past.next(factories)?,
        }
    }
}

/// True if there are children that no life of this daemon has started. One that goes into the background leaves them.
fn inherits_children(daemon: &Daemon) -> bool {
    daemon.nodaemon && orphan::has_children()
}

/// The way from the settings to a supervisor that is not running yet.
pub(super) fn builder(
    settings: &Settings,
    source: &Arc<FileSource>,
    log: &Arc<MainLog>,
    handover: Handover,
) -> supervisor_core::Builder {
    let builder = match pidfile::state_file(&settings.daemon) {
        Some(path) => Supervisor::builder().state_file(path),
        None => Supervisor::builder(),
    };
    let console = Arc::clone(log);
    source.tell_from_now_on(Arc::clone(log) as Arc<dyn ActivityLog>, settings.notes.clone());
    builder
        .settings(settings)
        .result_handler(result_handler::STDOUT, result_handler::stdout(move |text| console.show(text)))
        .activity_log(Arc::clone(log) as Arc<dyn ActivityLog>)
        .server_url(super::service::url(&settings.servers))
        .config_source(Arc::clone(source) as Arc<dyn supervisor_core::ConfigSource>)
        .reap_orphans(orphan::adopts_orphans() || inherits_children(&settings.daemon))
        .handover(handover)
}
