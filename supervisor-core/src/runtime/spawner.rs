//! Starts real processes.
//!
//! Two ways. The careful one forks, and the child cuts itself off from everything that it should not have
//! (`sys/child.rs`). The quick one, `posix_spawn`, costs half as much and is taken where a daemon vouches for itself:
//! nothing inheritable is open, no signal is ignored. If it fails, the careful one tells why, in the child's own log.
//!
//! Log files are not opened here: whoever calls has done so before.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::Arc;

use super::command::{self, ResolvedCommand};
use super::environment;
use super::signaller::watch;
use super::spawn::{SpawnError, Spawner, StartOrder, Started};
use crate::domain::spec;
use crate::sys::birth::BirthNote;
use crate::sys::child::{self, Start, Who};
use crate::sys::errno;
use crate::sys::fds::{self, CloseOnExec};
use crate::sys::orphan::KnownChildren;
use crate::sys::privilege::Identity;
use crate::sys::signals::Mask;

/// What one start needs for a moment: three pipes, the pipe of the fork, a shared socket, the pidfd.
const NEEDED: u64 = 10;
/// The quick way cannot find a child that async-process lost for want of a descriptor, so it is taken only with so many
/// free that what other threads open meanwhile does not matter.
const PLENTY: u64 = 64;

/// How to start processes.
#[derive(Debug, Clone)]
pub(crate) struct SpawnOptions {
    /// The program vouches that every descriptor that it has inherited is close-on-exec ([`fds::mark_inherited`]) and
    /// that it ignores no signal but SIGPIPE ([`restore_ignored`](crate::sys::signals::restore_ignored)). Never for a
    /// program that embeds a supervisor. Default false.
    pub(crate) trusted: bool,
    /// Hand on `NOTIFY_SOCKET`, `LISTEN_*` and `WATCHDOG_*`. Default false.
    pub(crate) pass_service_manager_env: bool,
    /// Descriptors that are left free for others, such as clients of an HTTP server. Default 8.
    pub(crate) reserve: u64,
    /// Where children are made known to whoever reaps strangers. Default none.
    pub(crate) children: Option<Arc<KnownChildren>>,
}

impl Default for SpawnOptions {
    fn default() -> Self {
        Self { trusted: false, pass_service_manager_env: false, reserve: 8, children: None }
    }
}

/// Starts real processes. May be used by several threads at once.
#[derive(Debug)]
pub(crate) struct RealSpawner {
    options: SpawnOptions,
    close_on_exec: CloseOnExec,
    reset_oom_score: bool,
}

impl RealSpawner {
    /// A spawner; looks at the system once.
    pub(crate) fn new(options: SpawnOptions) -> Self {
        let score = std::fs::read_to_string("/proc/self/oom_score_adj");
        let reset_oom_score = score.is_ok_and(|score| score.trim().parse().is_ok_and(|score: i32| score < 0));
        Self { options, close_on_exec: CloseOnExec::find(), reset_oom_score }
    }

    /// Whether nothing has to be done in the child that only the careful way can do.
    fn may_be_quick(&self, program: &ResolvedCommand, start: &Start<'_>) -> bool {
        self.options.trusted
            && !self.reset_oom_score
            && start.umask.is_none()
            && start.user.is_none()
            && program.program.is_absolute()
            && fds::has_room(PLENTY + self.options.reserve)
    }
}

impl Spawner for RealSpawner {
    fn check(&self, settings: &spec::Process) -> Result<(), SpawnError> {
        command::resolve(settings).map(drop)
    }

    fn spawn(&self, order: &StartOrder) -> Result<Started, SpawnError> {
        let program = command::resolve(&order.settings)?;
        let name = order.name.process.as_str();
        if !fds::has_room(NEEDED + self.options.reserve) {
            return Err(too_many_files(name));
        }
        let environment = environment::build(std::env::vars_os(), order, self.options.pass_service_manager_env);
        let environment = as_pairs(&environment);
        let start = Start {
            program: &program.program,
            words: &program.words,
            environment: &environment,
            user: order.settings.user.as_ref().and_then(who),
            directory: order.settings.directory.as_deref(),
            umask: order.settings.umask,
            close_on_exec: self.close_on_exec,
            reset_oom_score: self.reset_oom_score,
        };
        let starting = self.options.children.as_ref().map(KnownChildren::starting);
        let (child, ours) = if self.may_be_quick(&program, &start) {
            spawn_quickly(order, &start).or_else(|failure| match failure.started_nothing() {
                // The careful way finds out what it was, and tells the child's log.
                true => spawn_carefully(order, start),
                false => Err(failure),
            })
        } else {
            spawn_carefully(order, start)
        }
        .map_err(|error| error.told_of(name))?;
        let pid = child.id();
        let (signaller, exit) = watch(child, starting.map(|starting| starting.started(pid)));
        let OurEnds { stdin, stdout, stderr } = ours;
        Ok(Started { pid: Some(pid), signaller, exit: Box::pin(exit), stdin, stdout: Some(stdout), stderr })
    }
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
    /// Handing over the command; the text says why.
    Command(String),
}

impl Failure {
    /// False if async-process may have failed after the start, when it wanted to watch the child: a second start could
    /// make two instances.
    fn started_nothing(&self) -> bool {
        let (Self::Pipes(error) | Self::Fork(error)) = self else { return true };
        !matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOSPC | libc::ENODEV))
    }

    fn told_of(self, name: &str) -> SpawnError {
        let (error, what) = match self {
            Self::Command(text) => return SpawnError::System(text),
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

type Spawned = (async_process::Child, OurEnds);

fn spawn_carefully(order: &StartOrder, start: Start<'_>) -> Result<Spawned, Failure> {
    let (ours, theirs) = open_pipes(order).map_err(Failure::Pipes)?;
    let note = Arc::new(BirthNote::new().map_err(Failure::Fork)?);
    let command = child::command(start, Arc::clone(&note)).map_err(|_| {
        Failure::Command(format!("NUL character in a path or the environment of '{}'", order.name.process))
    })?;
    // In the child no handler of ours may run before the dispositions are reset, so it begins with everything blocked.
    let mask = Mask::full();
    // A child that was started but could not be taken over is ended, also if this panics.
    let lost = EndLostChild(note);
    let child = theirs.spawn(command).map_err(Failure::Fork)?;
    lost.0.clear();
    drop(mask);
    Ok((child, ours))
}

struct EndLostChild(Arc<BirthNote>);

impl Drop for EndLostChild {
    fn drop(&mut self) {
        self.0.end_child();
    }
}

fn spawn_quickly(order: &StartOrder, start: &Start<'_>) -> Result<Spawned, Failure> {
    let (ours, theirs) = open_pipes(order).map_err(Failure::Pipes)?;
    #[expect(clippy::disallowed_methods, reason = "this is the spawner")]
    let mut command = std::process::Command::new(start.program);
    if let Some((name, arguments)) = start.words.split_first() {
        command.arg0(name).args(arguments);
    }
    command.env_clear().envs(start.environment.iter().copied()).process_group(0);
    if let Some(directory) = start.directory {
        command.current_dir(directory);
    }
    // The child inherits the mask of this thread.
    let _mask = Mask::empty();
    Ok((theirs.spawn(command).map_err(Failure::Fork)?, ours))
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
    fn spawn(self, command: std::process::Command) -> io::Result<async_process::Child> {
        // The streams have to be set after the conversion, which forgets them.
        let mut command = async_process::Command::from(command);
        command.stdin(Stdio::from(self.stdin)).stdout(Stdio::from(self.stdout)).stderr(Stdio::from(self.stderr));
        command.spawn()
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
