//! `maintail`: the end of the daemon's own log, or that log as it grows.

use supervisor_core::rpc::FaultCode;

use super::super::connection::ClientError;
use super::super::exit_status::ExitStatus;
use super::super::follow;
use super::super::session::{Outcome, Session};
use super::tail::{Extent, read_last};
use super::{Arguments, Command, Usage};

pub(super) struct MainTail;

static USAGE: &[Usage] = &[
    Usage::new("maintail", "Show the last 1600 bytes of the log of supervisord"),
    Usage::new("maintail -<N>", "Show the last N bytes, with -0 the whole log"),
    Usage::new("maintail -f", "Show the log as it grows, until Ctrl-C"),
];

impl Command for MainTail {
    fn name(&self) -> &str {
        "maintail"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.check()?;
        let extent = match arguments.words.as_slice() {
            [] => Extent::default(),
            [word] => match Extent::parse(word) {
                Some(extent) => extent,
                None => return session.fail(format_args!("Error: bad argument {word}"), ExitStatus::FAILED),
            },
            _ => return session.misuse(self, "Error: too many arguments", ExitStatus::FAILED),
        };
        match extent {
            Extent::Follow => follow::show(session, "/mainlogtail"),
            Extent::Last(bytes) => match read_last(session, "readLog", &[], bytes)? {
                Ok(text) => session.line(text),
                Err(fault) => {
                    let reason = match FaultCode::from_number(fault.code) {
                        Some(FaultCode::NoFile) => "no log file",
                        Some(FaultCode::Failed) => "unknown error reading log",
                        _ => return Err(ClientError::Fault(fault).into()),
                    };
                    session.fail(format_args!("supervisord: ERROR ({reason})"), ExitStatus::FAILED)
                }
            },
        }
    }
}
