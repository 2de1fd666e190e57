//! The manual pages: prose around the tables.

use supervisor_core::config::options::{OptionRow, SECTIONS, Scope, SectionName};

use super::entry::Program;
use super::roff::{Page, sentence};
use crate::ctl::Command;

const FILES: &str = "Without `-c` the first of these that exists: `etc/supervisord.conf` and `supervisord.conf` above the \
                     directory of the program, `supervisord.conf` and `etc/supervisord.conf` in the working directory, \
                     `/etc/supervisord.conf`, `/etc/supervisor/supervisord.conf`.";

pub(super) fn supervisorctl(program: &Program) -> String {
    let mut page = Page::new(program.name, 1, "control the programs of a running supervisord");
    page.heading("SYNOPSIS");
    page.text("`supervisorctl` [options] [action [arguments]]");
    page.heading("DESCRIPTION");
    page.text(
        "Asks the supervisord whose address is in the section `[supervisorctl]` of the configuration file, or behind `-s`.\n\
         Without an action it opens a shell in which actions are typed, with history, and completion by Tab.\n\n\
         A process is named `group:process`, or by one name where both are the same; `group:*` is every process of a group,\n\
         `all` every process. Where one name can stand, several can: they are taken in order and each is reported.\n\n\
         On a terminal, states and names are coloured, unless the variable `NO_COLOR` is set, and while many programs start\n\
         or stop a line says which are awaited. What goes to a file or a pipe has plain lines only.",
    );
    page.options(program);
    page.heading("ACTIONS");
    for command in &program.commands {
        about(&mut page, *command);
    }
    page.heading("JSON");
    page.text(
        "With `--json`, before the action or among its arguments, `status`, `pid`, `avail`, `version`, `reread`, `update`,\n\
         `start`, `stop`, `restart` and `signal` print one JSON document on one line. Its members are `format` (1),\n\
         `supervisorctl` (the version), `command`, `server`, `exit_status`, `results` and `error`.\n\
         Each entry of `results` has `name`, for a process `group` and `process`, and either `error` or what the action tells.\n\
         An error has `kind`, `code` and `message`. docs/JSON.md describes every member.",
    );
    page.heading("EXIT STATUS");
    for (status, meaning) in [
        ("0", "Done; also: already started, already stopped."),
        ("1", "Failed, or wrong arguments, or an unknown process."),
        ("2", "A command line that is not understood; `start` without a name, or of an unknown group."),
        ("3", "`status`: something shown does not run. The server has no supervisor namespace."),
        ("4", "`status`: an unknown name, or no server. The server refuses connections."),
        ("5", "The server speaks another version of the API."),
        ("7", "The socket file is missing; a start failed; the process does not run."),
    ] {
        page.item(status, meaning);
    }
    page.heading("FILES");
    page.text(FILES);
    page.heading("SEE ALSO");
    page.text("`supervisord`(8), `supervisord.conf`(5)");
    page.end()
}

/// The forms of a command, then its options.
fn about(page: &mut Page, command: &dyn Command) {
    for usage in command.usage() {
        page.item(&usage.form, &sentence(&usage.text));
    }
    for option in command.options() {
        page.item(&format!("{} {}", command.name(), option.forms(", ")), &sentence(option.help));
    }
}

pub(super) fn supervisord(program: &Program) -> String {
    let mut page = Page::new(program.name, 8, "start programs, keep them running, keep their output");
    page.heading("SYNOPSIS");
    page.text("`supervisord` [options]");
    page.heading("DESCRIPTION");
    page.text(
        "Reads a configuration file, goes to the background unless it is told not to, and starts the programs of that file.\n\
         Programs that end are started again as their settings say. `supervisorctl`(1) and XML-RPC clients control it through\n\
         the HTTP servers of the file. It stands in for Supervisor 4.3, and answers that version where one is asked for.\n\n\
         An option wins over the key of the same name in the section `[supervisord]`.",
    );
    page.options(program);
    page.heading("SIGNALS");
    for (signal, meaning) in [
        ("SIGTERM, SIGINT, SIGQUIT", "Stop every program, then end."),
        ("SIGHUP", "Stop every program, read the configuration and start anew. Refused if the file does not load."),
        ("SIGUSR2", "Close the log files and open them again."),
        ("SIGCHLD", "A program has ended."),
    ] {
        page.item(signal, meaning);
    }
    page.heading("EXIT STATUS");
    page.item("0", "It was told to end.");
    page.item("2", "The command line or the configuration is not understood, or something it needs is taken.");
    page.heading("FILES");
    page.text(FILES);
    page.heading("SEE ALSO");
    page.text("`supervisorctl`(1), `supervisord.conf`(5), `echo_supervisord_conf`(1)");
    page.end()
}

