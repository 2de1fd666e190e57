//! The activity log of the daemon: a rotated file or the system log, and a copy on stdout in the foreground.
//!
//! Whoever writes a line never waits for a disk, a terminal or a pipe: the file and the console have a lane each
//! ([`lane`](super::lane)). A line that cannot be kept is counted and told of; it never ends the daemon, nor a program.
//! Which lines are written is decided by whoever writes them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use supervisor_core::activity::ActivityLog;
use supervisor_core::domain::level::Level;
use supervisor_core::logfile::loss::Notice;
use supervisor_core::logfile::rotating::RotatingFile;
use supervisor_core::logfile::syslog::Syslog;

use super::console::{Console, Shown, Target};
use super::lane::{Lane, Place};
use super::line::Record;

/// Bytes of lines that may wait for the disk.
const QUEUE: usize = 8 << 20;

/// How long the end of the daemon waits for a log that does not move at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long whoever clears or reopens the log waits for it.
const ANSWERING: Duration = Duration::from_secs(5);

/// How long an answer waits for the lines about it.
const SETTLING: Duration = Duration::from_millis(50);

/// Where the lines are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keeping {
    /// In a file.
    File {
        /// Its path, absolute.
        path: PathBuf,
        /// It is rotated at this size; 0 never rotates.
        maxbytes: u64,
        /// So many rotated files are kept.
        backups: u64,
    },
    /// In the system log.
    Syslog,
}

/// The place at the end of the lane.
enum Sink {
    File(Box<RotatingFile>),
    Syslog(Syslog),
}

struct Keeper {
    sink: Sink,
    console: Option<Arc<Console>>,
}

impl Keeper {
    /// Does something to the file; the system log needs neither clearing nor opening.
    fn with_file(&mut self, act: impl FnOnce(&mut RotatingFile) -> io::Result<()>) -> io::Result<()> {
        match &mut self.sink {
            Sink::File(file) => act(file),
            Sink::Syslog(_) => Ok(()),
        }
    }
}

impl Place<Record> for Keeper {
    fn write(&mut self, line: Record) {
        let console = self.console.as_deref();
        match &mut self.sink {
            Sink::File(file) => {
                let name = file.path().to_owned();
                let mut notices = Vec::new();
                file.write(line.render().as_bytes(), &mut |notice| notices.push(notice));
                for notice in notices {
                    complain(console, &name, &notice);
                    // Whoever reads the log should know, too; what this line costs is told with the next one.
                    if !matches!(notice, Notice::Losing(_)) {
                        let line = Record::now(notice.level(), format!("the activity log {} {notice}", name.display()));
                        file.write(line.render().as_bytes(), &mut |notice| complain(console, &name, &notice));
                    }
                }
            }
            // What the system log does not take is lost, as with everybody who writes to it.
            Sink::Syslog(syslog) => line.entries().for_each(|entry| drop(syslog.send(entry.as_bytes()))),
        }
    }

    fn lost(&mut self, lines: u64) {
        self.write(Record::now(
            Level::Error,
            format!("{lines} lines are missing here: they could not be written in time"),
        ));
    }
}

/// Tells of trouble with the log where the log itself cannot: on stderr, in the foreground.
fn complain(console: Option<&Console>, path: &Path, what: &dyn std::fmt::Display) {
    if let Some(console) = console {
        let text = format!("supervisord: the activity log {} {what}\n", path.display());
        console.post(Shown { target: Target::Stderr, text });
    }
}

/// See the module.
pub(crate) struct MainLog {
    level: Level,
    keeping: Keeping,
    /// False for what cannot be read again, such as a pipe.
    readable: bool,
    lane: Lane<Record, Keeper>,
    console: Option<Arc<Console>>,
    /// The console shows every line, not only complaints.
    echo: bool,
    /// The log is to be opened anew, which has not begun.
    reopening: Arc<AtomicBool>,
}

impl MainLog {
    /// Opens the log. There is no thread yet: lines are written by whoever says them, until [`start`](Self::start).
    ///
    /// # Errors
    /// What the system says of the file.
    pub(super) fn open(keeping: Keeping, level: Level, console: Option<Arc<Console>>, echo: bool) -> io::Result<Self> {
        let (sink, readable) = match &keeping {
            Keeping::File { path, maxbytes, backups } => {
                let file = supervisor_core::sys::open::append(path)?;
                let readable = file.metadata()?.is_file();
                (Sink::File(Box::new(RotatingFile::with_file(path.as_path(), file, *maxbytes, *backups)?)), readable)
            }
            Keeping::Syslog => (Sink::Syslog(Syslog::new("supervisord")), false),
        };
        let keeper = Keeper { sink, console: console.clone() };
        Ok(Self { level, keeping, readable, lane: Lane::new(keeper, QUEUE), console, echo, reopening: Arc::default() })
    }

