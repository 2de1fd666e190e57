//! Starts real processes.
//!
//! Two ways to a child, which then does the same in both (`sys/child.rs`). `fork(2)`, by async-process, serves always.
//! `vfork(2)` (`sys/vfork.rs`) costs a fraction of it, the less the more programs there are, and is taken where the system
//! has it and the child need not become another user.
//!
//! The command is found and log files are opened by whoever calls, before.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::command::{self, ResolvedCommand};
use super::environment;
use super::signaller::{End, end_of, watch};
use super::spawn::{SpawnError, Spawner, StartOrder, Started};
use crate::domain::spec;
use crate::sys::birth::BirthNote;
use crate::sys::child::{Plan, Start, Who};
use crate::sys::errno;
use crate::sys::fds::{self, CloseOnExec};
use crate::sys::orphan::KnownChildren;
use crate::sys::privilege::Identity;
use crate::sys::rlimit;
use crate::sys::signals::Mask;
#[cfg(any(target_os = "linux", target_os = "android"))]
use {super::vforked::Vforked, crate::sys::vfork};

/// What one start needs for a moment: three pipes and the pidfd. A shared socket takes the place of a pipe.
const NEEDED: u64 = 7;

/// The pipe of a fork.
const NEEDED_TO_FORK: u64 = 2;

/// The slots of a vfork, once, where descriptors are not few; or the pipe of a fork.
const NEEDED_BESIDE: u64 = 4;

/// What a start needs for good: our ends of the pipes, the pidfd. Log files are open before.
const KEPT: u64 = 4;

/// So many are left for others, such as clients of an HTTP server, where descriptors are not few.
const RESERVE: u64 = 8;

/// How many descriptors must be free for one more start. Where they are few, what a start gives back at once is a part of
/// what is [still spared](fds::spared_still) for others.
fn needed(spared: Option<u64>, forks: bool, reserve: Option<u64>) -> u64 {
    let extra = if forks { NEEDED_TO_FORK } else { 0 };
    match (reserve, spared) {
        (Some(reserve), _) => NEEDED + NEEDED_BESIDE + reserve,
        (None, Some(spared)) => (NEEDED + extra).max(KEPT + spared),
        (None, None) => NEEDED + NEEDED_BESIDE + RESERVE,
    }
}

/// How to start processes.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpawnOptions {
    /// Hand on `NOTIFY_SOCKET`, `LISTEN_*` and `WATCHDOG_*`. Default false.
    pub(crate) pass_service_manager_env: bool,
    /// Descriptors that are left free for others, such as clients of an HTTP server. Default: by the limit.
    pub(crate) reserve: Option<u64>,
    /// Where children are made known to whoever reaps strangers. Default none.
    pub(crate) children: Option<Arc<KnownChildren>>,
}

/// Starts real processes. May be used by several threads at once.
#[derive(Debug)]
pub(crate) struct RealSpawner {
    options: SpawnOptions,
    close_on_exec: CloseOnExec,
    reset_oom_score: bool,
    /// False once it has turned out that this system has no vfork of our kind.
    may_vfork: AtomicBool,
}

impl RealSpawner {
    /// A spawner; looks at the system once.
    pub(crate) fn new(options: SpawnOptions) -> Self {
        let score = std::fs::read_to_string("/proc/self/oom_score_adj");
        let reset_oom_score = score.is_ok_and(|score| score.trim().parse().is_ok_and(|score: i32| score < 0));
        Self { options, close_on_exec: CloseOnExec::find(), reset_oom_score, may_vfork: AtomicBool::new(true) }
    }

    fn vforks(&self, plan: &Plan) -> bool {
        plan.may_share_memory() && self.may_vfork.load(Ordering::Relaxed)
    }

    fn start(&self, order: &StartOrder, plan: Plan) -> Result<(Child, OurEnds), Failure> {
        let (ours, theirs) = open_pipes(order).map_err(Failure::Pipes)?;
        if self.vforks(&plan) {
            match theirs.vfork(&plan) {
                Ok(child) => return Ok((child, ours)),
                Err(error) => {
                    // Old kernels; containers that forbid it. What else may be the matter, the other way tells.
                    let never = matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL | libc::EPERM));
                    self.may_vfork.store(!never, Ordering::Relaxed);
                }
            }
        }
        Ok((theirs.fork(plan).map_err(Failure::Fork)?, ours))
    }
}

impl Spawner for RealSpawner {
    fn resolve(&self, settings: &spec::Process) -> Result<ResolvedCommand, SpawnError> {
        command::resolve(settings)
    }

