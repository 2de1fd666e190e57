//! The state file: which processes run, so that the next supervisor can stop those that outlive a killed one.
//!
//! Append-only: one line by each child before it is anything else, for its parent may be killed any moment, and one by the
//! parent right after the start (`state_file/record.rs`); none at an end. Now and then it is written anew and put in place
//! by a rename. It is there only while something runs, and locked as long as its supervisor lives: a lock that is held means
//! that the owner lives and needs nobody to clean up. What it says is a hint, never a proof: whoever acts on it looks at pid
//! and birth of the process itself ([`Pinned`](crate::sys::pinned::Pinned)).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use crate::sys::announcement::Announcement;
use crate::sys::pinned::{birth, boot_id};

pub(crate) mod record;

use record::Record;

/// No more than this is read of a file: some hundred thousand processes.
const MOST: u64 = 16 << 20;

/// Lines that are tolerated besides four for each of the living.
const SLACK: usize = 256;

/// So many times as many are tolerated while other starts are under way, whose announcements a new file would not have.
const PATIENCE: usize = 16;

/// A child that is just being started holds the lock of its parent for a moment, also when the parent is killed then.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(25);

/// Why there is no state file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Its owner lives.
    #[error("it belongs to another supervisor that is running")]
    Held,
    /// It came while this supervisor had nothing to write down.
    #[error("it tells of the processes of another supervisor")]
    Foreign,
    /// Somebody else could have written it.
    #[error("it is not a regular file that only root or this user can write to")]
    Untrusted,
    /// Nothing names a boot or a birth here.
    #[error("this system does not tell when a process was born")]
    Unsupported,
    /// What the system says.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    boot: String,
    /// Held for moments only: the loop takes it.
    living: Mutex<BTreeMap<(u32, u64), Record>>,
    /// Held as long as the disk takes. `None` while there is no file.
    file: Mutex<Option<Writing>>,
    /// Starts under way, which may have been announced.
    starting: AtomicUsize,
    /// The last attempt to write failed.
    failing: AtomicBool,
}

#[derive(Debug)]
struct Writing {
    file: Arc<File>,
    /// Since it was written anew.
    lines: usize,
}

/// A start under way: until this is dropped, the file stays where it is.
#[derive(Debug)]
pub(crate) struct Beginning<'a> {
    state: &'a StateFile,
    /// What the child is to write; `None` if the file could not be made.
    pub(crate) announcement: Option<Arc<Announcement>>,
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        self.state.starting.fetch_sub(1, Ordering::SeqCst);
        // What stays is read by the next supervisor, and found to be of no consequence.
        drop(self.state.tidy());
    }
}

