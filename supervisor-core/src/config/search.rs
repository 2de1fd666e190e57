//! Where the configuration is looked for when nobody says where it is.

use std::path::{Path, PathBuf};

use crate::domain::host::Host;

use super::error::{ConfigError, ErrorKind};

/// The places, in order. `program` is the path of the executable as it was started; the first two places are beside the
/// directory that holds it.
pub fn search_paths(program: &Path) -> Vec<PathBuf> {
    let directory = program.parent().unwrap_or(Path::new(""));
    let directory = directory.strip_prefix(".").unwrap_or(directory);
    let base = match (directory.parent(), directory.file_name()) {
        (Some(parent), Some(_)) => parent.to_path_buf(),
        // The root, the working directory, or a path that ends in `..`.
        _ if directory.has_root() && directory.parent().is_none() => directory.to_path_buf(),
        _ => directory.join(".."),
    };
    let beside = ["etc/supervisord.conf", "supervisord.conf"].map(|path| base.join(path));
    let fixed =
        ["supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"];
    beside.into_iter().chain(fixed.map(PathBuf::from)).collect()
}

/// The first place where a file is.
///
/// # Errors
/// [`ErrorKind::NoFile`] with all places.
pub fn find(program: &Path, host: &dyn Host) -> Result<PathBuf, ConfigError> {
    let paths = search_paths(program);
    let exists = |path: &&PathBuf| !matches!(host.read(path), Err(error) if is_missing(&error));
    match paths.iter().find(exists) {
        Some(path) => Ok(path.clone()),
        None => {
            let places: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            Err(ErrorKind::NoFile(places.join(", ")).into())
        }
    }
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
