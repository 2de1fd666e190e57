//! One arm for each request.

use std::sync::Arc;

use crate::RequestError;
use crate::domain::level::Level;
use crate::domain::name::{Namespec, ProcessName};
use crate::event::occurrence::Occurrence;
use crate::offload;
use crate::process::Stream;
use crate::request::{Reply, Request};
use crate::runtime::engine::Engine;
use crate::runtime::message::{AfterReload, Notice};
use crate::runtime::stdin::StdinError;

impl Engine {
    /// Takes a request. The asker may be gone when it is answered; what it asked for is done all the same.
    pub(crate) fn request(&mut self, request: Request) {
        match request {
            Request::Control { target, verb, reply } => self.control(&target, verb, reply),
            Request::Info { name, reply } => self.inquire_one(&name, reply),
            Request::Infos { reply } => self.inquire_all(reply),
            Request::History { name, reply } => {
                let entry = self.find(&name).map(|key| self.processes.get(&key));
                let _ =
                    reply.try_send(entry.map(|entry| entry.map(|entry| entry.history.records()).unwrap_or_default()));
            }
            Request::GroupSettings { name, reply } => drop(reply.try_send(Ok(self.group_settings(&name)))),
            Request::Configurations { reply } => drop(reply.try_send(Ok(self.configurations()))),
            Request::SendStdin { name, bytes, reply } => drop(reply.try_send(self.send_stdin(&name, &bytes))),
            Request::RemoteEvent { event_type, data } => self.publish(&Occurrence::Remote { kind: event_type, data }),
            Request::AddGroup { name, reply } => self.add_group(&name, reply),
            Request::RemoveGroup { name, reply } => drop(reply.try_send(self.remove_group(&name))),
            Request::Define { defined, reply } => self.define(defined, reply),
            Request::Forget { name, reply } => drop(reply.try_send(self.forget(&name))),
            Request::WaitFor { name, states, reply } => self.wait_for(&name, states, reply),
            Request::Reload { reply } => self.reload(AfterReload::Compare(reply)),
            Request::LogPath { name, stream, reply } => drop(reply.try_send(self.log_path(&name, stream))),
            Request::Subscribers { reply } => drop(reply.try_send(Ok(self.subscriber_infos()))),
            Request::ReopenLogs => self.reopen_logs(),
            Request::Subscribe { types, buffer, reply } => drop(reply.try_send(Ok(self.subscribe(&types, buffer)))),
            Request::Shutdown { reply } => {
                self.begin_end(false);
                let _ = reply.try_send(Ok(()));
            }
            Request::Restart { reply } => self.restart(reply),
        }
    }

    fn send_stdin(&self, name: &ProcessName, bytes: &[u8]) -> Result<(), RequestError> {
        let entry = self.processes.get(&self.find(name)?).ok_or(RequestError::Gone)?;
        let live = entry.live.as_ref().filter(|_| entry.machine.state().is_running());
        let live = live.ok_or_else(|| RequestError::NotRunning(name.clone()))?;
        let stdin = live.stdin.as_ref().ok_or_else(|| RequestError::NoStdin(name.clone()))?;
        stdin.send(bytes, &self.executor).map_err(|error| match error {
            StdinError::Closed => RequestError::NoStdin(name.clone()),
            StdinError::Full => RequestError::Failed(format!("{name} stdin queue full")),
        })
    }

    fn log_path(&self, name: &Namespec, stream: Stream) -> Result<Option<std::path::PathBuf>, RequestError> {
        let process = name.process.clone().ok_or_else(|| RequestError::BadName(format!("{}:*", name.group)))?;
        let key = self.find(&ProcessName { group: name.group.clone(), process })?;
        let logs = self.processes.get(&key).map(|entry| &entry.logs);
        let path = logs.and_then(|logs| match stream {
            Stream::Stdout => logs.stdout.as_deref(),
            Stream::Stderr => logs.stderr.as_deref(),
        });
        Ok(path.map(Into::into))
    }

    /// Reads the configuration, off the loop; [`Engine::reloaded`] goes on.
    fn reload(&mut self, then: AfterReload) {
        let (source, notices) = (self.source.clone(), self.notices.clone());
        let present = self.configured.read();
        self.executor
            .spawn(async move {
                let result = match source {
                    Some(source) => offload::unblock(move || source.load()).await,
                    None => Ok(present),
                };
                // An error means that the supervisor has ended.
                let _ = notices.send(Notice::Reloaded { result, then }).await;
            })
            .detach();
    }

    /// The configuration was read, or could not be.
    pub(crate) fn reloaded(&mut self, result: Result<Vec<crate::domain::spec::Group>, String>, then: AfterReload) {
        match (result, then) {
            (_, AfterReload::Compare(reply)) if !self.mood.starts_allowed() => {
                let _ = reply.try_send(Err(RequestError::ShutdownState));
            }
            (Ok(groups), AfterReload::Compare(reply)) => {
                let answer = match self.configured.clash(&groups) {
                    None => Ok(self.configure(groups)),
                    Some(text) => Err(RequestError::CantReread(text)),
                };
                let _ = reply.try_send(answer);
            }
            (Err(text), AfterReload::Compare(reply)) => drop(reply.try_send(Err(RequestError::CantReread(text)))),
            (Ok(_), AfterReload::Restart(reply)) => {
                self.begin_end(true);
                let _ = reply.try_send(Ok(()));
            }
            (Err(text), AfterReload::Restart(reply)) => {
                self.log(Level::Error, || format!("restart refused, everything runs on: {text}"));
                let _ = reply.try_send(Err(RequestError::CantReread(text)));
            }
        }
    }

    /// A restart that could not come back is refused: the configuration is read first.
    fn restart(&mut self, reply: Reply<()>) {
        if self.mood.starts_allowed() {
            self.reload(AfterReload::Restart(reply));
        } else {
            let _ = reply.try_send(Err(RequestError::ShutdownState));
        }
    }

    /// Closes and opens every log, off the loop. None waits for another: the activity log may be the one that hangs.
    fn reopen_logs(&mut self) {
        self.log(Level::Info, || "supervisord logreopen".to_owned());
        let activity = Arc::clone(self.activity());
        let lanes = Arc::clone(self.door.lanes());
        self.executor.spawn(async move { lanes.reopen().await }).detach();
        self.executor
            .spawn(async move {
                let log = Arc::clone(&activity);
                if let Err(error) = offload::unblock(move || log.reopen()).await {
                    activity.write(Level::Error, &format!("could not reopen the activity log: {error}"));
                }
            })
            .detach();
    }
}
