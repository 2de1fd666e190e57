//! Turns one start order into a running, watched process: logs opened, process spawned, output read, end awaited.
//!
//! Called on threads that may block (the start lane). Decides nothing: whether and when to start was decided by the
//! machine.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Sender;
use futures_lite::future;

use crate::activity::ActivityLog;
use crate::definition::{Inside, Pipes};
use crate::domain::exit::ExitStatus;
use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::domain::spec::Channel;
use crate::offload;
use crate::process::Stream;
use crate::runtime::clock::Clock;
use crate::runtime::command::ResolvedCommand;
use crate::runtime::fastcgi::{OpenSocket, SharedSocket};
use crate::runtime::lane::Lanes;
use crate::runtime::message::{Notice, ProcessKey, Run};
use crate::runtime::output::{ChannelPlan, OutputNotice, OutputReport};
use crate::runtime::pressure::Pressure;
use crate::runtime::sink::{LogSink, Share};
use crate::runtime::spawn::{Signaller, SpawnError, Spawner, StartOrder, Started};
use crate::runtime::state_file::StateFile;
use crate::runtime::state_file::record::Record;
use crate::runtime::stdin::Stdin;
use crate::runtime::tasks::Tasks;
use crate::runtime::weak_executor::WeakExecutor;
use crate::sys::{errno, pinned};
use crate::task::Body;

/// The end of a process is told at the latest this long after it happened, even if its log cannot be written meanwhile.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// The log files of a process's two channels, as far as it has any.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogPaths {
    pub(crate) stdout: Option<Arc<Path>>,
    pub(crate) stderr: Option<Arc<Path>>,
}

/// The open log files of a process's two channels.
#[derive(Clone, Default)]
pub(crate) struct Sinks {
    pub(crate) stdout: Option<Arc<LogSink>>,
    pub(crate) stderr: Option<Arc<LogSink>>,
}

/// A start to be made.
pub(crate) struct LaunchJob {
    pub(crate) key: ProcessKey,
    pub(crate) run: Run,
    pub(crate) order: StartOrder,
    pub(crate) logs: LogPaths,
    pub(crate) socket: Option<Arc<SharedSocket>>,
    /// Its stdout is the event listener protocol.
    pub(crate) listener: bool,
    /// What of it lives inside this program.
    pub(crate) inside: Inside,
}

/// A process that was started.
pub(crate) struct Launched {
    /// A task of the embedding program has none.
    pub(crate) pid: Option<u32>,
    pub(crate) signaller: Arc<dyn Signaller>,
    pub(crate) stdin: Option<Stdin>,
    pub(crate) sinks: Sinks,
}

/// What remains to be done once the loop has been told of the process.
pub(crate) struct Watch {
    key: ProcessKey,
    run: Run,
    /// Pid and moment of birth, if they are written down in the state file.
    written: Option<(u32, u64)>,
    exit: Pin<Box<dyn Future<Output = ExitStatus> + Send>>,
    channels: Vec<(OwnedFd, ChannelPlan)>,
    socket: Option<Arc<OpenSocket>>,
}

/// What is to be started.
enum What<'a> {
    Task(&'a Body),
    Command(ResolvedCommand),
}

/// Makes starts.
#[derive(Clone)]
pub(crate) struct Launcher {
    pub(crate) spawner: Arc<dyn Spawner>,
    pub(crate) tasks: Tasks,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) executor: WeakExecutor,
    pub(crate) notices: Sender<Notice>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) strip_ansi: bool,
    /// Where running processes are written down, if they are.
    pub(crate) state_file: Option<Arc<StateFile>>,
    pub(crate) activity: Arc<dyn ActivityLog>,
    pub(crate) pressure: Arc<Pressure>,
}

impl Launcher {
    /// Makes one start and tells the loop. Blocks; for the start lane.
    pub(crate) fn launch(&self, job: LaunchJob) {
        let (notice, watch) = self.start(job);
        // An error means that the supervisor has ended.
        if self.notices.send_blocking(notice).is_ok()
            && let Some(watch) = watch
        {
            self.watch(watch);
        }
    }

