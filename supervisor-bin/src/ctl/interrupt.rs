//! Ctrl-C as something that can be waited for. What it ends is decided by whoever waits.
//!
//! Until [`Interrupts::listen`] is called the signal ends the program, as for any other command. It cannot be given
//! back to the kernel afterwards, so from then on everything that waits must wait for this too.

use std::io;

use async_signal::{Signal, Signals};
use futures_lite::{StreamExt, future};

/// The interrupt signals of this program (`SIGINT`).
#[derive(Debug, Default)]
pub(super) struct Interrupts {
    signals: Option<Signals>,
}

impl Interrupts {
    /// Takes the signal over, unless whoever started us has it ignored; interrupts of the past are forgotten.
    pub(super) fn listen(&mut self) -> io::Result<()> {
        match &mut self.signals {
            None if is_ignored() => {}
            None => self.signals = Some(Signals::new([Signal::Int])?),
            Some(signals) => while future::block_on(future::poll_once(signals.next())).is_some() {},
        }
        Ok(())
    }

    /// The next interrupt; never comes while nobody listens.
    pub(super) async fn next(&mut self) {
        match &mut self.signals {
            None => future::pending().await,
            Some(signals) => drop(signals.next().await),
        }
    }
}

/// True if the signal is ignored, as for what a script has put into the background (`proc(5)`: `status`). Where nothing
/// tells, it is not.
fn is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status))
}

fn ignores(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    // Signals are counted from 1.
    mask & (1 << (Signal::Int as u32 - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_tells_what_is_ignored() {
        for (status, want) in [
            ("Name:\tx\nSigIgn:\t0000000000001002\nSigCgt:\t0000000000000000\n", true),
            ("Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000002\n", false),
            ("Name:\tx\n", false),
        ] {
            assert_eq!(ignores(status), want, "{status}");
        }
    }
}
