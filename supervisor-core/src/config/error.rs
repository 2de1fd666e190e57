//! What can be wrong with a configuration: where, and what.
//!
//! [`ErrorKind`] says what, in Supervisor's words where it has some; [`ConfigError`] adds the section, file, line and key,
//! as far as they are known, on the same line.

use std::fmt;

use super::convert::ValueError;
use super::ini::Place;
use super::python::repr;

/// A configuration that cannot be used. Its text is what `Error:` shows and what the fault CANT_REREAD carries.
#[derive(Debug)]
pub struct ConfigError {
    kind: Box<ErrorKind>,
    key: Option<Box<KeyPlace>>,
    section: Option<Box<SectionPlace>>,
}

#[derive(Debug)]
struct KeyPlace {
    key: String,
    file: String,
    line: usize,
}

#[derive(Debug)]
struct SectionPlace {
    name: String,
    file: String,
    line: Option<usize>,
    /// Supervisor's message of this error ends with section and file; ours names them behind its end.
    in_message: bool,
}

impl ConfigError {
    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The key at fault, where one is known.
    pub fn key(&self) -> Option<&str> {
        self.key.as_ref().map(|place| place.key.as_str())
    }

    /// The section at fault, where one is known.
    pub fn section(&self) -> Option<&str> {
        self.section.as_ref().map(|place| place.name.as_str())
    }

    /// The line of the key at fault, or of its section's first header; counted from 1.
    pub fn line(&self) -> Option<usize> {
        let key = self.key.as_ref().map(|place| place.line);
        key.or_else(|| self.section.as_ref().and_then(|place| place.line))
    }

    /// The file of the key at fault, or the one where its section first appeared.
    pub fn file(&self) -> Option<&str> {
        let key = self.key.as_ref().map(|place| place.file.as_str());
        key.or_else(|| self.section.as_ref().map(|place| place.file.as_str()))
    }

    /// Says which line set the key. The first call counts.
    #[must_use]
    pub(crate) fn at(mut self, key: &str, place: Option<&Place>) -> Self {
        if let (None, Some((line, place))) = (&self.key, place.and_then(|place| Some((place.line?, place)))) {
            let file = place.source.name.clone();
            self.key = Some(Box::new(KeyPlace { key: key.to_owned(), file, line }));
        }
        self
    }

    /// Says in which section it happened, and whether that is part of Supervisor's message. The first call counts.
    #[must_use]
    pub(crate) fn in_section(mut self, name: &str, place: &Place, in_message: bool) -> Self {
        let (name, file) = (name.to_owned(), place.source.name.clone());
        self.section.get_or_insert(Box::new(SectionPlace { name, file, line: place.line, in_message }));
        self
    }
}

impl From<ErrorKind> for ConfigError {
    fn from(kind: ErrorKind) -> Self {
        Self { kind: Box::new(kind), key: None, section: None }
    }
}