    /// The same within the executor, for spawners that do not block.
    pub(crate) async fn launch_inline(&self, job: LaunchJob) {
        let (notice, watch) = self.start(job);
        if self.notices.send(notice).await.is_ok()
            && let Some(watch) = watch
        {
            self.watch(watch);
        }
    }

    fn start(&self, job: LaunchJob) -> (Notice, Option<Watch>) {
        let (key, run) = (job.key, job.run);
        match self.try_start(job) {
            Ok((launched, watch)) => {
                (Notice::Launched { key, run, result: Ok(launched), at: self.clock.now() }, Some(watch))
            }
            Err(error) => (Notice::Launched { key, run, result: Err(error), at: self.clock.now() }, None),
        }
    }

    fn try_start(&self, job: LaunchJob) -> Result<(Launched, Watch), SpawnError> {
        let LaunchJob { key, run, mut order, logs, socket, listener, inside } = job;
        let settings = Arc::clone(&order.settings);
        let name = Arc::clone(&order.name);
        let what = match &inside {
            Inside::Task(body) => What::Task(body),
            Inside::Nothing | Inside::Pipes(_) => What::Command(self.spawner.resolve(&settings)?),
        };
        let trouble = |error: &io::Error| SpawnError::System(dispatcher_error(&name.process, error));
        let open = |path, stream, channel| self.open(path, &name, stream, channel).map_err(|error| trouble(&error));
        let stdout_log = open(logs.stdout, Stream::Stdout, &settings.stdout)?;
        let stderr_log = open(logs.stderr, Stream::Stderr, &settings.stderr)?;
        let sink = |log: &Option<Share>| log.as_ref().map(|log| Arc::clone(log.sink()));
        let sinks = Sinks { stdout: sink(&stdout_log), stderr: sink(&stderr_log) };
        let socket = match socket {
            None => None,
            Some(shared) => Some(shared.open().map_err(|error| {
                SpawnError::System(format!("Could not create FastCGI socket {}: {error}", shared.settings().address))
            })?),
        };
        order.socket = socket.as_ref().map(|open| open.fd());
        let (started, written) = match what {
            What::Task(body) => (self.tasks.start(body, &order)?, None),
            What::Command(command) => self.spawn(&mut order, &command)?,
        };
        let Started { pid, signaller, exit, mut stdin, mut stdout, stderr } = started;
        if let Inside::Pipes(take) = &inside {
            let pipes = Pipes { name: ProcessName::clone(&name), pid, stdin: stdin.take(), stdout: stdout.take() };
            // Whoever panics over them has dropped them: the program finds its streams closed.
            let _ = std::panic::catch_unwind(AssertUnwindSafe(|| take(pipes)));
        }
        let mut channels = Vec::with_capacity(2);
        for (fd, stream, channel, log) in [
            (stdout, Stream::Stdout, &settings.stdout, stdout_log),
            (stderr, Stream::Stderr, &settings.stderr, stderr_log),
        ] {
            let Some(fd) = fd else { continue };
            let plan = ChannelPlan {
                name: Arc::clone(&name),
                stream,
                settings: channel.clone(),
                log,
                strip_ansi: self.strip_ansi,
                listener: listener && stream == Stream::Stdout,
                report: Arc::new(Report {
                    key,
                    run,
                    pid: pid.unwrap_or(0),
                    stream,
                    notices: self.notices.clone(),
                    pressure: Arc::clone(&self.pressure),
                }),
            };
            channels.push((fd, plan));
        }
        let launched = Launched { pid, signaller, stdin: stdin.map(Stdin::new), sinks };
        Ok((launched, Watch { key, run, written, exit, channels, socket }))
    }

    /// Starts a process; if there is a state file, it is written down in it, and its pid and the moment of its birth are
    /// given.
    fn spawn(
        &self,
        order: &mut StartOrder,
        command: &ResolvedCommand,
    ) -> Result<(Started, Option<(u32, u64)>), SpawnError> {
        let Some(state_file) = &self.state_file else { return Ok((self.spawner.spawn(order, command)?, None)) };
        let before = pinned::moment();
        let starting = before.map(|before| state_file.starting(&Record::new(0, before, &order.name, &order.settings)));
        order.announcement = starting.as_ref().and_then(|starting| starting.announcement.clone());
        let started = self.spawner.spawn(order, command)?;
        let written = started.pid.and_then(|pid| self.write_down(state_file, pid, before, order));
        Ok((started, written))
    }

