//! The command line of `supervisord`.
//!
//! [`OPTIONS`] is the one table of options: getopt takes the words apart with it, structopt reads them into `Options`.
//! Each word acts from the left, so that a value that is no good is refused before what stands behind it is looked at. What
//! a value is worth is decided where its key of `[supervisord]` is read: a section with nothing in it is read under it.

use std::path::{Path, PathBuf};

use structopt::StructOpt;
use structopt::clap::AppSettings;
use supervisor_core::config::{ErrorKind, Loader, Overrides, Typed};
use supervisor_core::domain::host::Host;

use crate::getopt::{self, Given, OptionSpec, Positionals, UsageError, Words};

const fn flag(short: &'static [char], long: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec { short, long, argument: None, help }
}

const fn value(short: &'static [char], long: &'static str, argument: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec { short, long, argument: Some(argument), help }
}

/// The options of supervisord.
pub static OPTIONS: &[OptionSpec] = &[
    value(&['c'], "configuration", "FILE", "read this file (default: the first supervisord.conf found)"),
    flag(&['n'], "nodaemon", "stay in the foreground"),
    flag(&['s'], "silent", "keep the log off stdout in the foreground"),
    flag(&['h', '?'], "help", "show this text"),
    flag(&['v'], "version", "show the release of Supervisor that this is compatible with"),
    value(&['u'], "user", "USER", "give up root and become this account (name or number)"),
    value(&['m'], "umask", "OCTAL", "umask of the background daemon (default: 022)"),
    value(&['d'], "directory", "DIRECTORY", "enter this directory in the background"),
    value(&['l'], "logfile", "FILE", "keep the activity log here"),
    value(&['y'], "logfile_maxbytes", "BYTES", "rotate the activity log at this size (default: 50MB)"),
    value(&['z'], "logfile_backups", "NUMBER", "keep so many rotated logs (default: 10)"),
    value(&['e'], "loglevel", "LEVEL", "critical, error, warn, info, debug, trace or blather (default: info)"),
    value(&['j'], "pidfile", "FILE", "write the process id here"),
    value(&['i'], "identifier", "NAME", "the name of this daemon towards its clients"),
    value(&['q'], "childlogdir", "DIRECTORY", "make the automatic child logs here"),
    flag(&['k'], "nocleanup", "keep the automatic child logs of earlier runs"),
    value(&['a'], "minfds", "NUMBER", "open files that must be available (default: 1024)"),
    flag(&['t'], "strip_ansi", "remove terminal escape sequences from child logs"),
    value(&[], "minprocs", "NUMBER", "processes that must be available (default: 200)"),
    value(&[], "profile_options", "LIST", "accepted and without effect"),
];

/// The values of the command line, as typed.
#[derive(StructOpt, Debug, Default, PartialEq, Eq)]
#[structopt(name = "supervisord", no_version, rename_all = "snake_case", settings = &[AppSettings::DisableVersion])]
struct Options {
    #[structopt(long)]
    configuration: Option<PathBuf>,
    #[structopt(long)]
    nodaemon: bool,
    #[structopt(long)]
    silent: bool,
    #[structopt(long)]
    user: Option<String>,
    #[structopt(long)]
    umask: Option<String>,
    #[structopt(long)]
    directory: Option<String>,
    #[structopt(long)]
    logfile: Option<String>,
    #[structopt(long)]
    logfile_maxbytes: Option<String>,
    #[structopt(long)]
    logfile_backups: Option<String>,
    #[structopt(long)]
    loglevel: Option<String>,
    #[structopt(long)]
    pidfile: Option<String>,
    #[structopt(long)]
    identifier: Option<String>,
    #[structopt(long)]
    childlogdir: Option<String>,
    #[structopt(long)]
    nocleanup: bool,
    #[structopt(long)]
    minfds: Option<String>,
    #[structopt(long)]
    strip_ansi: bool,
    #[structopt(long)]
    minprocs: Option<String>,
    #[structopt(long)]
    profile_options: Option<String>,
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The help text.
    Help,
    /// The release that we stand in for.
    Version,
    /// A daemon.
    Run {
        /// `-c`
        configuration: Option<PathBuf>,
        /// What wins over the file.
        overrides: Box<Overrides>,
    },
}

