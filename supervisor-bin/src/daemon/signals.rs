//! Signals of the daemon, translated into verbs of the handle.
//!
//! TERM, INT and QUIT end it, HUP starts it anew, USR2 opens the logs again. What means nothing to us and would kill us
//! without a word to our children is logged and ignored. From the first steps on signals are held back
//! ([`Mask`](supervisor_core::sys::signals::Mask)) until [`Caught::install`], so that none is lost. Reaping does not
//! depend on SIGCHLD: it is caught only to be told of.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_signal::{Signal, Signals};
use futures_lite::{FutureExt, StreamExt};
use supervisor_core::Handle;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::signal::name_of;
use supervisor_core::domain::state::SupervisorState;

/// What a signal asks of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    ShutDown,
    Restart,
    ReopenLogs,
    ChildQuit,
    Nothing,
}

/// All that is caught, but for SIGCHLD. SIGPIPE is ignored by Rust; job control and what the system ignores anyway
/// (WINCH, URG, CONT) keep their defaults.
const CAUGHT: [Signal; 12] = [
    Signal::Term,
    Signal::Int,
    Signal::Quit,
    Signal::Hup,
    Signal::Usr2,
    Signal::Usr1,
    Signal::Alarm,
    Signal::Vtalarm,
    Signal::Prof,
    Signal::Io,
    Signal::Xcpu,
    Signal::Xfsz,
];

fn meaning(signal: Signal) -> Meaning {
    match signal {
        Signal::Term | Signal::Int | Signal::Quit => Meaning::ShutDown,
        Signal::Hup => Meaning::Restart,
        Signal::Usr2 => Meaning::ReopenLogs,
        Signal::Child => Meaning::ChildQuit,
        _ => Meaning::Nothing,
    }
}

/// The handlers, for the whole life of the process: a signal that arrives between two lives waits for the next one.
pub(super) struct Caught {
    signals: Signals,
    /// In a queue of their own, so that a crowd of them never displaces another signal.
    children: Option<Signals>,
    /// A restart has been asked for and is not decided yet; more of them are the same wish.
    restarting: Arc<AtomicBool>,
}

impl Caught {
    /// Installs the handlers. Starts threads: not before the last fork.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self { signals: Signals::new(CAUGHT)?, children: None, restarting: Arc::default() })
    }

    /// Translates signals, for as long as it is polled.
    pub(super) async fn translate(&mut self, handle: &Handle) {
        if handle.activity_log().enabled(Level::Debug) && self.children.is_none() {
            self.children = Signals::new([Signal::Child]).ok();
        }
        loop {
            let children = &mut self.children;
            let child = async {
                match children {
                    Some(children) => children.next().await,
                    None => std::future::pending().await,
                }
            };
            match self.signals.next().or(child).await {
                Some(Ok(signal)) => self.act(signal, handle).await,
                Some(Err(error)) => handle.log(Level::Error, &format!("cannot listen for signals: {error}")),
                None => return std::future::pending().await,
            }
        }
    }

    async fn act(&self, signal: Signal, handle: &Handle) {
        let name = name_of(signal as i32);
        let say = |level, text: &str| handle.log(level, text);
        // A verb is refused when the supervisor has ended at this very moment; then there is nothing left to do.
        match meaning(signal) {
            Meaning::ShutDown => {
                say(Level::Warn, &format!("received {name} indicating exit request"));
                drop(handle.shutdown().await);
            }
            Meaning::Restart if handle.state() == SupervisorState::Shutdown => {
                say(Level::Warn, &format!("ignored {name} indicating restart request (shutdown in progress)"));
            }
            Meaning::Restart => {
                say(Level::Warn, &format!("received {name} indicating restart request"));
                self.restart(handle.clone());
            }
            Meaning::ReopenLogs => {
                say(Level::Info, &format!("received {name} indicating log reopen request"));
                drop(handle.reopen_logs().await);
            }
            Meaning::ChildQuit => say(Level::Debug, &format!("received {name} indicating a child quit")),
            Meaning::Nothing => say(Level::Info, &format!("ignored {name}, which has no meaning for supervisord")),
        }
    }

    /// Asks for a restart without waiting: the configuration is read first, which may take as long as its disk does.
    fn restart(&self, handle: Handle) {
        if self.restarting.swap(true, Ordering::SeqCst) {
            return;
        }
        let restarting = Arc::clone(&self.restarting);
        async_std::task::spawn(async move {
            // A refusal is in the log already.
            drop(handle.restart_supervisor().await);
            restarting.store(false, Ordering::SeqCst);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_caught_signal_has_its_meaning() {
        let ending = [Signal::Term, Signal::Int, Signal::Quit];
        for signal in CAUGHT {
            let expected = match signal {
                _ if ending.contains(&signal) => Meaning::ShutDown,
                Signal::Hup => Meaning::Restart,
                Signal::Usr2 => Meaning::ReopenLogs,
                _ => Meaning::Nothing,
            };
            assert_eq!(meaning(signal), expected, "{signal:?}");
        }
        assert_eq!(meaning(Signal::Child), Meaning::ChildQuit);
        assert_eq!(name_of(Signal::Usr2 as i32), "SIGUSR2");
    }
}