    /// Writes a process down that has been started since `before`.
    fn write_down(
        &self,
        state_file: &StateFile,
        pid: u32,
        before: Option<u64>,
        order: &StartOrder,
    ) -> Option<(u32, u64)> {
        // To ask the kernel would wait for the exec that has just begun.
        let birth = match before {
            Some(before) if pinned::moment() == Some(before) => before,
            // Nobody waits for it yet, so it is there, if only as a zombie, which needs no record.
            Some(_) | None => pinned::birth(pid)?,
        };
        if let Err(error) = state_file.started(Record::new(pid, birth, &order.name, &order.settings)) {
            let path = state_file.path().display();
            let text = format!("cannot write {path}, '{}' would not be known after a crash: {error}", order.name);
            self.activity.write(Level::Error, &text);
        }
        Some((pid, birth))
    }

    fn open(
        &self,
        path: Option<Arc<Path>>,
        name: &ProcessName,
        stream: Stream,
        channel: &Channel,
    ) -> io::Result<Option<Share>> {
        let Some(path) = path else { return Ok(None) };
        let who = format!("'{}' {}", name.process, stream.name());
        self.lanes.open(path, channel.logfile_maxbytes, channel.logfile_backups, who).map(Some)
    }

    fn watch(&self, watch: Watch) {
        let Watch { key, run, written, exit, channels, socket } = watch;
        // Not collected in place: that would keep the memory of the plans.
        let mut readers = Vec::with_capacity(channels.len());
        readers.extend(channels.into_iter().map(|(fd, plan)| (plan.stream, self.lanes.read(fd, plan))));
        let (clock, notices, state_file) = (Arc::clone(&self.clock), self.notices.clone(), self.state_file.clone());
        self.executor.spawn(async move {
            let status = exit.await;
            let at = clock.now();
            let last = state_file.filter(|file| written.is_some_and(|(pid, birth)| file.ended(pid, birth)));
            // In a box: most processes are running, so what follows their end takes no memory until then.
            Box::pin(async {
                let none = readers.is_empty() && last.is_none();
                let drained = async {
                    for (_, reader) in &readers {
                        reader.finish().await;
                    }
                    if let Some(state_file) = last {
                        // What stays is read by the next supervisor, and found to be of no consequence.
                        let _ = offload::unblock(move || state_file.tidy()).await;
                    }
                };
                if !none {
                    future::or(drained, clock.sleep_until(at.monotonic + DRAIN_LIMIT)).await;
                }
                let held_up = readers.iter().map(|(stream, reader)| (*stream, reader.held_up()));
                let held_up = held_up.filter(|(_, bytes)| *bytes > 0).collect();
                // An error means that the supervisor has ended.
                let _ = notices.send(Notice::Exited { key, run, status, at, held_up, socket }).await;
            })
            .await;
        });
    }
}

/// Why logs and pipes could not be made (Supervisor 4.3: spawn errors).
fn dispatcher_error(name: &str, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => format!("too many open files to spawn '{name}'"),
        _ => format!("unknown error making dispatchers for '{name}': {}", errno::describe(error)),
    }
}

/// Brings what a channel has to tell to the loop; the channel waits while the loop's box is full.
struct Report {
    key: ProcessKey,
    run: Run,
    pid: u32,
    stream: Stream,
    notices: Sender<Notice>,
    pressure: Arc<Pressure>,
}

impl OutputReport for Report {
    fn wants_output(&self) -> bool {
        self.pressure.is_wanted()
    }

    fn report(&self, notice: OutputNotice) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if matches!(notice, OutputNotice::Log(_)) {
                self.pressure.admit().await;
            }
            let Self { key, run, pid, stream, .. } = *self;
            let notice = Notice::Output { key, run, pid, stream, notice };
            // An error means that the supervisor has ended.
            let _ = self.notices.send(notice).await;
        })
    }
}
