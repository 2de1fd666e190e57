//! From paths to a document: reads the main file and, once, the files that its `[include]` names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::host::Host;
use crate::domain::level::Level;

use super::convert::absolute;
use super::error::{ConfigError, ErrorKind};
use super::expand::Names;
use super::ini::{Document, Source};
use super::load::Occasion;
use super::note::Notes;
use super::python::is_space;
use super::section::Reader;

type Result<T> = std::result::Result<T, ConfigError>;

/// The text of a file: a byte-order mark is dropped.
pub(crate) fn decode<'a>(bytes: &'a [u8], path: &str) -> Result<&'a str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        ErrorKind::NotText { path: path.to_owned(), line }.into()
    })
}

/// The bytes of the main file.
pub(crate) fn read_main(path: &Path, host: &dyn Host) -> Result<Vec<u8>> {
    host.read(path).map_err(|error| {
        let path = path.display().to_string();
        match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound(path).into(),
            _ => ErrorKind::Unreadable { path, reason: error.to_string() }.into(),
        }
    })
}

/// Warns of a file that others than root can change: they can run what they like as root.
pub(crate) fn distrust(path: &Path, host: &dyn Host, notes: &mut Notes) {
    if let Some(how) = host.writable_by_others(path) {
        let shown = path.display();
        notes.at_start(
            Level::Warn,
            format!("Configuration file \"{shown}\" can be changed by others than root, who runs it: {how}"),
        );
    }
}

/// What stands for a file: its name as given, and the directory it is in.
pub(crate) fn source(path: &Path, host: &dyn Host) -> Arc<Source> {
    let directory = absolute(path, host).parent().map(Path::to_path_buf).unwrap_or_default();
    let here = directory.display().to_string();
    Arc::new(Source { name: path.display().to_string(), here })
}

/// Adds the files that `[include]` of the main file names.
pub(crate) fn follow(
    document: &mut Document,
    names: Names<'_>,
    host: &dyn Host,
    occasion: Occasion,
    notes: &mut Notes,
) -> Result<()> {
    let Some(section) = document.section("include") else { return Ok(()) };
    let reader = Reader::new(document, section, names, host);
    let files = reader.required("files", || ErrorKind::IncludeWithoutFiles)?;
    let base = PathBuf::from(names.here);
    for pattern in files.split(is_space).filter(|pattern| !pattern.is_empty()) {
        let pattern = base.join(pattern).display().to_string();
        let paths = host.glob(&pattern);
        if paths.is_empty() {
            notes.at_start(Level::Warn, format!("No file matches via include \"{pattern}\""));
        }
        for path in paths {
            one(document, &path, host, occasion, notes)?;
        }
    }
    Ok(())
}

fn one(document: &mut Document, path: &Path, host: &dyn Host, occasion: Occasion, notes: &mut Notes) -> Result<()> {
    let shown = path.display().to_string();
    if host.is_directory(path) {
        notes.at_start(Level::Warn, format!("Directory \"{shown}\" matches an include and is skipped"));
        return Ok(());
    }
    let bytes = match host.read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let error = ErrorKind::UnreadableInclude { path: shown, reason: error.to_string() };
            if occasion == Occasion::Reread {
                return Err(error.into());
            }
            notes.at_start(Level::Critical, format!("{error}, it is skipped"));
            return Ok(());
        }
    };
    notes.at_start(Level::Info, format!("Included extra file \"{shown}\" during parsing"));
    distrust(path, host, notes);
    document.scan(decode(&bytes, &shown)?, &source(path, host))
}
