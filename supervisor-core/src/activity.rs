//! The activity log (Supervisor 4.3: the supervisord log file), as a trait.
//!
//! The daemon writes a file of its own format; an embedding program gets its lines through the `log` facade, which is
//! the default. Core only says what happened and how much it matters.

use std::path::PathBuf;

use crate::domain::level::Level;

/// Takes the lines of the activity log. Called from several threads; must not block for long and must not fail.
pub trait ActivityLog: Send + Sync {
    /// True if a line of this level would be kept; asked before costly lines are made.
    fn enabled(&self, level: Level) -> bool;

    /// One line (it may contain newlines; none at its end).
    fn write(&self, level: Level, text: &str);

    /// The file that `readLog` reads, if the log is kept in one.
    fn file(&self) -> Option<PathBuf> {
        None
    }

    /// What `readLog` names when there is nothing to read: the path of the file, or `syslog`; `None` if there is no log.
    fn place(&self) -> Option<String> {
        self.file().map(|path| path.display().to_string())
    }

    /// Empties the log (`clearLog`). Called where blocking is allowed.
    ///
    /// # Errors
    /// What the system says.
    fn clear(&self) -> std::io::Result<()> {
        Ok(())
    }

    /// Closes and opens the log again (SIGUSR2). Called where blocking is allowed.
    ///
    /// # Errors
    /// What the system says.
    fn reopen(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Hands each line to the `log` facade, which lacks three of our levels: critical becomes error, blather trace.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogFacade;

impl LogFacade {
    const fn level(level: Level) -> log::Level {
        match level {
            Level::Critical | Level::Error => log::Level::Error,
            Level::Warn => log::Level::Warn,
            Level::Info => log::Level::Info,
            Level::Debug => log::Level::Debug,
            Level::Trace | Level::Blather => log::Level::Trace,
        }
    }
}

impl ActivityLog for LogFacade {
    fn enabled(&self, level: Level) -> bool {
        log::log_enabled!(target: "supervisor", Self::level(level))
    }

    fn write(&self, level: Level, text: &str) {
        log::log!(target: "supervisor", Self::level(level), "{text}");
    }
}
