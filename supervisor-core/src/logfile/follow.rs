//! Follows a log file over rotations and truncations (`tail -f`, the log streams of the HTTP server).
//!
//! The one asynchronous file of this room: following is nothing but waiting for the kernel, and it holds no state of the
//! supervisor. The file is read in bounded chunks, only when the consumer asks for one and on a thread that may block;
//! so a consumer that lags holds no backlog in memory, and a file system that hangs holds up nobody else. Woken by
//! inotify where there is one, else by a timer while somebody follows.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::Timer;
use futures_core::Stream;
use futures_lite::stream;

use super::open::open_read;
use super::rotating::backup_path;
use watch::Watch;

use crate::offload;

mod watch;

/// The most bytes of one item.
pub const CHUNK: usize = 64 << 10;

/// A file that is written all the time is read at most once in this time after its end was reached.
const PAUSE: Duration = Duration::from_millis(10);

/// So many backups are searched for the file that was being read when the log was rotated.
const BACKUPS: u64 = 1000;

/// What a consumer is told when the file has become shorter.
const TRUNCATED: &[u8] = b"==> File truncated <==\n";

/// A log being followed: a stream of its bytes that ends only when the log can no longer be read.
///
/// When another file takes the log's place, the rest of the old one comes first, then the new one from its start; when
/// several have taken turns since the last look, those that are still there as backups come in between. When the file
/// has become shorter, a line says so and the file comes again from its start.
pub struct Follow {
    // A mutex that is never locked: it makes the stream `Sync`, as some bodies of HTTP answers must be.
    items: Mutex<Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>>,
}

impl std::fmt::Debug for Follow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}

impl Follow {
    /// Follows the log at `path`, beginning with its last `backlog` bytes (all, if there are fewer). May block.
    ///
    /// What is no file but a device or a pipe is silent: what was written there cannot be read here.
    ///
    /// # Errors
    /// What the system says of the path, which may not be a directory.
    pub fn open(path: PathBuf, backlog: u64) -> io::Result<Self> {
        let mut watch = Watch::new(&path);
        let file = match open_regular(&path) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput && !path.is_dir() => {
                return Ok(Self { items: Mutex::new(Box::pin(stream::pending())) });
            }
            opened => opened?,
        };
        watch.set_file(&file, &path);
        let offset = file.metadata()?.len().saturating_sub(backlog);
        let place = Place { path, file, offset, next: None, watch, gone: false, mid_line: false };
        let start = (place, Instant::now());
        let items = stream::unfold(start, |(place, last)| async move {
            let (place, bytes) = next_item(place, last).await?;
            Some((bytes, (place, Instant::now())))
        });
        Ok(Self { items: Mutex::new(Box::pin(items)) })
    }
}

impl Stream for Follow {
    type Item = Vec<u8>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let items = self.items.get_mut().unwrap_or_else(PoisonError::into_inner);
        items.as_mut().poll_next(context)
    }
}

async fn next_item(mut place: Place, last: Instant) -> Option<(Place, Vec<u8>)> {
    loop {
        let (back, step) = offload::unblock(move || {
            let step = place.step();
            (place, step)
        })
        .await;
        place = back;
        match step {
            Ok(Some(bytes)) => return Some((place, bytes)),
            Ok(None) => {}
            Err(_) => return None,
        }
        place.watch.changed(place.gone).await;
        Timer::at(last + PAUSE).await;
    }
}

/// Where in which file the consumer is.
struct Place {
    path: PathBuf,
    file: File,
    offset: u64,
    /// The file that takes over when `file` has been read to its end.
    next: Option<File>,
    watch: Watch,
    /// The path named nothing at the last look.
    gone: bool,
    /// The last byte given was no newline.
    mid_line: bool,
}

impl Place {
    /// The next bytes, if there are any now.
    fn step(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let bytes = self.read()?;
            if !bytes.is_empty() {
                self.mid_line = !bytes.ends_with(b"\n");
                return Ok(Some(bytes));
            }
            if self.file.metadata()?.len() < self.offset {
                self.offset = 0;
                let before: &[u8] = if std::mem::take(&mut self.mid_line) { b"\n" } else { b"" };
                return Ok(Some([before, TRUNCATED].concat()));
            }
            if let Some(next) = self.next.take() {
                self.watch.set_file(&next, &self.path);
                self.file = next;
                self.offset = 0;
                continue;
            }
            // What was written to our file before it was replaced is there by now: one more look at it, then on.
            self.next = self.successor()?;
            if self.next.is_none() {
                return Ok(None);
            }
        }
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        // As much as there is, so that a thousand quiet followers do not hold a thousand large buffers.
        let there = self.file.metadata()?.len().saturating_sub(self.offset);
        let mut bytes = vec![0; usize::try_from(there).unwrap_or(CHUNK).min(CHUNK)];
        let count = loop {
            match self.file.read_at(&mut bytes, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        bytes.truncate(count);
        self.offset += count as u64;
        Ok(bytes)
    }

    /// The file that came after ours at the path, if ours has been replaced.
    fn successor(&mut self) -> io::Result<Option<File>> {
        let ours = self.file.metadata()?;
        for _ in 0..10 {
            let now = fs::metadata(&self.path);
            // Being replaced just now, or gone for good.
            self.gone = now.is_err();
            if now.is_ok_and(|now| same(&now, &ours)) || self.gone {
                return Ok(None);
            }
            let Some(number) = self.backup_number(&ours) else { return Ok(open_regular(&self.path).ok()) };
            let newer = if number == 1 { self.path.clone() } else { backup_path(&self.path, number - 1) };
            let opened = open_regular(&newer).ok();
            // A rotation moves the older file first: as long as ours has not moved, the one opened is its neighbour.
            if is_at(&ours, &backup_path(&self.path, number)) {
                return Ok(opened);
            }
        }
        Ok(None)
    }

    /// Which backup our file has become. Searched upwards, the way that files move, so that it cannot slip by; a missing
    /// number does not end the search, for a rotation makes gaps while it lasts.
    fn backup_number(&self, ours: &Metadata) -> Option<u64> {
        (1..=BACKUPS).find(|number| is_at(ours, &backup_path(&self.path, *number)))
    }
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn is_at(ours: &Metadata, path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| same(&found, ours))
}

fn open_regular(path: &Path) -> io::Result<File> {
    let file = open_read(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

#[cfg(test)]
mod tests;
