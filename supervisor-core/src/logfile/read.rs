//! The parts of a log that `readLog` and `tailLog` give.

use std::path::Path;

use crate::RequestError;
use crate::process::LogTail;

pub(crate) fn read(_path: &Path, _offset: i64, _length: i64) -> Result<Vec<u8>, RequestError> {
    Err(RequestError::BadArguments)
}

pub(crate) fn tail(_path: &Path, _offset: i64, _length: i64) -> LogTail {
    LogTail::default()
}
