//! The state file: which processes run, so that the next supervisor can stop those that outlive a killed one.
//!
//! Append-only: one line right after each start (`state_file/record.rs`), none at an end; now and then it is written anew
//! and put in place by a rename. It is there only while something runs, and locked as long as its supervisor lives: a lock
//! that is held means that the owner lives and needs nobody to clean up. What it says is a hint, never a proof: whoever acts on it looks at pid and birth
//! of the process itself ([`Pinned`](crate::sys::pinned::Pinned)).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use crate::sys::pinned::boot_id;

pub(crate) mod record;

use record::Record;

/// No more than this is read of a file: some hundred thousand processes.
const MOST: u64 = 16 << 20;

/// Lines of the dead that are tolerated, besides as many as there are living ones.
const SLACK: usize = 256;

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
    /// The last attempt to write failed.
    failing: AtomicBool,
}

#[derive(Debug)]
struct Writing {
    file: File,
    /// Since it was written anew.
    lines: usize,
    /// The last line may have been cut off.
    torn: bool,
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
        let mut records = Vec::new();
        if let Some(file) = &file {
            let mut text = Vec::new();
            file.take(MOST).read_to_end(&mut text)?;
            records = record::parse(&String::from_utf8_lossy(&text), &boot);
        }
        let living = records.iter().map(|record| ((record.pid, record.birth), record.clone())).collect();
        let file = Mutex::new(file.map(|file| Writing { file, lines: usize::MAX, torn: false }));
        let state = Self { path, boot, living: Mutex::new(living), file, failing: AtomicBool::new(false) };
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
        let line = record.render();
        let living = {
            let mut living = self.living();
            living.insert((record.pid, record.birth), record);
            living.len()
        };
        let mut file = self.file();
        let Some(writing) = &mut *file else {
            // To hold the lock is to have the right to put another file in place.
            let locked = lock(&self.path, OFlags::CREATE)?;
            if locked.metadata()?.len() > 0 {
                return Err(Refusal::Foreign);
            }
            *file = Some(self.write_anew()?);
            return Ok(());
        };
        if writing.lines > living.saturating_mul(2).saturating_add(SLACK)
            && let Ok(anew) = self.write_anew()
        {
            *writing = anew;
            return Ok(());
        }
        let line = if writing.torn { format!("\n{line}") } else { line };
        writing.torn = true;
        (&writing.file).write_all(line.as_bytes())?;
        writing.torn = false;
        writing.lines = writing.lines.saturating_add(1);
        Ok(())
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
        if !self.living().is_empty() || file.is_none() {
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
        Ok(Writing { file, lines: text.lines().count(), torn: false })
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
