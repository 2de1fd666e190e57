//! Groups: `[group:x]`, and programs, listeners and fcgi-programs that form a group of their own.
//!
//! Decides who belongs where, in which order groups stand, and who wins when two sections make the same name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::domain::event_type::EventType;
use crate::domain::host::Host;
use crate::domain::spec::{Group, GroupKind, Pool, Process};

use super::convert;
use super::error::{ConfigError, ErrorKind};
use super::expand::Names;
use super::ini::{Document, Section};
use super::load::PasswordCheck;
use super::note::Notes;
use super::program::{fastcgi_socket, processes};
use super::section::Reader;

type Result<T> = std::result::Result<T, ConfigError>;

/// What all sections are read with.
pub(crate) struct Context<'a> {
    pub(crate) document: &'a Document,
    pub(crate) host: &'a dyn Host,
    /// `here` of the main file, the machine's name, and the environment with that of the daemon's section on top.
    pub(crate) names: Names<'a>,
    /// The environment of the daemon's section.
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// The result handlers that exist; `None` takes any.
    pub(crate) result_handlers: Option<&'a [&'a str]>,
    /// Says why a server's password cannot be used; `None` takes any.
    pub(crate) passwords: Option<PasswordCheck>,
}

/// A group with the section that made it.
struct Made<'a> {
    group: Group,
    section: &'a Section,
}

/// All groups of a document, by priority, then name.
pub(crate) fn groups(context: &Context<'_>, notes: &mut Notes) -> Result<Vec<Group>> {
    let mut made = Vec::new();
    let mut members = HashSet::new();
    // Where priority and name are equal, the kind that comes first here wins, as in Supervisor.
    for section in context.sections("group") {
        made.push(Made { group: context.group(section, &mut members, notes)?, section });
    }
    for section in context.sections("program").filter(|section| !members.contains(section.name.as_str())) {
        made.push(Made { group: context.program(section, notes)?, section });
    }
    for section in context.sections("eventlistener") {
        made.push(Made { group: context.listener(section, notes)?, section });
    }
    for section in context.sections("fcgi-program").filter(|section| !members.contains(section.name.as_str())) {
        made.push(Made { group: context.fastcgi(section, notes)?, section });
    }
    made.sort_by(|a, b| (a.group.priority, &a.group.name).cmp(&(b.group.priority, &b.group.name)));
    Ok(without_duplicates(made, notes))
}

/// Of several groups with one name the first stays.
fn without_duplicates(made: Vec<Made<'_>>, notes: &mut Notes) -> Vec<Group> {
    let mut winners: HashMap<String, &Section> = HashMap::new();
    let mut groups = Vec::new();
    for Made { group, section } in made {
        let Some(winner) = winners.get(&group.name) else {
            winners.insert(group.name.clone(), section);
            groups.push(group);
            continue;
        };
        notes.warn(format!(
            "Sections [{}] ({}) and [{}] ({}) both make a group named {}, the second is ignored",
            winner.name, winner.place, section.name, section.place, group.name
        ));
    }
    groups
}

/// The processes of one group under construction. Of several with one name the last stays, in the place of the first.
#[derive(Default)]
struct Members<'a> {
    processes: Vec<(Process, &'a Section)>,
    index: HashMap<String, usize>,
}

impl<'a> Members<'a> {
    fn add(&mut self, group: &str, section: &'a Section, processes: Vec<Process>, notes: &mut Notes) {
        for process in processes {
            let Some(at) = self.index.get(&process.name).copied() else {
                self.index.insert(process.name.clone(), self.processes.len());
                self.processes.push((process, section));
                continue;
            };
            let (first, name) = (self.processes[at].1, &process.name);
            notes.warn(format!(
                "Sections [{}] ({}) and [{}] ({}) both make a process named {name} in group {group}, the first is ignored",
                first.name, first.place, section.name, section.place
            ));
            self.processes[at] = (process, section);
        }
    }

    fn into_processes(self) -> Vec<Arc<Process>> {
        // Not collected in place: that would keep the memory of the larger list.
        let mut processes = Vec::with_capacity(self.processes.len());
        processes.extend(self.processes.into_iter().map(|(process, _)| Arc::new(process)));
        processes
    }
}

