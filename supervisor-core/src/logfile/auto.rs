//! AUTO logs: their names, their creation, and the removal of those that an earlier run left.
//!
//! Supervisor 4.3: `stdout_logfile=AUTO`, `childlogdir`, `nocleanup`.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many names are tried before a directory counts as full of them.
const TRIES: u32 = 100;

/// Creates a fresh empty log in `directory`, mode 0600: `<process>-<channel>---<identifier>-<8 random characters>.log`.
/// A slash in a name becomes an underscore.
///
/// # Errors
/// What the system says.
pub fn create(directory: &Path, process: &str, channel: &str, identifier: &str) -> io::Result<PathBuf> {
    let beginning = format!("{process}-{channel}---{identifier}-").replace('/', "_");
    for _ in 0..TRIES {
        let path = directory.join(format!("{beginning}{}.log", random_letters()));
        match create_private(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

/// Eight letters and digits. Names need to be unlikely to meet, not impossible to guess: files are created exclusively.
fn random_letters() -> String {
    // Each `RandomState` has keys of its own, from the system's randomness.
    let mut number = RandomState::new().build_hasher().finish();
    let mut letters = String::with_capacity(8);
    for _ in 0..8 {
        letters.push(char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[(number % 36) as usize]));
        number /= 36;
    }
    letters
}

/// What start-up cleanup could not do; shown as Supervisor says it.
#[derive(Debug)]
pub enum Trouble {
    /// A left-over file could not be removed.
    File(PathBuf, io::Error),
    /// The directory could not be read.
    Directory(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, _) => write!(f, "Failed to clean up '{}'", path.display()),
            Self::Directory(_) => write!(f, "Could not clear childlog dir"),
        }
    }
}

/// Removes the AUTO logs of this identifier, and their backups, that earlier runs left in `directory`. Gives what could
/// not be removed.
pub fn clean(directory: &Path, identifier: &str) -> Vec<Trouble> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return vec![Trouble::Directory(error)],
    };
    let middle = format!("---{identifier}-").replace('/', "_");
    let mut troubles = Vec::new();
    for entry in entries {
        let path = match entry {
            Ok(entry) if is_left_over(entry.file_name().as_bytes(), middle.as_bytes()) => entry.path(),
            Ok(_) => continue,
            Err(error) => {
                troubles.push(Trouble::Directory(error));
                break;
            }
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => troubles.push(Trouble::File(path, error)),
            _ => {}
        }
    }
    troubles
}

/// At least one character, `middle`, at least one character, `.log`, no blank from `middle` to there; then anything.
fn is_left_over(name: &[u8], middle: &[u8]) -> bool {
    (1..name.len()).filter(|&at| name[at..].starts_with(middle)).any(|at| {
        let rest = &name[at + middle.len()..];
        let rest = rest.split(|byte| byte.is_ascii_whitespace() || *byte == 0x0b).next().unwrap_or(rest);
        rest.len() > 4 && rest[1..].windows(4).any(|window| window == b".log")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn names_of_left_overs() {
        let table = [
            ("x-stdout---me-abc123.log", true),
            ("gone-stderr---me-zz.log", true),
            ("x-stdout---me-abc123.log.3", true),
            ("x-stdout---me-abc123.logfile", true),
            ("a---me-.log.log", true),
            ("a---me-b---me-c.log", true),
            ("x-stdout---other-abc.log", false),
            ("x-stdout---meme-abc.log", false),
            ("unrelated.log", false),
            ("x-stdout---me-abc.txt", false),
            ("x-stdout---me-.log", false),
            ("---me-abc.log", false),
            ("x---me-a b.log", false),
            ("x---me-a.lo", false),
            ("", false),
        ];
        for (name, expected) in table {
            assert_eq!(is_left_over(name.as_bytes(), b"---me-"), expected, "{name}");
        }
    }

    #[test]
    fn created_private_and_removed_by_the_next_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = create(directory.path(), "g/x", "stdout", "me").unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("g_x-stdout---me-") && name.ends_with(".log") && name.len() == 16 + 8 + 4, "{name}");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_ne!(path, create(directory.path(), "g/x", "stdout", "me").unwrap());
        fs::create_dir(directory.path().join("d-stdout---me-a.log")).unwrap();
        fs::write(directory.path().join("kept.log"), "").unwrap();

        let troubles: Vec<_> = clean(directory.path(), "me").iter().map(ToString::to_string).collect();
        assert_eq!(troubles, [format!("Failed to clean up '{}/d-stdout---me-a.log'", directory.path().display())]);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        let troubles = clean(&directory.path().join("none"), "me");
        assert_eq!(troubles[0].to_string(), "Could not clear childlog dir");
    }
}
