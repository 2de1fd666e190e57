//! From the text of a command to words and a file: POSIX shell words, then the search along PATH.
//!
//! Looks at files, starts nothing. The words follow Python's `shlex.split`, which no crate does: shlex 2 and shell-words
//! 1.1 both take `#` for a comment, drop a backslash before `$`, `` ` `` and a newline in double quotes, join lines
//! after a backslash, do not know `\r` as white space, and cannot say whether a quotation or an escaped character is
//! missing (shell-words even takes a last backslash as itself). A test compares the two where they agree.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::spawn::SpawnError;
use crate::config::python::repr;
use crate::domain::spec;

/// Where programs are looked for if nobody says.
const DEFAULT_PATH: &str = "/bin:/usr/bin:/usr/local/bin";

/// A command, ready to be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedCommand {
    /// The file; a relative one is relative to the process's directory.
    pub(crate) program: PathBuf,
    /// All words; the first as written. Never empty.
    pub(crate) words: Vec<String>,
}

/// Why a text is no sequence of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WordsError {
    /// The text ends within quotes.
    #[error("No closing quotation")]
    Quotation,
    /// The text ends with a backslash.
    #[error("No escaped character")]
    Escape,
    /// A NUL byte cannot be handed to a program.
    #[error("NUL character")]
    Nul,
}

/// Splits a command into words: quotes `'` and `"`, backslash; no comments, variables or globs.
pub(crate) fn split_words(text: &str) -> Result<Vec<String>, WordsError> {
    if text.contains('\0') {
        return Err(WordsError::Nul);
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => quoted(&mut characters, word.get_or_insert_default())?,
            '"' => double_quoted(&mut characters, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(characters.next().ok_or(WordsError::Escape)?),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(characters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match characters.next().ok_or(WordsError::Quotation)? {
            '\'' => return Ok(()),
            plain => word.push(plain),
        }
    }
}

/// Within double quotes a backslash escapes itself and the quote, nothing else.
fn double_quoted(characters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match characters.next().ok_or(WordsError::Quotation)? {
            '"' => return Ok(()),
            '\\' => {
                let escaped = characters.next().ok_or(WordsError::Escape)?;
                if !matches!(escaped, '"' | '\\') {
                    word.push('\\');
                }
                word.push(escaped);
            }
            plain => word.push(plain),
        }
    }
}

/// Splits the command of a process and finds its program.
///
/// # Errors
/// [`SpawnError::NoFile`] or [`SpawnError::NotExecutable`], in Supervisor's words.
pub(crate) fn resolve(settings: &spec::Process) -> Result<ResolvedCommand, SpawnError> {
    let words = split_words(&settings.command).map_err(|error| {
        SpawnError::NotExecutable(format!("can't parse command {}: {error}", repr(&settings.command)))
    })?;
    let Some(name) = words.first() else {
        return Err(SpawnError::NotExecutable("command is empty".to_owned()));
    };
    let missing = || SpawnError::NoFile(format!("can't find command '{name}'"));
    let directory = settings.directory.as_deref().unwrap_or(Path::new(""));
    let program = if name.contains('/') {
        Some(PathBuf::from(name)).filter(|file| exists(&directory.join(file)))
    } else {
        search(name, &search_path(settings), directory)
    };
    let program = program.ok_or_else(missing)?;
    check_executable(&program, &directory.join(&program), missing)?;
    Ok(ResolvedCommand { program, words })
}

/// The PATH of the process's own environment, else ours.
fn search_path(settings: &spec::Process) -> OsString {
    let own = settings.environment.get("PATH").map(OsString::from);
    own.or_else(|| std::env::var_os("PATH")).unwrap_or_else(|| DEFAULT_PATH.into())
}

/// The first directory of `path` where the name exists, executable or not. Relative ones start where the process will.
fn search(name: &str, path: &OsString, directory: &Path) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    std::env::split_paths(path)
        // The empty entry is the working directory; a slash keeps exec from searching again.
        .map(|entry| if entry.as_os_str().is_empty() { Path::new(".").join(name) } else { entry.join(name) })
        .find(|file| exists(&directory.join(file)))
}

fn exists(file: &Path) -> bool {
    file.metadata().is_ok()
}

fn check_executable(shown: &Path, file: &Path, missing: impl Fn() -> SpawnError) -> Result<(), SpawnError> {
    let metadata = file.metadata().map_err(|_| missing())?;
    let at = shown.display();
    let problem = if metadata.is_dir() {
        format!("command at '{at}' is a directory")
    } else if metadata.permissions().mode() & 0o111 == 0 {
        format!("command at '{at}' is not executable")
    } else if rustix::fs::access(file, Access::EXEC_OK).is_err() {
        format!("no permission to run command '{at}'")
    } else {
        return Ok(());
    };
    Err(SpawnError::NotExecutable(problem))
}

#[cfg(test)]
mod tests;
