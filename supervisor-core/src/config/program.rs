//! `[program:x]`, `[fcgi-program:x]` and the processes of `[eventlistener:x]`: from a section to the settings of each of its
//! processes.
//!
//! Which group they belong to is decided in `group.rs`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::level::Level;
use crate::domain::spec::{Channel, FastCgiSocket, LogFile, Process, SocketAddress};

use super::convert::{self, LogTarget};
use super::environment;
use super::error::{ConfigError, ErrorKind};
use super::expand::Names;
use super::note::Notes;
use super::python::strip;
use super::section::Reader;

/// The most processes that one program can have: a slip of the finger must not eat the machine.
pub(crate) const MAXIMUM_PROCESSES: i64 = 65_536;

type Result<T> = std::result::Result<T, ConfigError>;

/// The processes of a section, sorted by name. `reader` knows the names of program and group; `base` is the
/// environment of the daemon's section.
pub(crate) fn processes(
    reader: &Reader<'_>,
    base: &BTreeMap<String, String>,
    socket: Option<&FastCgiSocket>,
    notes: &mut Notes,
) -> Result<Vec<Process>> {
    let reader = &Reader { within: true, ..*reader };
    let template = reader.template("process_name").unwrap_or_default();
    let template = convert::name(template).map_err(|error| reader.error("process_name", error))?;
    let count = reader.value("numprocs", convert::integer)?;
    if count > 1 && !template.contains("%(process_num)") {
        return Err(reader.end(ErrorKind::NoProcessNum));
    }
    if count > MAXIMUM_PROCESSES {
        return Err(reader.error("numprocs", ErrorKind::TooManyProcesses(count)));
    }
    let first = reader.value("numprocs_start", convert::integer)?;
    let common = common(reader)?;
    let mut processes = Vec::new();
    for offset in 0..count.max(0) {
        let number = first.saturating_add(offset);
        let names = Names { process: Some((number, count)), ..reader.names };
        let mut process = one(&Reader { names, ..*reader }, common.clone(), notes)?;
        for (key, value) in base {
            process.environment.entry(key.clone()).or_insert_with(|| value.clone());
        }
        process.socket = socket.cloned();
        processes.push(process);
    }
    processes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(processes)
}

/// The settings that all processes of a section share.
fn common(reader: &Reader<'_>) -> Result<Process> {
    let host = reader.host;
    reader.template("command").ok_or_else(|| reader.end(ErrorKind::NoCommand(reader.name().to_owned())))?;
    let stopasgroup = reader.value("stopasgroup", convert::boolean)?;
    let killasgroup = reader.optional("killasgroup", convert::boolean)?.unwrap_or(stopasgroup);
    if stopasgroup && !killasgroup {
        return Err(reader.error("killasgroup", ErrorKind::StopWithoutKill));
    }
    let serverurl = reader.text("serverurl")?.filter(|url| !strip(url).eq_ignore_ascii_case("auto"));
    Ok(Process {
        umask: reader.optional("umask", convert::mask)?,
        priority: reader.value("priority", convert::integer)?,
        autostart: reader.value("autostart", convert::boolean)?,
        startsecs: reader.value("startsecs", convert::integer)?,
        startretries: reader.value("startretries", convert::integer)?,
        autorestart: reader.value("autorestart", convert::autorestart)?,
        exitcodes: reader.value("exitcodes", convert::exit_codes)?,
        stopsignal: reader.value("stopsignal", convert::signal)?,
        stopwaitsecs: reader.value("stopwaitsecs", convert::integer)?,
        stopasgroup,
        killasgroup,
        user: reader.optional("user", |text| convert::user(text, host))?,
        redirect_stderr: reader.value("redirect_stderr", convert::boolean)?,
        stdout: Channel {
            capture_maxbytes: reader.value("stdout_capture_maxbytes", convert::byte_size)?,
            events_enabled: reader.value("stdout_events_enabled", convert::boolean)?,
            ..Channel::default()
        },
        stderr: Channel {
            capture_maxbytes: reader.value("stderr_capture_maxbytes", convert::byte_size)?,
            events_enabled: reader.value("stderr_events_enabled", convert::boolean)?,
            ..Channel::default()
        },
        serverurl: serverurl.map(Cow::into_owned),
        ..Process::new("", "")
    })
}

