//! `tail -f` and `maintail -f`: shows a log as it grows, until Ctrl-C.

use futures_lite::StreamExt;

use super::connection::ClientError;
use super::exit_status::ExitStatus;
use super::session::{Failure, Outcome, Session, wait};

/// What stands above a stream.
pub(super) const HEADER: &str = "==> Press Ctrl-C to exit <==";

/// Shows the stream at `path` until it ends, or until Ctrl-C.
pub(super) fn show(session: &mut Session, path: &str) -> Outcome {
    session.interrupts.listen().map_err(Failure::Input)?;
    session.line(HEADER)?;
    match stream(session, path) {
        Err(Failure::Interrupted) => session.line(""),
        Err(Failure::Client(ClientError::Unauthorised)) => Err(ClientError::Unauthorised.into()),
        Err(Failure::Client(error)) => {
            let text = complaint(session.url(), path, &error);
            session.complain(text);
            session.set_status(ExitStatus::FAILED);
            Ok(())
        }
        outcome => outcome,
    }
}

fn stream(session: &mut Session, path: &str) -> Outcome {
    session.bytes(b"")?;
    let (server, interrupts, _) = session.parts()?;
    let mut log = wait(interrupts, server.follow(path))??;
    while let Some(chunk) = wait(&mut session.interrupts, log.next())? {
        session.bytes(&chunk.map_err(ClientError::Io)?)?;
    }
    Ok(())
}

/// What is said about a stream that did not come, or did not come to its end.
pub(super) fn complaint(url: &str, path: &str, error: &ClientError) -> String {
    let address = format!("{}{path}", url.trim_end_matches('/'));
    match error {
        ClientError::Http { status, .. } => format!("{address} Cannot read, status code {status}"),
        ClientError::Io(error) => format!("{address} Cannot read, error: {error}"),
        other => format!("{address} Cannot connect, error: {}", other.sentence(url)),
    }
}
