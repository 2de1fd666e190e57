//! Tasks: async functions of the embedding program, supervised beside real processes.
//!
//! Only the contract is here: what a task is, what it is given, and what its end means. `runtime/tasks.rs` runs it. A task
//! has the states, settings, events, logs and verbs of a program; what it lacks is said at [`Task`].

use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_channel::Receiver;
use async_io::Async;

use crate::config::ConfigError;
use crate::domain::host::Host;
use crate::domain::name::ProcessName;
use crate::domain::signal::Signal;
use crate::domain::spec::{Autorestart, Group};
use crate::program::Program;

/// The future of a task: resolves with its exit status and what there is to say about it.
pub(crate) type Work = Pin<Box<dyn Future<Output = (u8, Option<String>)> + Send>>;

/// Begins a task anew, once for each start.
pub(crate) type Body = Arc<dyn Fn(TaskContext) -> Work + Send + Sync>;

/// What a task returns: its exit status, as a program has one.
pub trait Ending {
    /// The exit status, compared with `exitcodes`.
    fn status(&self) -> u8;

    /// Why, for the activity log.
    fn reason(&self) -> Option<String> {
        None
    }
}

impl Ending for () {
    fn status(&self) -> u8 {
        0
    }
}

impl Ending for u8 {
    fn status(&self) -> u8 {
        *self
    }
}

/// An error is exit status 1.
impl<T: Ending, E: fmt::Display> Ending for Result<T, E> {
    fn status(&self) -> u8 {
        self.as_ref().map_or(1, Ending::status)
    }

    fn reason(&self) -> Option<String> {
        match self {
            Ok(ending) => ending.reason(),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// An async function of this program that is supervised like a program, as one or more processes in a group of its name.
///
/// It has the same states, settings, events and verbs. Its pid is unknown: `None` in snapshots, 0 on the wire. What its
/// function returns is its exit status ([`Ending`]), a panic is 101.
///
/// **Stopping.** The stop signal ends a task as it would end a program without a handler: its future is dropped at the next
/// point where it waits. A task that has called [`TaskContext::stopped`] or [`TaskContext::signal`] is told instead and may
/// tidy up; if it has not returned after `stopwaitsecs`, SIGKILL is sent, and that drops its future. Other signals reach
/// those who asked for signals and nobody else.
///
/// **What cannot be forced.** A future is dropped only where it waits. A task that blocks its thread, or computes without
/// end, stays STOPPING, and by default it blocks the supervisor with it, which runs on the same thread. Work that blocks
/// belongs on threads of its own; [`Builder::spawn_tasks_with`](crate::Builder::spawn_tasks_with) puts tasks on an executor of
/// your choice. What a task has started elsewhere (threads, tasks of its own) is not ended with it.
///
/// ```
/// use supervisor_core::{Task, domain::spec::Autorestart};
///
/// let cleaner = Task::new("cleaner", |context| async move {
///     let stopped = context.stopped();
///     context.write_stdout(b"tidying up\n").await?;
///     stopped.await;
///     std::io::Result::Ok(())
/// })
/// .autorestart(Autorestart::Always)
/// .stdout_logfile("AUTO");
/// ```
#[derive(Clone)]
pub struct Task {
    program: Program,
    body: Body,
}

macro_rules! forwarded {
    ($($key:ident: $type:ty;)*) => {
        impl Task {
            $(
                #[doc = concat!("As [`Program::", stringify!($key), "`].")]
                #[must_use]
                pub fn $key(self, value: $type) -> Self {
                    Self { program: self.program.$key(value), ..self }
                }
            )*
        }
    };
}

forwarded! {
    process_name: impl Into<String>;
    numprocs: i64;
    numprocs_start: i64;
    priority: i64;
    autostart: bool;
    autorestart: Autorestart;
    startsecs: i64;
    startretries: i64;
    exitcodes: impl IntoIterator<Item = i32>;
    stopsignal: Signal;
    stopwaitsecs: i64;
    redirect_stderr: bool;
    stdout_logfile_maxbytes: i64;
    stdout_logfile_backups: i64;
    stdout_capture_maxbytes: i64;
    stdout_events_enabled: bool;
    stdout_syslog: bool;
    stderr_logfile_maxbytes: i64;
    stderr_logfile_backups: i64;
    stderr_capture_maxbytes: i64;
    stderr_events_enabled: bool;
    stderr_syslog: bool;
}

impl Task {
    /// A task of this name that calls `begin` at each start, everything else at its default; its logs are `NONE`.
    pub fn new<F, W>(name: impl Into<String>, begin: F) -> Self
    where
        F: Fn(TaskContext) -> W + Send + Sync + 'static,
        W: Future<Output: Ending> + Send + 'static,
    {
        let begin = Arc::new(begin);
        let body: Body = Arc::new(move |context| {
            // The function runs where the future does, so that a panic in it costs the task only.
            let begin = Arc::clone(&begin);
            Box::pin(async move {
                let ending = begin(context).await;
                (ending.status(), ending.reason())
            })
        });
        let program = Program::new(name, "task").stdout_logfile("NONE").stderr_logfile("NONE");
        Self { program, body }
    }

    /// `stdout_logfile`: a path, `AUTO` or `NONE`. Default `NONE`: what is written is dropped.
    #[must_use]
    pub fn stdout_logfile(self, value: impl Into<String>) -> Self {
        Self { program: self.program.stdout_logfile(value), ..self }
    }

    /// `stderr_logfile`: a path, `AUTO` or `NONE`. Default `NONE`: what is written is dropped.
    #[must_use]
    pub fn stderr_logfile(self, value: impl Into<String>) -> Self {
        Self { program: self.program.stderr_logfile(value), ..self }
    }

    pub(crate) fn build(self, host: &dyn Host) -> Result<(Group, Body), ConfigError> {
        let mut group = self.program.build(host)?;
        for process in &mut group.processes {
            Arc::make_mut(process).command = String::new();
        }
        Ok((group, self.body))
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.program).finish()
    }
}

/// The task's ends of its streams; `None` where nobody listens or writes.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    pub(crate) stdin: Option<Async<OwnedFd>>,
    pub(crate) stdout: Option<Async<OwnedFd>>,
    pub(crate) stderr: Option<Async<OwnedFd>>,
}

/// What a task is given at each start: who it is, how it hears of signals, and its streams.
#[derive(Debug)]
pub struct TaskContext {
    pub(crate) name: ProcessName,
    /// Closed once the stop signal has come.
    pub(crate) stop: Receiver<()>,
    pub(crate) signals: Receiver<Signal>,
    /// The task wants to be told of signals.
    pub(crate) heeds: Arc<AtomicBool>,
    pub(crate) ends: Ends,
}

impl TaskContext {
    /// The process's full name.
    pub fn name(&self) -> &ProcessName {
        &self.name
    }

