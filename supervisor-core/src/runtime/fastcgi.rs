//! The listening sockets that the processes of an fcgi-program share.
//!
//! A socket is made for the first process that needs it and closed when the last one has ended; a later start makes it
//! again (Supervisor 4.3: FastCGI programs). Unlike there, the file of a UNIX socket is removed when it is closed.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::activity::ActivityLog;
use crate::domain::level::Level;
use crate::domain::spec::{FastCgiSocket, SocketAddress};
use crate::sys::socket;

/// One address that processes of a group share.
pub(crate) struct SharedSocket {
    settings: FastCgiSocket,
    activity: Arc<dyn ActivityLog>,
    open: Mutex<Weak<OpenSocket>>,
}

/// The socket while somebody uses it; each process in turn holds one reference.
pub(crate) struct OpenSocket {
    address: SocketAddress,
    activity: Arc<dyn ActivityLog>,
    fd: Option<Arc<OwnedFd>>,
}

impl SharedSocket {
    pub(crate) fn new(settings: FastCgiSocket, activity: Arc<dyn ActivityLog>) -> Self {
        Self { settings, activity, open: Mutex::default() }
    }

    /// What it was made from.
    pub(crate) fn settings(&self) -> &FastCgiSocket {
        &self.settings
    }

    /// The socket, made if nobody has it yet. May block; not to be called on the loop.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(&self) -> std::io::Result<Arc<OpenSocket>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = open.upgrade() {
            return Ok(socket);
        }
        self.activity.write(Level::Info, &format!("Creating socket {}", self.settings.address));
        let fd = socket::bind_fastcgi(&self.settings)?;
        let socket = Arc::new(OpenSocket {
            address: self.settings.address.clone(),
            activity: Arc::clone(&self.activity),
            fd: Some(Arc::new(fd)),
        });
        *open = Arc::downgrade(&socket);
        Ok(socket)
    }
}

impl OpenSocket {
    /// The descriptor that becomes fd 0 of a process.
    pub(crate) fn fd(&self) -> Option<Arc<OwnedFd>> {
        self.fd.clone()
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.activity.write(Level::Info, &format!("Closing socket {}", self.address));
        self.fd = None;
        if let SocketAddress::Unix(path) = &self.address {
            // Somebody may have removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
}
