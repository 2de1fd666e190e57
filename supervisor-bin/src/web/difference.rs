//! How a group that runs differs from what is configured: setting by setting, in the words of the configuration file.
//!
//! Of environment variables only names are told, never values.

use std::collections::BTreeSet;
use std::path::Path;

use supervisor_core::domain::spec::{Autorestart, BufferOverflow, Channel, Group, GroupKind, LogFile, Owner, Process};
use supervisor_core::process::GroupSettings;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) key: String,
    /// What runs with it; `None` if nothing does.
    pub(super) old: Option<String>,
    /// What is configured.
    pub(super) new: Option<String>,
}

/// The group itself, or one of its processes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    /// `added` or `removed`; `None` if it is there before and after.
    pub(super) fate: Option<&'static str>,
    /// Those that differ.
    pub(super) settings: Vec<Setting>,
}

type Texts = Vec<(String, String)>;

/// The parts of a group that differ; of what comes or goes as a whole, the command alone.
pub(super) fn parts(group: &GroupSettings) -> Vec<Part> {
    let (old, new) = (group.active.as_deref(), group.configured.as_deref());
    let processes = |group: Option<&Group>| group.map(|group| group.processes.clone()).unwrap_or_default();
    let (before, after) = (processes(old), processes(new));
    let mut parts = Vec::new();
    if let (Some(old), Some(new)) = (old, new) {
        let settings = differing(&of_group(old), &of_group(new));
        if !settings.is_empty() {
            parts.push(Part { name: format!("group {}", new.name), fate: None, settings });
        }
    }
    for process in &before {
        let settings = match after.iter().find(|other| other.name == process.name) {
            Some(other) => (None, differing(&of_process(process), &of_process(other))),
            None => (Some("removed"), vec![command(Some(process), None)]),
        };
        parts.push(Part { name: process.name.clone(), fate: settings.0, settings: settings.1 });
    }
    let is_new = |process: &&std::sync::Arc<Process>| !before.iter().any(|other| other.name == process.name);
    for process in after.iter().filter(is_new) {
        let settings = vec![command(None, Some(process))];
        parts.push(Part { name: process.name.clone(), fate: Some("added"), settings });
    }
    parts.retain(|part| !part.settings.is_empty());
    parts
}

fn command(old: Option<&Process>, new: Option<&Process>) -> Setting {
    let text = |process: &Process| process.command.clone();
    Setting { key: "command".to_owned(), old: old.map(text), new: new.map(text) }
}

/// Both lists have the same keys in the same order, but for variables.
fn differing(old: &Texts, new: &Texts) -> Vec<Setting> {
    let find = |texts: &Texts, key: &str| texts.iter().find(|(known, _)| known == key).map(|(_, text)| text.clone());
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in old.iter().chain(new) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let settings = keys.into_iter().map(|key| (key, find(old, key), find(new, key)));
    let differing = settings.filter(|(_, old, new)| old != new);
    differing.map(|(key, old, new)| named(key, old, new)).collect()
}

/// Says of a variable that it is there, not what it holds.
fn named(key: &str, old: Option<String>, new: Option<String>) -> Setting {
    if !key.starts_with(VARIABLE) {
        return Setting { key: key.to_owned(), old, new };
    }
    let (was, is) = if old.is_some() && new.is_some() { ("one value", "another value") } else { ("set", "set") };
    Setting { key: key.to_owned(), old: old.map(|_| was.to_owned()), new: new.map(|_| is.to_owned()) }
}

/// Before the names of variables.
const VARIABLE: &str = "environment ";

fn of_group(group: &Group) -> Texts {
    let mut texts = vec![("priority".to_owned(), group.priority.to_string())];
    let names: Vec<&str> = group.processes.iter().map(|process| process.name.as_str()).collect();
    texts.push(("programs".to_owned(), names.join(", ")));
    match &group.kind {
        GroupKind::Programs => texts.push(("kind".to_owned(), "programs".to_owned())),
        GroupKind::FastCgi => texts.push(("kind".to_owned(), "fcgi-program".to_owned())),
        GroupKind::EventListener(pool) => {
            let events: BTreeSet<&str> = pool.events.iter().map(|event| event.name()).collect();
            texts.push(("kind".to_owned(), "eventlistener".to_owned()));
            texts.push(("events".to_owned(), events.into_iter().collect::<Vec<_>>().join(", ")));
            let overflow = match pool.buffer_overflow {
                BufferOverflow::DropOldest => "drop_oldest".to_owned(),
                BufferOverflow::DropNewest => "drop_newest".to_owned(),
                BufferOverflow::Grow(most) => format!("grow:{most}"),
            };
            texts.push(("buffer_size".to_owned(), pool.buffer_size.to_string()));
            texts.push(("buffer_overflow".to_owned(), overflow));
            texts.push(("result_handler".to_owned(), pool.result_handler.clone()));
        }
    }
    texts
}