    /// Resolves once the stop signal has come. From this call on the stop signal no longer drops the task, so call it
    /// early; the future may be awaited later and elsewhere.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        self.heeds.store(true, Ordering::SeqCst);
        let stop = self.stop.clone();
        async move {
            // Nothing is ever sent: an answer means that the channel is closed.
            let _ = stop.recv().await;
        }
    }

    /// True once the stop signal has come.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_closed()
    }

    /// The next signal that is sent to this task, the stop signal included. From this call on signals are kept for it, at
    /// most 64.
    pub fn signal(&self) -> impl Future<Output = Signal> + Send + use<> {
        self.heeds.store(true, Ordering::SeqCst);
        let signals = self.signals.clone();
        async move {
            match signals.recv().await {
                Ok(signal) => signal,
                // The supervisor is gone, and this task in a moment.
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Writes to the task's stdout, which goes to log, syslog and events as a program's does. Waits while these are slow.
    /// Nothing is kept unless a log, syslog, events or capture mode was asked for.
    ///
    /// # Errors
    /// What the system says of the pipe.
    pub async fn write_stdout(&self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        write_all(self.ends.stdout.as_ref(), bytes.as_ref()).await
    }

    /// The same for stderr.
    ///
    /// # Errors
    /// What the system says of the pipe.
    pub async fn write_stderr(&self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        write_all(self.ends.stderr.as_ref().or(self.ends.stdout.as_ref()), bytes.as_ref()).await
    }

    /// Reads what was sent to the task's stdin ([`Handle::send_stdin`](crate::Handle::send_stdin)); waits until there is
    /// something.
    ///
    /// # Errors
    /// What the system says of the pipe.
    pub async fn read_stdin(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(pipe) = &self.ends.stdin else { return Ok(0) };
        pipe.read_with(|pipe| rustix::io::read(pipe, &mut *buffer).map_err(io::Error::from)).await
    }
}

async fn write_all(pipe: Option<&Async<OwnedFd>>, mut bytes: &[u8]) -> io::Result<()> {
    let Some(pipe) = pipe else { return Ok(()) };
    while !bytes.is_empty() {
        let count = pipe.write_with(|pipe| rustix::io::write(pipe, bytes).map_err(io::Error::from)).await?;
        bytes = &bytes[count..];
    }
    Ok(())
}