pub(super) fn configuration() -> String {
    let mut page = Page::new("supervisord.conf", 5, "configuration of supervisord and supervisorctl");
    page.heading("DESCRIPTION");
    page.text(
        "Sections in brackets, each with lines `key=value`. A `;` behind white space begins a comment; a line that begins with\n\
         white space goes on with the value above. Keys are read in any case. Keys of `[DEFAULT]` are defaults for all sections.\n\
         Keys that are not known are named in a warning and ignored.\n\n\
         `%(here)s` in a value is the directory of the file, `%(host_node_name)s` the name of the machine and `%(ENV_X)s` the\n\
         variable X of the environment. Where it is said, `%(program_name)s` and `%(group_name)s` are known too, or those and\n\
         `%(process_num)d`. A percent sign is written twice.\n\n\
         `echo_supervisord_conf`(1) prints a file to begin with.",
    );
    page.heading("SECTIONS");
    for section in SECTIONS {
        page.subheading(&match section.name {
            SectionName::Exact(name) | SectionName::Prefix(name) => format!("[{name}]"),
            SectionName::Named(name) => format!("[{name}:x]"),
        });
        page.text(section.doc);
        for row in section.rows() {
            page.item(row.key, &key(row));
        }
    }
    page.heading("SEE ALSO");
    page.text("`supervisord`(8), `supervisorctl`(1)");
    page.end()
}

fn key(row: &OptionRow) -> String {
    let default = match row.default {
        Some("") => ", default empty".to_owned(),
        Some(default) => format!(", default `{default}`"),
        None => String::new(),
    };
    let scope = match row.scope {
        Scope::Section => "",
        Scope::Program => " Names of the program may be used.",
        Scope::Process => " Names of the program and the process may be used.",
    };
    format!("{} ({}{default}.){scope}", row.doc, sentence(row.value_type.name()).trim_end_matches('.'))
}

pub(super) fn echo_supervisord_conf() -> String {
    let mut page = Page::new("echo_supervisord_conf", 1, "print a sample configuration");
    page.heading("SYNOPSIS");
    page.text("`echo_supervisord_conf`");
    page.heading("DESCRIPTION");
    page.text("Prints a configuration that works as it stands and shows every section and key:");
    page.example("echo_supervisord_conf > /etc/supervisord.conf");
    page.heading("SEE ALSO");
    page.text("`supervisord.conf`(5), `supervisord`(8)");
    page.end()
}

pub(super) fn pidproxy() -> String {
    let mut page = Page::new("pidproxy", 1, "let supervisord control a program that goes into the background");
    page.heading("SYNOPSIS");
    page.text("`pidproxy` pidfile command [argument ...]");
    page.heading("DESCRIPTION");
    page.text(
        "Runs the command, and passes the signals that it gets on to the process whose pid is in the file at that moment.\n\
         It ends with the command, and with its status.",
    );
    page.example("[program:mysql]\ncommand=/usr/bin/pidproxy /run/mysqld/mysqld.pid /usr/bin/mysqld_safe");
    page.heading("SEE ALSO");
    page.text("`supervisord.conf`(5)");
    page.end()
}

pub(super) fn supervisor_password() -> String {
    let mut page = Page::new("supervisor_password", 1, "make a hash of a password for supervisord.conf");
    page.heading("SYNOPSIS");
    page.text("`supervisor_password`");
    page.heading("DESCRIPTION");
    page.text(
        "Reads a password from the terminal, or a line of standard input, and prints the line `password={ARGON2}`... that\n\
         stands for it in the sections `[unix_http_server]` and `[inet_http_server]`. Clients send the password itself.",
    );
    page.heading("SEE ALSO");
    page.text("`supervisord.conf`(5)");
    page.end()
}
