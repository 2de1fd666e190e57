//! `tail`: the end of a process log, or the log as it grows.

use supervisor_core::process::Stream;
use supervisor_core::rpc::{Fault, FaultCode, Value};
use supervisor_rpc::client::log_path;

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::follow;
use super::super::session::{Failure, Outcome, Session};
use super::{Arguments, Command, Completion, Usage};
use crate::getopt::quoted;

pub(super) struct Tail;

/// How many bytes are shown if no number is given.
const DEFAULT_BYTES: i64 = 1600;

/// How many bytes our servers give at once.
const PIECE: i64 = 8 << 20;

/// The last offset that can be asked for: the wire has 32 bits.
const LAST_OFFSET: i64 = i32::MAX as i64;

static USAGE: &[Usage] = &[
    Usage::new("tail <name> [stdout|stderr]", "Show the last 1600 bytes of a log, of stdout if not said otherwise"),
    Usage::new("tail -<N> <name> [stdout|stderr]", "Show the last N bytes, with -0 the whole log"),
    Usage::new("tail -f <name> [stdout|stderr]", "Show the log as it grows, until Ctrl-C"),
];

impl Command for Tail {
    fn name(&self) -> &str {
        "tail"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn completion(&self) -> Completion {
        Completion::Processes
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.check()?;
        let plan = match Plan::parse(&arguments.words) {
            Ok(plan) => plan,
            Err(Mistake::Number(text)) => return session.misuse(self, text, ExitStatus::FAILED),
            Err(Mistake::Word(text)) => return session.fail(text, ExitStatus::FAILED),
        };
        let Plan { extent, name, channel } = plan;
        match extent {
            Extent::Follow => follow::show(session, &log_path(name, channel)),
            Extent::Last(bytes) => match read_last(session, read_method(channel), &[Value::from(name)], bytes)? {
                Ok(text) => session.line(text),
                Err(fault) => {
                    let reason = match FaultCode::from_number(fault.code) {
                        Some(FaultCode::NoFile) => "no log file",
                        Some(FaultCode::Failed) => "unknown error reading log",
                        Some(FaultCode::BadName) => "no such process name",
                        _ => return Err(ClientError::Fault(fault).into()),
                    };
                    session.fail(format_args!("{name}: ERROR ({reason})"), ExitStatus::FAILED)
                }
            },
        }
    }
}

/// The last bytes of a log, all of it for 0, all but the first ones for a negative number: `method` with these parameters
/// before offset and length.
///
/// Our servers give [`PIECE`] bytes at once, so more is asked for piece by piece. Those of Supervisor 4.3 give everything
/// at once, but nothing that begins or ends within a character (they answer with an HTTP status).
pub(super) fn read_last(
    session: &mut Session,
    method: &str,
    whose: &[Value],
    bytes: i64,
) -> Result<Result<String, Fault>, Failure> {
    let mut log = Log { session, method, whose };
    let text = match log.last(bytes) {
        Err(Failure::Client(ClientError::Http { .. })) => log.read(-bytes, 0),
        outcome => outcome,
    };
    match text {
        Err(Failure::Client(ClientError::Fault(fault))) => Ok(Err(fault)),
        outcome => outcome.map(Ok),
    }
}

/// A log as it is asked for.
struct Log<'l> {
    session: &'l mut Session,
    method: &'l str,
    whose: &'l [Value],
}