/// Fills in what differs from process to process.
fn one(reader: &Reader<'_>, mut process: Process, notes: &mut Notes) -> Result<Process> {
    let environment = reader.value("environment", environment::parse)?;
    let names = Names { own_environment: Some(&environment), ..reader.names };
    let own = Reader { names, ..*reader };
    process.name = strip(&own.text("process_name")?.unwrap_or_default()).to_owned();
    process.command = own.text("command")?.unwrap_or_default().into_owned();
    process.directory = own.text("directory")?.filter(|path| !path.is_empty()).map(|path| PathBuf::from(&*path));
    let keys = ["stdout_logfile", "stdout_logfile_maxbytes", "stdout_logfile_backups", "stdout_syslog"];
    channel(&own, keys, &mut process.stdout, notes)?;
    let keys = ["stderr_logfile", "stderr_logfile_maxbytes", "stderr_logfile_backups", "stderr_syslog"];
    channel(&own, keys, &mut process.stderr, notes)?;
    if process.redirect_stderr {
        if matches!(process.stderr.logfile, LogFile::Path(_) | LogFile::Empty) {
            notes.at_start(Level::Warn, format!(
                "For [{}], redirect_stderr=true but stderr_logfile has also been set to a filename, the filename has been \
                 ignored",
                reader.name()
            ));
        }
        process.stderr.logfile = LogFile::None;
    }
    process.environment = environment;
    Ok(process)
}

/// The log file, its limits and the system log of one channel.
fn channel(reader: &Reader<'_>, keys: [&str; 4], channel: &mut Channel, notes: &mut Notes) -> Result<()> {
    let [logfile, maxbytes, backups, syslog] = keys;
    let section = reader.name();
    channel.logfile_maxbytes = reader.value(maxbytes, convert::byte_size)?;
    channel.logfile_backups = reader.value(backups, convert::integer)?;
    channel.syslog = reader.value(syslog, convert::boolean)?;
    channel.logfile = match reader.value(logfile, |text| convert::log_target(text, reader.host))? {
        LogTarget::Auto => {
            if channel.logfile_maxbytes == 0 {
                notes.at_start(Level::Warn, format!(
                    "For [{section}], AUTO logging used for {logfile} without rollover, set maxbytes > 0 to avoid filling \
                     up filesystem unintentionally"
                ));
            }
            LogFile::Auto
        }
        LogTarget::None => LogFile::None,
        LogTarget::Empty => LogFile::Empty,
        LogTarget::Syslog => {
            notes.at_start(Level::Warn, format!(
                "For [{section}], {logfile}=syslog but this is deprecated and will be removed.  Use {syslog}=true to \
                 enable syslog instead."
            ));
            channel.syslog = true;
            LogFile::None
        }
        LogTarget::Path(path) => LogFile::Path(path),
    };
    Ok(())
}

/// The shared socket of an `[fcgi-program:x]`.
pub(crate) fn fastcgi_socket(reader: &Reader<'_>) -> Result<FastCgiSocket> {
    let section = reader.name();
    let url = reader.required("socket", || ErrorKind::NoSocket(section.to_owned()))?;
    if url.is_empty() {
        return Err(reader.error("socket", ErrorKind::NoSocket(section.to_owned())));
    }
    let address = convert::socket_address(&url, reader.host)
        .map_err(|reason| reader.error("socket", ErrorKind::BadSocket { reason, section: section.to_owned() }))?;
    let owner = reader.optional("socket_owner", |text| convert::owner(text, "socket_owner", reader.host))?;
    let mode = reader.value("socket_mode", |text| convert::socket_mode(text, "socket_mode"))?;
    if matches!(address, SocketAddress::Tcp { .. }) {
        let given = |key| reader.document.get(reader.section, key).is_some();
        if let Some(key) = ["socket_owner", "socket_mode"].into_iter().find(|key| given(key)) {
            return Err(reader.error(key, ErrorKind::OwnerOfTcpSocket(section.to_owned())));
        }
    }
    // Checked here too, since an account that does not exist is an error of the socket before it is one of a process.
    reader.optional("user", |text| convert::user(text, reader.host))?;
    Ok(FastCgiSocket { address, backlog: reader.optional("socket_backlog", convert::backlog)?, owner, mode })
}
