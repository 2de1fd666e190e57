//! The levels of the activity log (Supervisor 4.3: `loglevel`).

/// How much a line of the activity log matters; greater matters more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Level {
    /// Details of details.
    Blather,
    /// HTTP accesses and RPC calls.
    Trace,
    /// Decisions, and copies of child output.
    Debug,
    /// What happens to processes.
    #[default]
    Info,
    /// What somebody should look at.
    Warn,
    /// What went wrong.
    Error,
    /// What must be looked at.
    Critical,
}

impl Level {
    /// Every level with its name in the configuration and its word in a log line.
    pub const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Critical, "critical", "CRIT"),
        (Self::Error, "error", "ERRO"),
        (Self::Warn, "warn", "WARN"),
        (Self::Info, "info", "INFO"),
        (Self::Debug, "debug", "DEBG"),
        (Self::Trace, "trace", "TRAC"),
        (Self::Blather, "blather", "BLAT"),
    ];

    /// The level with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name)).map(|(level, ..)| *level)
    }

    /// The name in the configuration: `info`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The word in a log line: `INFO`.
    pub fn word(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        // ALL runs from the highest to the lowest; `tests::rows` keeps it so.
        &Self::ALL[Self::Critical as usize - self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        for (level, name, word) in Level::ALL {
            assert_eq!((level.name(), level.word()), (name, word));
            assert_eq!(Level::from_name(&name.to_uppercase()), Some(level));
        }
        assert!(Level::Critical > Level::Info && Level::Info > Level::Debug);
    }
}
