//! What the terminal at the other end can show: colours, and lines that change. Nothing but plain lines goes anywhere else.

use std::io::{self, IsTerminal as _};

use supervisor_core::domain::state::ProcessState;

/// Terminals that cannot move their cursor.
pub(super) const PLAIN_TERMINALS: &[&str] = &["", "dumb", "cons25", "emacs"];

/// How output looks. Default: plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Look {
    /// Colours may be used on standard output.
    pub(super) colours: bool,
    /// A line on standard error may be written over, since a person looks at it.
    pub(super) progress: bool,
}

impl Look {
    /// How it is here (`TERM`, <https://no-color.org>).
    pub(super) fn of_the_terminal() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let terminals = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self::decide(terminals, &variable("TERM"), &variable("NO_COLOR"))
    }

    fn decide((stdout, stderr): (bool, bool), term: &str, no_color: &str) -> Self {
        let term = term.to_ascii_lowercase();
        let moves = !PLAIN_TERMINALS.contains(&term.as_str());
        // The terminals of that family are monochrome.
        let has_colours = moves && !term.starts_with("vt");
        Self { colours: stdout && has_colours && no_color.is_empty(), progress: stdout && stderr && moves }
    }

    /// The text in this colour, if colours may be used.
    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", colour.0) } else { text.to_owned() }
    }
}

/// A colour of the terminal's own palette (ECMA-48: select graphic rendition).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(u8);

impl Colour {
    pub(super) const RED: Self = Self(31);
    const GREEN: Self = Self(32);
    const YELLOW: Self = Self(33);
    const FAINT: Self = Self(2);

    /// What tells processes apart; red is for errors.
    const NAMES: [Self; 6] = [Self(36), Self(33), Self(32), Self(35), Self(34), Self(96)];

    /// The colour of a state.
    pub(super) fn of_state(state: ProcessState) -> Self {
        match state {
            ProcessState::Running => Self::GREEN,
            ProcessState::Starting | ProcessState::Stopping => Self::YELLOW,
            ProcessState::Backoff | ProcessState::Fatal | ProcessState::Unknown => Self::RED,
            ProcessState::Stopped | ProcessState::Exited => Self::FAINT,
        }
    }

    /// The colour of the name with this number.
    pub(super) fn of_name(number: usize) -> Self {
        Self::NAMES[number % Self::NAMES.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_capable_terminal_gets_more_than_plain_lines() {
        for (terminals, term, no_color, colours, progress) in [
            ((true, true), "xterm-256color", "", true, true),
            ((true, true), "xterm", "1", false, true),
            ((true, false), "xterm", "", true, false),
            ((false, true), "xterm", "", false, false),
            ((true, true), "dumb", "", false, false),
            ((true, true), "", "", false, false),
            ((true, true), "vt100", "", false, true),
        ] {
            assert_eq!(Look::decide(terminals, term, no_color), Look { colours, progress }, "{terminals:?} {term}");
        }
    }

    #[test]
    fn colours_end_where_the_text_ends() {
        let look = Look { colours: true, progress: false };
        assert_eq!(look.paint(Colour::RED, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(Look::default().paint(Colour::RED, "x"), "x");
    }
}
