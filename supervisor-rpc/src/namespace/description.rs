//! The sentence about a process that people read in `status` and on the page.

use std::fmt::Write;
use std::time::Duration;

use supervisor_core::domain::state::ProcessState as S;
use supervisor_core::process::ProcessInfo;
use supervisor_core::sys::time::LocalTime;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The `description` of a process (Supervisor 4.3: `getProcessInfo`).
pub fn description(info: &ProcessInfo) -> String {
    match info.state {
        S::Running => match info.pid {
            Some(pid) => format!("pid {pid}, uptime {}", uptime(info.uptime)),
            // A task of the embedding program.
            None => format!("task, uptime {}", uptime(info.uptime)),
        },
        S::Backoff | S::Fatal if info.spawn_error.is_empty() => {
            format!("unknown error (try \"tail {}\")", info.name.process)
        }
        S::Backoff | S::Fatal => info.spawn_error.clone(),
        S::Stopped | S::Exited => match (info.started, info.stopped) {
            (Some(_), Some(stopped)) => moment(stopped),
            // Also what was stopped in BACKOFF and never had a process.
            _ => "Not started".to_owned(),
        },
        S::Starting | S::Stopping | S::Unknown => String::new(),
    }
}

/// `H:MM:SS`, from a day on with the days before it.
fn uptime(time: Duration) -> String {
    let seconds = time.as_secs();
    let mut text = match seconds / DAY {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        days => format!("{days} days, "),
    };
    // Writing to a string cannot fail.
    let _ = write!(text, "{}:{:02}:{:02}", seconds % DAY / HOUR, seconds % HOUR / MINUTE, seconds % MINUTE);
    text
}

/// `Mon DD HH:MM AM` of a time since the Unix epoch, in local time.
fn moment(time: Duration) -> String {
    let local = LocalTime::from_unix_seconds(time.as_secs());
    let month = MONTHS[usize::from(local.month.clamp(1, 12)) - 1];
    let half = if local.hour < 12 { "AM" } else { "PM" };
    let hour = match local.hour % 12 {
        0 => 12,
        hour => hour,
    };
    format!("{month} {:02} {hour:02}:{:02} {half}", local.day, local.minute)
}

#[cfg(test)]
mod tests {
    use supervisor_core::domain::name::ProcessName;

    use super::*;

    #[test]
    fn uptimes() {
        let table = [
            (0, "0:00:00"),
            (59, "0:00:59"),
            (3_661, "1:01:01"),
            (86_399, "23:59:59"),
            (86_400, "1 day, 0:00:00"),
            (2 * 86_400 + 36_000, "2 days, 10:00:00"),
        ];
        for (seconds, text) in table {
            assert_eq!(uptime(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn each_state_says_what_matters() {
        let never = ProcessInfo::new(ProcessName::new("g", "p"));
        let with = |state, change: &dyn Fn(&mut ProcessInfo)| {
            let mut info = never.clone();
            info.state = state;
            change(&mut info);
            description(&info)
        };
        let run = |info: &mut ProcessInfo| {
            info.pid = Some(12);
            info.started = Some(Duration::from_secs(100));
            info.uptime = Duration::from_millis(61_900);
        };
        let failed = |info: &mut ProcessInfo| info.spawn_error = "Exited too quickly".to_owned();
        assert_eq!(with(S::Stopped, &|_| ()), "Not started");
        assert_eq!(with(S::Stopped, &run), "Not started");
        assert_eq!(with(S::Running, &run), "pid 12, uptime 0:01:01");
        assert_eq!(with(S::Starting, &run), "");
        assert_eq!(with(S::Stopping, &run), "");
        assert_eq!(with(S::Unknown, &run), "");
        for state in [S::Backoff, S::Fatal] {
            assert_eq!(with(state, &failed), "Exited too quickly");
            assert_eq!(with(state, &|_| ()), "unknown error (try \"tail p\")");
        }
        // Noon of an unremarkable day is the same day nearly everywhere.
        let ended = |info: &mut ProcessInfo| {
            info.started = Some(Duration::from_secs(1));
            info.stopped = Some(Duration::from_secs(1_762_084_800));
        };
        let text = with(S::Exited, &ended);
        assert!(text.starts_with("Nov 0") && text.len() == "Nov 02 09:30 PM".len() && text.ends_with('M'), "{text}");
    }
}
