//! Active groups: how they come, how they go, and how they differ from what is configured.

use std::collections::{HashMap, HashSet, hash_map};
use std::sync::Arc;

use crate::RequestError;
use crate::domain::name::ProcessName;
use crate::domain::spec::{self, Channel, GroupKind, LogFile};
use crate::event::occurrence::Occurrence;
use crate::machine::process::{Input, ProcessMachine};
use crate::machine::protocol::Protocol;
use crate::offload;
use crate::process::{ConfigDiff, ConfigInfo, GroupSettings, Stream};
use crate::request::Reply;
use crate::runtime::engine::{ActiveGroup, Engine, Entry};
use crate::runtime::history::History;
use crate::runtime::launch::{LogPaths, Sinks};
use crate::runtime::message::{Notice, ProcessKey};
use crate::runtime::prepare::{AutoLogs, PreparedGroup};

impl Engine {
    /// Makes a configured group ready, off the loop; [`Engine::prepared`] goes on.
    pub(crate) fn add_group(&mut self, name: &str, reply: Reply<()>) {
        let configured = self.configured.groups.iter().find(|group| group.name == name);
        let group = match configured {
            _ if !self.mood.starts_allowed() => Err(RequestError::ShutdownState),
            None => Err(RequestError::BadName(name.to_owned())),
            Some(_) if self.group_orders.contains_key(name) => Err(RequestError::AlreadyAdded(name.to_owned())),
            Some(group) => Ok(Arc::clone(group)),
        };
        let group = match group {
            Ok(group) => group,
            Err(error) => return drop(reply.try_send(Err(error))),
        };
        // Twice at once would mean two proofs of one socket, of which each takes away what the other has made.
        match self.preparing.entry(name.to_owned()) {
            hash_map::Entry::Occupied(mut others) => return others.get_mut().push(reply),
            hash_map::Entry::Vacant(place) => drop(place.insert(Vec::new())),
        }
        let known = self.configured.autos.get(name).cloned().unwrap_or_default();
        let (preparation, notices) = (self.preparation.clone(), self.notices.clone());
        self.executor
            .spawn(async move {
                let settings = Arc::clone(&group);
                let prepared = offload::unblock(move || preparation.prepare(&settings, &known)).await;
                let result = prepared.map_err(|error| RequestError::Failed(error.to_string()));
                // An error means that the supervisor has ended.
                let _ = notices.send(Notice::Prepared { group, result, reply }).await;
            })
            .detach();
    }

    /// The files and sockets of a group are there, or not.
    pub(crate) fn prepared(
        &mut self,
        group: Arc<spec::Group>,
        result: Result<PreparedGroup, RequestError>,
        reply: &Reply<()>,
    ) {
        let others = self.preparing.remove(&group.name).unwrap_or_default();
        let already = RequestError::AlreadyAdded(group.name.clone());
        let answer = match result {
            Err(error) => Err(error),
            Ok(_) if !self.mood.starts_allowed() => Err(RequestError::ShutdownState),
            Ok(_) if self.group_orders.contains_key(&group.name) => Err(already.clone()),
            Ok(prepared) => {
                let keys = self.activate(group, prepared);
                self.autostart(&keys);
                Ok(())
            }
        };
        for other in others {
            let _ = other.try_send(Err(answer.clone().err().unwrap_or_else(|| already.clone())));
        }
        let _ = reply.try_send(answer);
    }

    /// Makes a group active. Its processes are there then, all STOPPED.
    pub(crate) fn activate(&mut self, group: Arc<spec::Group>, prepared: PreparedGroup) -> Vec<ProcessKey> {
        self.activations += 1;
        let order = (group.priority, self.activations);
        let inside = self.configured.own.get(&group.name).map(|own| own.inside.clone()).unwrap_or_default();
        let mut keys = Vec::with_capacity(group.processes.len());
        for settings in &group.processes {
            self.keys += 1;
            let name = Arc::new(ProcessName::new(group.name.clone(), settings.name.clone()));
            let socket = settings
                .socket
                .as_ref()
                .and_then(|wanted| prepared.sockets.iter().find(|socket| socket.settings() == wanted).cloned());
            let entry = Entry {
                name: Arc::clone(&name),
                group: order,
                settings: Arc::clone(settings),
                machine: ProcessMachine::default(),
                run: 0,
                live: None,
                logs: log_paths(settings, &prepared.autos),
                sinks: Sinks::default(),
                socket,
                protocol: matches!(group.kind, GroupKind::EventListener(_)).then(Protocol::new),
                waiters: Vec::new(),
                watchers: Vec::new(),
                inside: inside.clone(),
                scheduled: None,
                stop_report: None,
                history: History::default(),
                signal_error: String::new(),
            };
            self.processes.insert(self.keys, Box::new(entry));
            self.names.insert(name, self.keys);
            keys.push(self.keys);
        }
        if let GroupKind::EventListener(pool) = &group.kind {
            self.subscribe_pool(&group.name, pool, &keys);
        }
        self.group_orders.insert(group.name.clone(), order);
        let name = group.name.clone();
        self.groups.insert(order, ActiveGroup { settings: group, processes: keys.clone(), autos: prepared.autos });
        self.publish(&Occurrence::GroupAdded { group: name });
        keys
    }

