//! What the embedding program defines beside the configuration, and what it waits for.

use std::sync::Arc;

use crate::RequestError;
use crate::definition::Defined;
use crate::domain::name::ProcessName;
use crate::domain::spec::Group;
use crate::domain::state::ProcessState;
use crate::request::Reply;
use crate::runtime::engine::{Configured, Engine};

impl Configured {
    /// Adds a group of the embedding program, or replaces the one of this name.
    pub(crate) fn define(&mut self, defined: Defined) {
        self.forget(&defined.group.name);
        self.groups.push(Arc::clone(&defined.group));
        self.own.insert(defined.group.name.clone(), defined);
        self.sort();
    }

    /// Forgets a group of the embedding program.
    pub(crate) fn forget(&mut self, name: &str) {
        if self.own.remove(name).is_some() {
            self.groups.retain(|group| group.name != name);
            self.autos.remove(name);
        }
    }

    /// The groups that were read, without those of the embedding program.
    pub(crate) fn read(&self) -> Vec<Group> {
        let read = self.groups.iter().filter(|group| !self.own.contains_key(&group.name));
        read.map(|group| (**group).clone()).collect()
    }

    /// True if there is a group of this name that was read.
    fn is_read(&self, name: &str) -> bool {
        !self.own.contains_key(name) && self.groups.iter().any(|group| group.name == name)
    }

    /// Takes groups that were read in place of those that were read before.
    pub(crate) fn replace(&mut self, groups: Vec<Group>) {
        self.groups.retain(|group| self.own.contains_key(&group.name));
        self.groups.extend(groups.into_iter().map(Arc::new));
        self.sort();
    }

    /// Why these groups cannot stand beside each other and beside those of the embedding program.
    pub(crate) fn clash(&self, groups: &[Group]) -> Option<String> {
        let own = groups.iter().find(|group| self.own.contains_key(&group.name));
        own.map(|group| format!("the group '{}' is one of the program that embeds the supervisor", group.name))
    }

    fn sort(&mut self) {
        self.groups.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    }
}

impl Engine {
    /// Adds a group of the embedding program and activates it.
    pub(crate) fn define(&mut self, defined: Defined, reply: Reply<()>) {
        let name = defined.group.name.clone();
        let active = self.group_orders.contains_key(&name) || self.preparing.contains_key(&name);
        if self.configured.is_read(&name) || active {
            return drop(reply.try_send(Err(RequestError::AlreadyAdded(name))));
        }
        if self.mood.starts_allowed() {
            self.configured.define(defined);
        }
        self.add_group(&name, reply);
    }

    /// Forgets a group of the embedding program; one of the configuration is refused.
    pub(crate) fn forget(&mut self, name: &str) -> Result<(), RequestError> {
        if self.configured.own.contains_key(name) && self.group_orders.contains_key(name) {
            return Err(RequestError::StillRunning(name.to_owned()));
        }
        if self.configured.is_read(name) {
            return Err(RequestError::AlreadyAdded(name.to_owned()));
        }
        self.configured.forget(name);
        Ok(())
    }

    /// Answers once a process is in one of these states.
    pub(crate) fn wait_for(&mut self, name: &ProcessName, states: Vec<ProcessState>, reply: Reply<ProcessState>) {
        let entry = self.find(name).map(|key| self.processes.get_mut(&key));
        match entry {
            Err(error) => drop(reply.try_send(Err(error))),
            Ok(None) => {}
            Ok(Some(entry)) => {
                let state = entry.machine.state();
                if states.contains(&state) {
                    return drop(reply.try_send(Ok(state)));
                }
                // Whoever has given up waiting makes room.
                entry.watchers.retain(|(_, reply)| !reply.is_closed());
                entry.watchers.push((states, reply));
            }
        }
    }
}
