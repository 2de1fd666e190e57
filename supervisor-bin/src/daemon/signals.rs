//! Signals of the daemon, translated into verbs of the handle.
//!
//! TERM, INT and QUIT end it, HUP starts it anew, USR2 opens the logs again. What means nothing to us and would kill us
//! without a word to our children is ignored, and told of where it has a handler. From the first steps on signals are held back
//! ([`Mask`](supervisor_core::sys::signals::Mask)) until [`Caught::install`], so that none is lost. Reaping does not
//! depend on SIGCHLD: it is caught only to be told of.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_lite::FutureExt;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::signal::name_of;
use supervisor_core::domain::state::SupervisorState;
use supervisor_core::sys::caught;
use supervisor_core::sys::signals as dispositions;
use supervisor_core::{Handle, RequestError};

/// After a wait that has failed.
const PAUSE: Duration = Duration::from_secs(1);

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
const CAUGHT: [i32; 12] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGHUP,
    libc::SIGUSR2,
    libc::SIGUSR1,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGIO,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

const fn meaning(signal: i32) -> Meaning {
    match signal {
        libc::SIGTERM | libc::SIGINT | libc::SIGQUIT => Meaning::ShutDown,
        libc::SIGHUP => Meaning::Restart,
        libc::SIGUSR2 => Meaning::ReopenLogs,
        libc::SIGCHLD => Meaning::ChildQuit,
        _ => Meaning::Nothing,
    }
}

/// The handlers, for the whole life of the process: a signal that arrives between two lives waits for the next one.
pub(super) struct Caught {
    signals: caught::Caught,
    /// Only where it is told of.
    children: Option<caught::Caught>,
    /// So many restarts have been asked for since the last decision about one.
    restarts: Arc<AtomicU32>,
    /// The daemon shall end, whether or not the life that was told so still heard it.
    exit_wanted: bool,
}

impl Caught {
    /// Installs the handlers. Starts threads: not before the last fork.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn install() -> io::Result<Self> {
        dispositions::ignore_meaningless();
        Ok(Self::from(caught::Caught::new(&CAUGHT)?))
    }

    /// True once a signal has asked for the end of the daemon. A life that is over already refuses that verb, and must not
    /// be followed by another one then.
    pub(super) fn exit_wanted(&self) -> bool {
        self.exit_wanted
    }

    /// Translates signals, for as long as it is polled.
    pub(super) async fn translate(&mut self, handle: &Handle) {
        if handle.activity_log().enabled(Level::Debug) && self.children.is_none() {
            self.children = caught::Caught::new(&[libc::SIGCHLD]).ok();
        }
        loop {
            let child = async {
                match &self.children {
                    Some(children) => children.next().await,
                    None => std::future::pending().await,
                }
            };
            match self.signals.next().or(child).await {
                Ok(signal) => self.act(signal, handle).await,
                Err(error) => {
                    handle.log(Level::Error, &format!("cannot listen for signals: {error}"));
                    // It may come again at once.
                    async_io::Timer::after(PAUSE).await;
                }
            }
        }
    }

    async fn act(&mut self, signal: i32, handle: &Handle) {
        let name = name_of(signal);
        let say = |level, text: &str| handle.log(level, text);
        // A verb is refused when the supervisor has ended at this very moment; only the wish to exit outlives that.
        match meaning(signal) {
            Meaning::ShutDown => {
                say(Level::Warn, &format!("received {name} indicating exit request"));
                self.exit_wanted = true;
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

    /// Asks for a restart without waiting: the configuration is read first, which may take as long as its disk does. Who
    /// asks meanwhile may have corrected what is just being refused: then it is read once more.
    fn restart(&self, handle: Handle) {
        if self.restarts.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        let restarts = Arc::clone(&self.restarts);
        async_std::task::spawn(async move {
            loop {
                let asked = restarts.load(Ordering::SeqCst);
                // A refusal is in the log already. Once a restart has begun, there is no other decision to come.
                let refused = matches!(handle.restart_supervisor().await, Err(RequestError::CantReread(_)));
                if !refused {
                    return restarts.store(0, Ordering::SeqCst);
                }
                if restarts.compare_exchange(asked, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                    return;
                }
            }
        });
    }
}

impl From<caught::Caught> for Caught {
    fn from(signals: caught::Caught) -> Self {
        Self { signals, children: None, restarts: Arc::default(), exit_wanted: false }
    }
}

#[cfg(test)]
impl Caught {
    /// Catches what nobody sends.
    pub(super) fn in_a_test(exit_wanted: bool) -> Self {
        Self { exit_wanted, ..Self::from(caught::Caught::new(&[libc::SIGWINCH]).expect("there are descriptors")) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc;

    use futures_lite::future;
    use supervisor_core::{RunOutcome, Supervisor};

    use super::*;

    #[test]
    fn the_wish_to_exit_outlives_a_life_that_no_longer_hears_it() {
        let handle = Supervisor::builder().build().unwrap().handle();
        let mut caught = Caught::in_a_test(false);
        future::block_on(caught.act(libc::SIGHUP, &handle));
        assert!(!caught.exit_wanted());
        future::block_on(caught.act(libc::SIGTERM, &handle));
        assert!(caught.exit_wanted());
    }

    #[test]
    fn a_restart_that_is_asked_for_while_another_is_being_refused_is_looked_at() {
        let (begun, is_begun) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        let answers = std::sync::Mutex::new(answers);
        let source = move || {
            begun.send(()).unwrap();
            answers.lock().unwrap().recv().unwrap()
        };
        let supervisor = Supervisor::builder().config_source(Arc::new(source)).build().unwrap();
        let handle = supervisor.handle();
        let mut caught = Caught::in_a_test(false);
        let asking = async {
            caught.act(libc::SIGHUP, &handle).await;
            is_begun.recv().unwrap();
            caught.act(libc::SIGHUP, &handle).await;
            answer.send(Err("broken".to_owned())).unwrap();
            answer.send(Ok(Vec::new())).unwrap();
        };
        let running = std::thread::spawn(|| async_io::block_on(supervisor.run()));
        future::block_on(asking);
        assert!(matches!(running.join().unwrap(), Ok(RunOutcome::Restart(_))));
    }

    #[test]
    fn every_caught_signal_has_its_meaning() {
        let ending = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT];
        for signal in CAUGHT {
            let expected = match signal {
                _ if ending.contains(&signal) => Meaning::ShutDown,
                libc::SIGHUP => Meaning::Restart,
                libc::SIGUSR2 => Meaning::ReopenLogs,
                _ => Meaning::Nothing,
            };
            assert_eq!(meaning(signal), expected, "{signal:?}");
        }
        assert_eq!(meaning(libc::SIGCHLD), Meaning::ChildQuit);
        assert_eq!(name_of(libc::SIGUSR2), "SIGUSR2");
    }
}
