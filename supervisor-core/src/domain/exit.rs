//! How a process ended (`wait(2)`), and the words for it.

use std::fmt;

use super::signal;

/// The end of a process, taken from its wait status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// Ended by itself with this status, 0 to 255.
    Exited(i32),
    /// Ended by a signal.
    Signaled {
        /// The number of the signal.
        signal: i32,
        /// A core dump was written.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// The status that counts for `exitcodes`: a death by signal counts as -1, so that it is never expected.
    pub const fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled { .. } => -1,
        }
    }
}

impl From<std::process::ExitStatus> for ExitStatus {
    fn from(status: std::process::ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        match status.signal() {
            Some(signal) => Self::Signaled { signal, core_dumped: status.core_dumped() },
            None => Self::Exited(status.code().unwrap_or(-1)),
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit status {code}"),
            Self::Signaled { signal, core_dumped } => {
                let dump = if *core_dumped { " (core dumped)" } else { "" };
                write!(f, "terminated by {}{dump}", signal::name_of(*signal))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_log() {
        let table = [
            (ExitStatus::Exited(3), "exit status 3", 3),
            (ExitStatus::Signaled { signal: 9, core_dumped: false }, "terminated by SIGKILL", -1),
            (ExitStatus::Signaled { signal: 11, core_dumped: true }, "terminated by SIGSEGV (core dumped)", -1),
        ];
        for (status, words, code) in table {
            assert_eq!((status.to_string().as_str(), status.code()), (words, code));
        }
    }
}
