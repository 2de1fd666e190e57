//! Where the configuration is looked for when nobody says where it is.

use std::path::{Path, PathBuf};

use crate::domain::host::Host;

use super::error::{ConfigError, ErrorKind};

/// The places, in order. `program` is the path of the executable as it was started; the first two places are beside the
/// directory that holds it. A bare name does not tell where it is: then they are left out, since beside the working
/// directory lie the files of others.
pub fn search_paths(program: &Path) -> Vec<PathBuf> {
    let fixed =
        ["supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"];
    let beside = program.parent().filter(|directory| *directory != Path::new("")).map(beside);
    beside.into_iter().flatten().chain(fixed.map(PathBuf::from)).collect()
}

/// The places beside a directory.
fn beside(directory: &Path) -> [PathBuf; 2] {
    let directory = directory.strip_prefix(".").unwrap_or(directory);
    let base = match (directory.parent(), directory.file_name()) {
        (Some(parent), Some(_)) => parent.to_path_buf(),
        // The root, the working directory, or a path that ends in `..`.
        _ if directory.has_root() && directory.parent().is_none() => directory.to_path_buf(),
        _ => directory.join(".."),
    };
    ["etc/supervisord.conf", "supervisord.conf"].map(|path| base.join(path))
}

/// The first place where a file is. One that is there and cannot be read is found; what a closed folder may hold is not.
///
/// # Errors
/// [`ErrorKind::NoFile`] with all places.
pub fn find(program: &Path, host: &dyn Host) -> Result<PathBuf, ConfigError> {
    let paths = search_paths(program);
    match paths.iter().find(|path| host.exists(path)) {
        Some(path) => Ok(path.clone()),
        None => {
            let places: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            Err(ErrorKind::NoFile(places.join(", ")).into())
        }
    }
}
