//! Whole configurations: sections, order, notes, error texts.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::domain::event_type::EventType;
use crate::domain::level::Level;
use crate::domain::server::ServerAddress;
use crate::domain::spec::{Autorestart, BufferOverflow, GroupKind, LogFile, Process, SocketAddress};

use super::diff::{Diff, diff};
use super::table_host::TableHost;
use super::*;

const MAIN: &str = "/etc/c.conf";

/// A text behind an empty `[supervisord]`: its first line is line 2.
fn load_text(body: &str) -> Result<Settings, ConfigError> {
    parse(&format!("[supervisord]\n{body}"), Path::new(MAIN), &TableHost::new())
}

#[track_caller]
fn good(body: &str) -> Settings {
    load_text(body).unwrap_or_else(|error| panic!("{body:?}: {error}"))
}

#[track_caller]
fn error(body: &str) -> String {
    load_text(body).map(|_| ()).expect_err(body).to_string()
}

/// The only process.
#[track_caller]
fn process(options: &str) -> Process {
    let settings = good(&format!("[program:x]\ncommand=/bin/cat\n{options}"));
    Process::clone(&settings.groups[0].processes[0])
}

fn warnings(settings: &Settings) -> Vec<&str> {
    settings.notes.iter().map(|note| note.text.as_str()).collect()
}

#[test]
fn a_program_has_the_documented_defaults() {
    let wanted = Process::new("x", "/bin/cat");
    assert_eq!(process(""), wanted);
}

#[test]
fn every_default_of_the_tables_can_be_read() {
    let text = "[unix_http_server]\nfile=s\n[inet_http_server]\nport=1\n[fcgi-program:f]\ncommand=a\nsocket=tcp://h:1\n\
                [eventlistener:e]\ncommand=a\nevents=EVENT\n[group:g]\n";
    let settings = good(text);
    assert_eq!(settings.daemon.logfile, DaemonLog::File(PathBuf::from("/cwd/supervisord.log")));
    assert_eq!(settings.daemon.childlogdir, PathBuf::from("/tmp"));
    // Absolute from the first, since the working directory may be another one when a log is made.
    let mut host = TableHost::new();
    host.directories.push(PathBuf::from("logs"));
    let relative = parse("[supervisord]\nchildlogdir=logs\npidfile=pid\n", Path::new(MAIN), &host).unwrap().daemon;
    assert_eq!((relative.childlogdir, relative.pidfile), (PathBuf::from("/cwd/logs"), PathBuf::from("/cwd/pid")));
    assert_eq!((settings.daemon.umask, settings.daemon.minfds, settings.daemon.minprocs), (0o22, 1024, 200));
    assert_eq!(settings.daemon.orphans, Orphans::Stop);
    let ServerAddress::Unix { path, mode, owner } = &settings.servers[1].address else { panic!() };
    assert_eq!((path.to_str(), *mode, *owner), (Some("/cwd/s"), 0o700, None));
    let GroupKind::EventListener(pool) = &settings.groups[0].kind else { panic!() };
    assert_eq!((pool.buffer_size, pool.buffer_overflow), (10, BufferOverflow::DropOldest));
    assert_eq!(pool.result_handler, crate::domain::spec::Pool::DEFAULT_RESULT_HANDLER);
    let priorities: Vec<(&str, i64)> = settings.groups.iter().map(|g| (g.name.as_str(), g.priority)).collect();
    assert_eq!(priorities, [("e", -1), ("f", 999), ("g", 999)]);
}

