//! One log that output is written to, shared by all who name the same path.
//!
//! Belongs to the entry of its process: it outlives the single run, so that the log of a stopped process can be cleared.
//! The file itself is open only as long as a process runs that writes to it; where descriptors are few, only while something
//! is written. How files are rotated is decided in `logfile/rotating.rs`.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_io::Timer;

use super::lane::{Key, Lane};
use crate::activity::ActivityLog;
use crate::domain::level::Level;
use crate::logfile::loss::Notice;
use crate::logfile::open::open_append;
use crate::logfile::resting::Resting;
use crate::logfile::rotating::{self, RotatingFile};
pub(super) use shares::Limits;
use shares::Shares;
use stream::StreamSink;

mod shares;
pub(super) mod stream;

/// A file that no descriptor can be had for is tried to open again after this time, and so many times. Its program waits
/// meanwhile, when its pipe is full.
const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);
const DESCRIPTOR_TRIES: u32 = 50;

/// What is behind the path of a log.
pub(super) enum Open {
    /// A regular file, or something else that never keeps a writer waiting.
    File(RotatingFile),
    /// A pipe, a terminal, a socket.
    Stream(Arc<StreamSink>),
    /// A regular file that is closed until somebody writes.
    Resting(Resting),
}

impl Open {
    /// Looks at what was opened at `path`, and on which lane it is to be written.
    ///
    /// # Errors
    /// What the system says of the file.
    pub(super) fn new(path: &Arc<Path>, file: File, limits: Limits) -> io::Result<(Key, Self)> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            let key = Key::Stream { device: metadata.dev(), inode: metadata.ino() };
            return Ok(match StreamSink::new(file) {
                Ok(stream) => (key, Self::Stream(Arc::new(stream))),
                Err(file) => (key, Self::File(RotatingFile::with_file(Arc::clone(path), file, 0, 0)?)),
            });
        }
        let file = RotatingFile::with_file(Arc::clone(path), file, limits.0, limits.1)?;
        Ok((Key::FileSystem(metadata.dev()), Self::File(file)))
    }
}

/// What was opened anew may be something that can be full, where there was a file: then it must not be written as one, or
/// all of its lane would wait for it. It stays on that lane until it is opened for the next start.
fn take_for_stream(place: &mut Option<Open>, tell: &mut dyn FnMut(Notice)) {
    if let Some(Open::File(file)) = place
        && let Some(Ok(opened)) = file.irregular().map(File::try_clone)
        && let Ok(stream) = StreamSink::new(opened)
    {
        file.end_loss(tell);
        *place = Some(Open::Stream(Arc::new(stream)));
    }
}

fn lacks_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// A shared log.
pub(crate) struct LogSink {
    path: Arc<Path>,
    key: Key,
    lane: Arc<Lane>,
    activity: Arc<dyn ActivityLog>,
    /// The channels that write to it now. Never held while something is done that may block.
    shares: Mutex<Shares>,
    /// It is to be opened anew, which has not begun.
    reopening: AtomicBool,
    /// The file is closed after each write.
    rests: bool,
    lost: AtomicU64,
    open: Mutex<Option<Open>>,
}

impl LogSink {
    pub(super) fn new(path: Arc<Path>, key: Key, lane: Arc<Lane>, activity: Arc<dyn ActivityLog>, rests: bool) -> Self {
        Self {
            path,
            key,
            lane,
            activity,
            rests,
            shares: Mutex::default(),
            reopening: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            open: Mutex::default(),
        }
    }

    /// The path, made absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes could not be written, since the entry of the process was made.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Empties the log (Supervisor 4.3: `clearProcessLogs`). Regular files only; a missing one is made only if a process
    /// writes to it.
    ///
    /// # Errors
    /// What the system says; `TimedOut` if the file system hangs.
    pub(crate) async fn clear(self: &Arc<Self>) -> io::Result<()> {
        let sink = Arc::clone(self);
        self.lane.ask(move || sink.clear_now()).await
    }

    /// Notes that the log is to be opened anew; false if that is waited for already.
    pub(super) fn ask_to_reopen(&self) -> bool {
        !self.reopening.swap(true, Ordering::SeqCst)
    }

