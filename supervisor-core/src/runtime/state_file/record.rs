//! The lines of the state file: what they mean, and nothing about where they are kept.
//!
//! The first line names format and boot; every other one is a process that was started, or the announcement of one by
//! itself: that tells its pid, and the span of time in which it was born. What cannot be read is not there: a line that was
//! cut off or is empty, a file of another boot or of a format that is not known.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use crate::domain::name::ProcessName;
use crate::domain::spec;

/// The first words of the file.
const FORMAT: &str = "supervisor-state 1";

/// A process is born within so many clock ticks after its start has begun: a second. Who takes longer is not known by what
/// it announces.
const SPAN: u64 = 100;

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
        self.line(format!("{} {}", self.pid, self.birth))
    }

    /// What stands behind the pid where it is not known yet, and `birth` is the moment at which the start begins.
    pub(crate) fn announce(&self) -> String {
        self.line(format!(" {}+{SPAN}", self.birth))
    }

    fn line(&self, mut line: String) -> String {
        let Self { stopsignal, stopwaitsecs, .. } = self;
        let (stop, kill) = (u8::from(self.stopasgroup), u8::from(self.killasgroup));
        // Writing to a text cannot fail.
        let _ = write!(line, " {stopsignal} {stopwaitsecs} {stop} {kill} ");
        escape(&self.name.group, &mut line);
        line.push(' ');
        escape(&self.name.process, &mut line);
        line.push('\n');
        line
    }

    /// The process, and for how many ticks from [`birth`](Self::birth) on it may have been born.
    fn parse(line: &str) -> Option<(Self, u64)> {
        let mut fields = line.split(' ');
        let (pid, birth) = (fields.next()?.parse::<u64>().ok()?, fields.next()?);
        let (birth, span) = birth.split_once('+').unwrap_or((birth, "0"));
        let (birth, span) = (birth.parse().ok()?, span.parse().ok()?);
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (signal, stopwaitsecs) = (number()?, number()?);
        let (stop, kill) = (number()?, number()?);
        let (group, process) = (unescape(fields.next()?)?, unescape(fields.next()?)?);
        if fields.next().is_some() || stop > 1 || kill > 1 {
            return None;
        }
        let record = Self {
            pid: u32::try_from(pid).ok().filter(|pid| *pid > 1)?,
            birth,
            stopsignal: i32::try_from(signal).ok().filter(|signal| (1..=64).contains(signal))?,
            stopwaitsecs,
            stopasgroup: stop == 1,
            killasgroup: kill == 1,
            name: Arc::new(ProcessName::new(group, process)),
        };
        Some((record, span))
    }
}

/// The first line of a file of this boot.
pub(super) fn header(boot: &str) -> String {
    format!("{FORMAT} {boot}\n")
}

/// The processes that a file tells of, by pid and birth, if it is one of this boot. `birth_of` tells when the process was
/// born that has a pid now, if there is one.
pub(super) fn parse(text: &str, boot: &str, birth_of: impl Fn(u32) -> Option<u64>) -> BTreeMap<(u32, u64), Record> {
    let rest = text.strip_prefix(&header(boot)).unwrap_or_default();
    // What stands behind the last line end was cut off.
    let lines = rest.split_inclusive('\n').filter_map(|line| Record::parse(line.strip_suffix('\n')?));
    let (known, announced): (Vec<_>, Vec<_>) = lines.partition(|(_, span)| *span == 0);
    let mut records: BTreeMap<_, _> =
        known.into_iter().map(|(record, _)| ((record.pid, record.birth), record)).collect();
    for (record, span) in announced {
        let (pid, first, last) = (record.pid, record.birth, record.birth.saturating_add(span));
        if records.range((pid, first)..=(pid, last)).next().is_none()
            && let Some(birth) = birth_of(pid).filter(|birth| (first..=last).contains(birth))
        {
            records.insert((pid, birth), Record { birth, ..record });
        }
    }
    records
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

    fn read(text: &str, boot: &str) -> Vec<Record> {
        parse(text, boot, |_| None).into_values().collect()
    }

    #[test]
    fn what_is_written_is_read_whatever_its_name() {
        let names = ["x", "", "two words", "100%", "line\nend", "ümlaut\u{2028}"];
        let records: Vec<Record> = names.into_iter().map(record).collect();
        let text: String = records.iter().map(Record::render).collect();
        assert_eq!(text.lines().next(), Some("17 4711 15 0 0 1 a%000020group x"));
        let other_pids = (18..).zip(&records).map(|(pid, record)| Record { pid, ..record.clone() }.render());
        let text = header("b00t") + &other_pids.collect::<String>();
        let read: Vec<Record> = parse(&text, "b00t", |_| None).into_values().collect();
        assert_eq!(read, (18..).zip(records).map(|(pid, record)| Record { pid, ..record }).collect::<Vec<_>>());
    }

    #[test]
    fn an_announcement_counts_if_who_has_the_pid_was_born_then() {
        let text = format!("{}\n17{}", header("b00t"), record("x").announce());
        assert!(text.ends_with("\n17 4711+100 15 0 0 1 a%000020group x\n"), "{text}");
        for (birth, known) in [(None, false), (Some(4_710), false), (Some(4_812), false), (Some(4_811), true)] {
            let read = parse(&text, "b00t", |pid| birth.filter(|_| pid == 17));
            let expected = known.then(|| Record { birth: 4_811, ..record("x") });
            assert_eq!(read.into_values().collect::<Vec<_>>(), Vec::from_iter(expected), "{birth:?}");
        }
        let told = format!("{text}\n{}", Record { birth: 4_712, ..record("x") }.render());
        let read = parse(&told, "b00t", |_| panic!("its parent has told it"));
        assert_eq!(read.into_keys().collect::<Vec<_>>(), [(17, 4_712)]);
    }

    #[test]
    fn what_cannot_be_read_is_not_there() {
        let whole = header("b00t") + &record("x").render();
        assert_eq!(read(&whole, "b00t").len(), 1);
        assert!(read(&whole, "another").is_empty());
        assert!(read(&whole.replace("state 1", "state 2"), "b00t").is_empty());
        let cut = &whole[..whole.len() - 1];
        assert!(read(cut, "b00t").is_empty());
        for line in [
            "",
            "1 5 15 0 0 1 g x",
            "17 5 0 0 0 1 g x",
            "17 5 15 0 2 1 g x",
            "17 5 15 0 0 1 g x y",
            "17 5 15 0 0 1 g %x",
            "17 5+ 15 0 0 1 g x",
            "17 +5 15 0 0 1 g x",
        ] {
            let text = format!("{}{line}\n{}", header("b00t"), record("x").render());
            assert_eq!(read(&text, "b00t"), [record("x")], "{line}");
        }
    }
}
