//! What the page shows of a process, and which actions it offers in which state.

use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::process::ProcessInfo;
use supervisor_rpc::namespace::description;

/// One process as a line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// The full name.
    pub(super) name: String,
    pub(super) group: String,
    pub(super) state: ProcessState,
    pub(super) pid: Option<u32>,
    /// The sentence of `supervisorctl status`.
    pub(super) description: String,
}

impl Row {
    /// The line for a snapshot.
    pub(super) fn new(info: &ProcessInfo) -> Self {
        Self {
            name: info.name.to_string(),
            group: info.name.group.clone(),
            state: info.state,
            pid: info.pid,
            description: description(info),
        }
    }

    /// `Start` is offered.
    pub(super) fn can_start(&self) -> bool {
        matches!(self.state, ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal)
    }

    /// `Stop` is offered; 4.3 offers it in RUNNING only.
    pub(super) fn can_stop(&self) -> bool {
        self.state.is_running()
    }

    /// `Restart` is offered.
    pub(super) fn can_restart(&self) -> bool {
        self.state == ProcessState::Running
    }
}

/// The lines of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
}

impl Group {
    /// What the script copies for groups and processes that come later, with names in place of this one.
    pub(super) fn blank() -> Self {
        let name = "NAME";
        Self { name: name.to_owned(), rows: vec![Row::new(&ProcessInfo::new(ProcessName::new(name, name)))] }
    }

    /// It is more than one process of its own name, so that it gets a heading.
    pub(super) fn has_heading(&self) -> bool {
        self.rows.iter().any(|row| row.name != self.name)
    }

    /// How many of its processes are RUNNING.
    pub(super) fn running(&self) -> usize {
        self.rows.iter().filter(|row| row.state == ProcessState::Running).count()
    }
}

/// Puts lines, sorted by group, into their groups.
pub(super) fn groups(infos: &[ProcessInfo]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in infos.iter().map(Row::new) {
        match groups.last_mut() {
            Some(group) if group.name == row.group => group.rows.push(row),
            _ => groups.push(Group { name: row.group.clone(), rows: vec![row] }),
        }
    }
    groups
}

/// How many processes are in each state, those that are in none left out.
pub(super) fn counts(infos: &[ProcessInfo]) -> Vec<(ProcessState, usize)> {
    let count = |state| infos.iter().filter(|info| info.state == state).count();
    ProcessState::ALL.into_iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(group: &str, process: &str, state: ProcessState) -> ProcessInfo {
        let mut info = ProcessInfo::new(ProcessName::new(group, process));
        info.state = state;
        info
    }

    #[test]
    fn actions_follow_the_state() {
        use ProcessState::*;
        for state in ProcessState::ALL {
            let row = Row::new(&info("a", "a", state));
            let expected = match state {
                Stopped | Exited | Fatal => (true, false, false),
                Running => (false, true, true),
                Starting | Backoff => (false, true, false),
                Stopping | Unknown => (false, false, false),
            };
            assert_eq!((row.can_start(), row.can_stop(), row.can_restart()), expected, "{state}");
        }
    }

    #[test]
    fn groups_have_headings_unless_they_are_a_process_alone() {
        use ProcessState::*;
        let infos = [info("a", "a", Running), info("g", "b", Running), info("g", "c", Fatal)];
        let groups = groups(&infos);
        let seen: Vec<_> =
            groups.iter().map(|g| (g.name.as_str(), g.rows.len(), g.has_heading(), g.running())).collect();
        assert_eq!(seen, [("a", 1, false, 1), ("g", 2, true, 1)]);
        assert_eq!(counts(&infos), [(Running, 2), (Fatal, 1)]);
    }
}
