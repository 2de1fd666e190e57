//! Programs built in code instead of in a file.
//!
//! Every key of `[program:x]` and `[fcgi-program:x]` has a setter; what is built goes through the same expansion and checks
//! as the file, so that a program means the same wherever it is written.

use std::collections::BTreeMap;
use std::fmt;

use crate::config::{self, ConfigError};
use crate::domain::host::Host;
use crate::domain::signal::Signal;
use crate::domain::spec::{Autorestart, Group};

/// A program to be supervised (Supervisor 4.3: `[program:x]`), as one or more processes in a group of the same name.
///
/// Texts are templates: `%(process_num)02d` inserts a value, a literal percent sign is written `%%`. `Debug` shows no values
/// of variables.
///
/// ```
/// use supervisor_core::{Program, domain::spec::Autorestart, sys::host::SystemHost};
///
/// let web = Program::new("web", "./serve --port 80%(process_num)02d")
///     .numprocs(2)
///     .process_name("web_%(process_num)02d")
///     .autorestart(Autorestart::Unexpected);
/// let group = web.build(&SystemHost)?;
/// assert_eq!(group.processes[1].command, "./serve --port 8001");
/// # Ok::<(), supervisor_core::config::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    options: BTreeMap<&'static str, String>,
    variables: BTreeMap<String, String>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $key:ident: $kind:ident;)*) => {
        impl Program {
            $(setters!(@$kind $(#[$doc])* $key);)*

            #[cfg(test)]
            const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];
        }
    };
    (@text $(#[$doc:meta])* $key:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $key(self, value: impl Into<String>) -> Self {
            self.set(stringify!($key), value.into())
        }
    };
    (@number $(#[$doc:meta])* $key:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $key(self, value: i64) -> Self {
            self.set(stringify!($key), value.to_string())
        }
    };
    (@flag $(#[$doc:meta])* $key:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $key(self, value: bool) -> Self {
            self.set(stringify!($key), value.to_string())
        }
    };
    (@octal $(#[$doc:meta])* $key:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $key(self, value: u32) -> Self {
            self.set(stringify!($key), format!("{value:o}"))
        }
    };
}

setters! {
    /// `process_name`. Default `%(program_name)s`; with several processes it must contain `%(process_num)`.
    process_name: text;
    /// `numprocs`. Default 1.
    numprocs: number;
    /// `numprocs_start`: the number of the first process. Default 0.
    numprocs_start: number;
    /// `priority`, of the processes and of their group. Default 999.
    priority: number;
    /// `autostart`. Default true.
    autostart: flag;
    /// `startsecs`, seconds. Default 1.
    startsecs: number;
    /// `startretries`. Default 3.
    startretries: number;
    /// `stopwaitsecs`, seconds. Default 10.
    stopwaitsecs: number;
    /// `stopasgroup`. Default false.
    stopasgroup: flag;
    /// `killasgroup`. Default: as `stopasgroup`.
    killasgroup: flag;
    /// `user`: name or numeric id. Default: the embedding program's.
    user: text;
    /// `redirect_stderr`. Default false.
    redirect_stderr: flag;
    /// `stdout_logfile`: a path, `AUTO` or `NONE`. Default `AUTO`.
    stdout_logfile: text;
    /// `stdout_logfile_maxbytes`. Default 50 MiB; 0 never rotates.
    stdout_logfile_maxbytes: number;
    /// `stdout_logfile_backups`. Default 10.
    stdout_logfile_backups: number;
    /// `stdout_capture_maxbytes`. Default 0: no capture mode.
    stdout_capture_maxbytes: number;
    /// `stdout_events_enabled`. Default false.
    stdout_events_enabled: flag;
    /// `stdout_syslog`. Default false.
    stdout_syslog: flag;
    /// `stderr_logfile`: a path, `AUTO` or `NONE`. Default `AUTO`.
    stderr_logfile: text;
    /// `stderr_logfile_maxbytes`. Default 50 MiB; 0 never rotates.
    stderr_logfile_maxbytes: number;
    /// `stderr_logfile_backups`. Default 10.
    stderr_logfile_backups: number;
    /// `stderr_capture_maxbytes`. Default 0: no capture mode.
    stderr_capture_maxbytes: number;
    /// `stderr_events_enabled`. Default false.
    stderr_events_enabled: flag;
    /// `stderr_syslog`. Default false.
    stderr_syslog: flag;
    /// `environment`, in the grammar of the file: `A="1",B=two`. See [`env`](Self::env) for values as they are.
    environment: text;
    /// `directory`. Default: the working directory.
    directory: text;
    /// `umask`. Default: the embedding program's.
    umask: octal;
    /// `serverurl`: the value of SUPERVISOR_SERVER_URL. Default `AUTO`.
    serverurl: text;
    /// `socket`, as `tcp://host:port` or `unix:///path`: makes this an fcgi-program.
    socket: text;
    /// `socket_backlog`, 1 to 65535. Default: the system's maximum.
    socket_backlog: number;
    /// `socket_owner`: `user` or `user:group`. Default: the program's user.
    socket_owner: text;
    /// `socket_mode`. Default 0700.
    socket_mode: octal;
}

impl Program {
    /// A program of this name and command line, everything else at its default.
    pub fn new(name: impl Into<String>, command: impl Into<String>) -> Self {
        let program = Self { name: name.into(), options: BTreeMap::new(), variables: BTreeMap::new() };
        program.set("command", command.into())
    }

    fn set(mut self, key: &'static str, value: String) -> Self {
        self.options.insert(key, value);
        self
    }

    /// `autorestart`. Default unexpected.
    #[must_use]
    pub fn autorestart(self, value: Autorestart) -> Self {
        let word = match value {
            Autorestart::Never => "false",
            Autorestart::Unexpected => "unexpected",
            Autorestart::Always => "true",
        };
        self.set("autorestart", word.to_owned())
    }

    /// `exitcodes`, each from 0 to 255. Default 0.
    #[must_use]
    pub fn exitcodes(self, codes: impl IntoIterator<Item = i32>) -> Self {
        let codes: Vec<String> = codes.into_iter().map(|code| code.to_string()).collect();
        self.set("exitcodes", codes.join(","))
    }

    /// `stopsignal`. Default TERM.
    #[must_use]
    pub fn stopsignal(self, signal: Signal) -> Self {
        self.set("stopsignal", signal.to_string())
    }

    /// One variable of the environment, taken as it is. Those of [`environment`](Self::environment) win over it.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The group that this program forms.
    ///
    /// # Errors
    /// What would be wrong in the file.
    pub fn build(&self, host: &dyn Host) -> Result<Group, ConfigError> {
        let kind = if self.options.contains_key("socket") { "fcgi-program" } else { "program" };
        let options = self.options.iter().map(|(key, value)| (*key, value.clone()));
        config::single_group(&format!("{kind}:{}", self.name), options, &self.variables, host)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&&str> = self.options.keys().collect();
        f.debug_struct("Program").field("name", &self.name).field("keys", &keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::options::SectionTable;
    use crate::sys::host::SystemHost;

    #[test]
    fn every_key_has_a_setter() {
        let table = SectionTable::of("fcgi-program:x").expect("known");
        let others = ["command", "autorestart", "exitcodes", "stopsignal"];
        for row in table.rows() {
            assert!(Program::KEYS.contains(&row.key) || others.contains(&row.key), "{} has no setter", row.key);
        }
    }

    #[test]
    fn built_as_from_a_file() {
        let group = Program::new("web", "serve %(process_num)d %(ENV_A)s")
            .numprocs(2)
            .process_name("web_%(process_num)02d")
            .stopsignal(Signal::INT)
            .exitcodes([0, 2])
            .umask(0o27)
            .env("A", "a\"b'%s")
            .build(&SystemHost)
            .expect("valid");
        let process = &group.processes[1];
        assert_eq!((group.name.as_str(), process.name.as_str()), ("web", "web_01"));
        assert_eq!(process.command, "serve 1 a\"b'%s");
        assert_eq!((process.umask, process.stopsignal, process.exitcodes.len()), (Some(0o27), Signal::INT, 2));
        assert_eq!(process.environment["A"], "a\"b'%s");
    }

    #[test]
    fn wrong_settings_are_told_in_the_words_of_the_file() {
        let error = Program::new("web", "serve").numprocs(2).build(&SystemHost).expect_err("one name for two");
        assert!(error.to_string().contains("numprocs > 1"), "{error}");
        let error = Program::new("a b", "serve").build(&SystemHost).expect_err("bad name");
        assert!(error.to_string().starts_with("Invalid name: 'a b'"), "{error}");
    }
}
