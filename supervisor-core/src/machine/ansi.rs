//! Removes escape sequences from output (Supervisor 4.3: `strip_ansi`).
//!
//! A sequence starts with `ESC [` and ends with the first of the letters in [`FINAL`]; reads may cut it anywhere. Knows
//! nothing of what the sequences mean.

use memchr::memchr;

const ESCAPE: u8 = 0x1b;

/// The letters that end a sequence.
const FINAL: &[u8] = b"HfABCDRsuJKhlpm";

/// The longest sequence, in bytes, `ESC [` included. Real ones have at most some dozens; what goes on for longer is text.
pub(crate) const MAX_SEQUENCE: usize = 256;

/// The state of one channel.
///
/// Invariants: how the output is cut into reads changes nothing. Removed are whole sequences only; a start that is not
/// ended within [`MAX_SEQUENCE`] bytes, or before the channel ends, goes through as text.
#[derive(Debug, Default)]
pub(crate) struct StripAnsi {
    /// The sequence that has begun, from its ESC; shorter than [`MAX_SEQUENCE`].
    open: Vec<u8>,
}

impl StripAnsi {
    /// A channel at its beginning.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes what was read and appends the text in it to `out`.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.open.len() {
                0 => {
                    let Some(at) = memchr(ESCAPE, rest) else {
                        out.extend_from_slice(rest);
                        return;
                    };
                    out.extend_from_slice(&rest[..at]);
                    self.open.push(ESCAPE);
                    rest = &rest[at + 1..];
                }
                1 if rest[0] == b'[' => {
                    self.open.push(b'[');
                    rest = &rest[1..];
                }
                1 => self.finish(out),
                begun => {
                    let room = &rest[..rest.len().min(MAX_SEQUENCE - begun)];
                    if let Some(end) = room.iter().position(|byte| FINAL.contains(byte)) {
                        self.open.clear();
                        rest = &rest[end + 1..];
                    } else {
                        self.open.extend_from_slice(room);
                        rest = &rest[room.len()..];
                        if self.open.len() == MAX_SEQUENCE {
                            self.finish(out);
                        }
                    }
                }
            }
        }
    }

    /// The channel has ended: appends what was held back to `out`.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.open);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use proptest::prelude::*;

    use super::*;

    fn strip<'a>(reads: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let (mut machine, mut out) = (StripAnsi::new(), Vec::new());
        for read in reads {
            machine.feed(read, &mut out);
            assert!(machine.open.len() < MAX_SEQUENCE);
        }
        machine.finish(&mut out);
        out
    }

    #[test]
    fn output_and_its_text() {
        let table = [
            ("plain\n", "plain\n"),
            ("\x1b[31mred\x1b[0m\n", "red\n"),
            ("\x1b[mx", "x"),
            ("\x1b[2J\x1b[1;1Htop", "top"),
            ("\x1b[?25l\x1b[?25hx", "x"),
            // No letter of the list ends it: it goes on to the first that does.
            ("x\x1b[5n hello", "xello"),
            ("\x1b[3\x1b[1mx", "x"),
            // Not `ESC [`, or no end.
            ("a\x1bcb", "a\x1bcb"),
            ("\x1b\x1b[31mx", "\x1bx"),
            ("a\x1b", "a\x1b"),
            ("a\x1b[3", "a\x1b[3"),
        ];
        for (output, text) in table {
            assert_eq!(String::from_utf8(strip([output.as_bytes()])).unwrap(), text, "{output:?}");
        }
    }

    #[test]
    fn a_sequence_without_end_is_text() {
        let longest = format!("\x1b[{}m", "1".repeat(MAX_SEQUENCE - 3));
        assert_eq!(strip([longest.as_bytes()]), b"");
        let longer = format!("\x1b[{}mx", "1".repeat(MAX_SEQUENCE - 2));
        assert_eq!(strip([longer.as_bytes()]), longer.as_bytes());
    }

    proptest! {
        #[test]
        fn the_cut_does_not_matter(bytes in "(\x1b|\\[|[0-9;]|m|n|x|1{100}|\x1b\\[[0-9]{1,3}m){0,40}", size in 1..9usize) {
            prop_assert_eq!(strip([bytes.as_bytes()]), strip(bytes.as_bytes().chunks(size)));
        }
    }
}
