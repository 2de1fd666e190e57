//! Opens log files: the one place that says how.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::sys;

/// Opens a log for appending and creates it if it is missing, with the umask of the process. A link that another user has
/// planted is refused.
///
/// # Errors
/// What the system says.
pub fn open_append(path: &Path) -> io::Result<File> {
    sys::open::append(path)
}

/// The same for a log whose content is dropped: the file stays, or whatever the link leads to.
///
/// # Errors
/// What the system says.
pub(crate) fn open_empty(path: &Path) -> io::Result<File> {
    sys::open::overwrite(path)
}

/// Whether a path is no name of the file behind it, but leads to a descriptor (`/dev/stdout`). What is there belongs to
/// whoever opened it: it is written, never moved away or emptied.
pub(crate) fn leads_to_descriptor(path: &Path) -> bool {
    sys::open::leads_to_descriptor(path)
}

/// Opens a log for reading. Never waits (a FIFO without a writer) and never takes a terminal.
///
/// # Errors
/// What the system says.
pub fn open_read(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)
}
