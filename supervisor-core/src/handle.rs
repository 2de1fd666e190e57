//! The handle: every verb of the supervisor, for whoever holds it.
//!
//! Decides nothing: each verb posts a [`Request`] to the loop and waits for the answer. Dropping the future of a verb
//! abandons the wait, never the work. A full mailbox makes the sender wait, so that clients cannot flood the loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_channel::Sender;

use crate::RequestError;
use crate::activity::ActivityLog;
use crate::domain::event_type::EventType;
use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::domain::signal::Signal;
use crate::domain::state::SupervisorState;
use crate::group::ProcessGroup;
use crate::listener::{Events, SubscriberInfo};
use crate::offload;
use crate::process::{ConfigDiff, ConfigInfo, GroupSettings, Outcome, ProcessInfo, ProcessUsage, StateRecord};
use crate::request::{Reply, Request, Target, Verb};
use crate::sys::usage::{self, Usage};

mod definitions;
mod logs;

/// What is shared between all handles and the loop, readable without asking it.
pub(crate) struct Shared {
    pub(crate) identifier: String,
    pub(crate) activity: Arc<dyn ActivityLog>,
    pub(crate) state: AtomicU8,
}

impl Shared {
    pub(crate) fn set_state(&self, state: SupervisorState) {
        let value = match state {
            SupervisorState::Running => 1,
            SupervisorState::Restarting => 2,
            SupervisorState::Shutdown => 3,
            SupervisorState::Fatal => 4,
        };
        self.state.store(value, Ordering::SeqCst);
    }
}

/// Controls a running [`Supervisor`](crate::Supervisor). Cheap to clone; stays valid when the supervisor has ended, and
/// then answers [`RequestError::Gone`].
#[derive(Clone)]
pub struct Handle {
    mailbox: Sender<Request>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("identifier", &self.shared.identifier).finish_non_exhaustive()
    }
}

type Answer<T> = Result<T, RequestError>;

impl Handle {
    pub(crate) fn new(mailbox: Sender<Request>, shared: Arc<Shared>) -> Self {
        Self { mailbox, shared }
    }

    async fn ask<T>(&self, make: impl FnOnce(Reply<T>) -> Request) -> Answer<T> {
        let (reply, answer) = async_channel::bounded(1);
        self.mailbox.send(make(reply)).await.map_err(|_| RequestError::Gone)?;
        answer.recv().await.map_err(|_| RequestError::Gone)?
    }

    async fn tell(&self, request: Request) -> Answer<()> {
        self.mailbox.send(request).await.map_err(|_| RequestError::Gone)
    }

    async fn control(&self, target: Target, verb: Verb) -> Answer<Vec<Outcome>> {
        self.ask(|reply| Request::Control { target, verb, reply }).await
    }

    async fn control_one(&self, name: &ProcessName, verb: Verb) -> Answer<()> {
        let mut outcomes = self.control(Target::Process(name.clone()), verb).await?;
        outcomes.pop().map_or(Err(RequestError::Gone), |outcome| outcome.result)
    }

    /// The identifier (Supervisor 4.3: `identifier`).
    pub fn identifier(&self) -> &str {
        &self.shared.identifier
    }

    /// The state of the supervisor itself, at once.
    pub fn state(&self) -> SupervisorState {
        match self.shared.state.load(Ordering::SeqCst) {
            2 => SupervisorState::Restarting,
            3 => SupervisorState::Shutdown,
            4 => SupervisorState::Fatal,
            _ => SupervisorState::Running,
        }
    }

    /// Writes a line into the activity log.
    pub fn log(&self, level: Level, text: &str) {
        if self.shared.activity.enabled(level) {
            self.shared.activity.write(level, text);
        }
    }

    /// The activity log itself.
    pub fn activity_log(&self) -> &Arc<dyn ActivityLog> {
        &self.shared.activity
    }

    /// The verbs of one group.
    pub fn group(&self, name: impl Into<String>) -> ProcessGroup {
        ProcessGroup::new(self.clone(), name.into())
    }

    /// A snapshot of one process.
    ///
    /// # Errors
    /// [`RequestError::BadName`].
    pub async fn process(&self, name: &ProcessName) -> Answer<ProcessInfo> {
        let name = name.clone();
        self.ask(|reply| Request::Info { name, reply }).await
    }

