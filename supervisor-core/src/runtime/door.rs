//! The way in for starts: through the start lane in the real world, inline in a simulation.
//!
//! Everything about a start that may block passes here, so that the loop does not.

use std::sync::Arc;

use crate::RequestError;
use crate::domain::spec;
use crate::offload;
use crate::runtime::launch::{LaunchJob, Launcher};
use crate::runtime::message::{Notice, ProcessKey};
use crate::runtime::spawn::SpawnError;
use crate::runtime::start_lane::StartLane;
use crate::runtime::state_file::StateFile;
use crate::runtime::waiters::Ticket;

/// Takes launch jobs and checks.
pub(crate) enum LaunchDoor {
    /// Starts on the start lane, checks on the pool for blocking work.
    Lane { lane: StartLane<LaunchJob>, launcher: Launcher },
    /// Everything in the executor, for spawners that never block.
    #[cfg_attr(not(test), expect(dead_code, reason = "the simulation's door"))]
    Inline { launcher: Launcher },
}

impl LaunchDoor {
    /// A door with a start lane behind it.
    pub(crate) fn lane(launcher: Launcher) -> Self {
        let worker = launcher.clone();
        Self::Lane { lane: StartLane::new(move |job| worker.launch(job)), launcher }
    }

    fn launcher(&self) -> &Launcher {
        match self {
            Self::Lane { launcher, .. } | Self::Inline { launcher } => launcher,
        }
    }

    /// True in a simulation: then nothing may have a thread of its own.
    pub(crate) const fn is_inline(&self) -> bool {
        matches!(self, Self::Inline { .. })
    }

    /// The lanes of the output path.
    pub(crate) fn lanes(&self) -> &Arc<crate::runtime::lane::Lanes> {
        &self.launcher().lanes
    }

    /// Where running processes are written down, if they are.
    pub(crate) fn state_file(&self) -> Option<&Arc<StateFile>> {
        self.launcher().state_file.as_ref()
    }

    /// Orders a start; false if no thread can be had for it.
    pub(crate) fn launch(&self, job: LaunchJob) -> bool {
        match self {
            Self::Lane { lane, .. } => lane.push(job),
            Self::Inline { launcher } => {
                let worker = launcher.clone();
                launcher.executor.spawn(async move { worker.launch_inline(job).await });
                true
            }
        }
    }

    /// A look at the lane: true as long as it must be looked at again.
    pub(crate) fn check(&mut self) -> bool {
        match self {
            Self::Lane { lane, .. } => lane.check(),
            Self::Inline { .. } => false,
        }
    }

    /// Looks at the commands of processes that shall be started; the answer is a [`Notice::Checked`].
    pub(crate) fn check_commands(
        &self,
        ticket: Ticket,
        wait: bool,
        processes: Vec<(ProcessKey, Option<Arc<spec::Process>>)>,
    ) {
        let launcher = self.launcher().clone();
        let inline = self.is_inline();
        let spawner = Arc::clone(&launcher.spawner);
        let look = move || {
            processes
                .into_iter()
                .map(|(key, settings)| {
                    (key, settings.map_or(Ok(()), |settings| spawner.resolve(&settings).map(drop)).map_err(refusal))
                })
                .collect::<Vec<_>>()
        };
        let notices = launcher.notices.clone();
        launcher.executor.spawn(async move {
            let results = if inline { look() } else { offload::unblock(look).await };
            // An error means that the supervisor has ended.
            let _ = notices.send(Notice::Checked { ticket, wait, results }).await;
        });
    }
}

fn refusal(error: SpawnError) -> RequestError {
    match error {
        SpawnError::NoFile(text) => RequestError::NoFile(text),
        SpawnError::NotExecutable(text) => RequestError::NotExecutable(text),
        SpawnError::System(text) => RequestError::Failed(text),
    }
}
