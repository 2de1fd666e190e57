//! Lines that arise before the activity log is open.

use supervisor_core::activity::ActivityLog;
use supervisor_core::config::Note;
use supervisor_core::domain::level::Level;

/// Keeps lines until there is a log to write them to.
#[derive(Debug, Default)]
pub(super) struct Pending(Vec<(Level, String)>);

impl Pending {
    /// Adds a line.
    pub(super) fn push(&mut self, level: Level, text: impl Into<String>) {
        self.0.push((level, text.into()));
    }

    /// Adds what a configuration has to say.
    pub(super) fn add(&mut self, notes: &[Note]) {
        notes.iter().for_each(|note| self.push(note.level, note.text.as_str()));
    }

    /// Writes them all: what matters most first, each class in the order in which it arose (Supervisor 4.3).
    pub(super) fn write(mut self, log: &dyn ActivityLog) {
        self.0.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        for (level, text) in self.0 {
            if log.enabled(level) {
                log.write(level, &text);
            }
        }
    }
}