    /// Starts what shall start by itself, in the order of the configuration.
    pub(crate) fn autostart(&mut self, keys: &[ProcessKey]) {
        for key in keys {
            if self.processes.get(key).is_some_and(|entry| entry.settings.autostart) {
                self.step(*key, Input::Start);
            }
        }
    }

    /// Drops a group whose processes are all stopped.
    pub(crate) fn remove_group(&mut self, name: &str) -> Result<(), RequestError> {
        if !self.mood.starts_allowed() {
            return Err(RequestError::ShutdownState);
        }
        let order = *self.group_orders.get(name).ok_or_else(|| RequestError::BadName(name.to_owned()))?;
        let stopped = |key: &ProcessKey| self.processes.get(key).is_none_or(|entry| entry.machine.state().is_stopped());
        if !self.groups.get(&order).is_none_or(|group| group.processes.iter().all(stopped)) {
            return Err(RequestError::StillRunning(name.to_owned()));
        }
        self.group_orders.remove(name);
        let Some(group) = self.groups.remove(&order) else { return Ok(()) };
        for key in &group.processes {
            if let Some(entry) = self.processes.remove(key) {
                self.names.remove(&entry.name);
            }
        }
        self.unsubscribe_pool(name);
        // As long as the configuration is not read again, the group comes back with the same files.
        if self.configured.groups.iter().any(|configured| Arc::ptr_eq(configured, &group.settings)) {
            self.configured.autos.insert(name.to_owned(), group.autos);
        }
        self.publish(&Occurrence::GroupRemoved { group: name.to_owned() });
        Ok(())
    }

    /// The configuration was read again: it counts from now on.
    pub(crate) fn configure(&mut self, groups: Vec<spec::Group>) -> ConfigDiff {
        self.configured.replace(groups);
        self.configured.autos = HashMap::new();
        let active: HashMap<&str, &Arc<spec::Group>> =
            self.groups.values().map(|group| (group.settings.name.as_str(), &group.settings)).collect();
        let mut diff = ConfigDiff::default();
        for group in &self.configured.groups {
            match active.get(group.name.as_str()) {
                None => diff.added.push(group.name.clone()),
                Some(settings) if *settings != group => diff.changed.push(group.name.clone()),
                Some(_) => {}
            }
        }
        let configured: HashSet<&str> = self.configured.groups.iter().map(|group| group.name.as_str()).collect();
        let mut removed: Vec<(u64, &str)> = self
            .groups
            .iter()
            .map(|((_, activation), group)| (*activation, group.settings.name.as_str()))
            .filter(|(_, name)| !configured.contains(name))
            .collect();
        removed.sort_unstable();
        diff.removed = removed.into_iter().map(|(_, name)| name.to_owned()).collect();
        diff
    }

    /// A group as it runs and as it is configured.
    pub(crate) fn group_settings(&self, name: &str) -> GroupSettings {
        let order = self.group_orders.get(name);
        let active = order.and_then(|order| self.groups.get(order)).map(|group| Arc::clone(&group.settings));
        let configured = self.configured.groups.iter().find(|group| group.name == name).map(Arc::clone);
        GroupSettings { active, configured }
    }

    /// Every configured process, by process name, then group priority and name.
    pub(crate) fn configurations(&self) -> Vec<ConfigInfo> {
        let mut infos = Vec::new();
        for group in &self.configured.groups {
            let active = self.group_orders.get(&group.name).and_then(|order| self.groups.get(order));
            let autos = active.map(|active| &active.autos).or_else(|| self.configured.autos.get(&group.name));
            let chosen = |process: &str, stream| {
                autos.and_then(|autos| autos.path(process, stream)).map(|path| path.to_path_buf())
            };
            infos.extend(group.processes.iter().map(|settings| ConfigInfo {
                group: group.name.clone(),
                group_priority: group.priority,
                in_use: active.is_some(),
                stdout_auto: chosen(&settings.name, Stream::Stdout),
                stderr_auto: chosen(&settings.name, Stream::Stderr),
                settings: Arc::clone(settings),
            }));
        }
        infos.sort_by(|a, b| {
            (&a.settings.name, a.group_priority, &a.group).cmp(&(&b.settings.name, b.group_priority, &b.group))
        });
        infos
    }
}

/// Where a process's output goes.
fn log_paths(settings: &spec::Process, autos: &AutoLogs) -> LogPaths {
    let path = |channel: &Channel, stream| match &channel.logfile {
        LogFile::Auto => autos.path(&settings.name, stream).map(Arc::clone),
        LogFile::None | LogFile::Empty => None,
        LogFile::Path(path) => Some(path.as_path().into()),
    };
    LogPaths {
        stdout: path(&settings.stdout, Stream::Stdout),
        stderr: if settings.redirect_stderr { None } else { path(&settings.stderr, Stream::Stderr) },
    }
}
