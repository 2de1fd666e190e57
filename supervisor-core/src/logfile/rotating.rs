//! A log file that is written directly and rotated when it is full.
//!
//! Decides when to rotate and what to do when the disk, the directory or the path does not play along: it goes on with
//! the file it has, tries again from time to time, and says so once ([`Notice`]). It is always open for appending. It
//! decides nothing about threads: every call may block as long as the disk does.
//!
//! Supervisor 4.3: `*_logfile`, `*_logfile_maxbytes`, `*_logfile_backups`.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::loss::{Loss, Notice};
use super::open::{leads_to_descriptor, open_append, open_empty};

/// After a failed rotation or opening, the next attempt is made this much later at the earliest.
const RETRY: Duration = Duration::from_secs(1);

/// Up to this many backups are renamed without looking first which of them are there.
const FEW: u64 = 64;

/// In a directory that cannot be listed, no more than this many are.
const MANY: u64 = 100_000;

/// A log file. Its path names the open file, unless `detached`.
#[derive(Debug)]
pub struct RotatingFile {
    path: Arc<Path>,
    file: File,
    /// 0: never rotated.
    maxbytes: u64,
    backups: u64,
    /// What we know of the file's size. Others may cut the file (logrotate's `copytruncate`), which is found out before
    /// each rotation.
    size: u64,
    /// Only regular files are rotated and cleared, and only under a name of their own. Whether that is so is looked at when
    /// the file is full.
    regular: bool,
    /// The path is to be opened anew, which has failed so far: we write to a file that was moved away or removed.
    detached: bool,
    /// Rotation fails, and that has been told.
    stuck: bool,
    /// Not before this moment is tried again what has failed.
    retry_at: Option<Instant>,
    loss: Loss,
}

impl RotatingFile {
    /// Opens the log at `path` for appending. `maxbytes` of 0 turns rotation off; with 0 `backups` a full file is
    /// emptied where it is, which a directory that cannot be written or a symbolic link does not hinder.
    ///
    /// # Errors
    /// What the system says of the path.
    pub fn open(path: &Path, maxbytes: u64, backups: u64) -> io::Result<Self> {
        Self::with_file(path, open_append(path)?, maxbytes, backups)
    }