/// Body and message. `\u{1}` stands for section and file where Supervisor's message ends with them, `\u{2}` for the same where
/// it does not.
const ERRORS: &[(&str, &str)] = &[
    ("[program:a b]\ncommand=x", "Invalid name: 'a b' because of character: ' ', line 2\u{2}"),
    ("[eventlistener:a b]\ncommand=x\nevents=TICK", "Invalid name: 'a b' because of character: ' '\u{1}, line 2"),
    ("[group:a/b]", "Invalid name: 'a/b' because of character: '/', line 2\u{2}"),
    ("[program:x]\nautostart=1", "program section program:x does not specify a command\u{1}, line 2"),
    (
        "[program:x]\ncommand=a\nstartsecs=soon",
        "invalid literal for int() with base 10: 'soon'\u{1}, line 4, key 'startsecs'",
    ),
    (
        "[program:x]\ncommand=a\npriority=1.5",
        "invalid literal for int() with base 10: '1.5', line 4, key 'priority'\u{2}",
    ),
    (
        "[program:x]\ncommand=a\nprocess_name=a/b",
        "Invalid name: 'a/b' because of character: '/'\u{1}, line 4, key 'process_name'",
    ),
    (
        "[program:x]\ncommand=a\nnumprocs=2",
        "%(process_num) must be present within process_name when numprocs > 1\u{1}, line 2",
    ),
    (
        "[program:x]\ncommand=a\nnumprocs=65537\nprocess_name=%(process_num)d",
        "numprocs=65537 is more than one program can have (65536)\u{1}, line 4, key 'numprocs'",
    ),
    (
        "[program:x]\ncommand=a\nstopasgroup=1\nkillasgroup=0",
        "Cannot set stopasgroup=true and killasgroup=false\u{1}, line 5, key 'killasgroup'",
    ),
    (
        "[program:x]\ncommand=a\nautorestart=Sometimes",
        "invalid 'autorestart' value 'sometimes'\u{1}, line 4, key 'autorestart'",
    ),
    (
        "[program:x]\ncommand=a\nenvironment=A=1,B",
        "Unexpected end of key/value pairs in value 'A=1,B'\u{1}, line 4, key 'environment'",
    ),
    (
        "[program:x]\ncommand=a 100%",
        "Format string 'a 100%' for 'program:x.command' is badly formatted: incomplete format\u{1}, line 3, key 'command'",
    ),
    (
        "[program:x]\ncommand=a\nprocess_name=%(q)s",
        "Format string '%(q)s' for 'process_name' contains names ('q') which cannot be expanded. Available names: ENV_HOME, ENV_X, group_name, here, host_node_name, numprocs, process_num, program_name\u{1}, line 4, key 'process_name'",
    ),
    ("[program:x]\ncommand=a\nuser=nosuch", "Invalid user name nosuch\u{1}, line 4, key 'user'"),
    (
        "[program:x]\ncommand=a\nstderr_logfile=/no/x",
        "The directory named as part of the path /no/x does not exist\u{1}, line 4, key 'stderr_logfile'",
    ),
    ("[group:g]\nprograms=zz", "[group:g] names unknown program or fcgi-program zz, line 3, key 'programs'\u{2}"),
    (
        "[group:g]\nprograms=p,\n[program:p]\ncommand=a",
        "[group:g] names unknown program or fcgi-program , line 3, key 'programs'\u{2}",
    ),
    (
        "[program:p]\n[fcgi-program:p]\n[group:g]\nprograms=p",
        "[group:g] name p is ambiguous (exists as program and fcgi-program), line 5, key 'programs' of section 'group:g' (file: '/etc/c.conf')",
    ),
    ("[fcgi-program:f]\ncommand=a", "[fcgi-program:f] section requires a \"socket\" line, line 2\u{2}"),
    (
        "[fcgi-program:f]\ncommand=a\nsocket=",
        "[fcgi-program:f] section requires a \"socket\" line, line 4, key 'socket'\u{2}",
    ),
    (
        "[fcgi-program:f]\ncommand=a\nsocket=tcp://h:0",
        "0 is below lower bound (1) in [fcgi-program:f] socket, line 4, key 'socket'\u{2}",
    ),
    (
        "[fcgi-program:f]\ncommand=a\nsocket=tcp://h:1\nsocket_backlog=0",
        "Invalid socket_backlog value 0, line 5, key 'socket_backlog'\u{2}",
    ),
    (
        "[fcgi-program:f]\ncommand=a\nsocket=unix:///a\nsocket_owner=q",
        "Invalid socket_owner value q, line 5, key 'socket_owner'\u{2}",
    ),
    (
        "[fcgi-program:f]\ncommand=a\nsocket=unix:///a\nsocket_mode=q",
        "Invalid socket_mode value q, line 5, key 'socket_mode'\u{2}",
    ),
    (
        "[fcgi-program:f]\ncommand=a\nsocket=tcp://h:1\nsocket_mode=0600",
        "socket_owner and socket_mode params should only be used with a Unix domain socket in [fcgi-program:f] socket, line 5, key 'socket_mode'\u{2}",
    ),
    ("[fcgi-program:f]\ncommand=a\nsocket=tcp://h:1\nuser=q", "Invalid user name q, line 5, key 'user'\u{2}"),
    ("[eventlistener:e]\ncommand=a", "[eventlistener:e] section requires an \"events\" line, line 2\u{2}"),
    (
        "[eventlistener:e]\ncommand=a\nevents=",
        "[eventlistener:e] section requires an \"events\" line, line 4, key 'events'\u{2}",
    ),
    (
        "[eventlistener:e]\ncommand=a\nevents=tick_5,nope",
        "Unknown event type NOPE in [eventlistener:e] events, line 4, key 'events'\u{2}",
    ),
    (
        "[eventlistener:e]\ncommand=a\nevents=TICK\nbuffer_size=0",
        "[eventlistener:e] section sets invalid buffer_size (0), line 5, key 'buffer_size'\u{2}",
    ),
    (
        "[eventlistener:e]\ncommand=a\nevents=TICK\nredirect_stderr=1",
        "[eventlistener:e] section sets redirect_stderr=true but this is not allowed because it will interfere with the eventlistener protocol, line 5, key 'redirect_stderr'\u{2}",
    ),
    ("[unix_http_server]", "section [unix_http_server] has no file value, line 2\u{2}"),
    ("[unix_http_server]\nfile=s\nchmod=abc", "Invalid chmod value abc, line 4, key 'chmod'\u{2}"),
    ("[unix_http_server]\nfile=s\nchown=q", "Invalid sockchown value q, line 4, key 'chown'\u{2}"),
    ("[inet_http_server:2]", "section [inet_http_server:2] has no port value, line 2\u{2}"),
    ("[inet_http_server]\nport=0", "not a valid port number: '0' , line 3, key 'port'\u{2}"),
    (
        "[inet_http_server]\nport=1\nusername=u",
        "Section [inet_http_server] contains incomplete authentication: If a username or a password is specified, both the username and password must be specified, line 2\u{2}",
    ),
    ("[rpcinterface:x]", "section [rpcinterface:x] does not specify a supervisor.rpcinterface_factory, line 2\u{2}"),
    ("[include]\nother=1", ".ini file has [include] section, but no files setting, line 2\u{2}"),
    ("loglevel=loud", "bad logging level name 'loud', line 2, key 'loglevel'\u{2}"),
    ("directory=/no", "/no is not an existing directory, line 2, key 'directory'\u{2}"),
    ("umask=99", "99 can not be converted to an octal type, line 2, key 'umask'\u{2}"),
    ("orphans=keep", "invalid 'orphans' value 'keep': stop or ignore is wanted, line 2, key 'orphans'\u{2}"),
    (
        "environment=A=%(q)s",
        "Format string 'A=%(q)s' for 'environment' contains names ('q') which cannot be expanded. Available names: ENV_HOME, ENV_X, here, host_node_name, line 2, key 'environment'\u{2}",
    ),
    (
        "identifier=%(ENV_LATIN1)s",
        "Format string '%(ENV_LATIN1)s' for 'supervisord.identifier' contains names ('ENV_LATIN1') which cannot be expanded: its value is not UTF-8 text, line 2, key 'identifier'\u{2}",
    ),
    (
        "[rpcinterface:x]\nsupervisor.rpcinterface_factory=f\na=%(ENV_LATIN1)s",
        "Format string '%(ENV_LATIN1)s' for 'rpcinterface:x.a' contains names ('ENV_LATIN1') which cannot be expanded: its value is not UTF-8 text, line 4, key 'a' of section 'rpcinterface:x' (file: '/etc/c.conf')",
    ),
    ("garbage", "Source contains parsing errors: '/etc/c.conf'\n\t[line  2]: 'garbage'"),
];

