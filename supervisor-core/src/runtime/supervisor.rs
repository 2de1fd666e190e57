//! The front door: a supervisor is built, handed out as a [`Handle`], and run.

use std::sync::Arc;
use std::time::Duration;

use async_channel::Receiver;
use futures_lite::future;

use crate::Error;
use crate::domain::level::Level;
use crate::event::occurrence::Occurrence;
use crate::handle::Handle;
use crate::offload;
use crate::request::Request;
use crate::runtime::builder::Builder;
use crate::runtime::engine::Engine;
use crate::runtime::main_loop;
use crate::runtime::message::Notice;
use crate::runtime::orphans;
use crate::sys::orphan::KnownChildren;

/// How long the end waits for the disk of the state file.
const CLOSING: Duration = Duration::from_secs(2);

/// How a run ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunOutcome {
    /// A shutdown was asked for; everything has been stopped.
    Shutdown,
    /// A restart was asked for; everything has been stopped. Build a new supervisor from the [`Handover`].
    Restart(Handover),
}

/// What one supervisor leaves to the next in the same process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Handover {
    /// The number of the next event: serials go on for the life of the process.
    pub(super) serial: u64,
}

/// Supervises processes. Made by [`Supervisor::builder`]; does nothing until [`run`](Self::run) is awaited.
pub struct Supervisor {
    pub(super) engine: Engine,
    pub(super) handle: Handle,
    pub(super) notices: Receiver<Notice>,
    pub(super) requests: Mailbox,
    /// Set if strangers are to be reaped.
    pub(super) children: Option<Arc<KnownChildren>>,
}

/// What handles ask. Dropped with the supervisor, also in the middle of a run: whoever waits for an answer then learns that
/// the supervisor is gone.
pub(super) struct Mailbox(pub(super) Receiver<Request>);

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.0.close();
        // The channel lives as long as there are handles, and so would what was asked, with its way back.
        while self.0.try_recv().is_ok() {}
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Supervisor {
    /// A supervisor to be put together.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A way to control it, valid before, during and after the run.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Starts what is to be started by itself and supervises until a shutdown or restart is asked for and everything has
    /// ended. Runs on any executor: it brings its own for its children's tasks and drives it.
    ///
    /// Dropping the future ends supervision at once: what still runs is killed (SIGKILL).
    ///
    /// # Errors
    /// [`Error::Resource`] when a signal handler for [`Builder::reap_orphans`] cannot be had.
    pub async fn run(self) -> Result<RunOutcome, Error> {
        let Self { mut engine, notices, requests, handle: _, children } = self;
        let executor = Arc::clone(&engine.executor);
        // async-process's driver must be at work before the first child is there.
        while executor.try_tick() {}
        if let Some(children) = children {
            orphans::reap(&executor, children, engine.notices.clone())?;
        }
        let restart = executor
            .run(async {
                engine.begin();
                main_loop::run(&mut engine, &notices, &requests.0).await
            })
            .await;
        drop(requests);
        executor.run(engine.close_state_file()).await;
        Ok(if restart {
            RunOutcome::Restart(Handover { serial: engine.subscribers.next_serial() })
        } else {
            RunOutcome::Shutdown
        })
    }
}

impl Engine {
    /// Nothing that was started runs any more: the state file is removed, as far as its disk answers.
    async fn close_state_file(&self) {
        let Some(state_file) = self.door.state_file().map(Arc::clone) else { return };
        let path = state_file.path().to_owned();
        let closed = async { Some(offload::unblock(move || state_file.close()).await) };
        let timeout = async {
            self.clock.sleep_until(self.now().monotonic + CLOSING).await;
            None
        };
        match future::or(closed, timeout).await {
            Some(Ok(())) => {}
            Some(Err(error)) => self.log(Level::Warn, || format!("cannot remove {}: {error}", path.display())),
            None => self.log(Level::Warn, || format!("cannot remove {}: its disk does not answer", path.display())),
        }
    }

    /// The first round: everything that starts by itself.
    fn begin(&mut self) {
        self.publish(&Occurrence::SupervisorRunning);
        self.stop_leftovers();
        let keys: Vec<_> = self.groups.values().flat_map(|group| group.processes.clone()).collect();
        self.autostart(&keys);
    }
}

impl Drop for Engine {
    /// No child outlives its supervisor.
    fn drop(&mut self) {
        for entry in self.processes.values() {
            if let Some(live) = &entry.live {
                // One that is gone is what we want.
                let _ = live.signaller.signal(libc::SIGKILL, entry.settings.killasgroup);
            }
        }
    }
}
