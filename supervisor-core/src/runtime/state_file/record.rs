//! The lines of the state file: what they mean, and nothing about where they are kept.
//!
//! The first line names format and boot; every other one is a process that was started. What cannot be read is not
//! there: a line that was cut off, a file of another boot or of a format that is not known.

use std::fmt::Write;
use std::sync::Arc;

use crate::domain::name::ProcessName;
use crate::domain::spec;

/// The first words of the file.
const FORMAT: &str = "supervisor-state 1";

/// A process that was started, and how it is to be stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) pid: u32,
    /// As [`birth`](crate::sys::pinned::birth) tells it.
    pub(crate) birth: u64,
    /// `stopsignal`, by number.
    pub(crate) stopsignal: i32,
    /// `stopwaitsecs`.
    pub(crate) stopwaitsecs: u64,
    pub(crate) stopasgroup: bool,
    pub(crate) killasgroup: bool,
    /// Its name; that of its group is for people.
    pub(crate) name: Arc<ProcessName>,
}

impl Record {
    /// The record of a process that has just been started.
    pub(crate) fn new(pid: u32, birth: u64, name: &Arc<ProcessName>, settings: &spec::Process) -> Self {
        Self {
            pid,
            birth,
            stopsignal: settings.stopsignal.number(),
            stopwaitsecs: u64::try_from(settings.stopwaitsecs).unwrap_or(0),
            stopasgroup: settings.stopasgroup,
            killasgroup: settings.killasgroup,
            name: Arc::clone(name),
        }
    }

    /// The line, with its end.
    pub(crate) fn render(&self) -> String {
        let Self { pid, birth, stopsignal, stopwaitsecs, .. } = self;
        let (stop, kill) = (u8::from(self.stopasgroup), u8::from(self.killasgroup));
        let mut line = format!("{pid} {birth} {stopsignal} {stopwaitsecs} {stop} {kill} ");
        escape(&self.name.group, &mut line);
        line.push(' ');
        escape(&self.name.process, &mut line);
        line.push('\n');
        line
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (pid, birth, signal, stopwaitsecs) = (number()?, number()?, number()?, number()?);
        let (stop, kill) = (number()?, number()?);
        let (group, process) = (unescape(fields.next()?)?, unescape(fields.next()?)?);
        if fields.next().is_some() || stop > 1 || kill > 1 {
            return None;
        }
        Some(Self {
            pid: u32::try_from(pid).ok().filter(|pid| *pid > 1)?,
            birth,
            stopsignal: i32::try_from(signal).ok().filter(|signal| (1..=64).contains(signal))?,
            stopwaitsecs,
            stopasgroup: stop == 1,
            killasgroup: kill == 1,
            name: Arc::new(ProcessName::new(group, process)),
        })
    }
}

/// The first line of a file of this boot.
pub(super) fn header(boot: &str) -> String {
    format!("{FORMAT} {boot}\n")
}

/// The processes that a file tells of, if it is one of this boot.
pub(super) fn parse(text: &str, boot: &str) -> Vec<Record> {
    match text.strip_prefix(&header(boot)) {
        // What stands behind the last line end was cut off.
        Some(rest) => rest.split_inclusive('\n').filter_map(|line| Record::parse(line.strip_suffix('\n')?)).collect(),
        None => Vec::new(),
    }
}

/// Names are told from each other by blanks and line ends, so they may hold none. An empty one is a lone `%`.
fn escape(name: &str, line: &mut String) {
    if name.is_empty() {
        line.push('%');
    }
    for character in name.chars() {
        if character == '%' || character == ' ' || character.is_control() {
            // Writing to a text cannot fail.
            let _ = write!(line, "%{:06x}", u32::from(character));
        } else {
            line.push(character);
        }
    }
}

fn unescape(field: &str) -> Option<String> {
    if field == "%" {
        return Some(String::new());
    }
    let mut parts = field.split('%');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let number = u32::from_str_radix(part.get(..6)?, 16).ok()?;
        name.push(char::from_u32(number)?);
        name.push_str(part.get(6..)?);
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(process: &str) -> Record {
        let mut settings = spec::Process::new(process, "/bin/true");
        settings.stopwaitsecs = -3;
        settings.killasgroup = true;
        Record::new(17, 4_711, &ProcessName::new("a group", process).into(), &settings)
    }

    #[test]
    fn what_is_written_is_read_whatever_its_name() {
        let names = ["x", "", "two words", "100%", "line\nend", "ümlaut\u{2028}"];
        let records: Vec<Record> = names.into_iter().map(record).collect();
        let text: String = records.iter().map(Record::render).collect();
        assert_eq!(text.lines().next(), Some("17 4711 15 0 0 1 a%000020group x"));
        assert_eq!(parse(&(header("b00t") + &text), "b00t"), records);
    }

    #[test]
    fn what_cannot_be_read_is_not_there() {
        let whole = header("b00t") + &record("x").render();
        assert_eq!(parse(&whole, "b00t").len(), 1);
        assert!(parse(&whole, "another").is_empty());
        assert!(parse(&whole.replace("state 1", "state 2"), "b00t").is_empty());
        let cut = &whole[..whole.len() - 1];
        assert!(parse(cut, "b00t").is_empty());
        for line in [
            "",
            "1 5 15 0 0 1 g x",
            "17 5 0 0 0 1 g x",
            "17 5 15 0 2 1 g x",
            "17 5 15 0 0 1 g x y",
            "17 5 15 0 0 1 g %x",
        ] {
            let text = format!("{}{line}\n{}", header("b00t"), record("x").render());
            assert_eq!(parse(&text, "b00t"), [record("x")], "{line}");
        }
    }
}