#[test]
fn error_texts() {
    for (body, message) in ERRORS {
        let section = body.lines().next().unwrap_or_default();
        let section = section.strip_prefix('[').map_or("supervisord", |name| name.trim_end_matches(']'));
        let place = format!("section '{section}' (file: '/etc/c.conf')");
        let message = message.replace('\u{1}', &format!(" in {place}")).replace('\u{2}', &format!(" of {place}"));
        assert_eq!(error(body), message, "{body:?}");
    }
}

#[test]
fn errors_of_files() {
    let host = &TableHost::new()
        .file("/etc/l1", b"[supervisord]\na=\xff")
        .file("/etc/empty", "")
        .file("/etc/bom", "\u{feff}[supervisord]");
    let load = |path: &str| Loader::new(host).load(Path::new(path)).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(load("/etc/none"), Err("could not find config file /etc/none".to_owned()));
    assert!(load("/etc").unwrap_err().starts_with("could not read config file /etc: "));
    assert_eq!(load("/etc/l1"), Err("could not read config file /etc/l1: line 2 is not UTF-8 text".to_owned()));
    assert_eq!(load("/etc/empty"), Err(".ini file does not include supervisord section".to_owned()));
    assert_eq!(load("/etc/bom"), Ok(()));
}

#[test]
fn expansions_by_scope() {
    let settings = good(
        "environment=GLOB=\"g%%\",TWICE=\"%%%%\"\n[program:a]\ncommand=%(ENV_X)s %(ENV_GLOB)s %(ENV_MINE)s %(group_name)s %(program_name)s \
         %(here)s %(host_node_name)s 50%%\nenvironment=MINE=\"m%(process_num)d\",GLOB=own,ONCE=\"%%%%\"\nnumprocs=2\nnumprocs_start=9\n\
         process_name=%(program_name)s_%(process_num)d\nstdout_logfile=/tmp/%(ENV_MINE)s%%%%b\nstderr_logfile=/tmp/%%b\n[group:g]\nprograms=a\n",
    );
    let group = &settings.groups[0];
    // Plain string order.
    let names: Vec<&str> = group.processes.iter().map(|process| process.name.as_str()).collect();
    assert_eq!(names, ["a_10", "a_9"]);
    let process = &group.processes[1];
    assert_eq!(process.command, "outside own m9 g a /etc node 50%");
    assert_eq!(process.stdout.logfile, LogFile::Path(PathBuf::from("/tmp/m9%b")));
    assert_eq!(process.stderr.logfile, LogFile::Path(PathBuf::from("/tmp/%b")));
    assert_eq!((process.environment["GLOB"].as_str(), process.environment["MINE"].as_str()), ("own", "m9"));
    assert_eq!(settings.daemon.environment["GLOB"], "g%");
    assert_eq!((process.environment["TWICE"].as_str(), process.environment["ONCE"].as_str()), ("%", "%%"));
}

