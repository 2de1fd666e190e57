//! A machine made of tables, for tests.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::host::Host;
use crate::domain::spec::User;

/// Files and directories as given, `closed` folders that cannot be entered, `locked` ones that cannot be
/// written, `secret` files that cannot be read; a variable `LATIN1`
/// whose value is not UTF-8; accounts `root` and `www` (33, group `www`, home `/home/www`).
#[derive(Default)]
pub(crate) struct TableHost {
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    pub(crate) directories: Vec<PathBuf>,
    pub(crate) variables: BTreeMap<String, String>,
}

impl TableHost {
    pub(crate) fn new() -> Self {
        let directories = ["/", "/tmp", "/etc", "/cwd", "/home/www"].map(PathBuf::from).to_vec();
        let variables = [("HOME", "/root"), ("X", "outside")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        Self { files: BTreeMap::new(), directories, variables }
    }

    pub(crate) fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.insert(PathBuf::from(path), text.as_ref().to_vec());
        self
    }

    /// True for what is in a folder that nobody can enter.
    fn is_closed(&self, path: &Path) -> bool {
        path.parent().is_some_and(|folder| folder.ancestors().any(|folder| folder.ends_with("closed")))
    }

    fn accounts() -> [User; 2] {
        [("root", 0), ("www", 33)].map(|(name, id)| User { name: name.to_owned(), uid: id, gid: id })
    }
}

impl Host for TableHost {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if self.is_directory(path) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if path.ends_with("secret") || self.is_closed(path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn exists(&self, path: &Path) -> bool {
        let there = self.files.contains_key(path) || self.is_directory(path) || path.ends_with("secret");
        there && !self.is_closed(path)
    }

    /// Knows `*` as a whole last part only.
    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        match pattern.strip_suffix("/*") {
            Some(directory) => {
                let mut all: Vec<PathBuf> = self.files.keys().chain(&self.directories).cloned().collect();
                all.retain(|path| path.parent() == Some(Path::new(directory)));
                all.sort();
                all
            }
            None => self.files.contains_key(Path::new(pattern)).then(|| PathBuf::from(pattern)).into_iter().collect(),
        }
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.directories.iter().any(|directory| directory == path)
    }

    fn can_create_in(&self, path: &Path) -> bool {
        self.is_directory(path) && !path.ends_with("locked")
    }

    fn user_by_name(&self, name: &str) -> Option<User> {
        Self::accounts().into_iter().find(|user| user.name == name)
    }

    fn user_by_id(&self, uid: u32) -> Option<User> {
        Self::accounts().into_iter().find(|user| user.uid == uid)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.user_by_name(name).map(|user| user.gid)
    }

    fn group_exists(&self, gid: u32) -> bool {
        self.user_by_id(gid).is_some()
    }

    fn home(&self, user: Option<&str>) -> Option<PathBuf> {
        match user {
            None => self.variables.get("HOME").map(PathBuf::from),
            Some("www") => Some(PathBuf::from("/home/www")),
            Some(_) => None,
        }
    }

    fn environment(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }

    fn has_variable(&self, name: &str) -> bool {
        name == "LATIN1" || self.variables.contains_key(name)
    }

    fn node_name(&self) -> String {
        "node".to_owned()
    }

    fn current_directory(&self) -> PathBuf {
        PathBuf::from("/cwd")
    }
}
