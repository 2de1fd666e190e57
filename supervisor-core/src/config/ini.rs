//! The file dialect: Python's `RawConfigParser` with `;` and `#` as inline comments, not strict.
//!
//! Decides what is a comment, a header, an option and a continuation, and remembers file and line of each. Several files
//! are scanned into one [`Document`]: sections merge, the last value wins, `[DEFAULT]` stands aside. Values are kept as
//! they stand; expansion and conversion come later.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::error::{ConfigError, ErrorKind};
use super::python::{is_space, strip, strip_end};

/// One text that was scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name as messages show it.
    pub name: String,
    /// What `%(here)s` stands for in it: its absolute directory, without a slash at the end.
    pub here: String,
}

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// Its line, counted from 1; `None` if it did not come from a text.
    pub line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.source.name),
            None => f.write_str(&self.source.name),
        }
    }
}

/// One option. `Debug` hides the value: it may be a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, in lower case.
    pub key: String,
    /// The value as written: continuation lines joined with newlines, comments cut, nothing expanded.
    pub value: String,
    /// Where the value that counts was written.
    pub place: Place,
    /// Which appearance of the section it stands under.
    block: usize,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("key", &self.key).field("line", &self.place.line).finish_non_exhaustive()
    }
}

/// A section with its options in order of first appearance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Everything between the brackets, as written.
    pub name: String,
    /// Its first header.
    pub place: Place,
    /// Its later headers.
    pub repeats: Vec<Place>,
    /// Keys given twice under one header: key, earlier place, later place.
    pub repeated_keys: Vec<(String, Place, Place)>,
    entries: Vec<Entry>,
    /// Where each key is, once there are more than [`FEW`].
    index: HashMap<String, usize>,
}

/// So many keys are looked through one by one.
const FEW: usize = 16;

impl Section {
    fn new(name: String, place: Place) -> Self {
        let (repeats, repeated_keys) = (Vec::new(), Vec::new());
        Self { name, place, repeats, repeated_keys, entries: Vec::new(), index: HashMap::new() }
    }

    /// Its options, without those of `[DEFAULT]`.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Its own option of this key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.position(key).and_then(|at| self.entries.get(at))
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.entries.len() > FEW {
            return self.index.get(key).copied();
        }
        self.entries.iter().position(|entry| entry.key == key)
    }

    /// Sets an option: the place of the first appearance is kept, the value replaced. Returns its index.
    fn set(&mut self, key: String, value: String, place: Place) -> usize {
        let block = self.repeats.len();
        if let Some(at) = self.position(&key) {
            let old = &mut self.entries[at];
            if old.block == block && old.place != place {
                self.repeated_keys.push((key, old.place.clone(), place.clone()));
            }
            (old.value, old.place, old.block) = (value, place, block);
            return at;
        }
        self.entries.push(Entry { key, value, place, block });
        let indexed = self.index.len();
        if self.entries.len() > FEW {
            let new = self.entries.iter().enumerate().skip(indexed).map(|(at, entry)| (entry.key.clone(), at));
            self.index.extend(new);
        }
        self.entries.len() - 1
    }
}

/// Sections in order of first appearance, and the fall-back values of `[DEFAULT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    defaults: Section,
    sections: Vec<Section>,
    index: HashMap<String, usize>,
}

/// The name of the section that gives fall-back values.
pub const DEFAULT_SECTION: &str = "DEFAULT";

impl Document {
    /// A document without sections; `source` is where it begins.
    pub fn new(source: &Arc<Source>) -> Self {
        let place = Place { source: Arc::clone(source), line: None };
        Self { defaults: Section::new(DEFAULT_SECTION.to_owned(), place), sections: Vec::new(), index: HashMap::new() }
    }

    /// The sections, without `[DEFAULT]`.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section of exactly this name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.index.get(name).and_then(|at| self.sections.get(*at))
    }

    /// The fall-back values.
    pub fn defaults(&self) -> &Section {
        &self.defaults
    }

    /// The option of a section, or that of `[DEFAULT]`.
    pub fn get<'a>(&'a self, section: &'a Section, key: &str) -> Option<&'a Entry> {
        section.get(key).or_else(|| self.defaults.get(key))
    }

    /// Opens a section for writing; `None` is `[DEFAULT]`. A repeated header is noted.
    pub(super) fn open(&mut self, name: &str, place: Place) -> Option<usize> {
        if name == DEFAULT_SECTION {
            return None;
        }
        if let Some(at) = self.index.get(name).copied() {
            self.sections[at].repeats.push(place);
            return Some(at);
        }
        self.index.insert(name.to_owned(), self.sections.len());
        self.sections.push(Section::new(name.to_owned(), place));
        Some(self.sections.len() - 1)
    }

    pub(super) fn set(&mut self, section: Option<usize>, key: &str, value: String, place: Place) -> usize {
        self.slot(section).set(key.to_lowercase(), value, place)
    }

    fn slot(&mut self, section: Option<usize>) -> &mut Section {
        match section {
            Some(at) => &mut self.sections[at],
            None => &mut self.defaults,
        }
    }

    /// Adds what a text holds.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`] with every line that cannot be read, or [`ErrorKind::NoSectionHeader`].
    pub fn scan(&mut self, text: &str, source: &Arc<Source>) -> Result<(), ConfigError> {
        let mut scanner = Scanner::new(self, source);
        for (number, line) in lines(text).enumerate() {
            scanner.line(number + 1, &line)?;
        }
        scanner.finish()
    }
}