    /// Takes over a file that was opened for appending at `path`.
    ///
    /// # Errors
    /// What the system says of the file.
    pub fn with_file(path: impl Into<Arc<Path>>, file: File, maxbytes: u64, backups: u64) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            path: path.into(),
            file,
            maxbytes,
            backups,
            size: metadata.len(),
            regular: metadata.is_file(),
            detached: false,
            stuck: false,
            retry_at: None,
            loss: Loss::default(),
        })
    }

    /// The path given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on `maxbytes` and `backups` are these.
    pub fn set_limits(&mut self, maxbytes: u64, backups: u64) {
        (self.maxbytes, self.backups) = (maxbytes, backups);
    }

    /// Appends `bytes`, then rotates if the file is full. Gives the number of bytes that were lost because the system
    /// did not take them.
    pub fn write(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Notice)) -> usize {
        self.retry(tell);
        let (written, result) = write_whole(&self.file, bytes);
        self.size = self.size.saturating_add(written as u64);
        let lost = bytes.len() - written;
        match result {
            Ok(()) if self.detached => {}
            Ok(()) => self.loss.kept(tell),
            Err(error) => self.loss.lost(lost, error, tell),
        }
        if self.maxbytes > 0 && self.size >= self.maxbytes && self.regular && self.may_retry() {
            self.rotate(tell);
        }
        lost
    }

    /// Opens the path if that has failed so far and it is time to try again. True if that went well.
    pub(crate) fn retry(&mut self, tell: &mut dyn FnMut(Notice)) -> bool {
        let opened = self.detached && self.may_retry() && self.attach(tell).is_ok();
        if opened {
            self.stuck = false;
            tell(Notice::Reopened);
        }
        opened
    }

    /// What is open now, if it is no regular file. It may make a writer wait.
    pub(crate) fn irregular(&self) -> Option<&File> {
        (!self.regular).then_some(&self.file)
    }

    /// Reports the losses that have not been reported: nothing more will be written for a while.
    pub fn end_loss(&mut self, tell: &mut dyn FnMut(Notice)) {
        self.loss.end(tell);
    }

    /// Closes the file and opens the path again. If that fails the old file stays in use, and opening is tried again.
    ///
    /// # Errors
    /// What the system says of the path.
    pub fn reopen(&mut self) -> io::Result<()> {
        self.detached = true;
        self.attach(&mut |_| {})
    }

    /// Puts a new empty file in the place of the log; behind a symbolic link, empties the file that it names. What is
    /// no regular file, or known by its descriptor only (`/dev/stdout`), is left alone.
    ///
    /// # Errors
    /// What the system says; the old file stays in use then.
    pub fn clear(&mut self) -> io::Result<()> {
        match clear(&self.path)? {
            Some(file) => self.adopt(file),
            None => Ok(()),
        }
    }

    /// Goes on with what `other` has open and with its limits; what was lost so far stays counted here.
    pub fn replace_with(&mut self, other: Self) {
        let loss = std::mem::take(&mut self.loss);
        *self = Self { loss, ..other };
    }

    /// Takes `file`, just opened at our path, in place of what we had.
    ///
    /// # Errors
    /// What the system says of the file.
    pub fn adopt(&mut self, file: File) -> io::Result<()> {
        let metadata = file.metadata()?;
        self.file = file;
        self.size = metadata.len();
        self.regular = metadata.is_file();
        self.detached = false;
        self.retry_at = None;
        Ok(())
    }

    fn may_retry(&self) -> bool {
        self.retry_at.is_none_or(|at| Instant::now() >= at)
    }

    /// Opens the path anew.
    fn attach(&mut self, tell: &mut dyn FnMut(Notice)) -> io::Result<()> {
        let opened = open_append(&self.path).and_then(|file| self.adopt(file));
        if let Err(error) = &opened {
            self.retry_at = Some(Instant::now() + RETRY);
            self.bound_nameless(error, tell);
        }
        opened
    }

    /// Empties a full file that has lost its name: nobody can read it, and it would eat the disk unseen.
    fn bound_nameless(&mut self, why: &io::Error, tell: &mut dyn FnMut(Notice)) {
        let full = self.maxbytes > 0 && self.size >= self.maxbytes;
        let Ok(metadata) = self.file.metadata() else { return };
        if full && metadata.is_file() && metadata.nlink() == 0 && self.file.set_len(0).is_ok() {
            self.size = 0;
            let why = why.raw_os_error().map_or_else(|| why.kind().into(), io::Error::from_raw_os_error);
            self.loss.lost(usize::try_from(metadata.len()).unwrap_or(usize::MAX), why, tell);
        }
    }

    fn rotate(&mut self, tell: &mut dyn FnMut(Notice)) {
        match self.try_rotate(tell) {
            Ok(()) if self.stuck => {
                self.stuck = false;
                tell(Notice::Rotates);
            }
            Ok(()) => {}
            Err(error) => {
                self.retry_at = Some(Instant::now() + RETRY);
                if !std::mem::replace(&mut self.stuck, true) {
                    tell(Notice::CannotRotate(error));
                }
            }
        }
    }

    fn try_rotate(&mut self, tell: &mut dyn FnMut(Notice)) -> io::Result<()> {
        let before = self.file.metadata()?;
        self.size = before.len();
        if self.size < self.maxbytes {
            return Ok(());
        }
        if !self.detached {
            if leads_to_descriptor(&self.path) {
                self.regular = false;
                return Ok(());
            }
            if self.backups > 0 {
                self.shift()?;
                self.detached = true;
            }
        }
        if self.detached {
            self.attach(tell)?;
        } else {
            self.adopt(open_empty(&self.path)?)?;
        }
        restrict(&self.file, &before);
        Ok(())
    }

    /// Makes room at our path. Nothing is overwritten but the oldest backup: the first rename that fails is the last.
    fn shift(&self) -> io::Result<()> {
        for number in self.numbers_to_shift() {
            self.shift_one(&self.backup(number), number + 1)?;
        }
        self.shift_one(&self.path, 1)
    }

    fn shift_one(&self, from: &Path, number: u64) -> io::Result<()> {
        if fs::symlink_metadata(from).is_ok_and(|metadata| metadata.is_dir()) {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, format!("{} is a directory", from.display())));
        }
        absent_is_fine(fs::rename(from, self.backup(number)))
    }

    /// The numbers of the backups that have to move, the greatest first.
    fn numbers_to_shift(&self) -> Vec<u64> {
        let most = self.backups - 1;
        if most <= FEW {
            return (1..=most).rev().collect();
        }
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Ok(entries) = fs::read_dir(directory) else { return (1..=most.min(MANY)).rev().collect() };
        let name = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        let number = |entry: OsString| {
            let rest = entry.as_encoded_bytes().strip_prefix(name)?.strip_prefix(b".")?;
            std::str::from_utf8(rest).ok()?.parse::<u64>().ok()
        };
        let numbers = entries.flatten().filter_map(|entry| number(entry.file_name()));
        let mut numbers: Vec<u64> = numbers.filter(|number| (1..=most).contains(number)).collect();
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers
    }

    fn backup(&self, number: u64) -> PathBuf {
        backup_path(&self.path, number)
    }
}

/// The path of a log's backup: `F.1` is the newest.
pub fn backup_path(path: &Path, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Clears the log at `path` as [`RotatingFile::clear`] does, also when nobody has it open. Gives the file that is now
/// there, `None` if it was left alone.
///
/// # Errors
/// What the system says.
pub fn clear(path: &Path) -> io::Result<Option<File>> {
    let before = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return open_append(path).map(Some),
        Err(error) => return Err(error),
    };
    if before.is_file() {
        absent_is_fine(fs::remove_file(path))?;
        let file = open_append(path)?;
        restrict(&file, &before);
        return Ok(Some(file));
    }
    if !before.is_symlink() || !fs::metadata(path)?.is_file() || leads_to_descriptor(path) {
        return Ok(None);
    }
    // Through the open file: between two looks, a name could be made to mean another file.
    let file = open_append(path)?;
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    file.set_len(0)?;
    Ok(Some(file))
}

/// A file that takes the place of another is never open to more people than that one was: AUTO logs are private.
fn restrict(file: &File, before: &Metadata) {
    if let Ok(now) = file.metadata() {
        let mode = now.mode() & before.mode() & 0o777;
        if mode != now.mode() & 0o777 {
            // The log matters more than its mode.
            let _ = file.set_permissions(fs::Permissions::from_mode(mode));
        }
    }
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Writes until everything is written or the system refuses; says how much was written.
fn write_whole(mut file: &File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

#[cfg(test)]
pub(crate) mod tests;
