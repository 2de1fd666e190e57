//! The access log: a TRAC line for each answer.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use supervisor_core::domain::level::Level;
use supervisor_core::rpc::Peer;

use super::app::Backend;

/// Writes the lines of one connection.
pub(super) struct AccessLog {
    backend: Arc<dyn Backend>,
    client: String,
}

/// What a line says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// `GET /ok.html HTTP/1.1`
    pub(super) line: String,
    /// The status of the answer.
    pub(super) status: u16,
}

impl AccessLog {
    pub(super) fn new(backend: Arc<dyn Backend>, peer: &Peer) -> Self {
        let client = match peer {
            Peer::Tcp(address) => address.to_string(),
            _ => "localhost:0".to_owned(),
        };
        Self { backend, client }
    }

    pub(super) fn tell(&self, request: &Request, sent: u64) {
        if !self.backend.enabled(Level::Trace) {
            return;
        }
        let time = common_log_time(SystemTime::now());
        let line = format!("{} - - [{time}] \"{}\" {} {sent}", self.client, printable(&request.line), request.status);
        self.backend.log(Level::Trace, &line);
    }
}

/// A client must not write lines of its own into the log.
fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, character| {
        if character.is_control() {
            // Writing to a String cannot fail.
            let _ = write!(line, "\\x{:02x}", u32::from(character));
        } else {
            line.push(character);
        }
        line
    })
}

/// `22/Nov/2026:23:07:29 +0000`: the time in UTC, and saying so.
fn common_log_time(now: SystemTime) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let month = MONTHS.get(month - 1).unwrap_or(&"Jan");
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{day:02}/{month}/{year}:{hour:02}:{minute:02}:{second:02} +0000")
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil(days: u64) -> (u64, usize, u64) {
    let is_leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    // Whole cycles of 400 years first, so that the loop is short.
    let (mut year, mut left) = (1970 + days / 146_097 * 400, days % 146_097);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (seconds, expected) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (1_795_388_849, "22/Nov/2026:23:07:29 +0000"),
            (951_782_400, "29/Feb/2000:00:00:00 +0000"),
            (4_107_542_399, "28/Feb/2100:23:59:59 +0000"),
            (4_107_542_400, "01/Mar/2100:00:00:00 +0000"),
            (12_622_780_800, "01/Jan/2370:00:00:00 +0000"),
        ] {
            assert_eq!(common_log_time(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(printable("GET /a\r\n\u{1b}é"), "GET /a\\x0d\\x0a\\x1bé");
    }
}
