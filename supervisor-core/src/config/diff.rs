//! What a re-read compares: the active groups and those of the file.

use std::collections::HashMap;

use crate::domain::spec::Group;

/// The difference, by names of groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    /// In the file, not active; in the order of the file's groups.
    pub added: Vec<String>,
    /// Active with other settings; in the order of the file's groups.
    pub changed: Vec<String>,
    /// Active, not in the file; in the order of the active groups.
    pub removed: Vec<String>,
}

impl Diff {
    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What would have to be done to the active groups to make them those of the file.
pub fn diff<'a>(active: impl IntoIterator<Item = &'a Group>, configured: &[Group]) -> Diff {
    let active: Vec<&Group> = active.into_iter().collect();
    let by_name: HashMap<&str, &Group> = active.iter().map(|group| (group.name.as_str(), *group)).collect();
    let mut diff = Diff::default();
    for group in configured {
        match by_name.get(group.name.as_str()) {
            None => diff.added.push(group.name.clone()),
            Some(old) if *old != group => diff.changed.push(group.name.clone()),
            Some(_) => {}
        }
    }
    let configured: std::collections::HashSet<&str> = configured.iter().map(|group| group.name.as_str()).collect();
    let gone = active.iter().filter(|group| !configured.contains(group.name.as_str()));
    diff.removed = gone.map(|group| group.name.clone()).collect();
    diff
}