#[test]
fn values_of_a_process() {
    let p = process(
        "autorestart=TRUE\nexitcodes=\nstopasgroup=yes\nuser=33\numask=027\ndirectory=\nserverurl=Auto\nstderr_logfile=",
    );
    assert_eq!((p.autorestart, p.exitcodes.is_empty(), p.killasgroup), (Autorestart::Always, true, true));
    assert_eq!((p.user.map(|user| user.name), p.umask, p.directory), (Some("www".to_owned()), Some(0o27), None));
    assert_eq!((p.serverurl, p.stderr.logfile), (None, LogFile::Empty));
    let p = process("directory=~/x\nserverurl=\nstdout_logfile=~www/o\nstdout_syslog=1");
    assert_eq!((p.directory, p.serverurl), (Some(PathBuf::from("~/x")), Some(String::new())));
    assert_eq!((p.stdout.logfile, p.stdout.syslog), (LogFile::Path(PathBuf::from("/home/www/o")), true));
}

#[test]
fn notes_about_log_files() {
    let head = "[program:x]\ncommand=a\nnumprocs=2\nprocess_name=%(process_num)d\n";
    let settings = good(&format!("{head}stdout_logfile_maxbytes=0\nstderr_logfile=SYSLOG\n"));
    assert_eq!(
        warnings(&settings),
        [
            "For [program:x], AUTO logging used for stdout_logfile without rollover, set maxbytes > 0 to avoid filling up \
             filesystem unintentionally",
            "For [program:x], stderr_logfile=syslog but this is deprecated and will be removed.  Use stderr_syslog=true to \
             enable syslog instead.",
        ]
    );
    let stderr = &settings.groups[0].processes[0].stderr;
    assert_eq!((&stderr.logfile, stderr.syslog), (&LogFile::None, true));
    for (value, count) in [("/tmp/e", 1), ("", 1), ("NONE", 0), ("AUTO", 0)] {
        let settings = good(&format!("{head}redirect_stderr=1\nstderr_logfile={value}\n"));
        assert_eq!(warnings(&settings).len(), count, "{value}");
        assert_eq!(settings.groups[0].processes[0].stderr.logfile, LogFile::None);
    }
    let text = format!("[supervisord]\n{head}stdout_logfile_maxbytes=0\nautorestrat=1\n");
    let settings = Loader::new(&TableHost::new()).occasion(Occasion::Reread).parse(&text, Path::new(MAIN)).unwrap();
    assert_eq!(warnings(&settings).len(), 1, "{:?}", settings.notes);
}

#[test]
fn notes_about_spelling_and_repetition() {
    let settings = good(
        "[program:x]\ncommand=a\nautorestrat=1\nwholly_unknown=1\nstartsecs=1\nstartsecs=2\n[program:x]\nstartsecs=3\n\
         [DEFAULT]\nautostrat=0\n[whatever]\ncomand=1\n",
    );
    assert_eq!(
        warnings(&settings),
        [
            "Unknown key 'autostrat' in section [DEFAULT] (/etc/c.conf:11) is ignored, did you mean 'autostart'?",
            "Key 'startsecs' of [program:x] is given at /etc/c.conf:6 and again at /etc/c.conf:7, the last counts",
            "Section [program:x] is given at /etc/c.conf:2 and again at /etc/c.conf:8, they are merged",
            "Unknown key 'autorestrat' in section [program:x] (/etc/c.conf:4) is ignored, did you mean 'autorestart'?",
        ]
    );
    assert_eq!(settings.groups[0].processes[0].startsecs, 3);
}

#[test]
fn groups_and_their_order() {
    let settings = good(
        "[program:a]\ncommand=a\npriority=5\n[program:b]\ncommand=b\n[program:c]\ncommand=c\n[group:g]\nprograms=b, a\n\
         priority=7\n[group:h]\nprograms=a\n[eventlistener:z]\ncommand=z\nevents=TICK,tick_5\n[program:none]\ncommand=n\nnumprocs=0\n",
    );
    let shown: Vec<(&str, i64, Vec<&str>)> = settings
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.priority, group.processes.iter().map(|p| p.name.as_str()).collect()))
        .collect();
    let wanted = [
        ("z", -1, vec!["z"]),
        ("g", 7, vec!["b", "a"]),
        ("c", 999, vec!["c"]),
        ("h", 999, vec!["a"]),
        ("none", 999, vec![]),
    ];
    assert_eq!(shown, wanted);
    let GroupKind::EventListener(pool) = &settings.groups[0].kind else { panic!() };
    assert!(pool.events.contains(&EventType::Tick5) && pool.events.len() == 2);
}

#[test]
fn duplicates_have_a_winner_and_a_warning() {
    let settings = good(
        "[program:a]\ncommand=1\n[eventlistener:a]\ncommand=2\nevents=TICK\n[program:p]\ncommand=3\nprocess_name=n\n\
         [program:q]\ncommand=4\n[program:r]\ncommand=5\nprocess_name=n\n[group:g]\nprograms=p,q,r\n",
    );
    let commands: Vec<(&str, Vec<&str>)> = settings
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.processes.iter().map(|p| p.command.as_str()).collect()))
        .collect();
    assert_eq!(commands, [("a", vec!["2"]), ("g", vec!["5", "4"])]);
    assert_eq!(
        warnings(&settings),
        [
            "Sections [program:p] (/etc/c.conf:7) and [program:r] (/etc/c.conf:12) both make a process named n in group g, \
             the first is ignored",
            "Sections [eventlistener:a] (/etc/c.conf:4) and [program:a] (/etc/c.conf:2) both make a group named a, the \
             second is ignored",
        ]
    );
}

