//! `logs`: the ends of many logs, both streams of each process, and with `-f` all of them as they grow.
//!
//! Not a command of Supervisor 4.3, but made of its calls and streams, so that it works with its daemon too.

use supervisor_core::process::Stream;
use supervisor_core::rpc::{FaultCode, Value};
use supervisor_rpc::client::{LogTail, ProcessInfo, log_path};

use super::super::connection::{ClientError, LogStream};
use super::super::exit_status::ExitStatus;
use super::super::follow;
use super::super::merge::{Lines, Merge, Prefix, last_lines};
use super::super::session::{Failure, Outcome, Session, wait};
use super::status::{Selection, select};
use super::tail::read_method;
use super::{Arguments, Command, Completion, Listing, Usage};
use crate::getopt::{self, OptionSpec, Positionals};

pub(super) struct Logs;

/// How many lines of each log are shown if no number is given.
const DEFAULT_LINES: usize = 10;

/// How much of a log is read at first, in bytes; more if the lines are long.
const FIRST_READ: i64 = 4096;

/// How much of a log is read at most, in bytes.
const LARGEST_READ: i64 = 8 << 20;

/// Sizes are told with 32 bits: a larger log has this one.
const SIZE_LIMIT: i64 = i32::MAX as i64;

/// How much of the past a stream begins with, in bytes (Supervisor 4.3).
const STREAM_PAST: usize = 1024;

static USAGE: &[Usage] = &[
    Usage::new("logs", "Show the last lines of all logs, stdout and stderr"),
    Usage::new("logs <name> <name>", "Show those of several processes or groups"),
    Usage::new("logs -f <name> <name>", "Show them as they grow, until Ctrl-C"),
    Usage::new("logs -n <N> all", "Show the last N lines of each log; also with -f"),
];

static OPTIONS: &[OptionSpec] = &[
    OptionSpec { short: &['f'], long: "follow", argument: None, help: "go on with what is written, until Ctrl-C" },
    OptionSpec {
        short: &['n'],
        long: "lines",
        argument: Some("N"),
        help: "show the last N lines of each log (default: 10)",
    },
];

impl Command for Logs {
    fn name(&self) -> &str {
        "logs"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn listing(&self) -> Listing {
        Listing::ManualOnly
    }

    fn completion(&self) -> Completion {
        Completion::Processes
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.check()?;
        let plan = match Plan::parse(&arguments.words) {
            Ok(plan) => plan,
            Err(mistake) => return session.misuse(self, format_args!("Error: {mistake}"), ExitStatus::FAILED),
        };
        let processes: Vec<ProcessInfo> = session.call("getAllProcessInfo", vec![])?;
        let names: Vec<&str> = plan.names.iter().map(String::as_str).collect();
        let chosen = if names.is_empty() || names.contains(&"all") {
            processes
        } else {
            let Selection { found, unknown } = select(&processes, &names);
            for (name, _, reason) in unknown {
                session.fail(format_args!("{name}: ERROR ({reason})"), ExitStatus::FAILED)?;
            }
            found
        };
        let logs = logs_of(&chosen, session);
        match plan.follow {
            true => follow_all(session, logs, plan.lines),
            false => logs.iter().try_for_each(|log| show_end(session, log, plan.lines, None)),
        }
    }
}

/// What the words ask for.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    follow: bool,
    lines: usize,
    names: Vec<String>,
}

impl Plan {
    fn parse(words: &[&str]) -> Result<Self, getopt::UsageError> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let words = getopt::parse(OPTIONS, &words, Positionals::Taken)?;
        let mut plan = Self { follow: false, lines: DEFAULT_LINES, names: words.positional };
        for given in &words.given {
            match &given.value {
                None => plan.follow = true,
                Some(number) => {
                    plan.lines = number.parse().map_err(|_| given.invalid_value("not a number of lines"))?
                }
            }
        }
        Ok(plan)
    }
}

/// One log of one process.
struct Log {
    name: String,
    stream: Stream,
    prefix: Prefix,
}

