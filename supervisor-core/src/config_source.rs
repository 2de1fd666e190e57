//! Where the configuration comes from when it is read again.

use crate::domain::spec::Group;

/// Reads the configuration anew (Supervisor 4.3: `reloadConfig`). The daemon reads its file; an embedding program may get
/// its groups from anywhere.
pub trait ConfigSource: Send + Sync {
    /// All groups, ordered by priority and name. Called where blocking is allowed.
    ///
    /// # Errors
    /// The sentence that a client is told in CANT_REREAD. Nothing is changed then.
    fn load(&self) -> Result<Vec<Group>, String>;
}

impl<F> ConfigSource for F
where
    F: Fn() -> Result<Vec<Group>, String> + Send + Sync,
{
    fn load(&self) -> Result<Vec<Group>, String> {
        self()
    }
}
