//! The command line of supervisorctl.
//!
//! [`OPTIONS`] is the one table of options; getopt takes the words apart with it, structopt reads them into
//! [`Options`]. Decides which values are refused here; nothing is read and nobody is asked.

use structopt::StructOpt;
use structopt::clap::AppSettings;
use supervisor_core::config::client::is_url;

use super::report::JSON;
use crate::getopt::{self, OptionSpec, Positionals, UsageError};

/// The options of supervisorctl.
pub static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        short: &['c'],
        long: "configuration",
        argument: Some("FILE"),
        help: "read [supervisorctl] of this file (default: the first supervisord.conf found)",
    },
    OptionSpec { short: &['h', '?'], long: "help", argument: None, help: "show this text" },
    OptionSpec {
        short: &['i'],
        long: "interactive",
        argument: None,
        help: "open a shell (done anyway where no action is given)",
    },
    OptionSpec {
        short: &['s'],
        long: "serverurl",
        argument: Some("URL"),
        help: "where supervisord is: http://HOST[:PORT] or unix:///PATH (default: http://localhost:9001)",
    },
    OptionSpec { short: &['u'], long: "username", argument: Some("NAME"), help: "user name for the server" },
    OptionSpec { short: &['p'], long: "password", argument: Some("PASSWORD"), help: "password for the server" },
    OptionSpec {
        short: &['r'],
        long: "history_file",
        argument: Some("FILE"),
        help: "keep the lines typed into the shell in this file",
    },
    JSON,
];

/// The values of the command line.
#[derive(StructOpt, Clone, Default, PartialEq, Eq)]
#[structopt(name = "supervisorctl", no_version, settings = &[AppSettings::TrailingVarArg, AppSettings::DisableVersion])]
pub(super) struct Options {
    /// `-c`
    #[structopt(long)]
    pub(super) configuration: Option<String>,
    /// `-i`
    #[structopt(long)]
    pub(super) interactive: bool,
    /// `-s`
    #[structopt(long)]
    pub(super) serverurl: Option<String>,
    /// `-u`
    #[structopt(long)]
    pub(super) username: Option<String>,
    /// `-p`
    #[structopt(long)]
    pub(super) password: Option<String>,
    /// `-r`
    #[structopt(long = "history_file")]
    pub(super) history_file: Option<String>,
    /// `--json`
    #[structopt(long)]
    pub(super) json: bool,
    /// The command and its arguments.
    pub(super) action: Vec<String>,
}

/// What the command line asks for.
pub(super) enum Request {
    /// The help text.
    Help,
    /// Anything else.
    Run(Options),
}

/// Reads the words behind the program's name.
///
/// # Errors
/// The first mistake from the left.
pub(super) fn parse(words: &[String]) -> Result<Request, UsageError> {
    let words = getopt::parse(OPTIONS, words, Positionals::Taken)?;
    for given in &words.given {
        match given.option.long {
            "help" => return Ok(Request::Help),
            "serverurl" if !given.value.as_deref().is_some_and(is_url) => {
                let value = given.value.as_deref().unwrap_or_default();
                return Err(given.invalid_value(format_args!("value {} is not a URL", getopt::quoted(value))));
            }
            _ => given.refuse_repeat()?,
        }
    }
    // Every word is known by now; an error here would be a difference between the two tables.
    Options::from_iter_safe(words.normalised("supervisorctl"))
        .map(Request::Run)
        .map_err(|error| UsageError::NotRecognized(error.message.lines().next().unwrap_or_default().to_owned()))
}

/// The help text.
pub(super) fn help(program: &str) -> String {
    format!(
        "Usage: {program} [options] [action [arguments]]\n\n\
         Controls the programs of a running supervisord. Without an action it opens a shell;\n\
         \"{program} help\" lists the actions of Supervisor 4.3; beyond them there is \"logs\" (\"{program} help logs\").\n\n\
         Options:\n{}",
        getopt::options_help(OPTIONS)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Options, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        match parse(&words) {
            Ok(Request::Run(options)) => Ok(options),
            Ok(Request::Help) => Err("help".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn structopt_knows_the_options_of_the_table() {
        let mut help = Vec::new();
        assert!(Options::clap().write_long_help(&mut help).is_ok());
        let help = String::from_utf8_lossy(&help).into_owned();
        let mut known: Vec<&str> = help
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("--"))
            .map(|word| word.trim_end_matches(','))
            .collect();
        known.sort_unstable();
        let mut table: Vec<&str> = OPTIONS.iter().map(|option| option.long).collect();
        table.sort_unstable();
        assert_eq!(known, table);
        for option in OPTIONS {
            let takes_value = help.contains(&format!("--{} <", option.long));
            assert_eq!(takes_value, option.argument.is_some(), "{}", option.long);
        }
    }

    #[test]
    fn values_and_actions() {
        let options = run("-c x -uu -p= --serv http://h:1 --history_file=h tail -f -c");
        let want = Options {
            configuration: Some("x".into()),
            interactive: false,
            serverurl: Some("http://h:1".into()),
            username: Some("u".into()),
            password: Some("=".into()),
            history_file: Some("h".into()),
            json: false,
            action: vec!["tail".into(), "-f".into(), "-c".into()],
        };
        assert!(options == Ok(want));
        assert!(run("") == Ok(Options::default()));
        assert!(run("--password= x").is_ok_and(|options| options.password.as_deref() == Some("")));
        assert!(run("-p -x -- --help").is_ok_and(|options| options.action == ["--help"]));
    }

    #[test]
    fn mistakes_and_pleas_act_from_the_left() {
        for (line, want) in [
            ("-h", "help"),
            ("-?", "help"),
            ("--help -c a -c b", "help"),
            ("-c a -c b -h", "conflicting command line option '-c'"),
            ("-h --zz", "option --zz not recognized"),
            ("-s foo -h", "invalid value for -s 'foo': value 'foo' is not a URL"),
            ("-h -s foo", "help"),
            ("--serv http://", "invalid value for --serverurl 'http://': value 'http://' is not a URL"),
            ("-i -i status", "conflicting command line option '-i'"),
        ] {
            assert_eq!(run(line).err().as_deref(), Some(want), "{line}");
        }
    }
}