/// Both logs of each process, as far as it has them.
fn logs_of(processes: &[ProcessInfo], session: &Session) -> Vec<Log> {
    let width = processes.iter().map(|process| process.name.to_string().chars().count()).max().unwrap_or(0);
    let mut logs = Vec::new();
    for (number, process) in processes.iter().enumerate() {
        let name = process.name.to_string();
        let stderr = Some(&process.stderr_log).filter(|path| **path != process.stdout_log);
        for (stream, path) in [(Stream::Stdout, Some(&process.stdout_log)), (Stream::Stderr, stderr)] {
            if path.is_some_and(|path| !path.is_empty()) {
                let prefix = Prefix::new(&name, number, width, stream, session.look);
                logs.push(Log { name: format!("{}:{}", process.name.group, process.name.process), stream, prefix });
            }
        }
    }
    logs
}

/// Prints the last lines of a log, up to this size or its end. One that is not written yet has none.
fn show_end(session: &mut Session, log: &Log, lines: usize, size: Option<i64>) -> Outcome {
    if lines == 0 {
        return Ok(());
    }
    match read_end(session, log, lines, size)? {
        Ok(text) => show(session, log, last_lines(text.as_bytes(), lines)),
        Err(reason) => session.fail(format_args!("{}: ERROR ({reason})", log.name), ExitStatus::FAILED),
    }
}

/// The end of a log, with this many lines if it has them; or why it cannot be read.
fn read_end(
    session: &mut Session,
    log: &Log,
    lines: usize,
    size: Option<i64>,
) -> Result<Result<String, &'static str>, Failure> {
    let mut bytes = FIRST_READ;
    loop {
        let (offset, length) = match size {
            None => (-bytes, 0),
            Some(0) => return Ok(Ok(String::new())),
            Some(size) => ((size - bytes).max(0), bytes.min(size)),
        };
        let params = vec![Value::from(log.name.as_str()), Value::Int(offset), Value::Int(length)];
        let text: String = match session.ask(read_method(log.stream), params)? {
            Ok(text) => text,
            Err(fault) => {
                return match FaultCode::from_number(fault.code) {
                    Some(FaultCode::NoFile) => Ok(Ok(String::new())),
                    Some(FaultCode::Failed) => Ok(Err("unknown error reading log")),
                    Some(FaultCode::BadName) => Ok(Err("no such process")),
                    _ => Err(ClientError::Fault(fault).into()),
                };
            }
        };
        let is_all = i64::try_from(text.len()).is_ok_and(|length| length < bytes);
        if is_all || text.matches('\n').count() > lines || bytes >= LARGEST_READ {
            return Ok(Ok(text));
        }
        bytes = (bytes * 8).min(LARGEST_READ);
    }
}

fn show(session: &mut Session, log: &Log, text: &[u8]) -> Outcome {
    let mut lines = Lines::default();
    let whole = lines.add(text);
    let look = session.look;
    let shown: Vec<u8> = whole.iter().chain(&lines.end()).flat_map(|line| log.prefix.put(line, look)).collect();
    session.bytes(&shown)
}

/// Shows all logs as they grow, until Ctrl-C or the end of all.
fn follow_all(session: &mut Session, logs: Vec<Log>, lines: usize) -> Outcome {
    session.interrupts.listen().map_err(Failure::Input)?;
    match follow_until_the_end(session, &logs, lines) {
        Err(Failure::Interrupted) => session.line(""),
        outcome => outcome,
    }
}

/// A log that is followed.
struct Followed<'l> {
    log: &'l Log,
    past: Past,
    lines: Lines,
}

fn follow_until_the_end(session: &mut Session, logs: &[Log], lines: usize) -> Outcome {
    let mut merge = Merge::default();
    let mut followed = Vec::new();
    for log in logs {
        match begin(session, log, lines) {
            Ok((stream, past)) => {
                merge.add(followed.len(), stream);
                followed.push(Followed { log, past, lines: Lines::default() });
            }
            Err(Failure::Client(error)) if !matches!(error, ClientError::Unauthorised) => {
                not_followed(session, log, &error);
            }
            Err(failure) => return Err(failure),
        }
    }
    while let Some((number, chunk)) = wait(&mut session.interrupts, merge.next())? {
        let Followed { log, past, lines } = &mut followed[number];
        let whole = match chunk {
            Some(Ok(bytes)) => lines.add(past.leave_out(&bytes)),
            Some(Err(error)) => {
                not_followed(session, log, &ClientError::Io(error));
                Vec::new()
            }
            None => std::mem::take(lines).end().into_iter().collect(),
        };
        let look = session.look;
        session.bytes(&whole.iter().flat_map(|line| log.prefix.put(line, look)).collect::<Vec<u8>>())?;
    }
    Ok(())
}

