//! `tail`: the end of a process log, or the log as it grows.

use supervisor_core::process::Stream;
use supervisor_core::rpc::{Fault, FaultCode, Value};
use supervisor_rpc::client::log_path;

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::follow;
use super::super::session::{Failure, Outcome, Session};
use super::{Arguments, Command, Completion, Usage};

pub(super) struct Tail;

/// How many bytes are shown if no number is given.
const DEFAULT_BYTES: i64 = 1600;

/// How many bytes our servers give at once.
const PIECE: i64 = 8 << 20;

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
/// before offset and length. Our servers give [`PIECE`] bytes at once, the rest is asked for; those of Supervisor 4.3 give all.
pub(super) fn read_last(
    session: &mut Session,
    method: &str,
    whose: &[Value],
    bytes: i64,
) -> Result<Result<String, Fault>, Failure> {
    let mut read = |offset: i64, length: i64| {
        session.ask::<String>(method, [whose, &[Value::Int(offset), Value::Int(length)]].concat())
    };
    let mut text = match read(-bytes, 0)? {
        Ok(text) => text,
        refused => return Ok(refused),
    };
    // It may be shown by a few bytes more where it cuts characters in two.
    let is_piece = |text: &str| (PIECE..PIECE + 8).contains(&i64::try_from(text.len()).unwrap_or(i64::MAX));
    if !is_piece(&text) || (1..=PIECE).contains(&bytes) {
        return Ok(Ok(text));
    }
    let mut offset = PIECE - bytes;
    if bytes > 0 {
        // What came are the newest bytes, and where they are is not told: it is where nothing follows.
        text.clear();
        let mut ends = 0..i64::from(i32::MAX);
        while ends.start < ends.end {
            let middle = ends.start + (ends.end - ends.start) / 2;
            match read(middle, 1)? {
                Ok(byte) if byte.is_empty() => ends.end = middle,
                Ok(_) => ends.start = middle + 1,
                refused => return Ok(refused),
            }
        }
        offset = (ends.start - bytes).max(0);
    }
    // The wire has 32 bits.
    while offset <= i64::from(i32::MAX) {
        match read(offset, PIECE)? {
            Ok(piece) => {
                text.push_str(&piece);
                if !is_piece(&piece) {
                    break;
                }
            }
            refused => return Ok(refused),
        }
        offset += PIECE;
    }
    Ok(Ok(text))
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
        is_number.then(|| Self::Last(sign * digits.parse().unwrap_or(i64::MAX).min(i64::from(i32::MAX))))
    }
}

impl Default for Extent {
    fn default() -> Self {
        Self::Last(DEFAULT_BYTES)
    }
}

fn channel(word: &str) -> Option<Stream> {
    match word.to_ascii_lowercase().as_str() {
        "stdout" => Some(Stream::Stdout),
        "stderr" => Some(Stream::Stderr),
        _ => None,
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
        let too_many = Mistake::Number("Error: too many arguments");
        match words.len() {
            0 => return Err(Mistake::Number("Error: too few arguments")),
            1..=3 => {}
            _ => return Err(too_many),
        }
        let (extent, rest) = match words {
            [first, rest @ ..] if first.starts_with('-') => {
                let extent = Extent::parse(first);
                (extent.ok_or_else(|| Mistake::Word(format!("Error: bad argument {first}")))?, rest)
            }
            all => (Extent::default(), all),
        };
        let channel = |word: &str| channel(word).ok_or_else(|| Mistake::Word(format!("Error: bad channel '{word}'")));
        match *rest {
            [] => Err(Mistake::Word("Error: tail requires process name".to_owned())),
            [name] => Ok(Self { extent, name, channel: Stream::Stdout }),
            [name, word] => Ok(Self { extent, name, channel: channel(word)? }),
            [.., last] => channel(last).and(Err(too_many)),
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
            ("a b stdout", Err(Mistake::Number("Error: too many arguments"))),
            ("a b c", word("Error: bad channel 'c'")),
            ("-5", word("Error: tail requires process name")),
            ("-f", word("Error: tail requires process name")),
            ("-zz x", word("Error: bad argument -zz")),
            ("- x", word("Error: bad argument -")),
            ("-5 x bogus", word("Error: bad channel 'bogus'")),
            ("x -5", word("Error: bad channel '-5'")),
        ] {
            let words: Vec<_> = line.split_whitespace().collect();
            assert_eq!(Plan::parse(&words), want, "{line}");
        }
    }
}
