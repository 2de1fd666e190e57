//! The format of the activity log: `YYYY-MM-DD HH:MM:SS,mmm LEVL message`, in local time.
//!
//! Control characters are shown with escapes, whoever they come from: whoever looks at the log in a terminal must not be
//! shown what a program or a client wants. Newlines and tabs stay; who writes about foreign text keeps it on its line.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use supervisor_core::domain::level::Level;
use supervisor_core::sys::time::LocalTime;

use super::lane::Line;

/// A line on its way: what was said, and when.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// Since the Unix epoch.
    at: Duration,
    level: Level,
    text: String,
}

impl Record {
    /// Something said now.
    pub(super) fn now(level: Level, text: impl Into<String>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a report of the wall clock, nothing is decided on it")]
        let now = SystemTime::now();
        Self { at: now.duration_since(UNIX_EPOCH).unwrap_or_default(), level, text: printable(text.into()) }
    }

    /// The whole line, or lines, with a newline at the end.
    pub(super) fn render(&self) -> String {
        format!("{}{}\n", self.head(), self.text)
    }

    /// Each line of the text as an entry of its own, without newlines.
    pub(super) fn entries(&self) -> impl Iterator<Item = String> {
        let head = self.head();
        self.text.lines().map(move |line| format!("{head}{line}"))
    }

    fn head(&self) -> String {
        let time = LocalTime::from_unix_seconds(self.at.as_secs());
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02},{:03} {} ",
            time.year,
            time.month,
            time.day,
            time.hour,
            time.minute,
            time.second,
            self.at.subsec_millis(),
            self.level.word(),
        )
    }
}

fn printable(text: String) -> String {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_bad) {
        return text;
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match u32::from(c) {
            _ if !is_bad(c) => shown.push(c),
            0x0d => shown.push_str("\\r"),
            // Writing to a String cannot fail.
            code => drop(write!(shown, "\\x{code:02x}")),
        }
    }
    shown
}

impl Line for Record {
    fn size(&self) -> usize {
        self.text.len() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_format_that_people_parse() {
        let record = Record { at: Duration::from_millis(1_700_000_000_007), level: Level::Info, text: "a\nb".into() };
        let line = record.render();
        let (head, text) = line.split_at(24);
        // The hour depends on the time zone.
        assert!(head.starts_with("2023-11-1") && head.contains(":20,007 "), "{head}");
        assert_eq!(text, "INFO a\nb\n");
        let shown = Record::now(Level::Info, "a\u{1b}[2J\rb\tc\nd\u{9b}é\0");
        assert_eq!(shown.text, "a\\x1b[2J\\rb\tc\nd\\x9bé\\x00");
        let entries: Vec<_> = record.entries().map(|entry| entry[24..].to_owned()).collect();
        assert_eq!(entries, ["INFO a", "INFO b"]);
    }
}
