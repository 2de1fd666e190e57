//! One group of processes: the handle's verbs, narrowed.

use crate::RequestError;
use crate::domain::name::ProcessName;
use crate::domain::signal::Signal;
use crate::domain::state::ProcessState;
use crate::handle::Handle;
use crate::process::{Outcome, ProcessInfo};

/// The processes of one group, as one. Made by [`Handle::group`]; the group itself may come and go.
#[derive(Debug, Clone)]
pub struct ProcessGroup {
    handle: Handle,
    name: String,
}

impl ProcessGroup {
    pub(crate) fn new(handle: Handle, name: String) -> Self {
        Self { handle, name }
    }

    /// The group's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The full name of one of its processes.
    pub fn process_name(&self, process: &str) -> ProcessName {
        ProcessName::new(self.name.clone(), process)
    }

    /// Snapshots of its processes, by name.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn processes(&self) -> Result<Vec<ProcessInfo>, RequestError> {
        let mut all = self.handle.processes().await?;
        all.retain(|info| info.name.group == self.name);
        Ok(all)
    }

    /// Starts every stopped process, in order, and waits until each is RUNNING or has failed.
    ///
    /// # Errors
    /// [`RequestError::BadName`] if the group is not active.
    pub async fn start(&self) -> Result<Vec<Outcome>, RequestError> {
        self.handle.start_group(&self.name, true).await
    }

    /// Stops every running process and waits until each has ended.
    ///
    /// # Errors
    /// [`RequestError::BadName`] if the group is not active.
    pub async fn stop(&self) -> Result<Vec<Outcome>, RequestError> {
        self.handle.stop_group(&self.name, true).await
    }

    /// Stops what runs, then starts everything; the outcomes are those of the starts.
    ///
    /// # Errors
    /// [`RequestError::BadName`] if the group is not active.
    pub async fn restart(&self) -> Result<Vec<Outcome>, RequestError> {
        self.stop().await?;
        self.start().await
    }

    /// Signals every process that can be signalled.
    ///
    /// # Errors
    /// [`RequestError::BadName`] if the group is not active.
    pub async fn signal(&self, signal: Signal) -> Result<Vec<Outcome>, RequestError> {
        self.handle.signal_group(&self.name, signal).await
    }

    /// Waits until each of its processes is in one of these states, one after the other.
    ///
    /// # Errors
    /// [`RequestError::Gone`] if the group is removed, or the supervisor ends, before that.
    pub async fn wait_for(&self, states: &[ProcessState]) -> Result<(), RequestError> {
        for info in self.processes().await? {
            self.handle.wait_for(&info.name, states).await?;
        }
        Ok(())
    }

    /// Empties the log files of its processes.
    ///
    /// # Errors
    /// [`RequestError::BadName`] if the group is not active.
    pub async fn clear_logs(&self) -> Result<Vec<Outcome>, RequestError> {
        self.handle.clear_group_logs(&self.name).await
    }

    /// Activates the group of this name; see [`Handle::add_group`].
    ///
    /// # Errors
    /// As there.
    pub async fn add(&self) -> Result<(), RequestError> {
        self.handle.add_group(&self.name).await
    }

    /// Stops its processes and drops the group; see [`Handle::remove`].
    ///
    /// # Errors
    /// As there.
    pub async fn remove(&self) -> Result<(), RequestError> {
        self.handle.remove(&self.name).await
    }
}