impl From<ValueError> for ConfigError {
    fn from(error: ValueError) -> Self {
        ErrorKind::Value(error).into()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        let told = self.section.as_ref().filter(|section| section.in_message);
        if let Some(section) = told {
            write!(f, " in section {} (file: {})", repr(&section.name), repr(&section.file))?;
        }
        if let Some(line) = self.line() {
            write!(f, ", line {line}")?;
        }
        if let Some(place) = &self.key {
            write!(f, ", key {}", repr(&place.key))?;
        }
        match (&self.section, told, self.file()) {
            // What came from code has no lines, and no file worth naming.
            (Some(section), None, _) if section.line.is_none() => write!(f, " of section {}", repr(&section.name)),
            (Some(section), None, Some(file)) => {
                write!(f, " of section {} (file: {})", repr(&section.name), repr(file))
            }
            (_, Some(section), Some(file)) if section.file != file => write!(f, " (file: {})", repr(file)),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong, apart from where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says it, and its fields are what the message shows")]
pub enum ErrorKind {
    #[error("could not find config file {0}")]
    NotFound(String),
    #[error("could not read config file {path}: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("could not read config file {path}: line {line} is not UTF-8 text")]
    NotText { path: String, line: usize },
    #[error(
        "No config file found at default paths ({0}); use the -c option to specify a config file at a different path"
    )]
    NoFile(String),
    /// Lines that are neither header nor option, with their numbers.
    #[error("Source contains parsing errors: {file}{lines}", file = repr(file), lines = faults(lines))]
    Syntax { file: String, lines: Vec<(usize, String)> },
    #[error("File contains no section headers.\nfile: {file}, line: {line}\n{text}", file = repr(file), text = quoted(text))]
    NoSectionHeader { file: String, line: usize, text: String },
    #[error(".ini file does not include {0} section")]
    MissingSection(&'static str),
    #[error(".ini file has [include] section, but no files setting")]
    IncludeWithoutFiles,
    #[error("could not read included file {path}: {reason}")]
    UnreadableInclude { path: String, reason: String },
    #[error(
        "Format string {template} for {key} contains names ({name}) which cannot be expanded. Available names: {available}",
        template = repr(template), key = repr(key), name = repr(name)
    )]
    UnknownName { template: String, key: String, name: String, available: String },
    #[error(
        "Format string {template} for {key} contains names ({name}) which cannot be expanded: its value is not UTF-8 text",
        template = repr(template), key = repr(key), name = repr(name)
    )]
    NotTextVariable { template: String, key: String, name: String },
    #[error("Format string {template} for {key} is badly formatted: {reason}", template = repr(template), key = repr(key))]
    Malformed { template: String, key: String, reason: String },
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A value of the command line.
    #[error("invalid value for {option} {value}: {reason}", value = repr(value))]
    Option { option: String, value: String, reason: ValueError },
    #[error("section [{section}] has no {key} value")]
    ServerWithout { section: String, key: &'static str },
    #[error(
        "Section [{0}] contains incomplete authentication: If a username or a password is specified, both the username \
         and password must be specified"
    )]
    IncompleteAuthentication(String),
    /// The reason never shows the password.
    #[error("section [{section}] has a password that cannot be used: {reason}")]
    Password { section: String, reason: String },
    #[error("section [{section}] does not specify a {key}")]
    NoFactory { section: String, key: &'static str },
    #[error("{value} cannot be resolved within [{section}]")]
    Unresolved { value: String, section: String },
    #[error("program section {0} does not specify a command")]
    NoCommand(String),
    #[error("%(process_num) must be present within process_name when numprocs > 1")]
    NoProcessNum,
    #[error("numprocs={0} is more than one program can have ({max})", max = super::program::MAXIMUM_PROCESSES)]
    TooManyProcesses(i64),
    #[error("Cannot set stopasgroup=true and killasgroup=false")]
    StopWithoutKill,
    #[error("[{0}] section requires a \"socket\" line")]
    NoSocket(String),
    #[error("{reason} in [{section}] socket")]
    BadSocket { reason: ValueError, section: String },
    #[error("socket_owner and socket_mode params should only be used with a Unix domain socket in [{0}] socket")]
    OwnerOfTcpSocket(String),
    #[error("[{0}] section requires an \"events\" line")]
    NoEvents(String),
    #[error("Unknown event type {event} in [{section}] events")]
    UnknownEvent { event: String, section: String },
    #[error("[{section}] section sets invalid buffer_size ({value})")]
    BadBufferSize { section: String, value: i64 },
    #[error(
        "[{0}] section sets redirect_stderr=true but this is not allowed because it will interfere with the \
         eventlistener protocol"
    )]
    RedirectedListener(String),
    #[error("[{group}] names unknown program or fcgi-program {name}")]
    UnknownMember { group: String, name: String },
    #[error("[{group}] name {name} is ambiguous (exists as program and fcgi-program)")]
    AmbiguousMember { group: String, name: String },
}

/// The most lines of one file that a message lists, and the most characters of each that it shows.
const MAXIMUM_LINES: usize = 200;
const MAXIMUM_CHARACTERS: usize = 1000;

fn faults(lines: &[(usize, String)]) -> String {
    let listed = lines.iter().take(MAXIMUM_LINES);
    let mut text: String = listed.map(|(number, text)| format!("\n\t[line {number:2}]: {}", quoted(text))).collect();
    if let Some(more) = lines.len().checked_sub(MAXIMUM_LINES).filter(|more| *more > 0) {
        text.push_str(&format!("\n\tand {more} further lines"));
    }
    text
}

/// The line in quotes; a line of a foreign file may be of any length.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAXIMUM_CHARACTERS) {
        Some((end, _)) => repr(&text[..end]) + "...",
        None => repr(text),
    }
}