/// Reads the words behind the program's name.
///
/// # Errors
/// The first mistake from the left; a word that is no option of ours before anything else.
pub(super) fn parse(words: &[String], host: &dyn Host) -> Result<Asked, UsageError> {
    let words = getopt::parse(OPTIONS, words, Positionals::Refused)?;
    for given in &words.given {
        match given.option.long {
            "help" => return Ok(Asked::Help),
            "version" => return Ok(Asked::Version),
            _ => refuse_value(given, host)?,
        }
        given.refuse_repeat()?;
    }
    let (configuration, overrides) = values(&words)?;
    Ok(Asked::Run { configuration, overrides: Box::new(overrides) })
}

/// Refuses a value that its key does not take. That of `-u` is looked up later, when the file has been read.
fn refuse_value(given: &Given, host: &dyn Host) -> Result<(), UsageError> {
    let alone = Words { given: vec![given.clone()], positional: Vec::new() };
    let overrides = Overrides { user: None, ..values(&alone)?.1 };
    match Loader::new(host).overrides(&overrides).parse("[supervisord]", Path::new("")) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            ErrorKind::Option { reason, .. } => given.invalid_value(reason),
            _ => given.invalid_value(error),
        }),
    }
}

/// The path of the configuration, and what wins over it.
fn values(words: &Words) -> Result<(Option<PathBuf>, Overrides), UsageError> {
    // Every word is known by now; an error here would be a difference between the two tables.
    let options = Options::from_iter_safe(words.normalised("supervisord"))
        .map_err(|error| UsageError::NotRecognized(error.message.lines().next().unwrap_or_default().to_owned()))?;
    let typed = |long: &str, value: Option<String>| {
        let spelled = words.given.iter().find(|given| given.option.long == long).map(|given| given.spelled.clone());
        value.map(|value| Typed::new(spelled.unwrap_or_default(), value))
    };
    let overrides = Overrides {
        nodaemon: options.nodaemon,
        silent: options.silent,
        nocleanup: options.nocleanup,
        strip_ansi: options.strip_ansi,
        user: typed("user", options.user),
        umask: typed("umask", options.umask),
        directory: typed("directory", options.directory),
        logfile: typed("logfile", options.logfile),
        logfile_maxbytes: typed("logfile_maxbytes", options.logfile_maxbytes),
        logfile_backups: typed("logfile_backups", options.logfile_backups),
        loglevel: typed("loglevel", options.loglevel),
        pidfile: typed("pidfile", options.pidfile),
        identifier: typed("identifier", options.identifier),
        childlogdir: typed("childlogdir", options.childlogdir),
        minfds: typed("minfds", options.minfds),
        minprocs: typed("minprocs", options.minprocs),
    };
    Ok((options.configuration, overrides))
}

