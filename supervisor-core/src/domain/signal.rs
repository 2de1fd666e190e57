//! Signals by name and number (`signal(7)`).
//!
//! Holds the table of names of this platform and reads what people write in `stopsignal=` and in `signalProcess`.
//! Sends nothing: that is `sys`.

use std::fmt;

/// A signal that has a name on this platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(i32);

/// Number and name; where a number has several names, the one that is shown comes first.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NAMES: &[(i32, &str)] = &[
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (6, "SIGIOT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (16, "SIGSTKFLT"),
    (17, "SIGCHLD"),
    (17, "SIGCLD"),
    (18, "SIGCONT"),
    (19, "SIGSTOP"),
    (20, "SIGTSTP"),
    (21, "SIGTTIN"),
    (22, "SIGTTOU"),
    (23, "SIGURG"),
    (24, "SIGXCPU"),
    (25, "SIGXFSZ"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (28, "SIGWINCH"),
    (29, "SIGPOLL"),
    (29, "SIGIO"),
    (30, "SIGPWR"),
    (31, "SIGSYS"),
    (34, "SIGRTMIN"),
    (64, "SIGRTMAX"),
];

/// Number and name on macOS and the BSDs.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NAMES: &[(i32, &str)] = &[
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (6, "SIGIOT"),
    (7, "SIGEMT"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGBUS"),
    (11, "SIGSEGV"),
    (12, "SIGSYS"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (16, "SIGURG"),
    (17, "SIGSTOP"),
    (18, "SIGTSTP"),
    (19, "SIGCONT"),
    (20, "SIGCHLD"),
    (21, "SIGTTIN"),
    (22, "SIGTTOU"),
    (23, "SIGIO"),
    (24, "SIGXCPU"),
    (25, "SIGXFSZ"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (28, "SIGWINCH"),
    (29, "SIGINFO"),
    (30, "SIGUSR1"),
    (31, "SIGUSR2"),
];

impl Signal {
    /// Hang-up.
    pub const HUP: Self = Self(1);
    /// Interrupt from the keyboard.
    pub const INT: Self = Self(2);
    /// Quit from the keyboard.
    pub const QUIT: Self = Self(3);
    /// The signal that cannot be caught.
    pub const KILL: Self = Self(9);
    /// The default of `stopsignal`.
    pub const TERM: Self = Self(15);

    /// The signal with this number, if it has a name here (on Linux 1 to 31, 34 and 64).
    pub fn from_number(number: i32) -> Option<Self> {
        NAMES.iter().any(|(n, _)| *n == number).then_some(Self(number))
    }

    /// The signal with this name: with or without `SIG`, in any case, blanks around it ignored.
    pub fn from_name(name: &str) -> Option<Self> {
        let wanted = name.trim().to_ascii_uppercase();
        let bare = wanted.strip_prefix("SIG").unwrap_or(&wanted);
        NAMES.iter().find(|(_, known)| &known[3..] == bare).map(|(number, _)| Self(*number))
    }

    /// A number or a name, as both `stopsignal=` and `signalProcess` take it (leading zeros allowed).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().and_then(Self::from_number);
        }
        Self::from_name(text)
    }

    /// The number, as the kernel takes it.
    pub const fn number(self) -> i32 {
        self.0
    }
}

/// The name that log lines show for any number: `SIGTERM`, or `signal 35` for one without a name.
pub fn name_of(number: i32) -> String {
    match NAMES.iter().find(|(n, _)| *n == number) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("signal {number}"),
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&name_of(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for text in ["TERM", "SIGTERM", "sigterm", " term ", "15", "015"] {
            assert_eq!(Signal::parse(text), Some(Signal::TERM), "{text:?}");
        }
        for text in ["", "0", "-1", "FOO", "SIG_IGN", "_DFL", "RTMIN+1", "35", "999", "SIGSIGTERM", "1.5"] {
            assert_eq!(Signal::parse(text), None, "{text:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn shows_one_name_for_each_number() {
        let table =
            [(17, "SIGCHLD"), (6, "SIGABRT"), (29, "SIGPOLL"), (34, "SIGRTMIN"), (64, "SIGRTMAX"), (35, "signal 35")];
        for (number, name) in table {
            assert_eq!(name_of(number), name);
        }
    }
}
