//! `pidproxy <pidfile> <command> [args…]`: lets supervisord control a program that goes into the background.
//!
//! Runs the command, passes signals on to the process whose pid stands in the pid file at that moment, and ends with
//! the command: at once and with its status, where Supervisor 4.3 polled and answered 0. It does not watch the
//! background process itself; a command that returns early ends the proxy.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};

use async_signal::{Signal, Signals};
use futures_lite::{FutureExt, StreamExt};
use rustix::process::Pid;

const USAGE: &str = "usage: pidproxy <pidfile name> <command> [<arg> ...]
Runs the command and passes signals on to the process whose pid is in the file.
";

/// What is passed on; after each of the first three the proxy ends.
const PASSED_ON: [Signal; 6] = [Signal::Term, Signal::Int, Signal::Quit, Signal::Hup, Signal::Usr1, Signal::Usr2];

/// Runs the proxy with these arguments (without the program's own name).
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let [pidfile, command, rest @ ..] = arguments.as_slice() else {
        say(USAGE);
        return ExitCode::from(1);
    };
    // Before the command exists, so that no signal meant for it is lost.
    let signals = match Signals::new(PASSED_ON) {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("cannot listen for signals: {error}"), 111),
    };
    let program = find_program(command, std::env::var_os("PATH").as_deref());
    #[expect(clippy::disallowed_methods, reason = "the proxy runs outside any supervisor and owns its one child")]
    let spawned = Command::new(&program).args(rest).spawn();
    match spawned {
        Ok(child) => async_io::block_on(attend(child, signals, Path::new(pidfile))),
        Err(error) => {
            let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
            fail(&format!("cannot run {}: {error}", program.display()), code)
        }
    }
}

/// Passes signals on until the child has ended or a last signal came.
async fn attend(mut child: Child, mut signals: Signals, pidfile: &Path) -> ExitCode {
    let (ended, end) = async_channel::bounded(1);
    std::thread::spawn(move || ended.try_send(child.wait()));
    loop {
        let next = async { Next::Ended(end.recv().await) }.or(async { Next::Signal(signals.next().await) }).await;
        match next {
            Next::Ended(Ok(Ok(status))) => return exit_code(status),
            Next::Ended(_) | Next::Signal(None) => return ExitCode::FAILURE,
            Next::Signal(Some(Ok(signal))) => {
                pass_on(signal, pidfile);
                if matches!(signal, Signal::Term | Signal::Int | Signal::Quit) {
                    return ExitCode::SUCCESS;
                }
            }
            Next::Signal(Some(Err(error))) => return fail(&format!("cannot listen for signals: {error}"), 111),
        }
    }
}

enum Next {
    Ended(Result<io::Result<std::process::ExitStatus>, async_channel::RecvError>),
    Signal(Option<io::Result<Signal>>),
}

fn pass_on(signal: Signal, pidfile: &Path) {
    let Some(pid) = read_pid(pidfile) else {
        say(&format!("Can't read child pidfile {}!\n", pidfile.display()));
        return;
    };
    let Some(signal) = rustix::process::Signal::from_named_raw(signal as i32) else { return };
    if let Err(error) = rustix::process::kill_process(pid, signal) {
        say(&format!("cannot signal pid {}: {error}\n", pid.as_raw_nonzero()));
    }
}

/// The pid in the file. Zero and negative numbers, which stand for process groups, are no pids.
fn read_pid(pidfile: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(pidfile).ok()?;
    let number: i32 = text.trim().parse().ok()?;
    (number > 0).then(|| Pid::from_raw(number)).flatten()
}

/// The status of the command; a death by signal as shells show it.
fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// A name with a slash is a path. One without is taken from the working directory, as Supervisor 4.3 does, else from
/// `PATH`.
fn find_program(name: &OsStr, path: Option<&OsStr>) -> PathBuf {
    let here = std::path::absolute(name).unwrap_or_else(|_| PathBuf::from(name));
    if name.as_encoded_bytes().contains(&b'/') || here.is_file() {
        return here;
    }
    let directories = path.map(std::env::split_paths).into_iter().flatten();
    directories.map(|directory| directory.join(name)).find(|candidate| candidate.is_file()).unwrap_or(here)
}

fn fail(why: &str, code: u8) -> ExitCode {
    // Nothing is left to tell it to if stderr is gone.
    let _ = writeln!(io::stderr(), "pidproxy: {why}");
    ExitCode::from(code)
}

fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn pids_are_positive_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        for (text, expected) in
            [("12\n", Some(12)), (" 7 ", Some(7)), ("0", None), ("-1", None), ("x", None), ("", None)]
        {
            std::fs::write(&file, text).unwrap();
            assert_eq!(read_pid(&file).map(|pid| pid.as_raw_nonzero().get()), expected, "{text:?}");
        }
        assert_eq!(read_pid(&folder.path().join("none")), None);
    }

    #[test]
    fn bare_names_are_searched_in_path() {
        let folder = tempfile::tempdir().unwrap();
        let tool = folder.path().join("a-tool-of-this-test");
        std::fs::write(&tool, "").unwrap();
        assert_eq!(find_program(OsStr::new("a-tool-of-this-test"), Some(folder.path().as_os_str())), tool);
        assert_eq!(find_program(OsStr::new("/bin/x"), Some(folder.path().as_os_str())), Path::new("/bin/x"));
        let nowhere = find_program(OsStr::new("no-such-tool-anywhere"), None);
        assert_eq!(nowhere, std::env::current_dir().unwrap().join("no-such-tool-anywhere"));
    }
}