    /// Closes the log and opens its path again, if a process writes to it. Tells of it if that fails: the old file stays in
    /// use then, and opening is tried again.
    pub(super) fn reopen_as_asked(&self, activity: &dyn ActivityLog) {
        // First: whoever asks from now on may mean the next file.
        self.reopening.store(false, Ordering::SeqCst);
        if let Err(error) = self.reopen_now() {
            activity.write(Level::Error, &format!("could not reopen {}: {error}", self.path.display()));
        }
    }

    /// The same for this log alone.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(test)]
    pub(crate) async fn reopen(self: &Arc<Self>) -> io::Result<()> {
        let sink = Arc::clone(self);
        self.lane.ask(move || sink.reopen_now()).await
    }

    /// True while somebody writes to it.
    pub(super) fn is_in_use(&self) -> bool {
        !self.shares().is_empty()
    }

    pub(super) fn key(&self) -> Key {
        self.key
    }

    pub(super) fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }

    /// Takes what was just opened at our path.
    fn install(&self, open: Open) {
        let mut place = self.open();
        match (&mut *place, open) {
            // Others write to it as well: what it has lost so far is not forgotten.
            (Some(Open::File(before)), Open::File(now)) => before.replace_with(now),
            // The same pipe or terminal, in use: whoever waits for room in it keeps its turn, so that chunks stay whole.
            (Some(Open::Stream(_)), Open::Stream(_)) => {}
            (Some(Open::Resting(before)), Open::File(now)) => *place = Some(Open::File(before.hand_over(now))),
            (_, open) => *place = Some(open),
        }
        self.rest(&mut place);
    }

    /// Closes a file that nothing is written to now, where descriptors are few.
    fn rest(&self, place: &mut Option<Open>) {
        if self.rests && matches!(place, Some(Open::File(_))) {
            *place = place.take().map(|open| match open {
                Open::File(file) => file.rest().map_or_else(Open::File, Open::Resting),
                other => other,
            });
        }
    }

    /// Writes what can be written at once. Gives the number of bytes that are done with, be they written or lost; the
    /// rest is for [`settle`](Self::settle).
    fn offer(&self, bytes: &[u8], who: &str) -> usize {
        let limits = self.shares().limits();
        let mut open = self.open();
        let tell = &mut |notice: Notice| self.tell(who, &notice);
        if let Some(Open::Resting(resting)) = &mut *open {
            match resting.wake(limits.0, limits.1) {
                Ok(file) => {
                    *open = Some(Open::File(file));
                    take_for_stream(&mut open, tell);
                }
                Err(error) if lacks_descriptors(&error) => return 0,
                Err(error) => {
                    resting.lost(bytes.len(), error, tell);
                    self.count(bytes.len());
                    return bytes.len();
                }
            }
        }
        if let Some(Open::File(file)) = &mut *open {
            file.set_limits(limits.0, limits.1);
            if file.retry(tell) {
                take_for_stream(&mut open, tell);
            }
        }
        let done = match &mut *open {
            Some(Open::File(file)) => {
                let was_regular = file.irregular().is_none();
                self.count(file.write(bytes, tell));
                if was_regular {
                    // Its path was opened anew after a rotation.
                    take_for_stream(&mut open, tell);
                }
                bytes.len()
            }
            Some(Open::Stream(stream)) => {
                let (done, lost) = stream.offer(bytes, tell);
                self.count(lost);
                done
            }
            // It is open as long as there are shares, and has been woken.
            Some(Open::Resting(_)) | None => {
                self.count(bytes.len());
                bytes.len()
            }
        };
        self.rest(&mut open);
        done
    }

    /// Writes what could not be written at once: waits for a stream as long as it takes anything, and for a descriptor that
    /// a file can be opened with.
    async fn settle(&self, mut rest: &[u8], who: &str) {
        let mut patience = DESCRIPTOR_TRIES;
        let stream = loop {
            // The log is not held while it is waited.
            let stream = match &*self.open() {
                Some(Open::Stream(stream)) => Some(Arc::clone(stream)),
                _ => None,
            };
            if let Some(stream) = stream {
                break stream;
            }
            if patience == 0 {
                return self.give_up(rest, who);
            }
            Timer::after(DESCRIPTOR_PAUSE).await;
            patience -= 1;
            rest = &rest[self.offer(rest, who)..];
            if rest.is_empty() {
                return;
            }
        };
        let lost = stream.settle(rest, &mut |notice: Notice| self.tell(who, &notice)).await;
        self.count(lost);
    }

    /// No descriptor could be had for what is left.
    fn give_up(&self, rest: &[u8], who: &str) {
        self.count(rest.len());
        if let Some(Open::Resting(resting)) = &mut *self.open() {
            let tell = &mut |notice: Notice| self.tell(who, &notice);
            resting.lost(rest.len(), io::Error::from_raw_os_error(libc::EMFILE), tell);
        }
    }

    fn clear_now(&self) -> io::Result<()> {
        match &mut *self.open() {
            Some(Open::File(file)) => file.clear(),
            Some(Open::Stream(_)) => Ok(()),
            Some(Open::Resting(_)) => rotating::clear(&self.path).map(drop),
            None if self.path.try_exists()? => rotating::clear(&self.path).map(|_| ()),
            None => Ok(()),
        }
    }

    fn reopen_now(&self) -> io::Result<()> {
        let limits = self.shares().limits();
        let mut open = self.open();
        match &mut *open {
            Some(Open::File(file)) => {
                file.reopen()?;
                take_for_stream(&mut open, &mut |notice| self.tell("the", &notice));
                self.rest(&mut open);
                Ok(())
            }
            // For the sake of the new file at its path, and of what may be wrong with that.
            Some(Open::Resting(resting)) => {
                *open = Some(Open::File(resting.wake(limits.0, limits.1)?));
                take_for_stream(&mut open, &mut |notice| self.tell("the", &notice));
                self.rest(&mut open);
                Ok(())
            }
            Some(open @ Open::Stream(_)) => {
                *open = Open::new(&self.path, open_append(&self.path)?, limits)?.1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn close(&self, who: &str) {
        let tell = &mut |notice: Notice| self.tell(who, &notice);
        let mut open = self.open();
        // Somebody may have come meanwhile: what is open now is theirs, or goes on with what they are about to install.
        if self.is_in_use() {
            return;
        }
        match open.take() {
            Some(Open::File(mut file)) => file.end_loss(tell),
            Some(Open::Stream(stream)) => stream.end_loss(tell),
            Some(Open::Resting(mut resting)) => resting.end_loss(tell),
            None => {}
        }
    }

    fn count(&self, lost: usize) {
        self.lost.fetch_add(lost as u64, Ordering::Relaxed);
    }

    fn tell(&self, who: &str, notice: &Notice) {
        self.activity.write(notice.level(), &format!("{who} log '{}' {notice}", self.path.display()));
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A channel's share in a log: the file is closed when the last one goes.
pub(crate) struct Share {
    sink: Arc<LogSink>,
    /// Whose it is: `'x' stdout`.
    who: Box<str>,
    limits: Limits,
}

impl Share {
    /// A share for what was just opened at the sink's path.
    pub(super) fn new(sink: Arc<LogSink>, who: Box<str>, open: Open, limits: Limits) -> Self {
        // First, or an earlier run that ends right now would close what is installed.
        sink.shares().join(limits);
        sink.install(open);
        Self { sink, who, limits }
    }

    /// The log.
    pub(crate) fn sink(&self) -> &Arc<LogSink> {
        &self.sink
    }

    /// As [`LogSink::offer`].
    pub(super) fn offer(&self, bytes: &[u8]) -> usize {
        self.sink.offer(bytes, &self.who)
    }

    /// As [`LogSink::settle`].
    pub(super) async fn settle(&self, rest: &[u8]) {
        self.sink.settle(rest, &self.who).await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let last = self.sink.shares().leave(self.limits);
        if last {
            self.sink.close(&self.who);
        }
    }
}

#[cfg(test)]
mod tests;
