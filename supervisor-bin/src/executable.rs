//! Where the program that runs was called: the folder beside which its configuration is searched.
//!
//! Decides which path a bare name stands for. Links are kept: what counts is where the program was called, not where its
//! file lies.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The path of the program whose first word is `called`. A word without a slash was found along `PATH`, and its folder is
/// looked up there; if it is not there, whoever called us made it up, and the path of the file that runs is given.
pub(crate) fn path(called: &OsStr) -> PathBuf {
    if called.as_bytes().contains(&b'/') {
        return PathBuf::from(called);
    }
    let running = std::env::current_exe().ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    along(called, &path, running.as_deref()).or(running).unwrap_or_else(|| PathBuf::from(called))
}

/// The first file of this name in a folder of `path` that is the one that runs, by whatever links. If it is not known which
/// one that is, the first that can be executed.
fn along(called: &OsStr, path: &OsStr, running: Option<&Path>) -> Option<PathBuf> {
    let running = running.map(|running| running.metadata().map(|it| (it.dev(), it.ino())).ok());
    std::env::split_paths(path)
        // An empty entry is the working directory.
        .map(|folder| if folder == Path::new("") { PathBuf::from(".") } else { folder })
        .map(|folder| folder.join(called))
        .find(|candidate| match (candidate.metadata(), running) {
            (Ok(it), Some(running)) => running == Some((it.dev(), it.ino())),
            (Ok(it), None) => it.is_file() && it.mode() & 0o111 != 0,
            (Err(_), _) => false,
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_name_with_a_slash_is_its_own_path() {
        for called in ["/usr/bin/x", "./x", "bin/x", "x/"] {
            assert_eq!(path(OsStr::new(called)), Path::new(called));
        }
        assert_eq!(path(OsStr::new("no such program")), std::env::current_exe().unwrap(), "a name that was made up");
    }

    #[test]
    fn a_bare_name_is_looked_up_and_its_links_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["other", "real", "linked", "none"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("none/x"), "").unwrap();
        for name in ["other/x", "real/x"] {
            fs::write(at(name), "").unwrap();
            fs::set_permissions(at(name), PermissionsExt::from_mode(0o755)).unwrap();
        }
        symlink(at("real/x"), at("linked/x")).unwrap();
        symlink(at("nowhere"), at("nowhere")).unwrap();
        let folders = ["nosuch", "none", "nowhere", "other", "linked", "real"].map(at);
        let path = std::env::join_paths(folders).unwrap();
        let found = |running: Option<&str>| along(OsStr::new("x"), &path, running.map(at).as_deref());
        assert_eq!(found(Some("real/x")), Some(at("linked/x")), "called by its link");
        assert_eq!(found(Some("other/x")), Some(at("other/x")));
        assert_eq!(found(Some("gone")), None, "a file that has been replaced is not mistaken for another");
        assert_eq!(found(None), Some(at("other/x")), "nobody knows what runs");
    }
}
