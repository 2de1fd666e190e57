//! The handle's verbs on logs: where they are, reading, following, clearing.
//!
//! Files are read off the executor, where blocking is allowed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Answer, Handle};
use crate::RequestError;
use crate::domain::name::{Namespec, ProcessName};
use crate::logfile::follow::Follow;
use crate::logfile::read::{self, ReadError};
use crate::offload;
use crate::process::{LogTail, Outcome, Stream};
use crate::request::{Request, Target, Verb};

impl Handle {
    /// The path of a process's log; `None` if none is kept.
    ///
    /// # Errors
    /// [`RequestError::BadName`], also for a whole group.
    pub async fn log_path(&self, name: &Namespec, stream: Stream) -> Answer<Option<PathBuf>> {
        let name = name.clone();
        self.ask(|reply| Request::LogPath { name, stream, reply }).await
    }

    async fn existing_log(&self, name: &Namespec, stream: Stream) -> Answer<PathBuf> {
        self.log_path(name, stream).await?.ok_or_else(|| RequestError::NoFile(String::new()))
    }

    /// A part of a process's log (Supervisor 4.3: `readProcessStdoutLog`), in bytes.
    ///
    /// # Errors
    /// [`NoFile`](RequestError::NoFile) (with the path, or empty if none is kept),
    /// [`BadArguments`](RequestError::BadArguments), [`Failed`](RequestError::Failed) if it cannot be read.
    pub async fn read_log(&self, name: &Namespec, stream: Stream, offset: i64, length: i64) -> Answer<Vec<u8>> {
        read_file(self.existing_log(name, stream).await?, offset, length).await
    }

    /// The end of a process's log (Supervisor 4.3: `tailProcessStdoutLog`). Without a log, nothing.
    ///
    /// # Errors
    /// [`RequestError::BadName`].
    pub async fn tail_log(&self, name: &Namespec, stream: Stream, offset: i64, length: i64) -> Answer<LogTail> {
        match self.log_path(name, stream).await? {
            None => Ok(LogTail::default()),
            Some(path) => Ok(offload::unblock(move || tail_file(&path, offset, length)).await),
        }
    }

    /// Follows a process's log from its last `backlog` bytes on, over rotations and truncations, without end.
    ///
    /// # Errors
    /// [`NoFile`](RequestError::NoFile), [`BadName`](RequestError::BadName).
    pub async fn follow_log(&self, name: &Namespec, stream: Stream, backlog: u64) -> Answer<Follow> {
        follow_file(self.existing_log(name, stream).await?, backlog).await
    }

    /// Empties the log files of a process.
    ///
    /// # Errors
    /// [`RequestError::BadName`]; [`RequestError::Failed`] with the reason.
    pub async fn clear_logs(&self, name: &ProcessName) -> Answer<()> {
        self.control_one(name, Verb::ClearLogs).await
    }

    /// Empties the log files of every process of a group.
    ///
    /// # Errors
    /// [`RequestError::BadName`].
    pub async fn clear_group_logs(&self, group: &str) -> Answer<Vec<Outcome>> {
        self.control(Target::Group(group.to_owned()), Verb::ClearLogs).await
    }

    /// Empties the log files of every process.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn clear_all_logs(&self) -> Answer<Vec<Outcome>> {
        self.control(Target::All, Verb::ClearLogs).await
    }

    /// A part of the activity log (Supervisor 4.3: `readLog`).
    ///
    /// # Errors
    /// As [`read_log`](Self::read_log).
    pub async fn read_activity_log(&self, offset: i64, length: i64) -> Answer<Vec<u8>> {
        let path = self.shared.activity.file().ok_or_else(|| RequestError::NoFile(String::new()))?;
        read_file(path, offset, length).await
    }

    /// Follows the activity log.
    ///
    /// # Errors
    /// [`RequestError::NoFile`].
    pub async fn follow_activity_log(&self, backlog: u64) -> Answer<Follow> {
        let path = self.shared.activity.file().ok_or_else(|| RequestError::NoFile(String::new()))?;
        follow_file(path, backlog).await
    }

    /// Empties the activity log (Supervisor 4.3: `clearLog`).
    ///
    /// # Errors
    /// [`RequestError::NoFile`] if it is not kept in a file or the file is missing, [`RequestError::Failed`].
    pub async fn clear_activity_log(&self) -> Answer<()> {
        let activity = Arc::clone(&self.shared.activity);
        offload::unblock(move || match activity.file() {
            Some(path) if path.exists() => activity.clear().map_err(|error| RequestError::Failed(error.to_string())),
            _ => Err(RequestError::NoFile(String::new())),
        })
        .await
    }
}

async fn read_file(path: PathBuf, offset: i64, length: i64) -> Answer<Vec<u8>> {
    offload::unblock(move || {
        read::read(&path, offset, length).map_err(|error| match error {
            ReadError::NoFile => RequestError::NoFile(path.display().to_string()),
            ReadError::BadArguments => RequestError::BadArguments,
            // Supervisor 4.3 gives no detail here.
            ReadError::Unreadable(_) => RequestError::Failed(String::new()),
        })
    })
    .await
}

/// Supervisor 4.3: nothing for a missing log, the offset given for an unreadable one.
fn tail_file(path: &Path, offset: i64, length: i64) -> LogTail {
    match read::tail(path, offset, length) {
        Ok(tail) => {
            LogTail { bytes: tail.bytes, offset: i64::try_from(tail.size).unwrap_or(i64::MAX), overflow: tail.overflow }
        }
        Err(ReadError::NoFile) => LogTail::default(),
        Err(_) => LogTail { offset, ..LogTail::default() },
    }
}

async fn follow_file(path: PathBuf, backlog: u64) -> Answer<Follow> {
    offload::unblock(move || {
        Follow::open(path.clone(), backlog).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => RequestError::NoFile(path.display().to_string()),
            _ => RequestError::Failed(format!("{}: {error}", path.display())),
        })
    })
    .await
}
