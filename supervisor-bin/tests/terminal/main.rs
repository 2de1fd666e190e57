//! supervisorctl as a person meets it: on a terminal, with Tab, prompts, colours and Ctrl-C.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

#[path = "../lab/mod.rs"]
mod lab;
mod screen;

use lab::Lab;

const CTRL_C: &str = "\x03";

const PROGRAMS: &str = "[group:grp]\nprograms=alpha,beta\n\
    [program:alpha]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n\
    [program:beta]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n\
    [program:single]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n";

#[test]
fn tab_completes_commands_and_names() {
    let lab = Lab::with_history("", PROGRAMS);
    let mut shell = lab.terminal(&[], &[]);
    shell.expect("supervisor> ");
    for (keys, answer) in [
        ("start sin\t\r", "single: started"),
        ("start grp:al\t\r", "grp:alpha: started"),
        ("stop grp:\t*\r", "grp:alpha: stopped"),
        ("lo\tsingle\r", "supervisor> "),
        ("help mainta\t\r", "maintail -f"),
        ("remove gr\t\r", "grp: removed process group"),
        ("add g\t\r", "grp: added process group"),
    ] {
        shell.send(keys);
        shell.expect(answer);
        shell.expect("supervisor> ");
    }
    assert!(!shell.seen.contains("Unknown syntax"), "{}", shell.seen);
    shell.send("exit\r");
    assert_eq!(shell.end().code(), Some(0));
}

#[test]
fn lines_of_the_last_shell_come_back() {
    let lab = Lab::with_history("", PROGRAMS);
    for keys in ["version\r", "\x1b[A\r"] {
        let mut shell = lab.terminal(&[], &[]);
        shell.expect("supervisor> ");
        shell.send(keys);
        shell.expect("4.3.0");
        shell.expect("supervisor> ");
        // Ctrl-D
        shell.send("\x04");
        assert_eq!(shell.end().code(), Some(0));
    }
    let history = lab.read("history");
    assert_eq!(history, "version\n");
}

#[test]
fn credentials_are_asked_for_until_they_are_right() {
    let lab = Lab::with_history("username=user\npassword=geheim", PROGRAMS);
    let mut shell = lab.terminal(&[], &[]);
    for (password, answer) in [("falsch", "Server requires authentication"), ("geheim", "single")] {
        shell.expect("Username:");
        shell.send("user\r");
        shell.expect("Password:");
        shell.send(format!("{password}\r"));
        // Nothing has been said in between that could be taken for a command.
        shell.expect(answer);
    }
    shell.expect("supervisor> ");
    shell.send("start single\r");
    shell.expect("single: started");
    shell.expect("supervisor> ");
    assert!(!shell.seen.contains("geheim") && !shell.seen.contains("falsch"), "{}", shell.seen);
    shell.send("quit\r");
    assert_eq!(shell.end().code(), Some(0));
}

#[test]
fn pasted_lines_are_commands_one_by_one() {
    let lab = Lab::with_history("", PROGRAMS);
    let mut shell = lab.terminal(&[], &[]);
    shell.expect("supervisor> ");
    shell.send("start single\rstop single\rversion\r");
    for answer in ["single: started", "single: stopped", "4.3.0"] {
        shell.expect(answer);
        shell.expect("supervisor> ");
    }
    // A terminal that is told so would give all of it to one command.
    assert!(!shell.seen.contains("\x1b[?2004h"), "{:?}", shell.seen);
    // The answer to a question is among what was typed ahead.
    shell.send("shutdown\rn\rpid single\r");
    shell.expect("Really shut the remote supervisord process down y/N? ");
    shell.expect("\n0\r\n");
    shell.expect("supervisor> ");
    shell.send("quit\r");
    assert_eq!(shell.end().code(), Some(0));
    assert_eq!(lab.read("history"), "start single\nstop single\nversion\nshutdown\npid single\nquit\n");
}

#[test]
fn a_question_is_left_as_a_line_is() {
    let lab = Lab::with_history("", PROGRAMS);
    let mut shell = lab.terminal(&[], &[]);
    shell.expect("supervisor> ");
    // There is nothing to complete with.
    for keys in [CTRL_C, "\x04", "\t\r"] {
        shell.send("shutdown\r");
        shell.expect("y/N? ");
        shell.send(keys);
        shell.expect("supervisor> ");
    }
    shell.send("version\r");
    shell.expect("4.3.0");
    shell.send("shutdown\r");
    shell.expect("y/N? ");
    shell.send("y\r");
    shell.expect("Shut down");
    shell.expect("supervisor> ");
    shell.send("quit\r");
    assert_eq!(shell.end().code(), Some(0));
}