/// Lines with their line end as `\n`, however the file writes it.
fn lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(at) = rest.find(['\r', '\n']) else { return Some(Cow::Borrowed(std::mem::take(&mut rest))) };
        let end = if rest[at..].starts_with("\r\n") { at + 2 } else { at + 1 };
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(if line.ends_with("\r") || line.ends_with("\r\n") {
            Cow::Owned(format!("{}\n", &line[..at]))
        } else {
            Cow::Borrowed(line)
        })
    })
}

/// What is open while a file is read.
struct Scanner<'d> {
    document: &'d mut Document,
    source: &'d Arc<Source>,
    /// The section: outside `None` before the first header, inside `None` for `[DEFAULT]`.
    section: Option<Option<usize>>,
    /// The option that continuation lines go to.
    option: Option<usize>,
    /// The indentation of the line that opened it, in characters.
    indentation: usize,
    faults: Vec<(usize, String)>,
}

impl<'d> Scanner<'d> {
    fn new(document: &'d mut Document, source: &'d Arc<Source>) -> Self {
        Self { document, source, section: None, option: None, indentation: 0, faults: Vec::new() }
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), ConfigError> {
        let comment = comment_start(line);
        let content = strip(&line[..comment.unwrap_or(line.len())]);
        if content.is_empty() {
            // A blank line belongs to a value that goes on; a comment leaves no trace.
            if comment.is_none() {
                self.append("");
            }
            return Ok(());
        }
        let indentation = line.chars().take_while(|c| is_space(*c)).count();
        if self.option.is_some() && indentation > self.indentation {
            self.append(content);
            return Ok(());
        }
        self.indentation = indentation;
        let place = Place { source: Arc::clone(self.source), line: Some(number) };
        if let Some(name) = header(content) {
            self.close();
            self.section = Some(self.document.open(name, place));
            return Ok(());
        }
        let Some(section) = self.section else {
            let file = self.source.name.clone();
            return Err(ErrorKind::NoSectionHeader { file, line: number, text: line.to_owned() }.into());
        };
        match content.split_once(['=', ':']) {
            None => self.faults.push((number, line.to_owned())),
            Some((key, value)) => {
                self.close();
                let key = strip_end(key);
                if key.is_empty() {
                    self.faults.push((number, line.to_owned()));
                } else {
                    self.option = Some(self.document.set(section, key, strip(value).to_owned(), place));
                }
            }
        }
        Ok(())
    }

    fn value(&mut self) -> Option<&mut String> {
        let (section, option) = (self.section?, self.option?);
        self.document.slot(section).entries.get_mut(option).map(|entry| &mut entry.value)
    }

    fn append(&mut self, content: &str) {
        if let Some(value) = self.value() {
            value.push('\n');
            value.push_str(content);
        }
    }

    /// Ends the open value: blank lines at its end do not belong to it.
    fn close(&mut self) {
        if let Some(value) = self.value() {
            value.truncate(strip_end(value).len());
        }
        self.option = None;
    }

    fn finish(mut self) -> Result<(), ConfigError> {
        self.close();
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(ErrorKind::Syntax { file: self.source.name.clone(), lines: self.faults }.into())
    }
}

/// `[name]`: from the first bracket to the last closing one; what follows is ignored.
fn header(content: &str) -> Option<&str> {
    let rest = content.strip_prefix('[')?;
    let end = rest.rfind(']')?;
    (end > 0).then(|| &rest[..end])
}

/// Where the comment begins, if there is one. As in Python both signs are looked for in turns, and the first turn that
/// finds a comment ends the search: `a;b ;c #d` is cut at the `#`.
fn comment_start(line: &str) -> Option<usize> {
    if strip(line).starts_with(['#', ';']) {
        return Some(0);
    }
    let mut next = [(';', Some(0)), ('#', Some(0))];
    loop {
        let mut start = None;
        for (sign, from) in &mut next {
            let Some(at) = from.and_then(|from| Some(from + line[from..].find(*sign)?)) else {
                *from = None;
                continue;
            };
            *from = Some(at + 1);
            if line[..at].chars().next_back().is_none_or(is_space) {
                start = Some(start.map_or(at, |other: usize| other.min(at)));
            }
        }
        if start.is_some() || next.iter().all(|(_, from)| from.is_none()) {
            return start;
        }
    }
}

#[cfg(test)]
mod tests;
