//! What processes use of the machine, as the kernel counts it. Linux only so far: elsewhere there is nothing to tell.

use std::time::Duration;

/// CPU and memory of one process, without its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user and kernel mode since the process began.
    pub cpu_time: Duration,
    /// Resident memory in bytes.
    pub memory: u64,
}

/// The present usage of a child of this process; `None` if there is no such child, or no way to know.
///
/// The kernel may have given the pid of a child that has been reaped to somebody else: only a child counts. May block,
/// though `/proc` does not for long.
pub fn of_child(pid: u32) -> Option<Usage> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let reading = parse(&stat)?;
    if reading.parent != std::process::id() {
        return None;
    }
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(u64::MAX);
    let (seconds, rest) = (reading.ticks / per_second, reading.ticks % per_second);
    let cpu_time = Duration::from_secs(seconds) + Duration::from_millis(rest * 1000 / per_second);
    Some(Usage { cpu_time, memory: reading.pages.saturating_mul(page) })
}

#[derive(Debug, PartialEq, Eq)]
struct Reading {
    parent: u32,
    ticks: u64,
    pages: u64,
}

/// Reads `/proc/PID/stat` (`proc_pid_stat(5)`): fields 4, 14, 15 and 24. The name, field 2, may hold anything.
fn parse(stat: &[u8]) -> Option<Reading> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    // From field 3 on.
    let mut fields = rest.split_ascii_whitespace();
    let mut number = |skip| fields.nth(skip)?.parse::<u64>().ok();
    let parent = u32::try_from(number(1)?).ok()?;
    let ticks = number(9)?.saturating_add(number(0)?);
    Some(Reading { parent, ticks, pages: number(8)? })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_line_of_proc() {
        let line = "42 (a) b) R 1 42 42 0 -1 4194560 99 0 0 0 7 5 0 0 20 0 1 0 100 8192 321 18446744073709551615 1 1";
        assert_eq!(parse(line.as_bytes()), Some(Reading { parent: 1, ticks: 12, pages: 321 }));
        for broken in ["", "42", "42 (a", "42 (a) R 1", "42 (\u{e9}) R x y"] {
            assert_eq!(parse(broken.as_bytes()), None, "{broken}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_uses_memory_and_others_are_nobodys_business() {
        use std::io::{Read, Write};
        use std::process::{Command, Stdio};

        let mut child = Command::new("/bin/cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Once it answers: in the middle of exec(2) it has no memory.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        assert!(of_child(child.id()).unwrap().memory > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        for stranger in [child.id(), std::process::id(), 1, u32::MAX] {
            assert_eq!(of_child(stranger), None, "{stranger}");
        }
    }
}