impl Log<'_> {
    fn read(&mut self, offset: i64, length: i64) -> Result<String, Failure> {
        self.session.call(self.method, [self.whose, &[Value::Int(offset), Value::Int(length)]].concat())
    }

    fn last(&mut self, bytes: i64) -> Result<String, Failure> {
        match bytes {
            ..=0 => self.behind(-bytes),
            1..=PIECE => self.read(-bytes, 0),
            // A log of one piece at most, as most are.
            _ if self.read(PIECE, 1)?.is_empty() => self.read(-bytes, 0),
            _ => {
                let size = self.size()?;
                self.behind((size - bytes).max(0))
            }
        }
    }

    /// The size of a log that has more than a piece: nobody tells it, it is where nothing follows.
    fn size(&mut self) -> Result<i64, Failure> {
        let (mut low, mut high) = (PIECE + 1, LAST_OFFSET);
        while low < high {
            let middle = low + (high - low) / 2;
            (low, high) = if self.read(middle, 1)?.is_empty() { (low, middle) } else { (middle + 1, high) };
        }
        Ok(low)
    }

    /// Everything from `offset` on. How long a text is does not tell how many bytes it stands for, since those that are no
    /// text have been replaced; that nothing follows is seen by asking.
    fn behind(&mut self, mut offset: i64) -> Result<String, Failure> {
        let mut text = String::new();
        while offset <= LAST_OFFSET {
            let piece = self.read(offset, PIECE)?;
            offset += PIECE;
            text.push_str(&piece);
            // Nothing that is replaced becomes half as long.
            if i64::try_from(piece.len()).is_ok_and(|length| length < PIECE / 2) {
                break;
            }
            if piece.ends_with(char::REPLACEMENT_CHARACTER)
                && let Some((character, end)) = self.cut_at(offset)?
            {
                text.pop();
                text.push(character);
                offset = end;
            }
        }
        Ok(text)
    }

    /// The character that begins before `offset` and ends behind it, and where it ends.
    fn cut_at(&mut self, offset: i64) -> Result<Option<(char, i64)>, Failure> {
        for before in 1..=3 {
            let begin = offset - before;
            let first = self.read(begin, 4)?.chars().next().filter(|first| *first != char::REPLACEMENT_CHARACTER);
            let end = first.and_then(|first| Some((first, begin + i64::try_from(first.len_utf8()).ok()?)));
            if let Some(found) = end.filter(|(_, end)| *end > offset) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// How much of a log is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The last bytes; 0 means all, a negative number what is behind as many bytes.
    Last(i64),
    /// The log as it grows.
    Follow,
}

impl Extent {
    /// Reads `-f` or `-N`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let number = word.strip_prefix('-')?;
        if number == "f" {
            return Some(Self::Follow);
        }
        let (sign, digits) = match number.strip_prefix(['-', '+']) {
            Some(digits) if number.starts_with('-') => (-1, digits),
            Some(digits) => (1, digits),
            None => (1, number),
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // The wire has 32 bits; no log excerpt is larger.
        is_number.then(|| Self::Last(sign * digits.parse().unwrap_or(i64::MAX).min(LAST_OFFSET)))
    }
}

impl Default for Extent {
    fn default() -> Self {
        Self::Last(DEFAULT_BYTES)
    }
}

fn channel(word: &str) -> Result<Stream, Mistake> {
    let word = word.to_lowercase();
    match word.as_str() {
        "stdout" => Ok(Stream::Stdout),
        "stderr" => Ok(Stream::Stderr),
        _ => Err(Mistake::Word(format!("Error: bad channel {}", quoted(&word)))),
    }
}

/// The method that reads a part of a log.
pub(super) fn read_method(channel: Stream) -> &'static str {
    match channel {
        Stream::Stdout => "readProcessStdoutLog",
        Stream::Stderr => "readProcessStderrLog",
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Plan<'a> {
    extent: Extent,
    name: &'a str,
    channel: Stream,
}

#[derive(Debug, PartialEq, Eq)]
enum Mistake {
    /// The wrong number of words, which the help may set right.
    Number(&'static str),
    /// A word that means nothing.
    Word(String),
}

impl<'a> Plan<'a> {
    fn parse(words: &[&'a str]) -> Result<Self, Mistake> {
        match words.len() {
            0 => return Err(Mistake::Number("Error: too few arguments")),
            1..=3 => {}
            _ => return Err(Mistake::Number("Error: too many arguments")),
        }
        let (extent, rest) = match words {
            [first, rest @ ..] if first.starts_with('-') => {
                let extent = Extent::parse(first);
                (extent.ok_or_else(|| Mistake::Word(format!("Error: bad argument {first}")))?, rest)
            }
            all => (Extent::default(), all),
        };
        match *rest {
            [] => Err(Mistake::Word("Error: tail requires process name".to_owned())),
            [name] => Ok(Self { extent, name, channel: Stream::Stdout }),
            // A word between the two means nothing, as in Supervisor 4.3.
            [name, .., word] => Ok(Self { extent, name, channel: channel(word)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_plans() {
        let plan = |extent, name, channel| Ok(Plan { extent, name, channel });
        let word = |text: &str| Err(Mistake::Word(text.to_owned()));
        for (line, want) in [
            ("x", plan(Extent::Last(1600), "x", Stream::Stdout)),
            ("x StdErr", plan(Extent::Last(1600), "x", Stream::Stderr)),
            ("-5 x", plan(Extent::Last(5), "x", Stream::Stdout)),
            ("--5 x", plan(Extent::Last(-5), "x", Stream::Stdout)),
            ("-+5 x", plan(Extent::Last(5), "x", Stream::Stdout)),
            ("--99999999999999999999 x", plan(Extent::Last(-2_147_483_647), "x", Stream::Stdout)),
            ("-+-5 x", word("Error: bad argument -+-5")),
            ("-- x", word("Error: bad argument --")),
            ("-0 x stdout", plan(Extent::Last(0), "x", Stream::Stdout)),
            ("-99999999999999999999 x", plan(Extent::Last(2_147_483_647), "x", Stream::Stdout)),
            ("-f x stderr", plan(Extent::Follow, "x", Stream::Stderr)),
            ("", Err(Mistake::Number("Error: too few arguments"))),
            ("a b c d", Err(Mistake::Number("Error: too many arguments"))),
            ("a b stdout", plan(Extent::Last(1600), "a", Stream::Stdout)),
            ("a b STDERR", plan(Extent::Last(1600), "a", Stream::Stderr)),
            ("a b c", word("Error: bad channel 'c'")),
            ("-5", word("Error: tail requires process name")),
            ("-f", word("Error: tail requires process name")),
            ("-zz x", word("Error: bad argument -zz")),
            ("- x", word("Error: bad argument -")),
            ("-5 x BOGUS", word("Error: bad channel 'bogus'")),
            ("x it's", word("Error: bad channel \"it's\"")),
            ("x -5", word("Error: bad channel '-5'")),
        ] {
            let words: Vec<_> = line.split_whitespace().collect();
            assert_eq!(Plan::parse(&words), want, "{line}");
        }
    }
}
