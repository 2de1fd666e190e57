//! `fg`: connects the terminal to a running process: both logs to the output, typed lines to its stdin.

use std::io::Write;

use futures_lite::future;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::process::Stream;
use supervisor_core::rpc::{FaultCode, Value};
use supervisor_rpc::client::{ProcessInfo, log_path};

use super::super::connection::{ClientError, Rpc, read};
use super::super::exit_status::ExitStatus;
use super::super::follow;
use super::super::input::Input;
use super::super::merge::Merge;
use super::super::session::{Failure, Outcome, Session, Streams, wait};
use super::{Arguments, Command, Completion, Usage};

pub(super) struct Foreground;

static USAGE: &[Usage] =
    &[Usage::new("fg <process>", "Show what a running process writes and send it what is typed, until Ctrl-C")];

impl Command for Foreground {
    fn name(&self) -> &str {
        "fg"
    }

    fn usage(&self) -> &[Usage] {
        USAGE
    }

    fn completion(&self) -> Completion {
        Completion::Processes
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.check()?;
        let name = match arguments.words.as_slice() {
            [] => return session.misuse(self, "ERROR: no process name supplied", ExitStatus::FAILED),
            [name] => *name,
            _ => return session.fail("ERROR: too many process names supplied", ExitStatus::FAILED),
        };
        match session.ask::<ProcessInfo>("getProcessInfo", vec![Value::from(name)])? {
            Ok(info) if info.state != ProcessState::Running => {
                session.fail("ERROR: process not running", ExitStatus::FAILED)
            }
            Ok(_) => connect(session, name),
            Err(fault) if fault.code == FaultCode::BadName.number() => {
                session.fail("ERROR: bad process name supplied", ExitStatus::FAILED)
            }
            Err(fault) => Err(ClientError::Fault(fault).into()),
        }
    }
}

fn is_running(info: &Value) -> Result<bool, ClientError> {
    Ok(read::<ProcessInfo>(info, "getProcessInfo")?.state == ProcessState::Running)
}

/// Why the terminal was disconnected again.
enum End {
    /// Nothing more is typed.
    Input,
    /// The process has ended.
    Killed,
    /// Something was refused.
    Error(ClientError),
}

fn connect(session: &mut Session, name: &str) -> Outcome {
    session.interrupts.listen().map_err(Failure::Input)?;
    session.line(follow::HEADER)?;
    session.bytes(b"")?;
    let url = session.url().to_owned();
    let (server, interrupts, Streams { output, errors, input }) = session.parts()?;
    let show = async {
        let complaint = copy_logs(server, &url, name, output).await?;
        let _ = writeln!(errors, "{complaint}");
        // Typed lines are of use even where nothing can be shown.
        future::pending::<Result<End, Failure>>().await
    };
    let end = wait(interrupts, future::or(send_lines(server, name, &mut **input), show));
    match end {
        Ok(Ok(End::Input)) | Err(Failure::Interrupted) => {}
        Ok(Ok(End::Killed)) => session.line("Process got killed")?,
        Ok(Ok(End::Error(error))) => {
            if !matches!(error, ClientError::Fault(_)) {
                session.set_status(ExitStatus::FAILED);
            }
            session.line(format_args!("ERROR: {}", error.sentence(&url)))?;
        }
        Ok(Err(failure)) | Err(failure) => return Err(failure),
    }
    session.line("Exiting foreground")
}

/// Sends each line with its newline to the process, until one cannot be sent.
async fn send_lines(server: &dyn Rpc, name: &str, input: &mut dyn Input) -> Result<End, Failure> {
    while let Some(mut line) = input.line().await.map_err(Failure::Input)? {
        line.push('\n');
        let params = vec![Value::from(name), Value::from(line)];
        match server.call("supervisor.sendProcessStdin", params).await {
            Ok(_) => {}
            Err(ClientError::Fault(fault)) if fault.code == FaultCode::NotRunning.number() => return Ok(End::Killed),
            Err(error) => return Ok(End::Error(error)),
        }
        match server.call("supervisor.getProcessInfo", vec![Value::from(name)]).await {
            Ok(info) if is_running(&info)? => {}
            Ok(_) => return Ok(End::Killed),
            Err(error) => return Ok(End::Error(error)),
        }
    }
    Ok(End::Input)
}

/// Shows both logs until both end; returns what is to be said about it.
async fn copy_logs(server: &dyn Rpc, url: &str, name: &str, output: &mut dyn Write) -> Result<String, Failure> {
    let (stdout, stderr) = (log_path(name, Stream::Stdout), log_path(name, Stream::Stderr));
    let (first, second) = future::zip(server.follow(&stdout), server.follow(&stderr)).await;
    // A process without one of the two logs is nothing unusual.
    if let (Err(error), Err(_)) = (&first, &second) {
        return Ok(follow::complaint(url, &stdout, error));
    }
    let mut logs = Merge::default();
    for (number, log) in [first, second].into_iter().enumerate() {
        log.into_iter().for_each(|log| logs.add(number, log));
    }
    while let Some((number, chunk)) = logs.next().await {
        match chunk {
            Some(Ok(bytes)) => output.write_all(&bytes).and_then(|()| output.flush()).map_err(Failure::Output)?,
            Some(Err(error)) => {
                let path = if number == 0 { &stdout } else { &stderr };
                return Ok(follow::complaint(url, path, &ClientError::Io(error)));
            }
            None => {}
        }
        // However much is written, Ctrl-C and typed lines get their turn.
        future::yield_now().await;
    }
    Ok(format!("The logs of {name} have ended"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::io;

    use futures_lite::stream;

    use super::super::super::connection::{LogStream, Reply};
    use super::*;

    /// Has the logs at these paths; each says so and ends, or is cut off.
    struct Logs(&'static [&'static str], bool);

    impl Rpc for Logs {
        fn call<'a>(&'a self, _method: &'a str, _params: Vec<Value>) -> Reply<'a, Value> {
            Box::pin(async { Err(ClientError::Refused) })
        }

        fn follow<'a>(&'a self, path: &'a str) -> Reply<'a, LogStream> {
            let answer: Result<LogStream, ClientError> = if self.0.contains(&path) {
                let end = self.1.then(|| Err(io::ErrorKind::ConnectionReset.into()));
                Ok(Box::pin(stream::iter([Ok(format!("{path}\n").into_bytes())].into_iter().chain(end))))
            } else {
                Err(ClientError::Http { status: 404, reason: "Not Found".to_owned() })
            };
            Box::pin(async { answer })
        }
    }

    #[test]
    fn the_end_of_the_logs_is_told() {
        let both: &[&str] = &["/logtail/x/stdout", "/logtail/x/stderr"];
        for (there, cut_off, shown, told) in [
            (both, false, "/logtail/x/stdout\n/logtail/x/stderr\n", "The logs of x have ended"),
            (&both[1..], false, "/logtail/x/stderr\n", "The logs of x have ended"),
            (&[], false, "", "http://s/logtail/x/stdout Cannot read, status code 404"),
            (&both[..1], true, "/logtail/x/stdout\n", "http://s/logtail/x/stdout Cannot read, error: connection reset"),
        ] {
            let mut output = Vec::new();
            let complaint = future::block_on(copy_logs(&Logs(there, cut_off), "http://s", "x", &mut output)).unwrap();
            assert_eq!((String::from_utf8(output).unwrap().as_str(), complaint.as_str()), (shown, told));
        }
    }
}