fn of_process(process: &Process) -> Texts {
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(shown).unwrap_or_default();
    let yes_or_no = |yes: bool| yes.to_string();
    let codes: Vec<String> = process.exitcodes.iter().map(i32::to_string).collect();
    let autorestart = match process.autorestart {
        Autorestart::Never => "false",
        Autorestart::Unexpected => "unexpected",
        Autorestart::Always => "true",
    };
    let socket = process.socket.as_ref();
    let owner = socket.and_then(|socket| socket.owner);
    let mut texts: Texts = [
        ("command", process.command.clone()),
        ("directory", path(&process.directory)),
        ("umask", process.umask.map(|umask| format!("{umask:03o}")).unwrap_or_default()),
        ("user", process.user.as_ref().map(|user| user.name.clone()).unwrap_or_default()),
        ("priority", process.priority.to_string()),
        ("autostart", yes_or_no(process.autostart)),
        ("autorestart", autorestart.to_owned()),
        ("startsecs", process.startsecs.to_string()),
        ("startretries", process.startretries.to_string()),
        ("exitcodes", codes.join(",")),
        ("stopsignal", process.stopsignal.to_string()),
        ("stopwaitsecs", process.stopwaitsecs.to_string()),
        ("stopasgroup", yes_or_no(process.stopasgroup)),
        ("killasgroup", yes_or_no(process.killasgroup)),
        ("redirect_stderr", yes_or_no(process.redirect_stderr)),
        ("serverurl", process.serverurl.clone().unwrap_or_else(|| "AUTO".to_owned())),
        ("socket", socket.map(|socket| socket.address.to_string()).unwrap_or_default()),
        ("socket_mode", socket.map(|socket| format!("{:04o}", socket.mode)).unwrap_or_default()),
        ("socket_owner", owner.map(ids).unwrap_or_default()),
        (
            "socket_backlog",
            socket.and_then(|socket| socket.backlog).map(|backlog| backlog.to_string()).unwrap_or_default(),
        ),
    ]
    .map(|(key, text)| (key.to_owned(), text))
    .into();
    texts.extend(of_channel("stdout", &process.stdout));
    texts.extend(of_channel("stderr", &process.stderr));
    texts.extend(process.environment.iter().map(|(name, value)| (format!("{VARIABLE}{name}"), value.clone())));
    texts
}

fn ids(owner: Owner) -> String {
    owner.gid.map_or_else(|| owner.uid.to_string(), |gid| format!("{}:{gid}", owner.uid))
}

fn of_channel(name: &str, channel: &Channel) -> Texts {
    let logfile = match &channel.logfile {
        LogFile::Auto => "AUTO".to_owned(),
        LogFile::None => "NONE".to_owned(),
        LogFile::Empty => String::new(),
        LogFile::Path(path) => shown(path),
    };
    [
        ("logfile", logfile),
        ("logfile_maxbytes", channel.logfile_maxbytes.to_string()),
        ("logfile_backups", channel.logfile_backups.to_string()),
        ("capture_maxbytes", channel.capture_maxbytes.to_string()),
        ("events_enabled", channel.events_enabled.to_string()),
        ("syslog", channel.syslog.to_string()),
    ]
    .map(|(key, text)| (format!("{name}_{key}"), text))
    .into()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn settings(active: Option<Vec<Process>>, configured: Option<Vec<Process>>) -> GroupSettings {
        let group = |processes: Vec<Process>| Arc::new(Group::new("g", processes));
        let mut settings = GroupSettings::default();
        (settings.active, settings.configured) = (active.map(group), configured.map(group));
        settings
    }

    fn told(settings: &GroupSettings) -> Vec<String> {
        let line = |part: &Part, setting: &Setting| {
            let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let fate = part.fate.unwrap_or("stays");
            format!("{} {fate} {}: {} > {}", part.name, setting.key, side(&setting.old), side(&setting.new))
        };
        parts(settings).iter().flat_map(|part| part.settings.iter().map(move |setting| line(part, setting))).collect()
    }

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        let old = Process::new("a", "/bin/a");
        let mut new = old.clone();
        new.command = "/bin/a -v".to_owned();
        new.stopwaitsecs = 30;
        new.stdout.logfile = LogFile::Path("/var/log/a".into());
        assert_eq!(
            told(&settings(Some(vec![old.clone()]), Some(vec![new]))),
            [
                "a stays command: /bin/a > /bin/a -v",
                "a stays stopwaitsecs: 10 > 30",
                "a stays stdout_logfile: AUTO > /var/log/a"
            ]
        );
        assert_eq!(told(&settings(Some(vec![old.clone()]), Some(vec![old]))), [""; 0]);
    }

    #[test]
    fn processes_come_and_go_with_their_command() {
        let (a, b) = (Process::new("a", "/bin/a"), Process::new("b", "/bin/b"));
        assert_eq!(told(&settings(None, Some(vec![a.clone()]))), ["a added command: - > /bin/a"]);
        assert_eq!(told(&settings(Some(vec![a.clone()]), None)), ["a removed command: /bin/a > -"]);
        assert_eq!(
            told(&settings(Some(vec![a.clone()]), Some(vec![b]))),
            ["group g stays programs: a > b", "a removed command: /bin/a > -", "b added command: - > /bin/b"]
        );
    }

    #[test]
    fn of_variables_only_the_names_are_told() {
        let (mut old, mut new) = (Process::new("a", "/bin/a"), Process::new("a", "/bin/a"));
        for (name, value) in [("KEY", "secret1"), ("GONE", "secret2")] {
            old.environment.insert(name.to_owned(), value.to_owned());
        }
        for (name, value) in [("KEY", "secret3"), ("NEW", "secret4")] {
            new.environment.insert(name.to_owned(), value.to_owned());
        }
        let told = told(&settings(Some(vec![old]), Some(vec![new])));
        assert_eq!(
            told,
            [
                "a stays environment GONE: set > -",
                "a stays environment KEY: one value > another value",
                "a stays environment NEW: - > set"
            ]
        );
    }
}