#[test]
fn bytes_that_are_no_characters_do_not_end_the_shell() {
    let lab = Lab::with_history("", PROGRAMS);
    let mut shell = lab.terminal(&[], &[]);
    shell.expect("supervisor> ");
    shell.send(b"status \xff");
    shell.expect("supervisor> ");
    shell.send("version\r");
    shell.expect("4.3.0");
    shell.send("quit\r");
    assert_eq!(shell.end().code(), Some(0));
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let lab = Lab::with_history("", PROGRAMS);
    assert!(lab.ctl(&["start", "single"]).status.success());
    for (environment, coloured) in [
        (&[][..], true),
        (&[("NO_COLOR", "")], true),
        (&[("NO_COLOR", "1")], false),
        (&[("TERM", "dumb")], false),
        (&[("TERM", "vt100")], false),
    ] {
        let mut terminal = lab.terminal(&["status", "single"], environment);
        assert_eq!(terminal.end().code(), Some(0));
        let screen = &terminal.seen;
        assert_eq!(
            screen.contains("single                           \x1b[32mRUNNING\x1b[0m   pid "),
            coloured,
            "{screen:?}"
        );
        assert_eq!(screen.contains("single                           RUNNING   pid "), !coloured, "{screen:?}");
    }
    let piped = lab.ctl_command(&["status", "single"]).env("TERM", "xterm").output().unwrap();
    assert!(piped.stdout.starts_with(b"single                           RUNNING   pid "));
}

#[test]
fn who_waits_sees_for_what() {
    let slow = "[program:slow]\ncommand=/bin/cat\nautostart=false\nstartsecs=4\n";
    let lab = Lab::with_history("", slow);
    let mut terminal = lab.terminal(&["start", "all"], &[]);
    terminal.expect("\r\x1b[K0 of 1 running, waiting for slow");
    terminal.expect("\r\x1b[Kslow: started");
    assert_eq!(terminal.end().code(), Some(0));
    assert!(lab.ctl(&["stop", "slow"]).status.success());
    let piped = lab.ctl_command(&["start", "all"]).env("TERM", "xterm").output().unwrap();
    assert_eq!((piped.stdout.as_slice(), piped.stderr.as_slice()), (b"slow: started\n" as &[u8], b"" as &[u8]));
}

#[test]
fn the_foreground_is_left_by_ctrl_c() {
    let lab = Lab::with_history("", PROGRAMS);
    assert!(lab.ctl(&["start", "single"]).status.success());
    let mut shell = lab.terminal(&[], &[("TERM", "dumb")]);
    shell.expect("supervisor> ");
    shell.send("fg single\r");
    shell.expect("==> Press Ctrl-C to exit <==");
    shell.send("typed\r");
    // Once as the terminal's echo, once from the program.
    shell.expect("typed");
    shell.expect("typed");
    shell.send(CTRL_C);
    shell.expect("Exiting foreground");
    shell.expect("supervisor> ");
    shell.send("status single\r");
    shell.expect("RUNNING");
    shell.send("exit\r");
    assert_eq!(shell.end().code(), Some(0));
}

#[test]
fn logs_are_followed_until_ctrl_c() {
    let talkers = "[program:one]\ncommand=/bin/sh -c 'while :; do echo said; sleep 0.1; done'\nstartsecs=0\n\
        [program:other]\ncommand=/bin/sh -c 'while :; do echo complained >&2; sleep 0.1; done'\nstartsecs=0\n";
    let lab = Lab::with_history("", talkers);
    let mut tail = lab.terminal(&["tail", "-f", "one"], &[]);
    tail.expect("==> Press Ctrl-C to exit <==");
    tail.expect("said");
    tail.send(CTRL_C);
    assert_eq!(tail.end().code(), Some(0));
    let mut logs = lab.terminal(&["logs", "-f", "all"], &[]);
    for _ in 0..3 {
        logs.expect("\x1b[36mone  \x1b[0m out | said\r\n");
        logs.expect("\x1b[33mother\x1b[0m \x1b[31merr\x1b[0m | complained\r\n");
    }
    logs.send(CTRL_C);
    assert_eq!(logs.end().code(), Some(0));
}

#[test]
fn an_input_that_cannot_be_read_is_told() {
    let lab = Lab::new("");
    let folder = std::fs::File::open(lab.folder.path()).unwrap();
    let output = lab.ctl_command(&[]).stdin(folder).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.ends_with("error: cannot read the input: Is a directory (os error 21)\n"), "{errors}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_address_that_nobody_knows_is_told_when_somebody_is_asked() {
    let lab = Lab::new("");
    for url in ["unix:/path", "ftp://host"] {
        let output = lab.ctl_command(&["-s", url, "status"]).output().unwrap();
        let lines = String::from_utf8_lossy(&output.stdout);
        assert_eq!(lines, format!("error: Unknown protocol for serverurl {url}\n"));
        assert_eq!(output.status.code(), Some(1));
    }
}
