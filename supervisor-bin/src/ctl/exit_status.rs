//! The exit statuses of supervisorctl. Which case has which status is decided where the case is.

/// An exit status; the numbers follow the init-script conventions of the Linux Standard Base, as in Supervisor 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExitStatus(u8);

impl ExitStatus {
    /// Done, or nothing to do.
    pub const DONE: Self = Self(0);
    /// Any failure without a number of its own, wrong arguments, an unknown process.
    pub const FAILED: Self = Self(1);
    /// A command line that is not understood; `start` without a name or of an unknown group.
    pub const USAGE: Self = Self(2);
    /// `status`: something shown is not running.
    pub const NOT_ALL_RUNNING: Self = Self(3);
    /// The server has no supervisor namespace.
    pub const NO_NAMESPACE: Self = Self(3);
    /// `status`: an unknown name or no server.
    pub const STATUS_UNKNOWN: Self = Self(4);
    /// The server refuses connections.
    pub const REFUSED: Self = Self(4);
    /// The server speaks another version of the API.
    pub const OTHER_VERSION: Self = Self(5);
    /// The socket file is missing, a start failed, a process is not running.
    pub const NOT_RUNNING: Self = Self(7);

    /// The number for the operating system.
    pub const fn number(self) -> u8 {
        self.0
    }
}
