//! Command lines of a small program, and what becomes of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

static TABLE: &[OptionSpec] = &[
    OptionSpec { short: &['c'], long: "configuration", argument: Some("FILE"), help: "the configuration file" },
    OptionSpec { short: &['n'], long: "nodaemon", argument: None, help: "stay in the foreground" },
    OptionSpec { short: &['t'], long: "strip_ansi", argument: None, help: "no colours" },
    OptionSpec { short: &['h', '?'], long: "help", argument: None, help: "this text" },
    OptionSpec { short: &['l'], long: "logfile", argument: Some("FILE"), help: "the log" },
    OptionSpec { short: &['y'], long: "logfile_maxbytes", argument: Some("BYTES"), help: "its size" },
    OptionSpec { short: &[], long: "minprocs", argument: Some("N"), help: "processes" },
];

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// The options as `SPELLED=VALUE` or `SPELLED`, then `|` and the other words.
fn parsed(line: &str) -> String {
    match parse(TABLE, &words(line), Positionals::Taken) {
        Err(error) => error.to_string(),
        Ok(words) => {
            let mut shown: Vec<String> = Vec::new();
            for given in &words.given {
                if let Err(error) = given.refuse_repeat() {
                    return error.to_string();
                }
                shown.push(match &given.value {
                    Some(value) => format!("{}={value}", given.spelled),
                    None => given.spelled.clone(),
                });
            }
            if !words.positional.is_empty() {
                shown.push("|".to_owned());
                shown.extend(words.positional);
            }
            shown.join(" ")
        }
    }
}

#[test]
fn command_lines_are_taken_apart() {
    for (line, want) in [
        ("", ""),
        ("-nt", "-n -t"),
        ("-c x.conf -n", "-c=x.conf -n"),
        ("-c/etc/x.conf", "-c=/etc/x.conf"),
        ("-ncx", "-n -c=x"),
        ("-nc x", "-n -c=x"),
        ("-c -n", "-c=-n"),
        ("-s=x", "option -s not recognized"),
        ("-c=x", "-c==x"),
        ("--configuration x", "--configuration=x"),
        ("--configuration=x", "--configuration=x"),
        ("--conf=x", "--configuration=x"),
        ("--configuration=", "--configuration="),
        ("--configuration=a=b", "--configuration=a=b"),
        ("--logfile x", "--logfile=x"),
        ("--logfile_ 3", "--logfile_maxbytes=3"),
        ("--minprocs 3", "--minprocs=3"),
        ("-?", "-?"),
        ("-n -- -t x", "-n | -t x"),
        ("tail -f x", "| tail -f x"),
        ("-n tail -3 x", "-n | tail -3 x"),
        ("- -n", "| - -n"),
        ("--zz", "option --zz not recognized"),
        ("--zz=3", "option --zz not recognized"),
        ("-Z", "option -Z not recognized"),
        ("-nZ", "option -Z not recognized"),
        ("-né", "option -é not recognized"),
        ("--log x", "option --log not a unique prefix"),
        ("--=3", "option -- not a unique prefix"),
        ("-n -c", "option -c requires argument"),
        ("--conf", "option --configuration requires argument"),
        ("--nod=1", "option --nodaemon must not have an argument"),
        ("--nodaemon=", "option --nodaemon must not have an argument"),
        ("-c a -c b", "conflicting command line option '-c'"),
        ("-c a --conf b", "conflicting command line option '--configuration'"),
        ("--conf a -cb", "conflicting command line option '-c'"),
        ("-nn", "conflicting command line option '-n'"),
        ("-n -n --zz", "option --zz not recognized"),
    ] {
        assert_eq!(parsed(line), want, "{line}");
    }
}

#[test]
fn positional_words_can_be_refused() {
    let refused = |line| parse(TABLE, &words(line), Positionals::Refused).unwrap_err().to_string();
    assert_eq!(refused("-n pos"), "positional arguments are not supported: ['pos']");
    assert_eq!(refused("-- a'b -n"), "positional arguments are not supported: [\"a'b\", '-n']");
    assert!(parse(TABLE, &words("-n --"), Positionals::Refused).is_ok());
}

#[test]
fn structopt_gets_full_names() {
    let words = parse(TABLE, &words("-ncx --log=y"), Positionals::Taken);
    assert!(words.is_err());
    let words = parse(TABLE, &self::words("-ncx --logfile= --logfile_m -3 tail -f a"), Positionals::Taken).unwrap();
    assert_eq!(
        words.normalised("prog"),
        [
            "prog",
            "--nodaemon",
            "--configuration",
            "x",
            "--logfile",
            "",
            "--logfile_maxbytes=-3",
            "--",
            "tail",
            "-f",
            "a"
        ]
    );
    assert_eq!(parse(TABLE, &[], Positionals::Taken).unwrap().normalised("prog"), ["prog"]);
}

#[test]
fn values_are_quoted_as_in_python() {
    for (text, want) in [
        ("foo", "'foo'"),
        ("", "''"),
        ("a'b", "\"a'b\""),
        ("a\"b", "'a\"b'"),
        ("a'\"b", "'a\\'\"b'"),
        ("a\\b\n\t\u{1b}é", "'a\\\\b\\n\\t\\x1bé'"),
    ] {
        assert_eq!(quoted(text), want);
    }
    let words = parse(TABLE, &words("-c loud"), Positionals::Taken).unwrap();
    assert_eq!(
        words.given[0].invalid_value("value 'loud' is too loud").to_string(),
        "invalid value for -c 'loud': value 'loud' is too loud"
    );
}

#[test]
fn the_help_text_names_every_form() {
    let help = options_help(&TABLE[..4]);
    let want =
        "  -c, --configuration FILE  the configuration file\n  -n, --nodaemon            stay in the foreground\n";
    assert!(help.starts_with(want), "{help}");
    assert!(help.contains("  -h, -?, --help            this text\n"));
    assert_eq!(
        complaint("/bin/prog", &UsageError::NotRecognized("-Z".to_owned())),
        "Error: option -Z not recognized\nFor help, use /bin/prog -h\n"
    );
}

#[test]
fn a_word_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let error = texts([OsString::from("a"), OsString::from_vec(vec![b'x', 0xff])]).unwrap_err();
    assert_eq!(error.to_string(), "argument 'x\u{fffd}' is not valid UTF-8");
}
