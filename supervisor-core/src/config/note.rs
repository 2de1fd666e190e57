//! What a configuration has to say without being wrong: lines for the activity log.

use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::level::Level;

use super::ini::{Document, Section, Source};
use super::load::Occasion;
use super::options::{self, SectionName, SectionTable};
use super::python::repr;

/// A line for the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How much it matters.
    pub level: Level,
    /// The line.
    pub text: String,
}

/// The notes of one load, each text once.
#[derive(Debug)]
pub(crate) struct Notes {
    occasion: Occasion,
    notes: Vec<Note>,
    seen: HashSet<String>,
}

impl Notes {
    pub(crate) fn new(occasion: Occasion) -> Self {
        Self { occasion, notes: Vec::new(), seen: HashSet::new() }
    }

    pub(crate) fn warn(&mut self, text: String) {
        if self.seen.insert(text.clone()) {
            self.notes.push(Note { level: Level::Warn, text });
        }
    }

    /// A note that is written at start only: includes and log files, as in Supervisor.
    pub(crate) fn at_start(&mut self, level: Level, text: String) {
        if self.occasion == Occasion::Start && self.seen.insert(text.clone()) {
            self.notes.push(Note { level, text });
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Note> {
        self.notes
    }
}

/// At most this many notes about spelling and repetition: a file of garbage must not fill the log.
const MAXIMUM_HINTS: usize = 100;

/// At most this many unknown keys are compared with known ones.
const MAXIMUM_COMPARED: usize = 1000;

/// Keys that are probably misspelt, and sections and keys that are given twice.
pub(crate) fn hints(document: &Document, notes: &mut Notes) {
    let mut hints = Vec::new();
    let mut compared = 0;
    let mut compare =
        |section: &Section, known: &dyn Fn(&str) -> bool, nearest: &dyn Fn(&str) -> Option<&'static str>| {
            let mut found = Vec::new();
            for entry in section.entries().iter().filter(|entry| !known(&entry.key)) {
                compared += 1;
                if compared > MAXIMUM_COMPARED {
                    break;
                }
                if let Some(meant) = nearest(&entry.key) {
                    found.push(misspelt(&entry.key, section, &entry.place.to_string(), meant));
                }
            }
            found
        };
    hints.extend(compare(document.defaults(), &options::exists, &options::nearest_of_all));
    for section in document.sections() {
        let Some(table) = SectionTable::of(&section.name) else { continue };
        repetitions(section, table, &mut hints);
        if !table.open {
            hints.extend(compare(section, &|key| table.row(key).is_some(), &|key| table.nearest(key)));
        }
    }
    let more = hints.len().saturating_sub(MAXIMUM_HINTS);
    hints.truncate(MAXIMUM_HINTS);
    hints.into_iter().for_each(|hint| notes.warn(hint));
    if more > 0 {
        notes.warn(format!("{more} further keys or sections are misspelt or repeated"));
    }
}

fn misspelt(key: &str, section: &Section, place: &str, meant: &str) -> String {
    let (key, name) = (repr(key), &section.name);
    format!("Unknown key {key} in section [{name}] ({place}) is ignored, did you mean '{meant}'?")
}

fn repetitions(section: &Section, table: &SectionTable, hints: &mut Vec<String>) {
    for (key, first, second) in &section.repeated_keys {
        let key = repr(key);
        hints.push(format!(
            "Key {key} of [{}] is given at {first} and again at {second}, the last counts",
            section.name
        ));
    }
    // Settings spread over files are what an include is for; two programs of one name are a mistake in any case.
    let one_of_many = matches!(table.name, SectionName::Named(_));
    let mut files: Vec<&Arc<Source>> = vec![&section.place.source];
    for repeat in section.repeats.iter().filter(|repeat| **repeat != section.place) {
        if one_of_many || files.contains(&&repeat.source) {
            let (name, first) = (&section.name, &section.place);
            hints.push(format!("Section [{name}] is given at {first} and again at {repeat}, they are merged"));
        }
        files.push(&repeat.source);
    }
}