    /// Snapshots of all processes of the active groups, sorted by group, then process name.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn processes(&self) -> Answer<Vec<ProcessInfo>> {
        self.ask(|reply| Request::Infos { reply }).await
    }

    /// The last changes of a process's state, at most sixteen, the oldest first.
    ///
    /// # Errors
    /// [`RequestError::BadName`].
    pub async fn history(&self, name: &ProcessName) -> Answer<Vec<StateRecord>> {
        let name = name.clone();
        self.ask(|reply| Request::History { name, reply }).await
    }

    /// CPU time and memory of every process that runs now, sorted as [`processes`](Self::processes). Read from the system
    /// when asked for, off the loop; processes of which the system tells nothing are left out.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn usages(&self) -> Answer<Vec<ProcessUsage>> {
        let infos = self.processes().await?;
        let look = move || {
            let running = infos.into_iter().filter_map(|info| Some((info.name, info.pid?)));
            let usage = |(name, pid)| {
                let Usage { cpu_time, memory } = usage::of_child(pid)?;
                Some(ProcessUsage::new(name, pid, cpu_time, memory))
            };
            running.filter_map(usage).collect()
        };
        Ok(offload::unblock(look).await)
    }

    /// A group as it runs and as it is configured; for a name that is neither, nothing.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn group_settings(&self, name: &str) -> Answer<GroupSettings> {
        let name = name.to_owned();
        self.ask(|reply| Request::GroupSettings { name, reply }).await
    }

    /// Every process of the last read configuration, sorted by process name.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn configurations(&self) -> Answer<Vec<ConfigInfo>> {
        self.ask(|reply| Request::Configurations { reply }).await
    }

    /// Starts a process; resolves once it is RUNNING.
    ///
    /// # Errors
    /// Why not: [`NoFile`](RequestError::NoFile), [`NotExecutable`](RequestError::NotExecutable),
    /// [`AlreadyStarted`](RequestError::AlreadyStarted), [`SpawnError`](RequestError::SpawnError) as soon as the first
    /// attempt fails (retries go on), [`AbnormalTermination`](RequestError::AbnormalTermination).
    pub async fn start(&self, name: &ProcessName) -> Answer<()> {
        self.control_one(name, Verb::Start { wait: true }).await
    }

    /// Starts a process; resolves once it is spawned.
    ///
    /// # Errors
    /// As [`start`](Self::start), as far as it is known by then.
    pub async fn start_nowait(&self, name: &ProcessName) -> Answer<()> {
        self.control_one(name, Verb::Start { wait: false }).await
    }

    /// Starts every stopped process of a group, in order, without waiting for one before the next. Results in the order
    /// in which they were known.
    ///
    /// # Errors
    /// [`RequestError::BadName`].
    pub async fn start_group(&self, group: &str, wait: bool) -> Answer<Vec<Outcome>> {
        self.control(Target::Group(group.to_owned()), Verb::Start { wait }).await
    }

    /// Starts every stopped process.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn start_all(&self, wait: bool) -> Answer<Vec<Outcome>> {
        self.control(Target::All, Verb::Start { wait }).await
    }

    /// Stops a process; resolves once it has ended, at the latest some moments after `stopwaitsecs`.
    ///
    /// # Errors
    /// [`NotRunning`](RequestError::NotRunning), also while it is stopping already; [`Failed`](RequestError::Failed) when
    /// it cannot be signalled.
    pub async fn stop(&self, name: &ProcessName) -> Answer<()> {
        self.control_one(name, Verb::Stop { wait: true }).await
    }

    /// Stops a process; resolves once the stop signal is sent.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub async fn stop_nowait(&self, name: &ProcessName) -> Answer<()> {
        self.control_one(name, Verb::Stop { wait: false }).await
    }

    /// Stops every running process of a group.
    ///
    /// # Errors
    /// [`RequestError::BadName`].
    pub async fn stop_group(&self, group: &str, wait: bool) -> Answer<Vec<Outcome>> {
        self.control(Target::Group(group.to_owned()), Verb::Stop { wait }).await
    }

    /// Stops every running process.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn stop_all(&self, wait: bool) -> Answer<Vec<Outcome>> {
        self.control(Target::All, Verb::Stop { wait }).await
    }

    /// Stops a process if it runs, then starts it.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(&self, name: &ProcessName) -> Answer<()> {
        match self.stop(name).await {
            Ok(()) | Err(RequestError::NotRunning(_)) => self.start(name).await,
            Err(error) => Err(error),
        }
    }

    /// Sends a signal to a process (never to its process group).
    ///
    /// # Errors
    /// [`NotRunning`](RequestError::NotRunning) unless STARTING, RUNNING or STOPPING.
    pub async fn signal(&self, name: &ProcessName, signal: Signal) -> Answer<()> {
        self.control_one(name, Verb::Signal(signal)).await
    }

    /// Sends a signal to every process of a group that can be signalled.
    ///
    /// # Errors
    /// [`RequestError::BadName`].
    pub async fn signal_group(&self, group: &str, signal: Signal) -> Answer<Vec<Outcome>> {
        self.control(Target::Group(group.to_owned()), Verb::Signal(signal)).await
    }

    /// Sends a signal to every process that can be signalled.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn signal_all(&self, signal: Signal) -> Answer<Vec<Outcome>> {
        self.control(Target::All, Verb::Signal(signal)).await
    }

    /// Says who could be sent a signal, and sends none: an outcome for each process of the group, or of all groups, that
    /// a signal would reach, in the order in which it would (`kill(2)`: signal 0).
    ///
    /// # Errors
    /// [`RequestError::BadName`].
    pub async fn signallable(&self, group: Option<&str>) -> Answer<Vec<Outcome>> {
        let target = group.map_or(Target::All, |group| Target::Group(group.to_owned()));
        self.control(target, Verb::NullSignal).await
    }

    /// Queues bytes for the stdin of a process, at most 8 MiB in all.
    ///
    /// # Errors
    /// [`NotRunning`](RequestError::NotRunning), [`NoStdin`](RequestError::NoStdin), [`Failed`](RequestError::Failed) when
    /// the queue is full.
    pub async fn send_stdin(&self, name: &ProcessName, bytes: impl Into<Vec<u8>>) -> Answer<()> {
        let (name, bytes) = (name.clone(), bytes.into());
        self.ask(|reply| Request::SendStdin { name, bytes, reply }).await
    }

    /// Publishes a REMOTE_COMMUNICATION event, in every state.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn send_remote_event(&self, event_type: &str, data: &str) -> Answer<()> {
        self.tell(Request::RemoteEvent { event_type: event_type.to_owned(), data: data.to_owned() }).await
    }

    /// Activates a group of the last read configuration; its `autostart` processes start straight after.
    ///
    /// # Errors
    /// [`AlreadyAdded`](RequestError::AlreadyAdded), [`BadName`](RequestError::BadName),
    /// [`Failed`](RequestError::Failed) when its logs or shared socket cannot be made.
    pub async fn add_group(&self, name: &str) -> Answer<()> {
        let name = name.to_owned();
        self.ask(|reply| Request::AddGroup { name, reply }).await
    }

    /// Drops an active group.
    ///
    /// # Errors
    /// [`StillRunning`](RequestError::StillRunning) unless every process is stopped; [`BadName`](RequestError::BadName).
    pub async fn remove_group(&self, name: &str) -> Answer<()> {
        let name = name.to_owned();
        self.ask(|reply| Request::RemoveGroup { name, reply }).await
    }

    /// Reads the configuration again and compares it with the active groups; changes nothing that runs.
    ///
    /// # Errors
    /// [`CantReread`](RequestError::CantReread).
    pub async fn reload_config(&self) -> Answer<ConfigDiff> {
        self.ask(|reply| Request::Reload { reply }).await
    }

    /// Closes and opens the activity log and the logs of all processes (SIGUSR2).
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn reopen_logs(&self) -> Answer<()> {
        self.tell(Request::ReopenLogs).await
    }

    /// A stream of events of these types. At most `buffer` undelivered ones are kept; older ones are dropped and counted.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn events(&self, types: &[EventType], buffer: usize) -> Answer<Events> {
        let types = types.to_vec();
        self.ask(|reply| Request::Subscribe { types, buffer, reply }).await
    }

    /// Who hears of events, in the order of subscription: what waits for each, and what was delivered, rejected, dropped.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn subscribers(&self) -> Answer<Vec<SubscriberInfo>> {
        self.ask(|reply| Request::Subscribers { reply }).await
    }

    /// Stops everything in order and ends the supervisor. Resolves when the request is taken.
    ///
    /// # Errors
    /// [`RequestError::Gone`].
    pub async fn shutdown(&self) -> Answer<()> {
        self.ask(|reply| Request::Shutdown { reply }).await
    }

    /// Stops everything in order and asks whoever runs the supervisor to start anew. The configuration is read first: if it
    /// does not load, everything runs on.
    ///
    /// # Errors
    /// [`RequestError::CantReread`]; [`RequestError::ShutdownState`].
    pub async fn restart_supervisor(&self) -> Answer<()> {
        self.ask(|reply| Request::Restart { reply }).await
    }
}
