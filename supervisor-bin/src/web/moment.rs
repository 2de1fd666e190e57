//! Times as people read them, in local time.

use std::time::{Duration, SystemTime};

use supervisor_core::sys::time::LocalTime;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn name<'a>(names: &[&'a str], index: u8) -> &'a str {
    names.get(usize::from(index)).copied().unwrap_or_default()
}

/// The present, since the Unix epoch.
pub(super) fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a page says when it was made; nothing is decided by it")]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// `Sun Nov 22 21:33:17 2026` (Supervisor 4.3: messages of the page).
pub(super) fn long(time: Duration) -> String {
    let local = LocalTime::from_unix_seconds(time.as_secs());
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {}",
        name(&DAYS, local.weekday),
        name(&MONTHS, local.month.saturating_sub(1)),
        local.day,
        local.hour,
        local.minute,
        local.second,
        local.year
    )
}

/// `2026-11-22 21:33:17.042`.
pub(super) fn exact(time: Duration) -> String {
    let local = LocalTime::from_unix_seconds(time.as_secs());
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}",
        local.year,
        local.month,
        local.day,
        local.hour,
        local.minute,
        local.second,
        time.subsec_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        // Noon of an unremarkable day is within a day of it everywhere.
        let time = Duration::from_millis(1_762_084_800_042);
        let (long, exact) = (long(time), exact(time));
        assert!(long.contains(" Nov  ") && long.ends_with(" 2025") && long.len() == 24, "{long}");
        assert!(exact.starts_with("2025-11-0") && exact.ends_with(".042") && exact.len() == 23, "{exact}");
        assert!(now() > time);
    }
}
