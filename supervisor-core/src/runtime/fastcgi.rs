//! The listening sockets that the processes of an fcgi-program share.
//!
//! A socket is made for the first process that needs it and closed when the last one has ended; a later start makes it
//! again (Supervisor 4.3: FastCGI programs). Unlike there, the file of a UNIX socket is removed when it is closed.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::activity::ActivityLog;
use crate::domain::level::Level;
use crate::domain::spec::{FastCgiSocket, User};
use crate::sys::socket::{self, BindError, SocketFile};

/// One address that processes of a group share.
pub(crate) struct SharedSocket {
    settings: FastCgiSocket,
    /// The program's user: the socket's owner, if it has none of its own.
    user: Option<User>,
    activity: Arc<dyn ActivityLog>,
    open: Mutex<Weak<OpenSocket>>,
}

/// The socket while somebody uses it; each process in turn holds one reference.
pub(crate) struct OpenSocket {
    address: String,
    activity: Arc<dyn ActivityLog>,
    fd: Arc<OwnedFd>,
    file: Option<SocketFile>,
}

impl SharedSocket {
    pub(crate) fn new(settings: FastCgiSocket, user: Option<User>, activity: Arc<dyn ActivityLog>) -> Self {
        Self { settings, user, activity, open: Mutex::default() }
    }

    /// What it was made from.
    pub(crate) fn settings(&self) -> &FastCgiSocket {
        &self.settings
    }

    /// The socket, made if nobody has it yet. May block; not to be called on the loop.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(&self) -> Result<Arc<OpenSocket>, BindError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = open.upgrade() {
            return Ok(socket);
        }
        self.activity.write(Level::Info, &format!("Creating socket {}", self.settings.address));
        let socket::SharedSocket { socket, file } = socket::bind_fastcgi(&self.settings, self.user.as_ref())?;
        let socket = Arc::new(OpenSocket {
            address: self.settings.address.to_string(),
            activity: Arc::clone(&self.activity),
            fd: Arc::new(socket),
            file,
        });
        *open = Arc::downgrade(&socket);
        Ok(socket)
    }
}

impl OpenSocket {
    /// The descriptor that becomes fd 0 of a process.
    pub(crate) fn fd(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.fd)
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.activity.write(Level::Info, &format!("Closing socket {}", self.address));
        if let Some(file) = &self.file {
            // Somebody may have removed it, or put another in its place, already.
            let _ = file.remove();
        }
    }
}