#[test]
fn an_fcgi_program_in_a_group_keeps_its_socket() {
    let body = "[fcgi-program:f]\ncommand=a\nsocket=unix:///tmp/f\nsocket_owner=www:root\nsocket_backlog=5\n";
    let own = good(body);
    let member = good(&format!("{body}[group:g]\nprograms=f\n"));
    let socket = own.groups[0].processes[0].socket.clone().unwrap();
    assert_eq!(socket.address, SocketAddress::Unix(PathBuf::from("/tmp/f")));
    assert_eq!((own.groups[0].kind.clone(), member.groups[0].kind.clone()), (GroupKind::FastCgi, GroupKind::Programs));
    assert_eq!(member.groups[0].processes[0].socket, Some(socket));
}

#[test]
fn servers_and_interfaces() {
    let settings = good(
        "[DEFAULT]\nsupervisor.rpcinterface_factory=never\nother=1\n[unix_http_server]\nfile=~/a/../s\nchown=www:0\nusername=u\n\
         password=a%%b\n[inet_http_server:2]\nport=*:2\nusername=\npassword=\nallowed_origins=https://A.org\n[inet_http_server]\nport=H:1\n\
         [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=f\nFoo=%(ENV_X)s\n",
    );
    let sections: Vec<&str> = settings.servers.iter().map(|server| server.section.as_str()).collect();
    assert_eq!(sections, ["inet_http_server:2", "inet_http_server", "unix_http_server"]);
    assert_eq!(settings.servers[0].address, ServerAddress::Inet { host: None, port: 2 });
    assert_eq!(settings.servers[1].address, ServerAddress::Inet { host: Some("h".to_owned()), port: 1 });
    assert_eq!(settings.servers[0].credentials, None);
    assert_eq!(settings.servers[0].allowed_origins, ["https://a.org"]);
    assert_eq!(settings.servers[2].credentials.as_ref().unwrap().password, "a%b");
    let interface = &settings.rpc_interfaces[0];
    assert_eq!((interface.name.as_str(), interface.factory.as_str()), ("supervisor", "f"));
    assert_eq!(interface.options.iter().collect::<Vec<_>>(), [(&"foo".to_owned(), &"outside".to_owned())]);
}

