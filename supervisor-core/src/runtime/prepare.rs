//! What must be made before a group can be active: the files of AUTO logs, and a proof that shared sockets can be had.
//!
//! May block: called at boot, and off the loop when a group is added.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;
use crate::activity::ActivityLog;
use crate::domain::spec;
use crate::logfile::auto;
use crate::process::Stream;
use crate::runtime::fastcgi::SharedSocket;

/// The chosen path of one AUTO log.
#[derive(Debug, Clone)]
struct AutoLog {
    process: String,
    stream: Stream,
    path: Arc<Path>,
}

/// The AUTO logs of a group, in order: it may have thousands.
#[derive(Debug, Clone, Default)]
pub(crate) struct AutoLogs(Vec<AutoLog>);

impl AutoLogs {
    fn new(mut logs: Vec<AutoLog>) -> Self {
        logs.shrink_to_fit();
        logs.sort_unstable_by(|a, b| (&a.process, a.stream).cmp(&(&b.process, b.stream)));
        Self(logs)
    }

    /// Where a process's output goes if it goes to an AUTO log.
    pub(crate) fn path(&self, process: &str, stream: Stream) -> Option<&Arc<Path>> {
        let found = self.0.binary_search_by(|log| (log.process.as_str(), log.stream).cmp(&(process, stream)));
        found.ok().and_then(|at| self.0.get(at)).map(|log| &log.path)
    }
}

/// What was made for a group.
pub(crate) struct PreparedGroup {
    pub(crate) autos: AutoLogs,
    pub(crate) sockets: Vec<Arc<SharedSocket>>,
}

/// Makes groups ready.
#[derive(Clone)]
pub(crate) struct Preparation {
    pub(crate) identifier: String,
    /// `childlogdir`; without one AUTO means that no log is kept.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) activity: Arc<dyn ActivityLog>,
}

impl Preparation {
    /// Makes what `group` needs; `known` are AUTO logs that it has already.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::FastCgiSocket`].
    pub(crate) fn prepare(&self, group: &spec::Group, known: &AutoLogs) -> Result<PreparedGroup, Error> {
        let (mut autos, mut sockets) = (Vec::new(), Vec::new());
        for process in &group.processes {
            for (stream, channel) in [(Stream::Stdout, &process.stdout), (Stream::Stderr, &process.stderr)] {
                let merged = stream == Stream::Stderr && process.redirect_stderr;
                if channel.logfile != spec::LogFile::Auto || merged {
                    continue;
                }
                let Some(directory) = &self.directory else { continue };
                let path = match known.path(&process.name, stream) {
                    Some(path) => Arc::clone(path),
                    None => self.make_auto(directory, &process.name, stream)?,
                };
                autos.push(AutoLog { process: process.name.clone(), stream, path });
            }
            if let Some(settings) = &process.socket {
                self.prove_socket(settings, process.user.as_ref(), &mut sockets)?;
            }
        }
        Ok(PreparedGroup { autos: AutoLogs::new(autos), sockets })
    }

    fn make_auto(&self, directory: &Path, process: &str, stream: Stream) -> Result<Arc<Path>, Error> {
        let path = auto::create(directory, process, stream.name(), &self.identifier)
            .map_err(|source| Error::File { path: directory.to_owned(), source })?;
        Ok(path.into())
    }

    /// Makes the socket and lets it go again, so that an address that cannot be had is known at once.
    fn prove_socket(
        &self,
        settings: &spec::FastCgiSocket,
        user: Option<&spec::User>,
        sockets: &mut Vec<Arc<SharedSocket>>,
    ) -> Result<(), Error> {
        if sockets.iter().any(|known| known.settings() == settings) {
            return Ok(());
        }
        let socket = SharedSocket::new(settings.clone(), user.cloned(), Arc::clone(&self.activity));
        socket.open().map_err(|error| Error::FastCgiSocket {
            socket: settings.address.to_string(),
            reason: error.to_string(),
        })?;
        sockets.push(Arc::new(socket));
        Ok(())
    }
}
