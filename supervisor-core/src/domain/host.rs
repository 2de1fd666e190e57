//! What the configuration needs to know of the machine, as a trait.
//!
//! Implemented for the real machine in `sys/host.rs` and by tables in tests, so that reading a configuration is a pure
//! function of its text and of this.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::spec::User;

/// The machine, as far as a configuration can refer to it.
pub trait Host {
    /// The bytes of a file.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// True if something is at this path, readable or not; false for what is in a folder that we cannot enter.
    fn exists(&self, path: &Path) -> bool;

    /// Who besides root can change a file that we believe as root, in words such as `/etc/x is writable by everybody (mode
    /// 0777)`; `None` if nobody can, or we are not root.
    fn writable_by_others(&self, _path: &Path) -> Option<String> {
        None
    }

    /// The paths that match a shell pattern (`*`, `?`, `[…]`; a leading dot only matches a dot), in lexical order.
    fn glob(&self, pattern: &str) -> Vec<PathBuf>;

    /// True if this is a directory.
    fn is_directory(&self, path: &Path) -> bool;

    /// True if this is a directory that we can make files in, by the rights that we have in effect.
    fn can_create_in(&self, path: &Path) -> bool;

    /// The account of this name.
    fn user_by_name(&self, name: &str) -> Option<User>;

    /// The account of this id.
    fn user_by_id(&self, uid: u32) -> Option<User>;

    /// The id of the group of this name.
    fn group_by_name(&self, name: &str) -> Option<u32>;

    /// True if a group has this id.
    fn group_exists(&self, gid: u32) -> bool;

    /// The home directory of an account; of the current one (HOME first) for `None`.
    fn home(&self, user: Option<&str>) -> Option<PathBuf>;

    /// The environment; entries that are not UTF-8 are left out.
    fn environment(&self) -> BTreeMap<String, String>;

    /// True if the environment has this variable, also if its value is not UTF-8.
    fn has_variable(&self, name: &str) -> bool {
        self.environment().contains_key(name)
    }

    /// The node name of `uname(2)`.
    fn node_name(&self) -> String;

    /// The working directory.
    fn current_directory(&self) -> PathBuf;
}