#[test]
fn names_that_only_the_daemon_knows() {
    let known = Known { rpc_factories: Some(&["f"]), result_handlers: Some(&["h"]), ..Known::default() };
    let check = |body: &str| {
        let text = format!("[supervisord]\n{body}");
        let settings = Loader::new(&TableHost::new()).known(known).parse(&text, Path::new(MAIN));
        settings.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(check("[rpcinterface:x]\nsupervisor.rpcinterface_factory=f"), Ok(()));
    let wanted = "a:b cannot be resolved within [rpcinterface:x], line 3, key 'supervisor.rpcinterface_factory' of section \
                  'rpcinterface:x' (file: '/etc/c.conf')";
    assert_eq!(check("[rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b"), Err(wanted.to_owned()));
    let head = "[eventlistener:e]\ncommand=a\nevents=TICK\nresult_handler=";
    assert_eq!(check(&format!("{head}h")), Ok(()));
    let wanted = "a:b cannot be resolved within [eventlistener:e], line 5, key 'result_handler' of section \
                  'eventlistener:e' (file: '/etc/c.conf')";
    assert_eq!(check(&format!("{head}a:b")), Err(wanted.to_owned()));
}

#[test]
fn automatic_logs_go_where_files_can_be_made() {
    let childlogdir = |variables: &[(&str, &str)], directories: &[&str]| {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let directories = directories.iter().map(PathBuf::from).collect();
        let host = TableHost { variables, directories, ..TableHost::new() };
        parse("[supervisord]", Path::new(MAIN), &host).unwrap().daemon.childlogdir
    };
    let all = ["/a", "/a/locked", "/tmp", "/var/tmp", "/cwd"];
    for (variables, directories, wanted) in [
        (&[("TMPDIR", "/a"), ("TMP", "/b")][..], &all[..], "/a"),
        (&[("TMPDIR", "/a/locked"), ("TEMP", "/missing"), ("TMP", "/a")], &all, "/a"),
        (&[("TMPDIR", "/a/locked")], &all, "/tmp"),
        (&[("TMPDIR", "")], &["/var/tmp"], "/var/tmp"),
        (&[], &["/cwd"], "/cwd"),
    ] {
        assert_eq!(childlogdir(variables, directories), Path::new(wanted), "{variables:?} {directories:?}");
    }
}

#[test]
fn the_command_line_wins() {
    let overrides = Overrides {
        nodaemon: true,
        loglevel: Some(Typed::new("-e", "DEBUG")),
        logfile: Some(Typed::new("-l", "x/../../tmp/%.log")),
        user: Some(Typed::new("-u", "www")),
        ..Overrides::default()
    };
    let host = &TableHost { directories: vec!["/cwd".into(), "x/../../tmp".into()], ..TableHost::new() };
    let text = "[supervisord]\nnodaemon=false\nloglevel=critical\nidentifier=me\nuser=nobody\nchildlogdir=/cwd\n";
    let daemon = Loader::new(host).overrides(&overrides).parse(text, Path::new(MAIN)).unwrap().daemon;
    assert_eq!((daemon.nodaemon, daemon.loglevel, daemon.identifier.as_str()), (true, Level::Debug, "me"));
    assert_eq!(daemon.logfile, DaemonLog::File(PathBuf::from("/tmp/%.log")));
    assert_eq!(daemon.user.unwrap().uid, 33);
    let refused = |overrides: Overrides| {
        let result = Loader::new(host).overrides(&overrides).parse("[supervisord]", Path::new(MAIN));
        result.map(|_| ()).unwrap_err().to_string()
    };
    let loud = Overrides { loglevel: Some(Typed::new("-e", "loud")), ..Overrides::default() };
    assert_eq!(refused(loud), "invalid value for -e 'loud': bad logging level name 'loud'");
    let nowhere = Overrides { directory: Some(Typed::new("--directory", "/no")), ..Overrides::default() };
    assert_eq!(refused(nowhere), "invalid value for --directory '/no': /no is not an existing directory");
    let nobody = Overrides { user: Some(Typed::new("-u", "nope")), ..Overrides::default() };
    assert_eq!(refused(nobody), "Invalid user name nope");
}

#[test]
fn what_was_typed_is_not_looked_at_again_where_nothing_is_applied() {
    let typed = |option: &str, value: &str| Some(Typed::new(option, value));
    let overrides = Overrides {
        logfile: typed("-l", "log/x.log"),
        childlogdir: typed("-q", "log"),
        directory: typed("-d", "log"),
        user: typed("-u", "www"),
        ..Overrides::default()
    };
    let read = |host: &TableHost, occasion, text: &str| {
        let loader = Loader::new(host).overrides(&overrides).occasion(occasion);
        loader.parse(text, Path::new(MAIN)).map(|settings| settings.daemon)
    };
    let section = "[supervisord]\nuser=gone\n";
    let there = &TableHost { directories: vec!["log".into()], ..TableHost::new() };
    let daemon = read(there, Occasion::Start, section).unwrap();
    assert_eq!(daemon.logfile, DaemonLog::File(PathBuf::from("/cwd/log/x.log")));
    assert_eq!(daemon.user.unwrap().uid, 33, "that of the file does not count");
    // Since then it has been removed.
    let gone = &TableHost::new();
    let error = read(gone, Occasion::Start, section).unwrap_err().to_string();
    assert_eq!(error, "invalid value for -q 'log': log is not an existing directory");
    read(gone, Occasion::Reread, section).unwrap();
    let typed_nothing = Loader::new(gone).occasion(Occasion::Reread).parse(section, Path::new(MAIN)).unwrap();
    assert_eq!(typed_nothing.daemon.user, None, "nor that of the file, which was taken at the start");
    // What the file says is checked all the same.
    for (line, why) in [("loglevel=loud", "bad logging level"), ("user=%(nope)s", "cannot be expanded")] {
        let error = read(gone, Occasion::Reread, &format!("[supervisord]\n{line}\n")).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

fn including() -> TableHost {
    TableHost::new()
        .file(
            MAIN,
            "[supervisord]\nidentifier=main\n[program:m]\ncommand=%(here)s\n[include]\nfiles=d/*\n  none.ini d/a\n",
        )
        .file("/etc/d/b", "[supervisord]\nidentifier=%(here)s\n[include]\nfiles=x\n[program:m]\nstartsecs=7\n")
        .file("/etc/d/a", "[program:a]\ncommand=%(here)s\n")
}

#[test]
fn includes() {
    let mut host = including();
    host.directories.push("/etc/d/sub".into());
    let settings = load(Path::new(MAIN), &Overrides::default(), &host).unwrap();
    assert_eq!(settings.daemon.identifier, "/etc/d");
    let commands: Vec<&str> = settings.groups.iter().map(|group| group.processes[0].command.as_str()).collect();
    assert_eq!((commands, settings.groups[1].processes[0].startsecs), (vec!["/etc/d", "/etc"], 7));
    assert_eq!(
        warnings(&settings),
        [
            "Included extra file \"/etc/d/a\" during parsing",
            "Included extra file \"/etc/d/b\" during parsing",
            "Directory \"/etc/d/sub\" matches an include and is skipped",
            "No file matches via include \"/etc/none.ini\"",
            "Section [program:m] is given at /etc/c.conf:3 and again at /etc/d/b:5, they are merged",
        ]
    );
}

#[test]
fn errors_in_included_files_name_them() {
    let at = |text: &str| {
        let host = including().file("/etc/d/b", text);
        load(Path::new(MAIN), &Overrides::default(), &host).map(|_| ()).unwrap_err().to_string()
    };
    let int = "invalid literal for int() with base 10: 'abc'";
    let cases = [
        (
            "[program:b]\ncommand=a\nstartsecs=abc",
            format!("{int} in section 'program:b' (file: '/etc/d/b'), line 3, key 'startsecs'"),
        ),
        (
            "[program:m]\nstartsecs=abc",
            format!("{int} in section 'program:m' (file: '/etc/c.conf'), line 2, key 'startsecs' (file: '/etc/d/b')"),
        ),
        (
            "[supervisord]\nminfds=abc",
            format!("{int}, line 2, key 'minfds' of section 'supervisord' (file: '/etc/d/b')"),
        ),
        ("x", "File contains no section headers.\nfile: '/etc/d/b', line: 1\n'x'".to_owned()),
    ];
    for (text, message) in cases {
        assert_eq!(at(text), message);
    }
}

#[test]
fn an_unreadable_include_is_told_at_start_and_refused_later() {
    let host = including().file("/etc/d/secret", "");
    let settings = load(Path::new(MAIN), &Overrides::default(), &host).unwrap();
    let critical = settings.notes.iter().find(|note| note.level == Level::Critical).unwrap();
    assert!(critical.text.contains("/etc/d/secret"), "{}", critical.text);
    let error = Loader::new(&host).occasion(Occasion::Reread).load(Path::new(MAIN)).unwrap_err();
    assert!(error.to_string().starts_with("could not read included file /etc/d/secret"), "{error}");
}

#[test]
fn places_to_search() {
    let list = |program: &str| {
        let paths = search_paths(Path::new(program));
        paths[..2].iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list("/usr/bin/supervisord"), ["/usr/etc/supervisord.conf", "/usr/supervisord.conf"]);
    assert_eq!(list("bin/supervisord"), ["etc/supervisord.conf", "supervisord.conf"]);
    assert_eq!(list("./supervisord"), ["../etc/supervisord.conf", "../supervisord.conf"]);
    assert_eq!(list("/supervisord"), ["/etc/supervisord.conf", "/supervisord.conf"]);
    let host = TableHost::new().file("/etc/supervisord.conf", "");
    assert_eq!(find(Path::new("/usr/bin/supervisord"), &host).unwrap(), PathBuf::from("/etc/supervisord.conf"));
    assert_eq!(search_paths(Path::new("supervisord")), search_paths(Path::new("/bin/supervisord"))[2..], "somewhere");
    let error = find(Path::new("/opt/x/bin/supervisord"), &TableHost::new()).unwrap_err().to_string();
    assert_eq!(
        error,
        "No config file found at default paths (/opt/x/etc/supervisord.conf, /opt/x/supervisord.conf, supervisord.conf, \
         etc/supervisord.conf, /etc/supervisord.conf, /etc/supervisor/supervisord.conf); use the -c option to specify a \
         config file at a different path"
    );
}

#[test]
fn what_cannot_be_entered_is_not_found_and_what_cannot_be_read_is() {
    let host = TableHost::new().file("/opt/closed/etc/supervisord.conf", "").file("/etc/supervisord.conf", "");
    let program = Path::new("/opt/closed/bin/supervisord");
    assert_eq!(find(program, &host).unwrap(), Path::new("/etc/supervisord.conf"));
    let typed = client::Overrides { serverurl: Some(Typed::new("-s", "unix:///s")), ..client::Overrides::default() };
    let closed = TableHost::new().file("/opt/closed/etc/supervisord.conf", "");
    assert_eq!(client::load(None, program, &typed, &closed).unwrap().serverurl, "unix:///s");
    let directory = TableHost { directories: vec!["/opt/x/supervisord.conf".into()], ..TableHost::new() };
    assert_eq!(find(Path::new("/opt/x/bin/y"), &directory).unwrap(), Path::new("/opt/x/supervisord.conf"));
    assert!(client::load(None, Path::new("/opt/x/bin/y"), &typed, &directory).is_err(), "it is there");
    // An empty path is no file, whatever is there.
    let overrides = client::Overrides::default();
    assert_eq!(client::load(Some(Path::new("")), program, &overrides, &host).unwrap(), client::Client::default());
}

#[test]
fn the_client_reads_its_own_sections_only() {
    let host = &TableHost::new();
    let parse = |text: &str| client::parse(text, Path::new(MAIN), host);
    let text = "[supervisorctl]\nserverurl=unix://~/s/../t\nusername=u\npassword=%%p\nprompt=me\nhistory_file=%(here)s/h\n\
                [ctlplugin:p]\nsupervisor.ctl_factory=f\nA=1\n[include]\n[program:x]\nstartsecs=soon\n";
    let client = parse(text).unwrap();
    assert_eq!(client.serverurl, "unix:///root/t");
    assert_eq!((client.password.as_deref(), client.prompt.as_str()), (Some("%p"), "me"));
    assert_eq!(client.history_file, Some(PathBuf::from("/etc/h")));
    assert_eq!((client.plugins[0].name.as_str(), client.plugins[0].options["a"].as_str()), ("p", "1"));
    assert!(!format!("{client:?}").contains("%p"));
    assert_eq!(parse("[supervisorctl]").unwrap(), client::Client::default());
    let error = parse("[supervisord]").unwrap_err().to_string();
    assert_eq!(error, ".ini file does not include supervisorctl section");
    let error = parse("[supervisorctl]\n[ctlplugin:x]").unwrap_err().to_string();
    let place = ", line 2 of section 'ctlplugin:x' (file: '/etc/c.conf')";
    assert_eq!(error, format!("section [ctlplugin:x] does not specify a supervisor.ctl_factory{place}"));
    let load = |url: &str| {
        let overrides = client::Overrides { serverurl: Some(Typed::new("-s", url)), ..client::Overrides::default() };
        client::load(None, Path::new("/usr/bin/supervisorctl"), &overrides, host).map_err(|error| error.to_string())
    };
    assert_eq!(load("foo").unwrap_err(), "invalid value for -s 'foo': value 'foo' is not a URL");
    assert_eq!(load("http://").unwrap_err(), "invalid value for -s 'http://': value 'http://' is not a URL");
    assert_eq!(load("unix:///x").unwrap().serverurl, "unix:///x");
}

#[test]
fn differences() {
    let body = "environment=A=1\n[program:a]\ncommand=a\n[program:b]\ncommand=b\n[eventlistener:e]\ncommand=e\nevents=TICK,EVENT\n";
    let old = good(body);
    assert!(diff(&old.groups, &good(body).groups).is_empty());
    let changes: [(&str, &str, &[&str]); 8] = [
        ("command=b", "command = b ; same\nstopsignal=15\nstdout_logfile_maxbytes=52428800", &[]),
        ("events=TICK,EVENT", "events=event,tick", &[]),
        ("command=b", "command=c", &["b"]),
        ("command=b", "command=b\nexitcodes=0,1", &["b"]),
        ("command=b", "command=b\nstdout_logfile=/tmp/x", &["b"]),
        ("command=b", "command=b\npriority=1", &["b"]),
        ("environment=A=1", "environment=A=2", &["e", "a", "b"]),
        ("events=TICK,EVENT", "events=TICK\nbuffer_overflow=drop_newest", &["e"]),
    ];
    for (from, to, changed) in changes {
        let new = good(&body.replace(from, to));
        let wanted = Diff { changed: changed.iter().map(|name| (*name).to_owned()).collect(), ..Diff::default() };
        assert_eq!(diff(&old.groups, &new.groups), wanted, "{to}");
    }
    let new = good("[program:c]\ncommand=c\n[program:b]\ncommand=b\nenvironment=A=1\n");
    let difference = diff(&old.groups, &new.groups);
    assert_eq!((difference.added, difference.removed), (vec!["c".to_owned()], vec!["e".to_owned(), "a".to_owned()]));
}

#[test]
fn nothing_secret_in_debug() {
    let settings = good("environment=A=hunter2\n[inet_http_server]\nport=1\nusername=u\npassword=hunter2\n");
    let shown = format!("{:?} {:?} {:?}", settings.daemon, settings.servers, settings.rpc_interfaces);
    assert!(!shown.contains("hunter2"));
}

const WORDS: &str = "(\\[supervisord\\]\n|\\[program:x\\]\n|\\[group:g\\]\n|\\[eventlistener:e\\]\n|\\[fcgi-program:f\\]\n|\\[include\\]\n|\
                     \\[DEFAULT\\]\n|\\[unix_http_server\\]\n|command=|events=|TICK|socket=|tcp://|unix://|programs=|numprocs=|files=|\
                     priority=|environment=|file=|%\\(here\\)s|%\\(process_num\\)d|%|[0-9]|,|\"| |\n|=|:|;|x){0,40}";

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in WORDS, rest in "\\PC{0,20}") {
        let host = TableHost::new();
        let _ = parse(&format!("[supervisord]\n{text}{rest}"), Path::new(MAIN), &host);
        let _ = client::parse(&text, Path::new(MAIN), &host);
    }

    #[test]
    fn a_configuration_does_not_differ_from_itself(numbers in proptest::collection::vec(0_i64..5, 1..6)) {
        let body: String = numbers.iter().enumerate().map(|(i, n)| format!("[program:p{i}]\ncommand=a\npriority={n}\n")).collect();
        let settings = load_text(&body).unwrap();
        prop_assert!(diff(&settings.groups, &settings.groups).is_empty());
        let order: Vec<(i64, &String)> = settings.groups.iter().map(|group| (group.priority, &group.name)).collect();
        prop_assert!(order.is_sorted());
    }
}

#[test]
fn a_password_that_the_daemon_refuses_is_never_shown() {
    let text = "[supervisord]\n[inet_http_server]\nport=1\nusername=u\npassword={ARGON2}geheim\n";
    let known = Known { passwords: Some(|_| Err("it is no hash".to_owned())), ..Known::default() };
    let refused = Loader::new(&TableHost::new()).known(known).parse(text, Path::new(MAIN)).map(|_| ()).unwrap_err();
    let expected = "section [inet_http_server] has a password that cannot be used: it is no hash, line 5, key 'password' \
                    of section 'inet_http_server' (file: '/etc/c.conf')";
    assert_eq!(refused.to_string(), expected);
    assert!(!format!("{refused:?}").contains("geheim"));
}
