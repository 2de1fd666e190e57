//! Raises the limits of the daemon (`setrlimit(2)`; Supervisor 4.3: `minfds`, `minprocs`). Children inherit them.
//!
//! What the daemon takes beyond that for itself ([`extend_open_files`]) they do not inherit: programs size tables by the
//! soft limit of open files, and `select(2)` knows no number above 1,023.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// RLIMIT_NOFILE: open files of a process.
    OpenFiles,
    /// RLIMIT_NPROC: processes of a user.
    Processes,
}

impl Limit {
    /// The name in log lines: `RLIMIT_NOFILE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenFiles => "RLIMIT_NOFILE",
            Self::Processes => "RLIMIT_NPROC",
        }
    }

    const fn resource(self) -> Resource {
        match self {
            Self::OpenFiles => Resource::Nofile,
            Self::Processes => Resource::Nproc,
        }
    }
}

/// A limit that cannot be raised.
#[derive(Debug, thiserror::Error)]
#[error("cannot raise {name} to {wanted}: {source}", name = limit.name())]
pub struct LimitError {
    /// Which.
    pub limit: Limit,
    /// To what.
    pub wanted: u64,
    /// What the system said.
    pub source: std::io::Error,
}

/// Makes a soft limit at least `wanted`, and the hard limit with it where that is lower. True if it had to be raised.
///
/// # Errors
/// [`LimitError`] when the system refuses.
pub fn raise(limit: Limit, wanted: u64) -> Result<bool, LimitError> {
    let present = getrlimit(limit.resource());
    if present.current.is_none_or(|soft| soft >= wanted) {
        return Ok(false);
    }
    let maximum = present.maximum.map(|hard| hard.max(wanted));
    setrlimit(limit.resource(), Rlimit { current: Some(wanted), maximum }).map_err(|error| LimitError {
        limit,
        wanted,
        source: error.into(),
    })?;
    Ok(true)
}

/// The most descriptors that a process takes for itself: what Linux allows unless told otherwise. On macOS the system
/// refuses more than its OPEN_MAX, whatever the hard limit says.
const MOST_OPEN_FILES: u64 = if cfg!(target_os = "macos") { 10_240 } else { 1 << 20 };

static EXTENDED: OnceLock<Extended> = OnceLock::new();

/// A soft limit of open files that this process has raised for itself alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extended {
    /// What it was, and what children get.
    given: u64,
    /// What it is.
    own: u64,
}

impl Extended {
    /// Gives the soft limit back; for a child. A limit that somebody has set since then (`prlimit(1)`) is meant for
    /// children as well, and stays. Two bare system calls, which write to nothing but the stack.
    pub(crate) fn give_back(self) {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current == Some(self.own) {
            // What was raised can be lowered.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(self.given), maximum });
        }
    }
}

/// Raises the soft limit of open files to the hard one for this process alone: children that a supervisor starts get the
/// one that there was. A soft limit below `meant` stays, since somebody means it. For a daemon, once; where it cannot be
/// raised, all stays as it is.
pub fn extend_open_files(meant: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let own = maximum.map_or(MOST_OPEN_FILES, |hard| hard.min(MOST_OPEN_FILES));
    let Some(given) = current.filter(|given| (meant..own).contains(given)) else { return };
    // Known before it holds: no child may keep what is not meant for it.
    if EXTENDED.set(Extended { given, own }).is_ok() {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(own), maximum });
    }
}

/// What this process has extended, if it has.
pub(crate) fn extended() -> Option<Extended> {
    EXTENDED.get().copied()
}

/// The soft limit of open files of this process; `None` if there is none.
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::sys::alone;

    #[test]
    fn limits_are_raised_once() {
        alone::run("sys::rlimit::tests::in_a_process", &[]);
    }

    #[test]
    #[ignore = "run by limits_are_raised_once"]
    fn in_a_process() {
        let hard = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(100), maximum: hard }).unwrap();
        assert!(raise(Limit::OpenFiles, 200).unwrap());
        assert!(!raise(Limit::OpenFiles, 150).unwrap());
        assert_eq!((open_files(), getrlimit(Resource::Nofile).maximum), (Some(200), hard));
        let error = raise(Limit::OpenFiles, u64::MAX - 1).unwrap_err();
        assert!(error.to_string().starts_with("cannot raise RLIMIT_NOFILE to "), "{error}");
    }

    #[test]
    fn the_limit_of_open_files_is_extended_and_given_back() {
        alone::run("sys::rlimit::tests::extending_in_a_process", &[]);
    }

    #[test]
    #[ignore = "run by the_limit_of_open_files_is_extended_and_given_back"]
    fn extending_in_a_process() {
        let hard = getrlimit(Resource::Nofile).maximum;
        let set = |soft| setrlimit(Resource::Nofile, Rlimit { current: Some(soft), maximum: hard }).unwrap();
        set(100);
        assert_eq!(extended(), None);
        extend_open_files(101);
        assert_eq!((open_files(), extended()), (Some(100), None), "meant by somebody");
        extend_open_files(100);
        let own = hard.map_or(MOST_OPEN_FILES, |hard| hard.min(MOST_OPEN_FILES));
        assert_eq!((open_files(), getrlimit(Resource::Nofile).maximum), (Some(own), hard));
        set(150);
        extended().unwrap().give_back();
        assert_eq!(open_files(), Some(150), "set by somebody else meanwhile");
        set(own);
        extended().unwrap().give_back();
        assert_eq!((open_files(), getrlimit(Resource::Nofile).maximum), (Some(100), hard));
    }
}
