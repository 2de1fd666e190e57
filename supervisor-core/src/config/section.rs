//! Reading one section: find the value of a key, expand it, convert it, and say where it stands if that fails.
//!
//! The only place that knows the order value → `[DEFAULT]` → default of the table.

use std::borrow::Cow;

use crate::domain::host::Host;

use super::convert::ValueError;
use super::error::{ConfigError, ErrorKind};
use super::expand::Names;
use super::ini::{Document, Place, Section};
use super::options::{OptionRow, SectionTable};

/// A section being read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) document: &'a Document,
    pub(crate) section: &'a Section,
    pub(crate) names: Names<'a>,
    pub(crate) host: &'a dyn Host,
    /// Errors end with the name and file of the section (Supervisor: errors that arise while processes are built).
    pub(crate) within: bool,
    /// That of the section's kind.
    pub(crate) table: Option<&'static SectionTable>,
}

/// The text of a key before expansion.
struct Raw<'a> {
    text: &'a str,
    place: Option<&'a Place>,
    row: Option<&'static OptionRow>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(document: &'a Document, section: &'a Section, names: Names<'a>, host: &'a dyn Host) -> Self {
        Self { document, section, names, host, within: false, table: SectionTable::of(&section.name) }
    }

    pub(crate) fn name(&self) -> &'a str {
        &self.section.name
    }

    fn raw(&self, key: &str) -> Option<Raw<'a>> {
        let row = self.table.and_then(|table| table.row(key));
        debug_assert!(row.is_some(), "{key} of {} does not stand in its table", self.name());
        if let Some(entry) = self.document.get(self.section, key) {
            return Some(Raw { text: &entry.value, place: Some(&entry.place), row });
        }
        let default = row?.default?;
        Some(Raw { text: default, place: None, row })
    }

    /// The text as it stands, without expansion.
    pub(crate) fn template(&self, key: &str) -> Option<&'a str> {
        self.raw(key).map(|raw| raw.text)
    }

    /// The error, at the place of a key of this section.
    pub(crate) fn error(&self, key: &str, error: impl Into<ConfigError>) -> ConfigError {
        let place = self.document.get(self.section, key).map(|entry| &entry.place);
        self.end(error.into().at(key, place))
    }

    /// As [`Reader::error`], for a template: a variable that is there all the same is one that we cannot use.
    pub(crate) fn unexpanded(&self, key: &str, kind: ErrorKind) -> ConfigError {
        let is_there = |name: &str| name.strip_prefix("ENV_").is_some_and(|variable| self.host.has_variable(variable));
        self.error(
            key,
            match kind {
                ErrorKind::UnknownName { template, key, name, .. } if is_there(&name) => {
                    ErrorKind::NotTextVariable { template, key, name }
                }
                kind => kind,
            },
        )
    }

    /// The error with the section's name.
    pub(crate) fn end(&self, error: impl Into<ConfigError>) -> ConfigError {
        error.into().in_section(self.name(), &self.section.place, self.within)
    }

    /// The expanded value of a key, or its default; `None` if there is neither.
    pub(crate) fn text(&self, key: &str) -> Result<Option<Cow<'a, str>>, ConfigError> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        // Supervisor's messages name these keys without their section.
        let label = || match key {
            "environment" | "process_name" | "stdout_logfile" | "stderr_logfile" => key.to_owned(),
            _ => format!("{}.{key}", self.name()),
        };
        let scope = raw.row.map_or(super::options::Scope::Section, |row| row.scope);
        let names = match raw.place {
            Some(place) => Names { here: &place.source.here, ..self.names },
            None => self.names,
        };
        let text = match self.is_expanded_twice(key) {
            true => names.expand_twice(raw.text, label, scope),
            false => names.expand(raw.text, label, scope),
        };
        text.map(Some).map_err(|kind| self.unexpanded(key, kind))
    }

    /// Supervisor 4.3 expands these twice, and what works there must work here.
    fn is_expanded_twice(&self, key: &str) -> bool {
        match key {
            "stdout_logfile" | "stderr_logfile" => true,
            "environment" => self.name() == "supervisord",
            _ => false,
        }
    }

    /// The converted value of a key, or of its default; `None` if there is neither.
    pub(crate) fn optional<T>(
        &self,
        key: &str,
        convert: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        convert(&text).map(Some).map_err(|error| self.error(key, error))
    }

    /// The converted value of a key that has a default.
    pub(crate) fn value<T>(
        &self,
        key: &str,
        convert: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Result<T, ConfigError> {
        let text = self.text(key)?;
        debug_assert!(text.is_some(), "{key} of {} has no default", self.name());
        convert(&text.unwrap_or_default()).map_err(|error| self.error(key, error))
    }

    /// The expanded value of a key that must be given.
    pub(crate) fn required(&self, key: &str, missing: impl FnOnce() -> ErrorKind) -> Result<String, ConfigError> {
        self.text(key)?.map(Cow::into_owned).ok_or_else(|| self.end(missing()))
    }
}
