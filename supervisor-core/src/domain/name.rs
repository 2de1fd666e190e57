//! The names of processes and groups, and how a request spells them.
//!
//! Supervisor 4.3: `group:process`; one name alone means the process of that name in the group of the same name;
//! `group:*` and `group:` mean the whole group.

use std::fmt;

/// A process or a whole group, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespec {
    /// The group's name.
    pub group: String,
    /// The process within the group; `None` for the whole group.
    pub process: Option<String>,
}

impl Namespec {
    /// Reads `group:process`, `name`, `group:*` or `group:`. Only the first colon splits; every text is some namespec.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            None => Self { group: text.to_owned(), process: Some(text.to_owned()) },
            Some((group, "" | "*")) => Self { group: group.to_owned(), process: None },
            Some((group, process)) => Self { group: group.to_owned(), process: Some(process.to_owned()) },
        }
    }
}

/// The full name of one process.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessName {
    /// The group's name.
    pub group: String,
    /// The name within the group.
    pub process: String,
}

impl ProcessName {
    /// Puts the two parts together.
    pub fn new(group: impl Into<String>, process: impl Into<String>) -> Self {
        Self { group: group.into(), process: process.into() }
    }
}

impl fmt::Display for ProcessName {
    /// The short form `x` where group and process have the same name, else `g:p`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group == self.process {
            f.pad(&self.process)
        } else {
            f.pad(&format!("{}:{}", self.group, self.process))
        }
    }
}

impl From<&ProcessName> for Namespec {
    fn from(name: &ProcessName) -> Self {
        Self { group: name.group.clone(), process: Some(name.process.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let table = [
            ("x", "x", Some("x")),
            ("g:p", "g", Some("p")),
            ("g:p:q", "g", Some("p:q")),
            ("g:*", "g", None),
            ("g:", "g", None),
            ("", "", Some("")),
        ];
        for (text, group, process) in table {
            let spec = Namespec::parse(text);
            assert_eq!((spec.group.as_str(), spec.process.as_deref()), (group, process), "{text:?}");
        }
        assert_eq!(ProcessName::new("x", "x").to_string(), "x");
        assert_eq!(ProcessName::new("g", "p").to_string(), "g:p");
    }
}
