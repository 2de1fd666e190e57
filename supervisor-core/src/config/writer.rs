//! Documents of the `ini` crate: taken as a configuration, and the effective configuration written as one.
//!
//! Written documents show which variables and passwords are set, never their values.

use std::sync::Arc;

use ini::{EscapePolicy, Ini, LineSeparator, WriteOption};

use super::environment;
use super::error::{ConfigError, ErrorKind};
use super::ini::{Document, Place, Source};
use super::options::SectionTable;

/// What stands for a hidden value.
const HIDDEN: &str = "***";

impl Document {
    /// A document of the `ini` crate, with its values as they are: sections of one name are merged, keys lower-cased, the
    /// last value wins. `source` is what messages and `%(here)s` refer to.
    ///
    /// # Errors
    /// [`ErrorKind::NoSectionHeader`] if an option stands outside of all sections.
    pub fn from_ini(ini: &Ini, source: &Arc<Source>) -> Result<Self, ConfigError> {
        let mut document = Self::new(source);
        let place = Place { source: Arc::clone(source), line: None };
        for (name, properties) in ini.iter() {
            let Some(name) = name else {
                if let Some((key, _)) = properties.iter().next() {
                    let (file, text) = (source.name.clone(), key.to_owned());
                    return Err(ErrorKind::NoSectionHeader { file, line: 0, text }.into());
                }
                continue;
            };
            let section = document.open(name, place.clone());
            for (key, value) in properties.iter() {
                document.set(section, key, value.to_owned(), place.clone());
            }
        }
        Ok(document)
    }

    /// The effective configuration: all files in one, with `[DEFAULT]` resolved for the keys that a section knows. Values of
    /// variables and passwords are hidden, and so are the options of plug-ins.
    pub fn to_ini(&self) -> Ini {
        let mut ini = Ini::new();
        for section in self.sections() {
            let table = SectionTable::of(&section.name);
            let mut setter = ini.with_section(Some(section.name.as_str()));
            for entry in section.entries() {
                setter.add(entry.key.as_str(), shown(table, &entry.key, &entry.value));
            }
            let inherited = self.defaults().entries().iter().filter(|entry| section.get(&entry.key).is_none());
            for entry in inherited.filter(|entry| table.is_some_and(|table| table.row(&entry.key).is_some())) {
                setter.add(entry.key.as_str(), shown(table, &entry.key, &entry.value));
            }
        }
        ini
    }
}

/// The value, unless nobody should see it.
fn shown(table: Option<&SectionTable>, key: &str, value: &str) -> String {
    let known = table.is_some_and(|table| table.row(key).is_some());
    match key {
        "environment" => match environment::parse(value) {
            Ok(variables) => environment::masked(&variables),
            Err(_) => HIDDEN.to_owned(),
        },
        "password" => HIDDEN.to_owned(),
        _ if table.is_some_and(|table| table.open) && !known => HIDDEN.to_owned(),
        _ => value.to_owned(),
    }
}

/// The text of a document in our dialect: values of several lines are indented, nothing is escaped. What the dialect cannot
/// express (a value with a blank before `;` or `#`) is read back shortened.
pub fn text(ini: &Ini) -> String {
    let mut indented = Ini::new();
    for (name, properties) in ini.iter() {
        let mut section = indented.with_section(name);
        for (key, value) in properties.iter() {
            section.add(key, value.replace('\n', "\n\t"));
        }
    }
    let option = WriteOption {
        escape_policy: EscapePolicy::Nothing,
        line_separator: LineSeparator::CR,
        ..WriteOption::default()
    };
    let mut bytes = Vec::new();
    match indented.write_to_opt(&mut bytes, option) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        // Writing to memory does not fail.
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests;
