//! The rows: a table, long because there are many keys.

use super::{OptionRow, Scope, SectionName, SectionTable, ValueType};

macro_rules! rows {
    ($($key:literal $value_type:ident $scope:ident $(= $default:literal)? : $doc:literal;)*) => {
        &[$(OptionRow {
            key: $key,
            value_type: ValueType::$value_type,
            default: rows!(@default $($default)?),
            scope: Scope::$scope,
            doc: $doc,
        }),*]
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

/// Every kind of section that means something to the daemon or to its client.
pub const SECTIONS: &[SectionTable] = &[
    SectionTable {
        name: SectionName::Exact("supervisord"),
        doc: "The daemon itself; required.",
        open: false,
        parts: &[SUPERVISORD],
    },
    SectionTable {
        name: SectionName::Prefix("unix_http_server"),
        doc: "An HTTP server on a socket file.",
        open: false,
        parts: &[UNIX_HTTP_SERVER, HTTP_SERVER],
    },
    SectionTable {
        name: SectionName::Prefix("inet_http_server"),
        doc: "An HTTP server on a TCP port.",
        open: false,
        parts: &[INET_HTTP_SERVER, HTTP_SERVER],
    },
    SectionTable {
        name: SectionName::Named("rpcinterface"),
        doc: "A namespace of RPC methods; its other keys are handed to the factory.",
        open: true,
        parts: &[RPC_INTERFACE],
    },
    SectionTable {
        name: SectionName::Named("program"),
        doc: "A program to be supervised, as one or more processes.",
        open: false,
        parts: &[PROGRAM],
    },
    SectionTable {
        name: SectionName::Named("fcgi-program"),
        doc: "A program whose processes share a listening socket as standard input.",
        open: false,
        parts: &[PROGRAM, FCGI_PROGRAM],
    },
    SectionTable {
        name: SectionName::Named("eventlistener"),
        doc: "A pool of processes that hear of events on standard input.",
        open: false,
        parts: &[PROGRAM, EVENT_LISTENER],
    },
    SectionTable {
        name: SectionName::Named("group"),
        doc: "Programs that are handled as one.",
        open: false,
        parts: &[GROUP],
    },
    SectionTable {
        name: SectionName::Exact("include"),
        doc: "Further files; counts in the main file only.",
        open: false,
        parts: &[INCLUDE],
    },
    SectionTable {
        name: SectionName::Exact("supervisorctl"),
        doc: "The client; the daemon ignores it.",
        open: false,
        parts: &[SUPERVISORCTL],
    },
    SectionTable {
        name: SectionName::Named("ctlplugin"),
        doc: "Further commands of the client; its other keys are handed to the factory.",
        open: true,
        parts: &[CTL_PLUGIN],
    },
];

const SUPERVISORD: &[OptionRow] = rows! {
    "logfile" Path Section = "supervisord.log": "File of the activity log, or `syslog` for the system log.";
    "logfile_maxbytes" ByteSize Section = "50MB": "Size at which the activity log is rotated; 0 never rotates.";
    "logfile_backups" Integer Section = "10": "Number of rotated activity logs that are kept.";
    "loglevel" LogLevel Section = "info": "The least important lines that the activity log takes.";
    "pidfile" Path Section = "supervisord.pid": "File that holds the daemon's pid.";
    "umask" Octal Section = "022": "File mode mask of the daemon; applied when it goes to the background.";
    "nodaemon" Boolean Section = "false": "Stay in the foreground.";
    "silent" Boolean Section = "false": "In the foreground, do not copy the activity log to standard output.";
    "minfds" Integer Section = "1024": "File descriptors that must be available, else the daemon does not start.";
    "minprocs" Integer Section = "200": "Processes that must be available, else the daemon does not start.";
    "nocleanup" Boolean Section = "false": "Keep old AUTO log files at start.";
    "childlogdir" Directory Section: "Directory of AUTO log files; the system's directory for temporary files by default.";
    "user" User Section: "Account that the daemon switches to at start; needs root.";
    "directory" Directory Section: "Directory that the daemon enters when it goes to the background.";
    "strip_ansi" Boolean Section = "false": "Remove ANSI escape sequences from the logs of programs.";
    "environment" Environment Section = "": "Variables added to the environment of every program.";
    "identifier" Text Section = "supervisor": "Name of this daemon, for clients and event listeners.";
    "orphans" Choice Section = "stop": "What to do with programs that outlived a killed daemon: `stop` or `ignore`.";
    "pass_service_manager_env" Boolean Section = "false": "Hand NOTIFY_SOCKET, LISTEN_* and WATCHDOG_* to programs.";
};

const HTTP_SERVER: &[OptionRow] = rows! {
    "username" Text Section: "User name that clients must give.";
    "password" Text Section: "Password that clients must give, or its hash behind `{ARGON2}` or `{SHA}`.";
    "allowed_origins" List Section = "": "Web origins besides the server's own that may change things.";
    "allowed_hosts" List Section = "": "Host names that requests may be addressed to; all by default.";
};

const UNIX_HTTP_SERVER: &[OptionRow] = rows! {
    "file" Path Section: "Path of the socket file; required.";
    "chmod" Octal Section = "0700": "Mode of the socket file.";
    "chown" Owner Section: "Owner of the socket file; the daemon's own by default.";
};

const INET_HTTP_SERVER: &[OptionRow] = rows! {
    "port" Port Section: "Address and port to listen on; required.";
};

const RPC_INTERFACE: &[OptionRow] = rows! {
    "supervisor.rpcinterface_factory" Text Section:
        "Name of the factory that makes the namespace, or `exec:` and the command line of a program that is it; required.";
    "supervisor.call_timeout" Integer Section = "60": "Seconds that a call to a program may take.";
};

const PROGRAM: &[OptionRow] = rows! {
    "command" Text Process: "The command line, split into words as a shell would, without a shell; required.";
    "process_name" Text Process = "%(program_name)s": "Name of each process within its group.";
    "numprocs" Integer Program = "1": "Number of processes.";
    "numprocs_start" Integer Program = "0": "Number of the first process.";
    "priority" Integer Program = "999": "Order of start (low first) and stop (high first); an event listener's pool has -1.";
    "autostart" Boolean Program = "true": "Start when the daemon starts.";
    "startsecs" Integer Program = "1": "Seconds that a process must stay up to count as running.";
    "startretries" Integer Program = "3": "Further attempts after a failed start.";
    "autorestart" Autorestart Program = "unexpected": "Start again after an end by itself: always, never, or if unexpected.";
    "exitcodes" ExitCodes Program = "0": "Exit statuses that are expected.";
    "stopsignal" Signal Program = "TERM": "Signal that asks the process to end.";
    "stopwaitsecs" Integer Program = "10": "Seconds between the stop signal and KILL.";
    "stopasgroup" Boolean Program = "false": "Send the stop signal to the whole process group; implies `killasgroup`.";
    "killasgroup" Boolean Program: "Send KILL to the whole process group; as `stopasgroup` by default.";
    "user" User Program: "Account to run as; needs root.";
    "redirect_stderr" Boolean Program = "false": "Send standard error where standard output goes.";
    "stdout_logfile" LogFile Process = "AUTO": "File for standard output, `AUTO` or `NONE`.";
    "stdout_logfile_maxbytes" ByteSize Process = "50MB": "Size at which the file is rotated; 0 never rotates.";
    "stdout_logfile_backups" Integer Process = "10": "Number of rotated files that are kept.";
    "stdout_capture_maxbytes" ByteSize Program = "0": "Most bytes kept between capture tags; 0 turns capture off.";
    "stdout_events_enabled" Boolean Program = "false": "Emit PROCESS_LOG_STDOUT events.";
    "stdout_syslog" Boolean Process = "false": "Send standard output to the system log.";
    "stderr_logfile" LogFile Process = "AUTO": "File for standard error, `AUTO` or `NONE`.";
    "stderr_logfile_maxbytes" ByteSize Process = "50MB": "Size at which the file is rotated; 0 never rotates.";
    "stderr_logfile_backups" Integer Process = "10": "Number of rotated files that are kept.";
    "stderr_capture_maxbytes" ByteSize Program = "0": "Most bytes kept between capture tags; 0 turns capture off.";
    "stderr_events_enabled" Boolean Program = "false": "Emit PROCESS_LOG_STDERR events.";
    "stderr_syslog" Boolean Process = "false": "Send standard error to the system log.";
    "environment" Environment Process = "": "Variables added to the environment, above those of the daemon's section.";
    "directory" Text Process = "": "Directory to enter before the start.";
    "umask" Octal Program: "File mode mask; the daemon's by default.";
    "serverurl" Url Program = "AUTO": "Value of SUPERVISOR_SERVER_URL; AUTO for the daemon's own server.";
};

const FCGI_PROGRAM: &[OptionRow] = rows! {
    "socket" Socket Program: "Address of the shared socket; required.";
    "socket_backlog" Integer Program: "Length of its queue, 1 to 65535; the system's maximum by default.";
    "socket_owner" Owner Program: "Owner of a socket file; the program's user by default.";
    "socket_mode" Octal Program = "0700": "Mode of a socket file.";
};

const EVENT_LISTENER: &[OptionRow] = rows! {
    "events" List Section: "Event types to hear of; required.";
    "buffer_size" Integer Section = "10": "Events kept while no process of the pool is ready.";
    "buffer_overflow" Choice Section = "drop_oldest": "When the buffer is full: `drop_oldest`, `drop_newest` or `grow:N`.";
    "result_handler" Text Section = "supervisor.dispatchers:default_handler": "Name of what judges the answers.";
};

const GROUP: &[OptionRow] = rows! {
    "programs" List Section = "": "Names of the programs, in the order in which they are started.";
    "priority" Integer Section = "999": "Order of start (low first) and stop (high first).";
};

const INCLUDE: &[OptionRow] = rows! {
    "files" List Section: "Patterns of files, separated by white space; required.";
};

const SUPERVISORCTL: &[OptionRow] = rows! {
    "serverurl" Url Section = "http://localhost:9001": "Where the daemon listens: `http://host:port` or `unix:///path`.";
    "username" Text Section: "User name for the daemon.";
    "password" Text Section: "Password for the daemon.";
    "prompt" Text Section = "supervisor": "Prompt of the shell.";
    "history_file" Path Section: "File that keeps the history of the shell.";
};

const CTL_PLUGIN: &[OptionRow] = rows! {
    "supervisor.ctl_factory" Text Section: "Name of the factory that makes the commands; required.";
};