    /// Shows a text on stdout and nowhere else; nowhere in the background, where nobody has that.
    pub(super) fn show(&self, text: String) {
        if let Some(console) = &self.console {
            console.post(Shown { target: Target::Stdout, text });
        }
    }

    /// Gives the log a thread of its own. Not before the last fork.
    pub(super) fn start(&self) {
        self.lane.start("activity-log");
    }

    /// Waits a moment until what has been said is in the file: whoever is told of something may look it up there.
    pub(super) fn settle(&self) {
        self.lane.settle(SETTLING);
    }

    /// Waits until everything is written, but not for a place where nothing moves.
    pub(super) fn flush(&self) {
        self.lane.flush(PATIENCE);
        if let Some(console) = &self.console {
            console.flush(PATIENCE);
        }
    }
}

impl ActivityLog for MainLog {
    fn enabled(&self, level: Level) -> bool {
        level >= self.level
    }

    fn write(&self, level: Level, text: &str) {
        if !self.enabled(level) {
            return;
        }
        let record = Record::now(level, text);
        if let Some(console) = self.console.as_ref().filter(|_| self.echo) {
            console.post(Shown { target: Target::Stdout, text: record.render() });
        }
        self.lane.post(record);
    }

    fn file(&self) -> Option<PathBuf> {
        match &self.keeping {
            Keeping::File { path, .. } if self.readable => Some(path.clone()),
            _ => None,
        }
    }

    fn place(&self) -> Option<String> {
        Some(match &self.keeping {
            Keeping::File { path, .. } => path.display().to_string(),
            Keeping::Syslog => "syslog".to_owned(),
        })
    }

    fn clear(&self) -> io::Result<()> {
        self.write(Level::Info, "reopening log file");
        self.lane.run(ANSWERING, |keeper| keeper.with_file(RotatingFile::clear))?
    }

    /// If that hangs, asking again adds nothing to what waits.
    fn reopen(&self) -> io::Result<()> {
        if self.reopening.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let reopening = Arc::clone(&self.reopening);
        self.lane.run(ANSWERING, move |keeper| {
            // First: whoever asks from now on may mean the next file.
            reopening.store(false, Ordering::SeqCst);
            keeper.with_file(RotatingFile::reopen)
        })?
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::super::pending::Pending;
    use super::*;

    fn open(path: &Path, level: Level) -> MainLog {
        let keeping = Keeping::File { path: path.to_owned(), maxbytes: 0, backups: 0 };
        MainLog::open(keeping, level, None, false).unwrap()
    }

    fn words(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap().lines().map(|line| line[24..].to_owned()).collect()
    }

    #[test]
    fn lines_are_filtered_and_keep_their_order_over_the_start_of_the_thread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = open(&path, Level::Info);
        let mut pending = Pending::default();
        for (level, text) in [(Level::Info, "first"), (Level::Critical, "second"), (Level::Info, "third")] {
            pending.push(level, text);
        }
        pending.write(&log);
        log.write(Level::Debug, "too much");
        log.start();
        log.write(Level::Warn, "fourth");
        log.flush();
        assert_eq!(words(&path), ["CRIT second", "INFO first", "INFO third", "WARN fourth"]);
    }

    #[test]
    fn the_lines_that_tell_of_it_go_to_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("log"), folder.path().join("moved"));
        let log = open(&path, Level::Info);
        log.start();
        log.write(Level::Info, "one");
        log.flush();
        fs::rename(&path, &moved).unwrap();
        log.write(Level::Info, "supervisord logreopen");
        log.reopen().unwrap();
        log.write(Level::Info, "two");
        log.flush();
        assert_eq!(words(&moved), ["INFO one", "INFO supervisord logreopen"]);
        assert_eq!(words(&path), ["INFO two"]);
        log.clear().unwrap();
        log.flush();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn a_log_that_cannot_be_rotated_says_so_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::create_dir(folder.path().join("log.1")).unwrap();
        let keeping = Keeping::File { path: path.clone(), maxbytes: 10, backups: 1 };
        let log = MainLog::open(keeping, Level::Info, None, false).unwrap();
        log.start();
        ["one", "two", "three"].into_iter().for_each(|text| log.write(Level::Info, text));
        log.flush();
        let said = words(&path);
        assert_eq!((said.len(), said[0].as_str(), said[3].as_str()), (4, "INFO one", "INFO three"));
        let name = path.display();
        assert!(said[1].starts_with(&format!("ERRO the activity log {name} cannot be rotated and grows")), "{said:?}");
    }

    #[test]
    fn a_full_disk_is_survived() {
        let keeping = Keeping::File { path: "/dev/full".into(), maxbytes: 0, backups: 0 };
        let log = MainLog::open(keeping, Level::Info, None, false).unwrap();
        log.start();
        (0..100).for_each(|_| log.write(Level::Info, "no room"));
        log.flush();
        assert_eq!(log.file(), None, "nothing that can be read again");
    }
}
