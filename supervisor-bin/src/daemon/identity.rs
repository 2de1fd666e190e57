//! Who the daemon is and what it may use: `user`, `minfds`, `minprocs` of `[supervisord]`.

use supervisor_core::config::Daemon;
use supervisor_core::domain::level::Level;
use supervisor_core::sys::privilege::{self, PrivilegeError};
use supervisor_core::sys::rlimit::{self, Limit, LimitError};

use super::pending::Pending;

/// The soft limit of open files that processes have where nobody has thought about it; a lower one is meant.
const USUAL_OPEN_FILES: u64 = 1024;

/// Becomes the configured account, and says who we are now.
///
/// # Errors
/// [`PrivilegeError`]: the daemon must not go on as somebody else than it was told.
pub(super) fn take(daemon: &Daemon, pending: &mut Pending) -> Result<(), PrivilegeError> {
    match &daemon.user {
        Some(user) => {
            privilege::drop_to(user)?;
            pending.push(Level::Info, format!("Set uid to user {} succeeded", user.uid));
        }
        None if rustix::process::geteuid().is_root() => pending.push(
            Level::Critical,
            "Supervisor is running as root.  Privileges were not dropped because no user is specified in the config file.  \
             If you intend to run as root, you can set user=root in the config file to avoid this message.",
        ),
        None => {}
    }
    Ok(())
}

/// Raises the limits to what is asked for. Children inherit them; what the daemon can have beyond that for its own
/// descriptors, six for each program, they do not.
///
/// # Errors
/// The first limit that cannot be raised.
pub(super) fn raise_limits(daemon: &Daemon, pending: &mut Pending) -> Result<(), LimitError> {
    for (limit, wanted) in [(Limit::OpenFiles, daemon.minfds), (Limit::Processes, daemon.minprocs)] {
        let wanted = u64::try_from(wanted).unwrap_or(0);
        if rlimit::raise(limit, wanted)? {
            pending.push(Level::Info, format!("Increased {} limit to {wanted}", limit.name()));
        }
    }
    rlimit::extend_open_files(USUAL_OPEN_FILES);
    Ok(())
}
