//! One life of the daemon, from the end of its preparations to its end, and the way to the next life.
//!
//! A restart never ends the daemon: the configuration has been read before anything was stopped, and what turns out to be
//! impossible afterwards (a socket, a log, an account) is said and done without.

use std::sync::Arc;
use std::time::Duration;

use async_executor::LocalExecutor;
use supervisor_core::activity::ActivityLog;
use supervisor_core::config::{Occasion, Settings};
use supervisor_core::domain::level::Level;
use supervisor_core::rpc::Registry;
use supervisor_core::{Error, Handover, RunOutcome, Supervisor};
use supervisor_rpc::namespace::Factories;
use supervisor_rpc::server::{Bound, bind, bind_all};

use super::console::Console;
use super::error::StartError;
use super::mainlog::MainLog;
use super::pending::Pending;
use super::pidfile::PidFile;
use super::signals::Caught;
use super::source::FileSource;
use super::{boot, identity, service};

/// How long requests in flight may go on after the supervisor has ended.
const GRACE: Duration = Duration::from_secs(1);

/// Everything that one life has.
pub(super) struct Life {
    pub(super) settings: Settings,
    pub(super) source: Arc<FileSource>,
    pub(super) console: Option<Arc<Console>>,
    pub(super) log: Arc<MainLog>,
    pub(super) supervisor: Supervisor,
    pub(super) registry: Registry,
    pub(super) pidfile: Option<PidFile>,
}

/// How a life ended.
pub(super) enum Ended {
    /// It was the last one.
    Shutdown { log: Arc<MainLog>, pidfile: Option<PidFile>, result: Result<(), StartError> },
    /// Another one follows.
    Restart(Box<Past>),
}

/// What one life leaves to the next.
pub(super) struct Past {
    settings: Settings,
    source: Arc<FileSource>,
    console: Option<Arc<Console>>,
    log: Arc<MainLog>,
    pidfile: Option<PidFile>,
    bound: Vec<Bound>,
    handover: Handover,
}

impl Life {
    /// Supervises and answers until a shutdown or a restart is over.
    pub(super) async fn live(self, bound: Vec<Bound>, caught: &mut Caught) -> Ended {
        let Self { settings, source, console, log, supervisor, registry, pidfile } = self;
        let handle = supervisor.handle();
        let serving = match service::start(registry, &handle, &log, bound) {
            Ok(serving) => serving,
            Err(error) => {
                let result = Err(StartError::System { what: "serve HTTP", source: error });
                return Ended::Shutdown { log, pidfile, result };
            }
        };
        // A task of its own: beside the supervisor in one future it would look for a signal whenever that one does something.
        let beside = LocalExecutor::new();
        let translating = beside.spawn(caught.translate(&handle));
        let outcome = beside.run(supervisor.run()).await;
        drop(translating);
        drop(beside);
        match outcome {
            Ok(RunOutcome::Restart(handover)) if !caught.exit_wanted() => {
                let bound = serving.stop(GRACE).await;
                Ended::Restart(Box::new(Past { settings, source, console, log, pidfile, bound, handover }))
            }
            other => {
                serving.close(GRACE).await;
                Ended::Shutdown { log, pidfile, result: other.map(drop).map_err(StartError::from) }
            }
        }
    }
}

impl Past {
    /// Begins the next life: the configuration as it is now, values of the command line still in force, sockets kept
    /// where their addresses are the same.
    ///
    /// # Errors
    /// What cannot be done without; nothing runs then, and nothing is left.
    pub(super) fn next(self: Box<Self>, factories: &Factories) -> Result<(Life, Vec<Bound>), StartError> {
        let Self { settings: former, source, console, log: old, pidfile, bound, handover } = *self;
        let mut pending = Pending::default();
        let former_interfaces = former.rpc_interfaces.clone();
        let mut settings = source.read(Occasion::Start).unwrap_or_else(|error| {
            pending.push(Level::Error, format!("started anew with the former configuration: {error}"));
            Settings { notes: Vec::new(), ..former }
        });
        pending.add(&settings.notes);
        if let Err(error) = identity::take(&settings.daemon, &mut pending) {
            pending.push(Level::Error, format!("the account stays as it is: {error}"));
        }
        let bound = rebind(&settings, bound, &mut pending);
        old.flush();
        let log = match boot::open_log(&settings, std::mem::take(&mut pending), console.clone()) {
            Ok(log) => {
                log.start();
                log
            }
            Err(error) => {
                old.write(Level::Error, &format!("the activity log stays where it is: {error}"));
                old
            }
        };
        let made = make(factories, &settings, &source, &log, handover).or_else(|error| {
            if !matches!(error, StartError::Interface(_)) || settings.rpc_interfaces == former_interfaces {
                return Err(error);
            }
            log.write(Level::Error, &format!("the RPC interfaces stay as they were: {error}"));
            settings.rpc_interfaces = former_interfaces;
            make(factories, &settings, &source, &log, handover)
        });
        let (supervisor, registry) = match made {
            Ok(both) => both,
            Err(error) => {
                log.write(Level::Critical, &error.to_string());
                pidfile.into_iter().for_each(PidFile::remove);
                bound.into_iter().for_each(Bound::close);
                log.flush();
                return Err(error);
            }
        };
        service::announce(&settings, &supervisor.handle());
        let path = &settings.daemon.pidfile;
        let pidfile = match pidfile {
            Some(pidfile) if pidfile.is_at(path) => Some(pidfile),
            other => {
                other.into_iter().for_each(PidFile::remove);
                boot::write_pidfile(path, log.as_ref())
            }
        };
        log.write(Level::Info, &format!("supervisord started with pid {}", std::process::id()));
        Ok((Life { settings, source, console, log, supervisor, registry, pidfile }, bound))
    }
}

