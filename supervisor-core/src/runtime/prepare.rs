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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AutoLog {
    pub(crate) process: String,
    pub(crate) stream: Stream,
    pub(crate) path: Arc<Path>,
}

/// What was made for a group.
#[derive(Default)]
pub(crate) struct PreparedGroup {
    pub(crate) autos: Vec<AutoLog>,
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
    pub(crate) fn prepare(&self, group: &spec::Group, known: &[AutoLog]) -> Result<PreparedGroup, Error> {
        let mut prepared = PreparedGroup::default();
        for process in &group.processes {
            for (stream, channel) in [(Stream::Stdout, &process.stdout), (Stream::Stderr, &process.stderr)] {
                let merged = stream == Stream::Stderr && process.redirect_stderr;
                if channel.logfile != spec::LogFile::Auto || merged {
                    continue;
                }
                let Some(directory) = &self.directory else { continue };
                let auto = match known.iter().find(|auto| auto.process == process.name && auto.stream == stream) {
                    Some(auto) => auto.clone(),
                    None => self.make_auto(directory, &process.name, stream)?,
                };
                prepared.autos.push(auto);
            }
            if let Some(settings) = &process.socket {
                self.prove_socket(settings, process.user.as_ref(), &mut prepared.sockets)?;
            }
        }
        prepared.autos.shrink_to_fit();
        Ok(prepared)
    }

    fn make_auto(&self, directory: &Path, process: &str, stream: Stream) -> Result<AutoLog, Error> {
        let path = auto::create(directory, process, stream.name(), &self.identifier)
            .map_err(|source| Error::File { path: directory.to_owned(), source })?;
        Ok(AutoLog { process: process.to_owned(), stream, path: path.into() })
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