/// The help text.
pub(super) fn help(program: &str) -> String {
    format!(
        "Usage: {program} [options]\n\n\
         Starts the programs of a configuration and keeps them running.\n\n\
         Options:\n{}\n\
         Values given here win over those of the file, as long as the daemon lives.\n\
         supervisor {}, compatible with Supervisor {}\n",
        getopt::options_help(OPTIONS),
        super::OWN_VERSION,
        super::VERSION,
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use supervisor_core::sys::host::SystemHost;

    use super::*;

    fn parsed(words: &[&str]) -> Result<Asked, UsageError> {
        parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), &SystemHost)
    }

    fn refused(words: &[&str]) -> String {
        parsed(words).unwrap_err().to_string()
    }

    #[test]
    fn structopt_knows_every_option_of_the_table() {
        for option in OPTIONS.iter().filter(|option| !["help", "version"].contains(&option.long)) {
            let long = format!("--{}", option.long);
            let value = match option.long {
                "directory" | "childlogdir" => "/",
                "loglevel" => "info",
                _ => "1",
            };
            let words: Vec<&str> = std::iter::once(long.as_str()).chain(option.argument.map(|_| value)).collect();
            let asked = parsed(&words);
            assert!(matches!(asked, Ok(Asked::Run { .. })), "{long}: {asked:?}");
        }
    }

    #[test]
    fn values_keep_the_form_in_which_they_were_given() {
        let words = ["-nt", "-c/etc/x.conf", "--ident=short", "-e", "debug", "--minprocs", "7"];
        let Ok(Asked::Run { configuration, overrides }) = parsed(&words) else { panic!("a daemon is asked for") };
        assert_eq!(configuration, Some(PathBuf::from("/etc/x.conf")));
        assert!(overrides.nodaemon && overrides.strip_ansi && !overrides.silent && !overrides.nocleanup);
        assert_eq!(overrides.identifier, Some(Typed::new("--identifier", "short")));
        assert_eq!(overrides.loglevel, Some(Typed::new("-e", "debug")));
        assert_eq!(overrides.minprocs, Some(Typed::new("--minprocs", "7")));
        assert_eq!(overrides.logfile, None);
    }

    #[test]
    fn the_first_of_help_and_version_wins() {
        assert_eq!(parsed(&["-n", "-v", "-h"]), Ok(Asked::Version));
        assert_eq!(parsed(&["-?", "-c", "a", "-c", "b"]), Ok(Asked::Help));
        assert_eq!(refused(&["-v", "--nosuch"]), "option --nosuch not recognized");
        assert_eq!(parsed(&["-v", "-e", "loud"]), Ok(Asked::Version));
        assert_eq!(parsed(&["-u", "no such account", "-h"]), Ok(Asked::Help), "asked for when the file is read");
    }

    #[test]
    fn values_are_refused_from_the_left() {
        let level = "invalid value for -e 'loud': bad logging level name 'loud'";
        let folder = "invalid value for --directory '/no/such': /no/such is not an existing directory";
        let parent = "The directory named as part of the path /no/such does not exist";
        let table: &[(&[&str], &str)] = &[
            (&["-e", "loud", "-h"], level),
            (&["-c", "/no/such", "-e", "loud", "-d", "/no/such"], level),
            (&["--dir", "/no/such", "-e", "loud"], folder),
            (&["-e", "info", "-e", "loud"], level),
            (&["-e", "info", "-e", "warn"], "conflicting command line option '-e'"),
            (&["-l", "/no/such", "-v"], &format!("invalid value for -l '/no/such': {parent}")),
            (&["-q", "", "-v"], "invalid value for -q '':  is not an existing directory"),
        ];
        for (words, text) in table {
            assert_eq!(refused(words), *text, "{words:?}");
        }
        for option in ["-m", "-y", "-z", "-e", "-a", "--minprocs", "-d", "-q"] {
            let text = refused(&[option, "9x", "-v"]);
            assert!(text.starts_with(&format!("invalid value for {option} '9x': ")), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let table: &[(&[&str], &str)] = &[
            (&["-Z"], "option -Z not recognized"),
            (&["--log"], "option --log not a unique prefix"),
            (&["--nodaemon=1"], "option --nodaemon must not have an argument"),
            (&["-c"], "option -c requires argument"),
            (&["-c", "a", "--configuration", "b"], "conflicting command line option '--configuration'"),
            (&["pos"], "positional arguments are not supported: ['pos']"),
        ];
        for (words, text) in table {
            assert_eq!(refused(words), *text, "{words:?}");
        }
    }

    #[test]
    fn help_names_every_option() {
        let text = help("supervisord");
        for option in OPTIONS {
            assert!(text.contains(&format!("--{}", option.long)), "{}", option.long);
        }
    }
}
