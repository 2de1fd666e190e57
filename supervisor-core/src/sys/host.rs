//! The machine as the configuration sees it: files, accounts, environment.
//!
//! Implements [`Host`] by asking the system each time; keeps nothing.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat};
use rustix::process::{getegid, geteuid, getgid, getuid};

use super::trust;
use crate::domain::host::Host;
use crate::domain::spec::User;

/// The largest configuration file that is read: a device that never ends must not fill the memory.
const MAXIMUM_FILE: u64 = 64 << 20;

/// How long a pipe or terminal may be silent before it is given up as a configuration file.
const SILENCE: Duration = Duration::from_secs(5);

/// The real machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemHost;

fn account(user: unistd::User) -> User {
    User { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }
}

/// The entries of a directory whose names match. Two stars mean no more than one here, and a bracket that is never closed is
/// a character.
fn matching(directory: &Path, part: &str) -> Vec<PathBuf> {
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let mut part = part.to_owned();
    while part.contains("**") {
        part = part.replace("**", "*");
    }
    let pattern = glob::Pattern::new(&part).or_else(|_| glob::Pattern::new(&part.replace('[', "[[]")));
    let listed = if directory == Path::new("") { Path::new(".") } else { directory };
    let (Ok(pattern), Ok(entries)) = (pattern, listed.read_dir()) else { return Vec::new() };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    let matching = names.filter(|name| pattern.matches_with(&name.to_string_lossy(), options));
    matching.map(|name| directory.join(name)).collect()
}

/// Waits until there is something to read.
fn wait(file: &File) -> io::Result<()> {
    let timeout = Timespec::try_from(SILENCE).ok();
    match poll(&mut [PollFd::new(file, PollFlags::IN)], timeout.as_ref()) {
        Ok(0) => Err(io::Error::new(io::ErrorKind::TimedOut, "nothing comes from it")),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Host for SystemHost {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
        let mut bytes = Vec::new();
        // The part that was read before an error is kept.
        while let Err(error) = file.by_ref().take(MAXIMUM_FILE + 1 - bytes.len() as u64).read_to_end(&mut bytes) {
            if error.kind() != io::ErrorKind::WouldBlock {
                return Err(error);
            }
            wait(&file)?;
        }
        if bytes.len() as u64 > MAXIMUM_FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB"));
        }
        Ok(bytes)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn writable_by_others(&self, path: &Path) -> Option<String> {
        if geteuid().is_root() { trust::writable_by_others(path) } else { None }
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        // Level by level, since the crate's own walk leaves out names with a dot and panics on names that are no text.
        let mut found = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "" })];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            found = match part.contains(['*', '?', '[']) {
                true => found.iter().flat_map(|directory| matching(directory, part)).collect(),
                false => found.into_iter().map(|directory| directory.join(part)).collect(),
            };
        }
        found.retain(|path| path.symlink_metadata().is_ok());
        found.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
        found
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn can_create_in(&self, path: &Path) -> bool {
        let rights = Access::WRITE_OK | Access::EXEC_OK;
        // Where both are the same the older call tells, which every sandbox knows.
        let same = getuid() == geteuid() && getgid() == getegid();
        let flags = if same { AtFlags::empty() } else { AtFlags::EACCESS };
        path.is_dir() && accessat(CWD, path, rights, flags).is_ok()
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

    fn has_variable(&self, name: &str) -> bool {
        std::env::var_os(name).is_some()
    }

    fn node_name(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    fn current_directory(&self) -> PathBuf {
        std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn patterns() {
        use std::os::unix::ffi::OsStrExt;

        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(std::ffi::OsStr::from_bytes(b"no\xfftext")), "").unwrap();
        for name in ["b.ini", "a.ini", ".hidden.ini", "c.conf", "[d.ini", "sub/e.ini", "sub/deep/f.ini"] {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let table: [(&str, &[&str]); 10] = [
            ("*.ini", &["[d.ini", "a.ini", "b.ini"]),
            ("[ab].ini", &["a.ini", "b.ini"]),
            ("[!a].ini", &["b.ini"]),
            ("?.conf", &["c.conf"]),
            (".*.ini", &[".hidden.ini"]),
            ("**/*.ini", &["sub/e.ini"]),
            ("***.conf", &["c.conf"]),
            ("[d.ini", &["[d.ini"]),
            ("./sub/../c.*", &["./sub/../c.conf"]),
            ("none/*", &[]),
        ];
        for (pattern, wanted) in table {
            let found = SystemHost.glob(&format!("{}/{pattern}", directory.path().display()));
            let base = directory.path().display();
            let wanted: Vec<String> = wanted.iter().map(|name| format!("{base}/{name}")).collect();
            let found: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
            assert_eq!(found, wanted, "{pattern}");
        }
    }

    #[test]
    fn pipes_are_read_as_they_come() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(SystemHost.read(&path).unwrap(), b"", "nobody writes");
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        let writing = std::thread::spawn(move || {
            for part in ["[super", "visord]"] {
                std::thread::sleep(Duration::from_millis(30));
                rustix::io::write(&writer, part.as_bytes()).unwrap();
            }
        });
        assert_eq!(SystemHost.read(Path::new(&name)).unwrap(), b"[supervisord]");
        writing.join().unwrap();
    }

    #[test]
    fn directories_that_files_can_be_made_in() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert!(SystemHost.can_create_in(path) && SystemHost.exists(path));
        std::fs::write(path.join("file"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", path.join("link")).unwrap();
        for name in ["file", "link", "missing"] {
            assert!(!SystemHost.can_create_in(&path.join(name)), "{name}");
            assert_eq!(SystemHost.exists(&path.join(name)), name == "file", "{name}");
        }
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o500)).unwrap();
        assert_eq!(SystemHost.can_create_in(path), geteuid().is_root());
    }

    #[test]
    fn accounts_and_places() {
        let root = SystemHost.user_by_id(0).unwrap();
        assert_eq!(SystemHost.user_by_name(&root.name), Some(root));
        assert!(SystemHost.user_by_name("no such user").is_none() && SystemHost.group_exists(0));
        assert!(!SystemHost.node_name().is_empty() && SystemHost.is_directory(Path::new("/")));
        assert!(SystemHost.read(Path::new("/dev/zero")).is_err());
    }
}
