//! Groups that the embedding program defines in code, while building a supervisor or while it runs.
//!
//! A definition is a group of settings and what of it lives inside this program: the function of a task, or whoever takes
//! the pipes of a program. Nothing is decided here.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::config::ConfigError;
use crate::domain::host::Host;
use crate::domain::name::ProcessName;
use crate::domain::spec::{Group, LogFile};
use crate::program::Program;
use crate::task::{Body, Task};

/// Our ends of the pipes of a process that has just been started: close-on-exec and non-blocking.
#[derive(Debug)]
#[non_exhaustive]
pub struct Pipes {
    /// Whose they are.
    pub name: ProcessName,
    /// Its pid.
    pub pid: Option<u32>,
    /// Where its stdin is written; closing it is its end of file.
    pub stdin: Option<OwnedFd>,
    /// Where its stdout is read; it ends with the process and all that have inherited it.
    pub stdout: Option<OwnedFd>,
}

/// Takes pipes; called on a thread that may block for a moment, at each start.
pub(crate) type PipesTaker = Arc<dyn Fn(Pipes) + Send + Sync>;

/// What of a process lives inside this program.
#[derive(Clone, Default)]
pub(crate) enum Inside {
    /// Nothing: a program and its logs.
    #[default]
    Nothing,
    /// All of it.
    Task(Body),
    /// The other ends of its stdin and stdout.
    Pipes(PipesTaker),
}

impl Inside {
    pub(crate) fn is_task(&self) -> bool {
        matches!(self, Self::Task(_))
    }
}

/// A definition with its settings checked.
#[derive(Clone)]
pub(crate) struct Defined {
    pub(crate) group: Arc<Group>,
    pub(crate) inside: Inside,
}

enum Source {
    Program(Program),
    Task(Task),
    Group(Group),
}

/// A group that comes from code: a [`Program`], a [`Task`] or a [`Group`] of settings.
///
/// Groups of the embedding program stay when the configuration is read again, and cannot be removed by it.
pub struct Definition {
    source: Source,
    pipes: Option<PipesTaker>,
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Program(program) => program.fmt(f),
            Source::Task(task) => task.fmt(f),
            Source::Group(group) => group.fmt(f),
        }
    }
}

impl From<Program> for Definition {
    fn from(program: Program) -> Self {
        Self { source: Source::Program(program), pipes: None }
    }
}

impl From<Task> for Definition {
    fn from(task: Task) -> Self {
        Self { source: Source::Task(task), pipes: None }
    }
}

impl From<Group> for Definition {
    fn from(group: Group) -> Self {
        Self { source: Source::Group(group), pipes: None }
    }
}

impl Definition {
    /// Hands stdin and stdout of each process of this group to `take` whenever it is started. Nothing is logged of its
    /// stdout then, and [`Handle::send_stdin`](crate::Handle::send_stdin) does not reach it. Without effect for a task,
    /// which has no pipes to hand over. `take` is called on a thread that starts processes: it may block for a moment.
    #[must_use]
    pub fn with_pipes(self, take: impl Fn(Pipes) + Send + Sync + 'static) -> Self {
        Self { pipes: Some(Arc::new(take)), ..self }
    }

    /// True if checking the settings may block: an account has to be looked up.
    pub(crate) fn may_block(&self) -> bool {
        !matches!(self.source, Source::Group(_))
    }

    pub(crate) fn build(self, host: &dyn Host) -> Result<Defined, ConfigError> {
        let mut group = match self.source {
            Source::Program(program) => program.build(host)?,
            Source::Group(group) => group,
            Source::Task(task) => {
                let (group, body) = task.build(host)?;
                return Ok(Defined { group: Arc::new(group), inside: Inside::Task(body) });
            }
        };
        let inside = match self.pipes {
            None => Inside::Nothing,
            Some(take) => {
                for process in &mut group.processes {
                    Arc::make_mut(process).stdout.logfile = LogFile::None;
                }
                Inside::Pipes(take)
            }
        };
        Ok(Defined { group: Arc::new(group), inside })
    }
}