    fn spawn(&self, order: &StartOrder, command: &ResolvedCommand) -> Result<Started, SpawnError> {
        let name = order.name.process.as_str();
        let environment = environment::build(std::env::vars_os(), order, self.options.pass_service_manager_env);
        let plan = Plan::new(Start {
            program: &command.program,
            words: &command.words,
            environment: &as_pairs(&environment),
            user: order.settings.user.as_ref().and_then(who),
            directory: order.settings.directory.as_deref(),
            umask: order.settings.umask,
            close_on_exec: self.close_on_exec,
            reset_oom_score: self.reset_oom_score,
            extended: rlimit::extended(),
            announcement: order.announcement.clone(),
        })
        .map_err(|_| SpawnError::System(format!("NUL character in a path or the environment of '{name}'")))?;
        if !fds::has_room(needed(fds::spared_still(), !self.vforks(&plan), self.options.reserve)) {
            return Err(too_many_files(name));
        }
        let starting = self.options.children.as_ref().map(KnownChildren::starting);
        let (child, ours) = self.start(order, plan).map_err(|error| error.told_of(name))?;
        let Child { pid, end } = child;
        let (signaller, exit) = watch(pid, end, starting.map(|starting| starting.started(pid)));
        let OurEnds { stdin, stdout, stderr } = ours;
        Ok(Started { pid: Some(pid), signaller, exit: Box::pin(exit), stdin, stdout: Some(stdout), stderr })
    }
}

/// A child, however it was started.
struct Child {
    pid: u32,
    end: End,
}

fn as_pairs(environment: &BTreeMap<OsString, OsString>) -> Vec<(&OsStr, &OsStr)> {
    environment.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str())).collect()
}

/// Who a process is to be; `None` if it is who we are.
fn who(user: &spec::User) -> Option<(u32, Who)> {
    match Identity::of(user) {
        Ok(identity) => identity.map(|identity| (user.uid, Who::Other(identity))),
        Err(error) => Some((user.uid, Who::Refused(error))),
    }
}

/// What could not be done.
enum Failure {
    /// The pipes.
    Pipes(io::Error),
    /// The fork.
    Fork(io::Error),
}

impl Failure {
    fn told_of(self, name: &str) -> SpawnError {
        let (error, what) = match self {
            Self::Pipes(error) => (error, "making dispatchers"),
            Self::Fork(error) => (error, "during fork"),
        };
        match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE) => too_many_files(name),
            Some(libc::EAGAIN) => SpawnError::System(format!("Too many processes in process table to spawn '{name}'")),
            _ => SpawnError::System(format!("unknown error {what} for '{name}': {}", errno::describe(&error))),
        }
    }
}

fn too_many_files(name: &str) -> SpawnError {
    SpawnError::System(format!("too many open files to spawn '{name}'"))
}

struct EndLostChild(Arc<BirthNote>);

impl Drop for EndLostChild {
    fn drop(&mut self) {
        self.0.end_child();
    }
}

/// Our ends of the pipes: non-blocking.
struct OurEnds {
    stdin: Option<OwnedFd>,
    stdout: OwnedFd,
    stderr: Option<OwnedFd>,
}

/// The child's ends: blocking.
struct TheirEnds {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

impl TheirEnds {
    /// On error there is no child.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn vfork(&self, plan: &Plan) -> io::Result<Child> {
        use std::os::fd::AsFd;
        let streams = [self.stdin.as_fd(), self.stdout.as_fd(), self.stderr.as_fd()];
        let child = Vforked::new(vfork::start(plan, streams)?)?;
        Ok(Child { pid: child.pid(), end: Box::pin(child.end()) })
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn vfork(&self, _plan: &Plan) -> io::Result<Child> {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }

    fn fork(self, plan: Plan) -> io::Result<Child> {
        let note = Arc::new(BirthNote::new()?);
        let mut command = async_process::Command::from(plan.into_command(Arc::clone(&note)));
        // The conversion forgets streams that were set before.
        command.stdin(Stdio::from(self.stdin)).stdout(Stdio::from(self.stdout)).stderr(Stdio::from(self.stderr));
        // In the child no handler of ours may run before the dispositions are reset, so it begins with everything blocked.
        let mask = Mask::full();
        // A child that was started but could not be taken over is ended, also if this panics.
        let lost = EndLostChild(note);
        let child = command.spawn()?;
        lost.0.clear();
        drop(mask);
        Ok(Child { pid: child.id(), end: Box::pin(end_of(child)) })
    }
}

/// All are close-on-exec.
fn open_pipes(order: &StartOrder) -> io::Result<(OurEnds, TheirEnds)> {
    let (stdin, their_stdin) = match &order.socket {
        Some(socket) => (None, socket.try_clone()?),
        None => {
            let (reader, writer) = io::pipe()?;
            (Some(OwnedFd::from(writer)), OwnedFd::from(reader))
        }
    };
    let (stdout, their_stdout) = io::pipe()?;
    let (stderr, their_stderr) = if order.settings.redirect_stderr {
        (None, their_stdout.try_clone()?)
    } else {
        let (reader, writer) = io::pipe()?;
        (Some(OwnedFd::from(reader)), writer)
    };
    let ours = OurEnds { stdin, stdout: stdout.into(), stderr };
    for fd in [ours.stdin.as_ref(), Some(&ours.stdout), ours.stderr.as_ref()].into_iter().flatten() {
        rustix::io::ioctl_fionbio(fd, true)?;
    }
    Ok((ours, TheirEnds { stdin: their_stdin, stdout: their_stdout.into(), stderr: their_stderr.into() }))
}

#[cfg(test)]
mod tests;