impl StateFile {
    /// Opens, locks and reads the file at `path`, if it is there. Gives the processes that it tells of.
    ///
    /// # Errors
    /// [`Refusal`]; nothing was changed then.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<Record>), Refusal> {
        let boot = boot_id().ok_or(Refusal::Unsupported)?;
        let path = std::path::absolute(path)?;
        let file = match lock(&path, OFlags::empty()) {
            Err(Refusal::System(error)) if error.kind() == io::ErrorKind::NotFound => None,
            locked => Some(locked?),
        };
        let mut living = BTreeMap::new();
        if let Some(file) = &file {
            let mut text = Vec::new();
            file.take(MOST).read_to_end(&mut text)?;
            living = record::parse(&String::from_utf8_lossy(&text), &boot, birth);
        }
        let records: Vec<Record> = living.values().cloned().collect();
        let state = Self {
            path,
            boot,
            living: Mutex::new(living),
            file: Mutex::new(file.map(|file| Writing { file: Arc::new(file), lines: usize::MAX })),
            starting: AtomicUsize::new(0),
            failing: AtomicBool::new(false),
        };
        match records.is_empty() {
            true => state.tidy()?,
            false => *state.file() = Some(state.write_anew()?),
        }
        Ok((state, records))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A process is about to be started, which is to be `record` but for its pid and the exact moment of its birth. May
    /// block; for the start lane.
    pub(crate) fn starting(&self, record: &Record) -> Beginning<'_> {
        self.starting.fetch_add(1, Ordering::SeqCst);
        let mut file = self.file();
        // Why there is none is told when the process is written down.
        let announcement = self.in_place(&mut file).ok().map(|writing| {
            self.shorten(writing);
            writing.lines = writing.lines.saturating_add(1);
            Arc::new(Announcement::new(Arc::clone(&writing.file), record.announce()))
        });
        Beginning { state: self, announcement }
    }

    /// Writes down a process that has just been started. May block; for the start lane.
    ///
    /// # Errors
    /// Why not: the process would not be known after a crash. Told once, until it works again.
    pub(crate) fn started(&self, record: Record) -> Result<(), Refusal> {
        let written = self.write_down(record);
        let told = self.failing.swap(written.is_err(), Ordering::Relaxed);
        if told { Ok(()) } else { written }
    }

    fn write_down(&self, record: Record) -> Result<(), Refusal> {
        // What was written before may have been cut off by a full disk.
        let line = format!("\n{}", record.render());
        let mut file = self.file();
        let writing = self.in_place(&mut file);
        // Also if there is no file: the next one that can be made tells of it.
        self.living().insert((record.pid, record.birth), record);
        let writing = writing?;
        (&*writing.file).write_all(line.as_bytes())?;
        writing.lines = writing.lines.saturating_add(1);
        Ok(())
    }

    /// The file, made if it is not there.
    fn in_place<'a>(&self, file: &'a mut Option<Writing>) -> Result<&'a mut Writing, Refusal> {
        if file.is_none() {
            // To hold the lock is to have the right to put another file in place.
            let locked = lock(&self.path, OFlags::CREATE)?;
            if locked.metadata()?.len() > 0 {
                return Err(Refusal::Foreign);
            }
        }
        match file {
            Some(writing) => Ok(writing),
            none => Ok(none.insert(self.write_anew()?)),
        }
    }

    /// Writes the file anew if it has grown. Before a start: later, what its child has announced would be lost.
    fn shorten(&self, writing: &mut Writing) {
        let patience = if self.starting.load(Ordering::SeqCst) > 1 { PATIENCE } else { 1 };
        let tolerated = self.living().len().saturating_mul(4).saturating_add(SLACK).saturating_mul(patience);
        if writing.lines > tolerated
            && let Ok(anew) = self.write_anew()
        {
            *writing = anew;
        }
    }

    /// A process has ended; true if it was the last one, and the file should be [tidied](Self::tidy) away. Never blocks.
    pub(crate) fn ended(&self, pid: u32, birth: u64) -> bool {
        let mut living = self.living();
        living.remove(&(pid, birth));
        living.is_empty()
    }

    /// Removes the file if there is nothing to know. May block.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        let mut file = self.file();
        if !self.living().is_empty() || self.starting.load(Ordering::SeqCst) > 0 || file.is_none() {
            return Ok(());
        }
        *file = None;
        fs::remove_file(&self.path)
    }

    /// The supervisor ends: the file tells of what is left, if anything is. May block.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn close(&self) -> io::Result<()> {
        self.tidy()?;
        if let Some(writing) = &mut *self.file() {
            *writing = self.write_anew()?;
        }
        Ok(())
    }

    /// Puts a file in place that holds the living and nothing else. Only for who holds the lock.
    fn write_anew(&self) -> io::Result<Writing> {
        let text: String = {
            let living = self.living();
            std::iter::once(record::header(&self.boot)).chain(living.values().map(Record::render)).collect()
        };
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let aside = PathBuf::from(name);
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = open(&aside, OFlags::CREATE | OFlags::EXCL)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let placed = (&file).write_all(text.as_bytes()).and_then(|()| fs::rename(&aside, &self.path));
        if let Err(error) = placed {
            drop(fs::remove_file(&aside));
            return Err(error);
        }
        Ok(Writing { file: Arc::new(file), lines: text.lines().count() })
    }

    fn living(&self) -> MutexGuard<'_, BTreeMap<(u32, u64), Record>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, Option<Writing>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path, more: OFlags) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(rustix::fs::open(path, flags | more, Mode::RUSR | Mode::WUSR)?.into())
}

/// The file at `path`, locked and trusted.
fn lock(path: &Path, more: OFlags) -> Result<File, Refusal> {
    let mut attempt = 0;
    loop {
        let file = match open(path, more) {
            Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => return Err(Refusal::Untrusted),
            opened => opened?,
        };
        let metadata = file.metadata()?;
        let ours = [0, rustix::process::geteuid().as_raw()].contains(&metadata.uid());
        if !metadata.is_file() || !ours || metadata.mode() & 0o022 != 0 || metadata.nlink() > 1 {
            return Err(Refusal::Untrusted);
        }
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) if attempt < ATTEMPTS => {
                attempt += 1;
                std::thread::sleep(PAUSE);
                continue;
            }
            Err(Errno::WOULDBLOCK) => return Err(Refusal::Held),
            Err(error) => return Err(Refusal::System(error.into())),
        }
        // Its owner may have put another one in place, or removed it, before we had the lock.
        match fs::symlink_metadata(path) {
            Ok(found) if (found.dev(), found.ino()) == (metadata.dev(), metadata.ino()) => return Ok(file),
            Ok(_) | Err(_) => {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
