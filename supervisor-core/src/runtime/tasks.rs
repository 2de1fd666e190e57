//! Runs tasks of the embedding program so that they look like processes: pipes, signals, an exit status.
//!
//! Decides nothing about their lives: whether and when to start and to signal is decided by the machine, as for programs.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_channel::{Receiver, Sender, WeakSender};
use async_io::Async;
use futures_lite::{FutureExt, future};

use crate::activity::ActivityLog;
use crate::domain::exit::ExitStatus;
use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::domain::signal::Signal;
use crate::domain::spec::{Channel, LogFile};
use crate::runtime::spawn::{Signaller, SpawnError, StartOrder, Started};
use crate::runtime::weak_executor::WeakExecutor;
use crate::sys::fds;
use crate::task::{Body, Ends, TaskContext};

/// Puts a future on an executor that runs it to its end.
pub(crate) type TaskSpawner = Arc<dyn Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync>;

/// The exit status of a task that panicked, as of a Rust program.
const PANICKED: u8 = 101;

/// The end of a task that was dropped.
const KILLED: ExitStatus = ExitStatus::Signaled { signal: libc::SIGKILL, core_dumped: false };

/// How many signals may wait for a task.
const SIGNALS: usize = 64;

/// What the pipes of one start need, and some for others.
const DESCRIPTORS: u64 = 6 + 8;

/// Starts tasks.
#[derive(Clone)]
pub(crate) struct Tasks {
    /// Where they run, if not on an executor of the embedding program.
    pub(crate) executor: WeakExecutor,
    pub(crate) spawner: Option<TaskSpawner>,
    pub(crate) activity: Arc<dyn ActivityLog>,
}

impl Tasks {
    /// Starts a task.
    ///
    /// # Errors
    /// If there are no descriptors for its pipes, or its executor panics.
    pub(crate) fn start(&self, body: &Body, order: &StartOrder) -> Result<Started, SpawnError> {
        let name = order.name.process.as_str();
        let settings = &order.settings;
        if !fds::has_room(DESCRIPTORS) {
            return Err(SpawnError::System(format!("too many open files to spawn '{name}'")));
        }
        let trouble =
            |error: io::Error| SpawnError::System(format!("unknown error making dispatchers for '{name}': {error}"));
        let (stdin, their_stdin) = their_input().map_err(trouble)?;
        let (stdout, their_stdout) = their_output(&settings.stdout).map_err(trouble)?;
        let (stderr, their_stderr) = match settings.redirect_stderr {
            true => (None, None),
            false => their_output(&settings.stderr).map_err(trouble)?,
        };
        let (stopper, stop) = async_channel::bounded(1);
        let (signals, signals_in) = async_channel::bounded(SIGNALS);
        let (killer, kill) = async_channel::bounded(1);
        let (end, ended) = async_channel::bounded(1);
        let heeds = Arc::new(AtomicBool::new(false));
        let context = TaskContext {
            name: ProcessName::clone(&order.name),
            stop,
            signals: signals_in,
            heeds: Arc::clone(&heeds),
            ends: Ends { stdin: Some(their_stdin), stdout: their_stdout, stderr: their_stderr },
        };
        let signaller = Arc::new(TaskSignaller {
            stop_signal: settings.stopsignal,
            heeds,
            stopper,
            signals,
            killer,
            end: end.downgrade(),
        });
        let life = live(Arc::clone(body), context, kill, end, Arc::clone(&self.activity));
        self.spawn(Box::pin(life)).map_err(|()| SpawnError::System(format!("no executor takes the task '{name}'")))?;
        // Its executor may drop it before it has ended.
        let exit = async move { ended.recv().await.unwrap_or(KILLED) };
        Ok(Started { pid: None, signaller, exit: Box::pin(exit), stdin: Some(stdin), stdout, stderr })
    }

    fn spawn(&self, life: Pin<Box<dyn Future<Output = ()> + Send>>) -> Result<(), ()> {
        match &self.spawner {
            None => self.executor.spawn(life),
            Some(spawner) => {
                std::panic::catch_unwind(AssertUnwindSafe(|| spawner(life))).map_err(drop)?;
            }
        }
        Ok(())
    }
}

/// One run of a task, until it returns, panics or is killed.
async fn live(
    body: Body,
    context: TaskContext,
    kill: Receiver<i32>,
    end: Sender<ExitStatus>,
    activity: Arc<dyn ActivityLog>,
) {
    let name = context.name.process.clone();
    let killed = async {
        // Whoever could signal is gone: so is the supervisor.
        let signal = kill.recv().await.unwrap_or(libc::SIGKILL);
        ExitStatus::Signaled { signal, core_dumped: false }
    };
    let work = async {
        let (status, reason) = match AssertUnwindSafe(async { body(context).await }).catch_unwind().await {
            Ok(ending) => ending,
            Err(panic) => (PANICKED, Some(format!("panicked: {}", panic_text(panic.as_ref())))),
        };
        if let Some(reason) = reason {
            activity.write(Level::Warn, &format!("task '{name}': {reason}"));
        }
        ExitStatus::Exited(status.into())
    };
    // The kill comes first, so that a task that never waits for long is ended, too. A panic while it is dropped is its end.
    let status = AssertUnwindSafe(async { future::or(killed, work).await }).catch_unwind().await;
    let _ = end.try_send(status.unwrap_or(ExitStatus::Exited(PANICKED.into())));
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

/// Signals a task: stop and KILL drop its future, or tell it if it asked to be told.
struct TaskSignaller {
    stop_signal: Signal,
    heeds: Arc<AtomicBool>,
    stopper: Sender<()>,
    signals: Sender<Signal>,
    killer: Sender<i32>,
    /// Gone when the task has ended.
    end: WeakSender<ExitStatus>,
}

impl Signaller for TaskSignaller {
    fn signal(&self, signal: i32, _whole_group: bool) -> io::Result<()> {
        if self.end.upgrade().is_none() {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        let stops = signal == self.stop_signal.number();
        if signal == libc::SIGKILL || (stops && !self.heeds.load(Ordering::SeqCst)) {
            // One that waits already is enough.
            let _ = self.killer.try_send(signal);
            return Ok(());
        }
        if stops {
            self.stopper.close();
        }
        if self.heeds.load(Ordering::SeqCst)
            && let Some(signal) = Signal::from_number(signal)
        {
            let _ = self.signals.try_send(signal);
        }
        Ok(())
    }
}

/// Our end and the task's end of a pipe to it.
fn their_input() -> io::Result<(OwnedFd, Async<OwnedFd>)> {
    let (reader, writer) = io::pipe()?;
    let writer = OwnedFd::from(writer);
    rustix::io::ioctl_fionbio(&writer, true)?;
    Ok((writer, Async::new(OwnedFd::from(reader))?))
}

/// Our end and the task's end of a pipe from it, if anybody wants what comes through it.
fn their_output(channel: &Channel) -> io::Result<(Option<OwnedFd>, Option<Async<OwnedFd>>)> {
    let kept = !matches!(channel.logfile, LogFile::None | LogFile::Empty);
    if !kept && !channel.syslog && !channel.events_enabled && channel.capture_maxbytes <= 0 {
        return Ok((None, None));
    }
    let (reader, writer) = io::pipe()?;
    let reader = OwnedFd::from(reader);
    rustix::io::ioctl_fionbio(&reader, true)?;
    Ok((Some(reader), Some(Async::new(OwnedFd::from(writer))?)))
}