impl<'a> Context<'a> {
    /// The sections `[kind:…]` in order of appearance.
    fn sections(&self, kind: &'static str) -> impl Iterator<Item = &'a Section> {
        let of_kind =
            move |section: &&Section| section.name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':'));
        self.document.sections().iter().filter(of_kind)
    }

    /// A reader that knows the names of program and group.
    fn program_reader<'b>(&'b self, section: &'b Section, program: &'b str, group: &'b str) -> Reader<'b> {
        let names = Names { program: Some((program, group)), ..self.names };
        Reader { names, ..self.reader(section) }
    }

    pub(crate) fn reader<'b>(&'b self, section: &'b Section) -> Reader<'b> {
        Reader::new(self.document, section, self.names, self.host)
    }

    /// `[group:x]`; adds the sections of its members to `members`.
    fn group(&self, section: &'a Section, members: &mut HashSet<&'a str>, notes: &mut Notes) -> Result<Group> {
        let reader = self.reader(section);
        let name = checked_name(&reader)?;
        let priority = reader.value("priority", convert::integer)?;
        let programs = reader.text("programs")?.unwrap_or_default();
        let mut found = Members::default();
        for program in convert::list(&programs) {
            let (group, member) = (section.name.clone(), program.to_owned());
            let plain = self.document.section(&format!("program:{program}"));
            let fastcgi = self.document.section(&format!("fcgi-program:{program}"));
            let kind = match (plain, fastcgi) {
                (Some(_), Some(_)) => ErrorKind::AmbiguousMember { group, name: member },
                (None, None) => ErrorKind::UnknownMember { group, name: member },
                (Some(section), None) | (None, Some(section)) => {
                    members.insert(&section.name);
                    let processes = self.members_of(section, &name, notes)?;
                    found.add(&name, section, processes, notes);
                    continue;
                }
            };
            return Err(reader.error("programs", kind));
        }
        Ok(Group { name, priority, kind: GroupKind::Programs, processes: found.into_processes() })
    }

    /// The processes of a program or fcgi-program as members of a group.
    fn members_of(&self, section: &Section, group: &str, notes: &mut Notes) -> Result<Vec<Process>> {
        let program = checked_name(&Reader { within: true, ..self.reader(section) })?;
        let reader = self.program_reader(section, &program, group);
        let socket = if section.name.starts_with("fcgi-program:") { Some(fastcgi_socket(&reader)?) } else { None };
        processes(&reader, self.environment, socket.as_ref(), notes)
    }

    /// A group of its own, from the processes of one section.
    fn own(&self, section: &'a Section, kind: GroupKind, default: i64, notes: &mut Notes) -> Result<Group> {
        let reader = self.reader(section);
        let listener = matches!(kind, GroupKind::EventListener(_));
        let name = match listener {
            true => checked_name(&Reader { within: true, ..reader })?,
            false => checked_name(&reader)?,
        };
        let priority = match self.document.get(section, "priority") {
            Some(_) => self.program_reader(section, &name, &name).value("priority", convert::integer)?,
            None => default,
        };
        let mut members = Members::default();
        let processes = match listener {
            true => processes(&self.program_reader(section, &name, &name), self.environment, None, notes)?,
            false => self.members_of(section, &name, notes)?,
        };
        members.add(&name, section, processes, notes);
        Ok(Group { name, priority, kind, processes: members.into_processes() })
    }

    fn program(&self, section: &'a Section, notes: &mut Notes) -> Result<Group> {
        self.own(section, GroupKind::Programs, 999, notes)
    }

    fn fastcgi(&self, section: &'a Section, notes: &mut Notes) -> Result<Group> {
        self.own(section, GroupKind::FastCgi, 999, notes)
    }

    fn listener(&self, section: &'a Section, notes: &mut Notes) -> Result<Group> {
        let pool = self.pool(section)?;
        self.own(section, GroupKind::EventListener(pool), -1, notes)
    }

    /// The settings of a pool.
    fn pool(&self, section: &'a Section) -> Result<Pool> {
        let reader = self.reader(section);
        let name = || section.name.clone();
        let text = reader.required("events", || ErrorKind::NoEvents(name()))?;
        let mut pool = Pool::new(std::collections::BTreeSet::new());
        for event in convert::list(&text) {
            let unknown = || ErrorKind::UnknownEvent { event: event.to_uppercase(), section: name() };
            pool.events.insert(EventType::from_name(event).ok_or_else(|| reader.error("events", unknown()))?);
        }
        if pool.events.is_empty() {
            return Err(reader.error("events", ErrorKind::NoEvents(name())));
        }
        let size = reader.value("buffer_size", convert::integer)?;
        let wrong = || reader.error("buffer_size", ErrorKind::BadBufferSize { section: name(), value: size });
        pool.buffer_size = usize::try_from(size).ok().filter(|size| *size > 0).ok_or_else(wrong)?;
        pool.buffer_overflow = reader.value("buffer_overflow", convert::buffer_overflow)?;
        pool.result_handler = reader.text("result_handler")?.unwrap_or_default().into_owned();
        if self.result_handlers.is_some_and(|known| !known.contains(&pool.result_handler.as_str())) {
            let kind = ErrorKind::Unresolved { value: pool.result_handler, section: name() };
            return Err(reader.error("result_handler", kind));
        }
        if reader.value("redirect_stderr", convert::boolean)? {
            return Err(reader.error("redirect_stderr", ErrorKind::RedirectedListener(name())));
        }
        Ok(pool)
    }
}

/// The name of a section's program or group.
fn checked_name(reader: &Reader<'_>) -> Result<String> {
    let written = reader.name().split_once(':').map_or(reader.name(), |(_, name)| name);
    convert::name(written).map_err(|error| reader.end(error))
}
