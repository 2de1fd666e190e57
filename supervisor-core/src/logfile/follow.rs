//! Follows a log file over rotations and truncations.

use std::path::PathBuf;

use crate::RequestError;

/// A log being followed.
#[derive(Debug)]
pub struct Follow;

impl Follow {
    pub(crate) fn open(path: PathBuf, _backlog: u64) -> Result<Self, RequestError> {
        Err(RequestError::NoFile(path.display().to_string()))
    }
}