/// Opens the stream of a log and shows what was in it before.
fn begin(session: &mut Session, log: &Log, lines: usize) -> Result<(LogStream, Past), Failure> {
    let before = size(session, log)?;
    let (server, interrupts, _) = session.parts()?;
    let stream = wait(interrupts, server.follow(&log_path(&log.name, log.stream)))??;
    // Nothing was written in between: the stream begins that far before the end, and the rest can be read in peace.
    if before == size(session, log)? && before < SIZE_LIMIT {
        show_end(session, log, lines, Some(before))?;
        return Ok((stream, Past::Bytes(usize::try_from(before).unwrap_or(0).min(STREAM_PAST))));
    }
    Ok((stream, if before > 0 { Past::UntilNewline } else { Past::Bytes(0) }))
}

/// The size of a log in bytes.
fn size(session: &mut Session, log: &Log) -> Result<i64, Failure> {
    let method = match log.stream {
        Stream::Stdout => "tailProcessStdoutLog",
        Stream::Stderr => "tailProcessStderrLog",
    };
    let tail: LogTail = session.call(method, vec![Value::from(log.name.as_str()), Value::Int(0), Value::Int(0)])?;
    Ok(tail.size)
}

/// What is left out at the beginning of a stream.
#[derive(Debug, PartialEq, Eq)]
enum Past {
    /// So many bytes: they have been shown.
    Bytes(usize),
    /// The rest of a line that the stream may have cut in two.
    UntilNewline,
}

impl Past {
    fn leave_out<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let count = match self {
            Self::Bytes(left) => (*left).min(chunk.len()),
            Self::UntilNewline => chunk.iter().position(|byte| *byte == b'\n').map_or(chunk.len(), |at| at + 1),
        };
        match self {
            Self::Bytes(left) => *left -= count,
            Self::UntilNewline if count < chunk.len() || chunk.ends_with(b"\n") => *self = Self::Bytes(0),
            Self::UntilNewline => {}
        }
        &chunk[count..]
    }
}

fn not_followed(session: &mut Session, log: &Log, error: &ClientError) {
    let text = follow::complaint(session.url(), &log_path(&log.name, log.stream), error);
    session.complain(text);
    session.set_status(ExitStatus::FAILED);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_plans() {
        let plan =
            |line: &str| Plan::parse(&line.split_whitespace().collect::<Vec<_>>()).map_err(|error| error.to_string());
        let want = |follow, lines, names: &[&str]| {
            Ok(Plan { follow, lines, names: names.iter().map(|name| (*name).to_owned()).collect() })
        };
        for (line, want) in [
            ("", want(false, 10, &[])),
            ("-f", want(true, 10, &[])),
            ("-fn5 a b", want(true, 5, &["a", "b"])),
            ("--lines=0 --follow g:*", want(true, 0, &["g:*"])),
            ("-n x", Err("invalid value for -n 'x': not a number of lines".to_owned())),
            ("-n", Err("option -n requires argument".to_owned())),
            ("-z", Err("option -z not recognized".to_owned())),
        ] {
            assert_eq!(plan(line), want, "{line}");
        }
    }

    #[test]
    fn the_past_is_left_out_once() {
        let mut past = Past::Bytes(5);
        assert_eq!(
            [past.leave_out(b"one"), past.leave_out(b"\ntwo\n"), past.leave_out(b"x")],
            [b"" as &[u8], b"wo\n", b"x"]
        );
        let mut past = Past::UntilNewline;
        assert_eq!(
            [past.leave_out(b"cut"), past.leave_out(b" off\none"), past.leave_out(b"\ntwo")],
            [b"" as &[u8], b"one", b"\ntwo"]
        );
        let mut past = Past::UntilNewline;
        assert_eq!([past.leave_out(b"cut\n"), past.leave_out(b"one\n")], [b"" as &[u8], b"one\n"]);
    }
}
