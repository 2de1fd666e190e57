//! No text makes the reader of configurations panic or run away, its errors are one message, and how lines end means nothing.
#![no_main]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use supervisor_core::config::parse;
use supervisor_core::domain::host::Host;
use supervisor_core::domain::spec::User;

/// A machine with nothing on it: no text can reach the real one.
struct Nowhere;

impl Host for Nowhere {
    fn read(&self, _path: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn exists(&self, _path: &Path) -> bool {
        false
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        vec![PathBuf::from(pattern)]
    }

    fn is_directory(&self, _path: &Path) -> bool {
        true
    }

    fn can_create_in(&self, _path: &Path) -> bool {
        true
    }

    fn user_by_name(&self, name: &str) -> Option<User> {
        (name == "www").then(|| User { name: name.to_owned(), uid: 33, gid: 33 })
    }

    fn user_by_id(&self, uid: u32) -> Option<User> {
        (uid == 33).then(|| User { name: "www".to_owned(), uid, gid: uid })
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        (name == "www").then_some(33)
    }

    fn group_exists(&self, gid: u32) -> bool {
        gid == 33
    }

    fn home(&self, _user: Option<&str>) -> Option<PathBuf> {
        Some(PathBuf::from("/home/www"))
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("X".to_owned(), "outside".to_owned())])
    }

    fn node_name(&self) -> String {
        "node".to_owned()
    }

    fn current_directory(&self) -> PathBuf {
        PathBuf::from("/cwd")
    }
}

fuzz_target!(|text: &str| {
    // numprocs is bounded, but thousands of programs in each run would only be slow.
    if text.len() < 1 << 16 && !text.contains("numprocs") {
        let read = outcome(text);
        // How lines end means nothing.
        if !text.contains('\r') {
            assert_eq!(read, outcome(&text.replace('\n', "\r\n")));
        }
    }
});

fn outcome(text: &str) -> String {
    match parse(text, Path::new("/fuzz.conf"), &Nowhere) {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => {
            let told = error.to_string();
            assert!(!told.is_empty());
            told
        }
    }
}
