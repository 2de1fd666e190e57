//! Raises the limits of the daemon (`setrlimit(2)`; Supervisor 4.3: `minfds`, `minprocs`). Children inherit them.

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
}
