//! stub
use crate::logfile::rotating::RotatingFile;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
pub(crate) struct LogSink {
    pub(crate) path: PathBuf,
    pub(crate) file: Mutex<RotatingFile>,
}
impl LogSink {
    pub(crate) async fn clear(&self) -> std::io::Result<()> {
        self.file.lock().unwrap().clear()
    }
    pub(crate) async fn reopen(&self) -> std::io::Result<()> {
        self.file.lock().unwrap().reopen()
    }
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
