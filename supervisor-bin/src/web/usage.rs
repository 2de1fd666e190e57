//! CPU and memory of processes, read from `/proc`: of each process itself, without its children.
//!
//! Where there is no `/proc` there is nothing to tell.

use std::collections::HashMap;
use std::time::Instant;

/// What one process uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    /// Tenths of a percent of one processor since the look before; `None` at the first.
    pub(super) cpu: Option<u32>,
    /// Resident memory in bytes.
    pub(super) memory: u64,
}

/// What a process had used at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    ticks: u64,
    pages: u64,
}

/// Remembers the last look, since CPU is a difference.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    before: HashMap<u32, Reading>,
    when: Option<Instant>,
}

impl Sampler {
    /// Looks at these processes; those that are gone are left out. May block, though `/proc` does not for long.
    pub(super) fn look(&mut self, pids: &[u32]) -> HashMap<u32, Usage> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a rate needs the time between two looks; nothing is decided by it"
        )]
        let now = Instant::now();
        let elapsed = self.when.map(|when| now.duration_since(when).as_secs_f64());
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        let page = rustix::param::page_size() as u64;
        let readings: HashMap<u32, Reading> =
            pids.iter().filter_map(|pid| read(*pid).map(|reading| (*pid, reading))).collect();
        let usages = readings.iter().map(|(pid, reading)| {
            let cpu = match (elapsed, self.before.get(pid)) {
                (Some(elapsed), Some(before)) if elapsed > 0.0 => {
                    let seconds = reading.ticks.saturating_sub(before.ticks) as f64 / per_second;
                    Some((1000.0 * seconds / elapsed).round() as u32)
                }
                _ => None,
            };
            (*pid, Usage { cpu, memory: reading.pages * page })
        });
        let usages = usages.collect();
        (self.before, self.when) = (readings, Some(now));
        usages
    }
}

fn read(pid: u32) -> Option<Reading> {
    parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads `/proc/PID/stat` (`proc_pid_stat(5)`): fields 14, 15 and 24. The name, field 2, may hold anything.
fn parse(stat: &[u8]) -> Option<Reading> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut number = |skip| fields.nth(skip)?.parse::<u64>().ok();
    let ticks = number(0)?.saturating_add(number(0)?);
    Some(Reading { ticks, pages: number(8)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc() {
        let line = "42 (a) b) R 1 42 42 0 -1 4194560 99 0 0 0 7 5 0 0 20 0 1 0 100 8192 321 18446744073709551615 1 1";
        assert_eq!(parse(line.as_bytes()), Some(Reading { ticks: 12, pages: 321 }));
        for broken in ["", "42", "42 (a", "42 (a) R 1", "42 (\u{e9}) R x y"] {
            assert_eq!(parse(broken.as_bytes()), None, "{broken}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn we_use_memory_and_the_dead_use_nothing() {
        let own = std::process::id();
        let mut sampler = Sampler::default();
        let first = sampler.look(&[own, u32::MAX]);
        assert!(first.len() == 1 && first[&own].memory > 0 && first[&own].cpu.is_none(), "{first:?}");
        assert!(sampler.look(&[own])[&own].cpu.is_some());
    }
}
