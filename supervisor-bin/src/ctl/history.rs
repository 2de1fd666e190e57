//! The lines typed into earlier shells: a file with a line each. A file that is missing or cannot be written is no error.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// How many lines are kept.
pub(super) const LIMIT: usize = 1000;

/// How much of the file is read: its end, where the newest lines are.
const SIZE_LIMIT: u64 = 1 << 20;

/// The history of the shell (Supervisor 4.3: `history_file`).
#[derive(Debug, Default)]
pub(super) struct History {
    file: Option<PathBuf>,
    lines: Vec<String>,
}

impl History {
    /// Reads the file, if there is one.
    pub(super) fn load(file: Option<PathBuf>) -> Self {
        let bytes = file.as_ref().and_then(|path| File::open(path).ok()).map(newest).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        Self { file, lines }
    }

    /// Adds a line, unless it repeats the one before.
    pub(super) fn add(&mut self, line: &str) {
        if !line.trim().is_empty() && self.lines.last().is_none_or(|last| last != line) {
            self.lines.push(line.to_owned());
        }
    }

    /// The lines, oldest first.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines[self.lines.len().saturating_sub(LIMIT)..]
    }

    /// Writes the file; only its owner may read it, since command lines can hold secrets.
    pub(super) fn save(&self) -> io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let text: String = self.lines().iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        file.write_all(text.as_bytes())
    }
}

/// The end of a file, from the beginning of a line; what could be read until an error is better than nothing.
fn newest(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A file without a size, such as a pipe, is read from where it is.
    let size = file.metadata().map_or(0, |about| about.len());
    let left_out = size.saturating_sub(SIZE_LIMIT);
    // The byte before tells whether a line begins there.
    let is_cut = left_out > 0 && file.seek(SeekFrom::Start(left_out - 1)).is_ok();
    let _ = file.take(SIZE_LIMIT + u64::from(is_cut)).read_to_end(&mut bytes);
    if is_cut {
        let begin = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        bytes.drain(..begin);
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn lines_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        let mut history = History::load(Some(path.clone()));
        for line in ["status", "status", " ", "start x", "status"] {
            history.add(line);
        }
        history.save().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "status\nstart x\nstatus\n");
        assert_eq!(History::load(Some(path)).lines(), ["status", "start x", "status"]);
    }

    #[test]
    fn the_newest_lines_of_a_large_file_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        for length in [2000, 2001, 2047] {
            let number = (SIZE_LIMIT / length + 3).cast_signed();
            let width = usize::try_from(length).unwrap() - 1;
            let text: String = (0..number).map(|number| format!("{number:width$}\n")).collect();
            std::fs::write(&path, text).unwrap();
            let history = History::load(Some(path.clone()));
            let numbers: Vec<i64> = history.lines().iter().map(|line| line.trim().parse().unwrap()).collect();
            let kept = (SIZE_LIMIT / length).cast_signed();
            assert_eq!(numbers, (number - kept..number).collect::<Vec<_>>());
            // Nothing of a line that was cut.
            assert!(history.lines().iter().all(|line| line.len() == width));
        }
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut history = History::default();
        (0..LIMIT + 5).for_each(|number| history.add(&number.to_string()));
        assert_eq!((history.lines().len(), history.lines()[0].as_str()), (LIMIT, "5"));
        assert!(history.save().is_ok());
        assert!(History::load(Some("/no/such/folder/file".into())).lines().is_empty());
    }
}
