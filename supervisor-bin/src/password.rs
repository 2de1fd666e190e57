//! `supervisor_password`: reads a password and prints what stands for it in a configuration.
//!
//! A program of its own, so that no command line of Supervisor's changes. At a terminal it asks twice and shows nothing
//! of what is typed; otherwise it reads one line. The password is no argument: others could see it.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use supervisor_rpc::server::hash_password;

use crate::ctl::input::hidden_line;

const USAGE: &str = "Usage: supervisor_password\n\n\
    Reads a password, from the terminal or a line of standard input, and prints the line that stands for it in the\n\
    sections [unix_http_server] and [inet_http_server]: password={ARGON2}...\n";

/// The longest password, in bytes.
const LIMIT: u64 = 4096;

/// Runs it. `words` are those behind the program's name.
pub fn main(words: &[String]) -> ExitCode {
    let result = match words {
        [] => read().and_then(|password| hash_password(&password).map_err(io::Error::other)),
        [word] if word == "-h" || word == "--help" => {
            drop(io::stdout().write_all(USAGE.as_bytes()));
            return ExitCode::SUCCESS;
        }
        _ => Err(io::Error::other("no argument is expected: the password is read from the terminal or standard input")),
    };
    let written = result.and_then(|hash| writeln!(io::stdout(), "password={hash}"));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nobody to tell if this fails too.
            drop(writeln!(io::stderr(), "Error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn read() -> io::Result<String> {
    let password = if io::stdin().is_terminal() { ask_twice()? } else { line(io::stdin().lock())? };
    if password.is_empty() { Err(io::Error::other("the password is empty")) } else { Ok(password) }
}

/// One line, without its newline.
fn line(input: impl io::BufRead) -> io::Result<String> {
    let mut text = String::new();
    input.take(LIMIT + 1).read_line(&mut text)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if text.len() as u64 > LIMIT { Err(io::Error::other("the password is too long")) } else { Ok(text.to_owned()) }
}

fn ask_twice() -> io::Result<String> {
    let ask = |prompt| {
        let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        hidden_line(terminal, prompt)?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    };
    let password = ask("Password: ")?;
    if ask("Again: ")? == password { Ok(password) } else { Err(io::Error::other("the two are not the same")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_read() {
        for (input, expected) in [("geheim\nrest\n", "geheim"), ("geheim", "geheim"), (" a \r\n", " a \r"), ("", "")] {
            assert_eq!(line(input.as_bytes()).ok().as_deref(), Some(expected));
        }
        assert!(line(&*vec![b'x'; 5000]).is_err());
    }
}