/// The sockets of the next life. One that cannot be had is said, and done without.
fn rebind(settings: &Settings, kept: Vec<Bound>, pending: &mut Pending) -> Vec<Bound> {
    let (bound, notes) = match bind_all(&settings.servers, kept) {
        Ok(both) => both,
        Err(_) => {
            let (mut bound, mut notes) = (Vec::new(), Vec::new());
            for server in &settings.servers {
                match bind(server, &mut notes) {
                    Ok(socket) => bound.push(socket),
                    Err(error) => pending.push(Level::Critical, format!("[{}] is not served: {error}", server.section)),
                }
            }
            (bound, notes)
        }
    };
    for note in notes {
        pending.push(Level::Warn, note.to_string());
    }
    bound
}

/// Builds the supervisor of the first life: what cannot be made is an error.
pub(super) fn build(
    settings: &Settings,
    source: &Arc<FileSource>,
    log: &Arc<MainLog>,
    handover: Handover,
) -> Result<Supervisor, Error> {
    boot::builder(settings, source, log, handover).build()
}

/// Makes the supervisor of a later life and its namespaces.
fn make(
    factories: &Factories,
    settings: &Settings,
    source: &Arc<FileSource>,
    log: &Arc<MainLog>,
    handover: Handover,
) -> Result<(Supervisor, Registry), StartError> {
    boot::clean_up(&settings.daemon, log.as_ref());
    let supervisor = build_what_works(settings, source, log, handover)?;
    let registry = service::namespaces(factories, &supervisor.handle(), settings)?;
    Ok((supervisor, registry))
}

/// Builds the supervisor of a later life, without the groups whose shared socket cannot be made and without the AUTO logs
/// if they cannot.
fn build_what_works(
    settings: &Settings,
    source: &Arc<FileSource>,
    log: &Arc<MainLog>,
    handover: Handover,
) -> Result<Supervisor, Error> {
    let mut settings = settings.clone();
    let mut without_logs = false;
    loop {
        let builder = boot::builder(&settings, source, log, handover);
        let builder = if without_logs { builder.without_auto_logs() } else { builder };
        match builder.build() {
            Err(Error::FastCgiSocket { socket, reason }) => {
                log.write(Level::Error, &format!("Could not create FastCGI socket {socket}: {reason}"));
                let before = settings.groups.len();
                settings.groups.retain(|group| {
                    let mut sockets = group.processes.iter().filter_map(|process| process.socket.as_ref());
                    !sockets.any(|theirs| theirs.address.to_string() == socket)
                });
                if settings.groups.len() == before {
                    return Err(Error::FastCgiSocket { socket, reason });
                }
            }
            Err(error @ Error::File { .. }) if !without_logs => {
                log.write(Level::Error, &format!("AUTO logs are not kept: {error}"));
                without_logs = true;
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_lite::future;
    use supervisor_core::config::Overrides;
    use supervisor_rpc::namespace::{FactoryError, SupervisorNamespace};

    use super::*;

    /// A daemon's folder with a configuration that asks for a namespace of these factories.
    fn folder(factories: &Factories) -> (tempfile::TempDir, Arc<FileSource>, Settings, Arc<MainLog>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conf");
        let text = "[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nchildlogdir=%(here)s\n\
                    [unix_http_server]\nfile=%(here)s/s\n[rpcinterface:x]\nsupervisor.rpcinterface_factory=moody\n";
        std::fs::write(&path, text).unwrap();
        let source = Arc::new(FileSource::new(path, Overrides::default(), factories));
        let settings = source.read(Occasion::Start).unwrap();
        let log = boot::open_log(&settings, Pending::default(), None).unwrap();
        log.start();
        (folder, source, settings, log)
    }

    #[test]
    fn a_life_that_cannot_begin_says_so_and_leaves_nothing_behind() {
        let mut factories = Factories::default();
        factories.register("moody", |_, _| Err(FactoryError::Refused("not today".to_owned())));
        let (folder, source, settings, log) = folder(&factories);
        let path = |name: &str| folder.path().join(name);
        let pidfile = boot::write_pidfile(&settings.daemon.pidfile, log.as_ref());
        let (bound, _) = bind_all(&settings.servers, Vec::new()).unwrap();
        assert!(path("pid").exists() && path("s").exists());
        let handover = Handover::default();
        let past = Box::new(Past { settings, source, console: None, log, pidfile, bound, handover });
        assert_eq!(past.next(&factories).err().map(|error| error.to_string()).as_deref(), Some("not today"));
        let said = std::fs::read_to_string(path("log")).unwrap();
        assert!(said.contains("CRIT not today"), "{said}");
        assert!(!path("pid").exists() && !path("s").exists());
    }

    #[test]
    fn a_restart_that_an_exit_comes_too_late_for_ends_the_daemon() {
        let mut factories = Factories::default();
        factories.register("moody", |handle, _| Ok(Arc::new(SupervisorNamespace::new(handle.clone()))));
        for exit_wanted in [false, true] {
            let (_folder, source, settings, log) = folder(&factories);
            let supervisor = build(&settings, &source, &log, Handover::default()).unwrap();
            let handle = supervisor.handle();
            let registry = service::namespaces(&factories, &handle, &settings).unwrap();
            let life = Life { settings, source, console: None, log, supervisor, registry, pidfile: None };
            // As if it had come while the last things of this life were put away.
            let mut caught = Caught::in_a_test(exit_wanted);
            let living = future::zip(life.live(Vec::new(), &mut caught), handle.restart_supervisor());
            let (ended, asked) = async_io::block_on(living);
            assert_eq!(asked, Ok(()));
            assert_eq!(matches!(ended, Ended::Shutdown { result: Ok(()), .. }), exit_wanted);
        }
    }
}
