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
    /// Takes the signal over; interrupts of the past are forgotten.
    pub(super) fn listen(&mut self) -> io::Result<()> {
        match &mut self.signals {
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
