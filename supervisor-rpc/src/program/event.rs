//! Events as a listener process reads them: header line and payload.

use std::io::{self, BufRead, Read};

use supervisor_core::domain::event_type::EventType;

use super::ProgramError;

/// The longest header line, in bytes.
const MAX_HEADER: u64 = 64 * 1024;

/// The longest payload, in characters.
const MAX_PAYLOAD: usize = 64 * 1024 * 1024;

/// What the line before a payload says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// `ver`: the version of the protocol.
    pub version: String,
    /// `server`: the supervisor's identifier.
    pub server: String,
    /// `serial`: the event's number, the same for all pools, and when it comes again.
    pub serial: u64,
    /// `pool`: the listener's pool.
    pub pool: String,
    /// `poolserial`: its number in the pool; a gap tells that events were dropped.
    pub pool_serial: u64,
    /// `eventname`: its concrete type.
    pub event_name: String,
    /// `len`: the length of the payload in characters.
    pub length: usize,
}

/// An event as it came from the supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What the header says.
    pub header: Header,
    /// The payload; [`parse`](Self::parse) takes it apart.
    pub payload: String,
}

impl Header {
    /// Reads a header line, with or without its newline. Tokens may come in any order; unknown ones are ignored.
    ///
    /// # Errors
    /// [`ProgramError::Header`].
    pub fn parse(line: &str) -> Result<Self, ProgramError> {
        let line = line.trim_end_matches(['\r', '\n']);
        let tokens = tokens(line);
        let bad = |reason: String| ProgramError::Header { line: line.to_owned(), reason };
        let text = |key: &str| value(&tokens, key).ok_or_else(|| bad(format!("{key} is missing")));
        let number = |key: &str| text(key)?.parse().map_err(|_| bad(format!("{key} is no number")));
        Ok(Self {
            version: text("ver")?.to_owned(),
            server: text("server")?.to_owned(),
            serial: number("serial")?,
            pool: text("pool")?.to_owned(),
            pool_serial: number("poolserial")?,
            event_name: text("eventname")?.to_owned(),
            length: usize::try_from(number("len")?).map_err(|_| bad("len is too large".to_owned()))?,
        })
    }

    /// The type; `None` if this crate does not know it.
    pub fn event_type(&self) -> Option<EventType> {
        EventType::from_name(&self.event_name)
    }
}

impl Event {
    /// Reads the next event; `None` if the supervisor has closed its end.
    pub(super) fn read(input: &mut impl BufRead) -> Result<Option<Self>, ProgramError> {
        let mut line = Vec::new();
        input.take(MAX_HEADER).read_until(b'\n', &mut line).map_err(reading)?;
        if line.is_empty() {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        if !line.ends_with('\n') {
            return Err(if line.len() as u64 >= MAX_HEADER {
                ProgramError::Header { line: line.chars().take(80).collect(), reason: "it is too long".to_owned() }
            } else {
                ProgramError::Truncated
            });
        }
        let header = Header::parse(&line)?;
        if header.length > MAX_PAYLOAD {
            return Err(header.bad_payload("it is too long"));
        }
        let payload = read_characters(input, header.length)?;
        match String::from_utf8(payload) {
            Ok(payload) => Ok(Some(Self { header, payload })),
            Err(_) => Err(header.bad_payload("it is no UTF-8")),
        }
    }
}

impl Header {
    pub(super) fn bad_payload(&self, reason: &str) -> ProgramError {
        ProgramError::Payload { event_name: self.event_name.clone(), serial: self.serial, reason: reason.to_owned() }
    }
}

/// The `key:value` pairs of a line. A word without a colon belongs to the value before it: names may contain blanks.
pub(super) fn tokens(line: &str) -> Vec<(&str, String)> {
    let mut tokens: Vec<(&str, String)> = Vec::new();
    for word in line.split(' ') {
        match (word.split_once(':'), tokens.last_mut()) {
            (Some((key, value)), _) => tokens.push((key, value.to_owned())),
            (None, Some((_, value))) => {
                value.push(' ');
                value.push_str(word);
            }
            (None, None) => {}
        }
    }
    tokens
}

/// The value of the first pair with this key.
pub(super) fn value<'a>(tokens: &'a [(&str, String)], key: &str) -> Option<&'a str> {
    tokens.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str())
}

/// Reads this many characters of UTF-8 and not a byte more: what follows is the next header.
fn read_characters(input: &mut impl BufRead, count: usize) -> Result<Vec<u8>, ProgramError> {
    let mut bytes = Vec::new();
    let mut begun = 0;
    loop {
        // Each missing character has at least one byte, and the last one begun may lack some.
        let missing = if begun < count { count - begun } else { lacking(&bytes) };
        if missing == 0 {
            return Ok(bytes);
        }
        let before = bytes.len();
        input.take(missing as u64).read_to_end(&mut bytes).map_err(reading)?;
        if bytes.len() - before < missing {
            return Err(ProgramError::Truncated);
        }
        begun += bytes[before..].iter().filter(|byte| !is_continuation(**byte)).count();
    }
}

const fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xBF)
}

/// How many bytes the last character lacks.
fn lacking(bytes: &[u8]) -> usize {
    let Some(back) = bytes.iter().rev().take(4).position(|byte| !is_continuation(*byte)) else {
        return 0;
    };
    let length = match bytes[bytes.len() - 1 - back] {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    };
    usize::saturating_sub(length, back + 1)
}

fn reading(source: io::Error) -> ProgramError {
    ProgramError::Pipe { doing: "read an event", source }
}
