//! The handle's verbs on groups as a whole: define, change, remove, bring up to date; and waiting for a state.

use super::{Answer, Handle};
use crate::RequestError;
use crate::definition::{Defined, Definition};
use crate::domain::name::ProcessName;
use crate::domain::state::ProcessState;
use crate::offload;
use crate::process::ConfigDiff;
use crate::request::Request;
use crate::sys::host::SystemHost;

async fn build(definition: Definition) -> Answer<Defined> {
    let build = |definition: Definition| {
        definition.build(&SystemHost).map_err(|error| RequestError::Settings(error.to_string()))
    };
    match definition.may_block() {
        true => offload::unblock(move || build(definition)).await,
        false => build(definition),
    }
}

impl Handle {
    /// Waits until a process is in one of these states, and tells which: at once if it is, else as soon as it enters one,
    /// even if it leaves it again at once.
    ///
    /// # Errors
    /// [`BadName`](RequestError::BadName); [`Gone`](RequestError::Gone) if its group is removed, or the supervisor ends,
    /// before that.
    pub async fn wait_for(&self, name: &ProcessName, states: &[ProcessState]) -> Answer<ProcessState> {
        let (name, states) = (name.clone(), states.to_vec());
        self.ask(|reply| Request::WaitFor { name, states, reply }).await
    }

    /// Adds a program, a task or a group while the supervisor runs; its `autostart` processes start straight after. It
    /// belongs to the embedding program: a re-read of the configuration leaves it alone.
    ///
    /// # Errors
    /// [`Settings`](RequestError::Settings), [`AlreadyAdded`](RequestError::AlreadyAdded) if there is a group of this name,
    /// else as [`add_group`](Self::add_group).
    pub async fn add(&self, definition: impl Into<Definition>) -> Answer<()> {
        let defined = build(definition.into()).await?;
        self.define(defined).await
    }

    async fn define(&self, defined: Defined) -> Answer<()> {
        self.ask(|reply| Request::Define { defined, reply }).await
    }

    /// Puts a definition in the place of the one of the same name: stops it, waits for its end, adds the new one. Adds it
    /// if there is none yet.
    ///
    /// Not a single step: who drops the future may leave the group stopped or gone.
    ///
    /// # Errors
    /// [`Settings`](RequestError::Settings), and [`AlreadyAdded`](RequestError::AlreadyAdded) if the group is one of the
    /// configuration: nothing was touched then. Else as [`remove`](Self::remove) and [`add`](Self::add).
    pub async fn change(&self, definition: impl Into<Definition>) -> Answer<()> {
        let defined = build(definition.into()).await?;
        match self.forget(&defined.group.name).await {
            Ok(()) => {}
            Err(RequestError::StillRunning(group)) => self.stop_and_remove(&group).await?,
            Err(error) => return Err(error),
        }
        self.define(defined).await
    }

    /// Stops the processes of a group, waits for their end and drops the group. One that was defined in code is forgotten;
    /// one of the configuration can come back by [`add_group`](Self::add_group).
    ///
    /// Not a single step: who drops the future may leave the group stopped.
    ///
    /// # Errors
    /// [`BadName`](RequestError::BadName); [`StillRunning`](RequestError::StillRunning) if somebody starts a process
    /// meanwhile.
    pub async fn remove(&self, group: &str) -> Answer<()> {
        self.stop_and_remove(group).await?;
        match self.forget(group).await {
            // It is one of the configuration.
            Err(RequestError::AlreadyAdded(_)) => Ok(()),
            answer => answer,
        }
    }

    async fn forget(&self, group: &str) -> Answer<()> {
        let name = group.to_owned();
        self.ask(|reply| Request::Forget { name, reply }).await
    }

    async fn stop_and_remove(&self, group: &str) -> Answer<()> {
        self.stop_group(group, true).await?;
        self.remove_group(group).await
    }

    /// Reads the configuration again and makes it so (supervisorctl: `update`): groups that are gone or changed are stopped
    /// and removed, those that are new or changed are added. Answers what was different.
    ///
    /// Not a single step: who drops the future stops in the middle; the next `update` goes on.
    ///
    /// # Errors
    /// As [`reload_config`](Self::reload_config), [`remove`](Self::remove) and [`add_group`](Self::add_group).
    pub async fn update(&self) -> Answer<ConfigDiff> {
        let difference = self.reload_config().await?;
        for group in difference.removed.iter().chain(&difference.changed) {
            self.stop_and_remove(group).await?;
        }
        for group in difference.changed.iter().chain(&difference.added) {
            self.add_group(group).await?;
        }
        Ok(difference)
    }
}
