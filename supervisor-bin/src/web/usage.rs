//! CPU and memory as the pages show them: rates, from what the supervisor counts at two looks.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use supervisor_core::process::ProcessUsage;

/// What one process uses: tenths of a percent of one processor since the look before (`None` at the first), and resident
/// memory in bytes.
pub(super) type Usage = (Option<u32>, u64);

/// Remembers the last look, since a rate is a difference.
#[derive(Debug, Default)]
pub(super) struct Rates {
    before: HashMap<u32, Duration>,
    when: Option<Instant>,
}

impl Rates {
    /// The rates since the last look, by full name.
    pub(super) fn since(&mut self, usages: &[ProcessUsage]) -> HashMap<String, Usage> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a rate needs the time between two looks; nothing is decided by it"
        )]
        let now = Instant::now();
        let elapsed = self.when.replace(now).map(|when| now.duration_since(when));
        self.rates(elapsed, usages)
    }

    fn rates(&mut self, elapsed: Option<Duration>, usages: &[ProcessUsage]) -> HashMap<String, Usage> {
        let elapsed = elapsed.map(|elapsed| elapsed.as_secs_f64()).filter(|elapsed| *elapsed > 0.0);
        let rate = |usage: &ProcessUsage| {
            let used = usage.cpu_time.saturating_sub(*self.before.get(&usage.pid)?);
            Some((1000.0 * used.as_secs_f64() / elapsed?).round() as u32)
        };
        let rates = usages.iter().map(|usage| (usage.name.to_string(), (rate(usage), usage.memory))).collect();
        self.before = usages.iter().map(|usage| (usage.pid, usage.cpu_time)).collect();
        rates
    }
}

#[cfg(test)]
mod tests {
    use supervisor_core::domain::name::ProcessName;

    use super::*;

    fn usage(pid: u32, milliseconds: u64) -> ProcessUsage {
        ProcessUsage::new(ProcessName::new("x", "x"), pid, Duration::from_millis(milliseconds), 4096)
    }

    #[test]
    fn a_rate_is_known_from_the_second_look_at_the_same_process_on() {
        let mut rates = Rates::default();
        let second = Some(Duration::from_secs(2));
        let mut look = |elapsed, usage| rates.rates(elapsed, &[usage])["x"];
        assert_eq!(look(None, usage(7, 1000)), (None, 4096));
        assert_eq!(look(second, usage(7, 1500)), (Some(250), 4096));
        assert_eq!(look(second, usage(8, 1600)), (None, 4096));
        assert_eq!(look(second, usage(8, 1600)), (Some(0), 4096));
        assert_eq!(look(Some(Duration::ZERO), usage(8, 1700)), (None, 4096));
    }
}
