//! The machine as the configuration sees it: files, accounts, environment.
//!
//! Implements [`Host`] by asking the system each time; keeps nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use nix::unistd;

use crate::domain::host::Host;
use crate::domain::spec::User;

/// The largest configuration file that is read: a device that never ends must not fill the memory.
const MAXIMUM_FILE: u64 = 64 << 20;

/// The real machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemHost;

fn account(user: unistd::User) -> User {
    User { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }
}

impl Host for SystemHost {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAXIMUM_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAXIMUM_FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB"));
        }
        Ok(bytes)
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        // Two stars mean no more than one here, and a bracket that is never closed is a character.
        let mut pattern = pattern.to_owned();
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
        let paths = match glob::glob_with(&pattern, options) {
            Ok(paths) => paths,
            Err(_) => match glob::glob_with(&pattern.replace('[', "[[]"), options) {
                Ok(paths) => paths,
                Err(_) => return Vec::new(),
            },
        };
        let mut paths: Vec<PathBuf> = paths.filter_map(Result::ok).collect();
        paths.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
        paths
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn user_by_name(&self, name: &str) -> Option<User> {
        unistd::User::from_name(name).ok().flatten().map(account)
    }

    fn user_by_id(&self, uid: u32) -> Option<User> {
        unistd::User::from_uid(uid.into()).ok().flatten().map(account)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        unistd::Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
    }

    fn group_exists(&self, gid: u32) -> bool {
        unistd::Group::from_gid(gid.into()).ok().flatten().is_some()
    }

    fn home(&self, user: Option<&str>) -> Option<PathBuf> {
        let home = match user {
            Some(name) => unistd::User::from_name(name).ok().flatten().map(|user| user.dir),
            None => std::env::var_os("HOME")
                .map(PathBuf::from)
                .or_else(|| unistd::User::from_uid(unistd::getuid()).ok().flatten().map(|user| user.dir)),
        };
        home.filter(|home| !home.as_os_str().is_empty())
    }

    fn environment(&self) -> BTreeMap<String, String> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    fn node_name(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    fn current_directory(&self) -> PathBuf {
        std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
    }
}
