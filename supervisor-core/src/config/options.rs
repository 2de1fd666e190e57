//! The option tables: every key of every section with its type, default, scope of expansion and one sentence about it.
//!
//! The parser takes defaults and scopes from here, the hint for misspelt keys its candidates, the reference its text. A key
//! that does not stand here does not exist. What a value means is decided where its section is read.

mod table;

pub use table::SECTIONS;

/// What a value is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the types in the manual")]
pub enum ValueType {
    Text,
    Integer,
    Boolean,
    ByteSize,
    Octal,
    Directory,
    Path,
    LogLevel,
    LogFile,
    Signal,
    ExitCodes,
    Autorestart,
    User,
    Owner,
    List,
    Environment,
    Port,
    Socket,
    Url,
    Choice,
}

impl ValueType {
    /// The name in the reference.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::ByteSize => "byte size",
            Self::Octal => "octal",
            Self::Directory => "existing directory",
            Self::Path => "path",
            Self::LogLevel => "log level",
            Self::LogFile => "log file",
            Self::Signal => "signal",
            Self::ExitCodes => "exit codes",
            Self::Autorestart => "boolean or unexpected",
            Self::User => "user",
            Self::Owner => "user[:group]",
            Self::List => "list",
            Self::Environment => "KEY=value list",
            Self::Port => "[host:]port",
            Self::Socket => "tcp:// or unix:// URL",
            Self::Url => "URL",
            Self::Choice => "one of several words",
        }
    }
}

/// Which names a value may use; each scope adds to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// `here`, `host_node_name` and `ENV_X`.
    Section,
    /// Evaluated once for a program: `program_name` and `group_name` as well.
    Program,
    /// Evaluated for each process: `process_num`, `numprocs` and `ENV_X` of the program's own `environment` as well.
    Process,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionRow {
    /// The key, in lower case.
    pub key: &'static str,
    /// Its type.
    pub value_type: ValueType,
    /// The default, as one would write it; `None`: unset, or required.
    pub default: Option<&'static str>,
    /// The names that its value may use.
    pub scope: Scope,
    /// One sentence.
    pub doc: &'static str,
}

/// How the names of a kind of section look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionName {
    /// Exactly this.
    Exact(&'static str),
    /// This and anything behind it: `unix_http_server:2`.
    Prefix(&'static str),
    /// This, a colon and a name.
    Named(&'static str),
}

/// One kind of section.
#[derive(Debug, Clone, Copy)]
pub struct SectionTable {
    /// Its name.
    pub name: SectionName,
    /// One sentence.
    pub doc: &'static str,
    /// Keys that are not listed are handed on (to a factory) and are never misspelt.
    pub open: bool,
    /// Its keys; the parts are those that it shares with other kinds, and its own.
    pub parts: &'static [&'static [OptionRow]],
}

impl SectionTable {
    /// The kind of a section of this name.
    pub fn of(name: &str) -> Option<&'static Self> {
        SECTIONS.iter().find(|table| match table.name {
            SectionName::Exact(exact) => name == exact,
            SectionName::Prefix(prefix) => name.starts_with(prefix),
            SectionName::Named(kind) => name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':')),
        })
    }

    /// All its keys.
    pub fn rows(&self) -> impl Iterator<Item = &'static OptionRow> + use<> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// The row of a key.
    pub fn row(&self, key: &str) -> Option<&'static OptionRow> {
        self.rows().find(|row| row.key == key)
    }

    /// The key that was probably meant by one that does not exist.
    pub fn nearest(&self, key: &str) -> Option<&'static str> {
        nearest(key, self.rows())
    }
}

/// The nearest key of all tables: for `[DEFAULT]`, whose keys may be meant for any section.
pub(crate) fn nearest_of_all(key: &str) -> Option<&'static str> {
    nearest(key, SECTIONS.iter().flat_map(SectionTable::rows))
}

/// True if some section has this key.
pub(crate) fn exists(key: &str) -> bool {
    SECTIONS.iter().any(|table| table.row(key).is_some())
}

/// A key is near if few letters are wrong: one in short keys, up to three in long ones.
fn nearest(key: &str, rows: impl Iterator<Item = &'static OptionRow>) -> Option<&'static str> {
    let allowed = match key.chars().count() {
        0..=3 => return None,
        4..=6 => 1,
        7..=12 => 2,
        13..=64 => 3,
        _ => return None,
    };
    let distances = rows.map(|row| (strsim::osa_distance(key, row.key), row.key));
    distances.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= allowed).map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_are_lower_case_unique_and_documented() {
        for table in SECTIONS {
            let mut seen = HashSet::new();
            for row in table.rows() {
                assert!(seen.insert(row.key), "{} twice in {:?}", row.key, table.name);
                assert_eq!(row.key, row.key.to_lowercase());
                assert!(row.doc.ends_with('.') && row.doc.len() > 10, "{}", row.key);
            }
        }
    }

    #[test]
    fn misspelt_keys_have_a_neighbour() {
        let program = SectionTable::of("program:x").expect("program");
        let table = [
            ("autorestrat", Some("autorestart")),
            ("stop_signal", Some("stopsignal")),
            ("comand", Some("command")),
            ("stdout_log_file", Some("stdout_logfile")),
            ("enviroment", Some("environment")),
            ("depends_on", None),
            ("x", None),
            ("nosuchkey", None),
        ];
        for (key, meant) in table {
            assert_eq!(program.nearest(key), meant, "{key}");
        }
    }

    #[test]
    fn sections_are_recognised_by_their_names() {
        assert!(SectionTable::of("program:x").is_some() && SectionTable::of("unix_http_server_2").is_some());
        assert!(SectionTable::of("programs:x").is_none() && SectionTable::of("Supervisord").is_none());
    }
}
