//! Our supervisorctl beside the original one, both at the original daemon: the same words, columns and exit statuses.

use super::against::{Access, comparable, original, our_ctl};
use super::lab::Lab;

/// A program in each state and of each kind.
pub(super) const PROGRAMS: &str = "
[program:cat]\ncommand=/bin/cat\nstartsecs=0\n
[program:off]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n
[group:g]\nprograms=a,b\n
[program:a]\ncommand=/bin/cat\nstartsecs=0\n
[program:b]\ncommand=/bin/cat\nstartsecs=0\nautostart=false\npriority=5\n
[program:quick]\ncommand=/bin/sh -c 'exit 3'\nautostart=false\nstartretries=0\n
[program:noexec]\ncommand=/etc/passwd\nautostart=false\n
[program:nolog]\ncommand=/bin/cat\nautostart=false\nstdout_logfile=NONE\n";

/// Lines that leave everything as it is, so that both programs meet the same daemon.
pub(super) const LINES: &[&str] = &[
    "status",
    "status cat",
    "status off zz g:*",
    "status g:b g:b zz:*",
    "status :",
    "status status -s",
    "start",
    "start cat zz zz:* g:a",
    "start noexec quick",
    "start *:x : g:a:b",
    "start cat:cat",
    "stop off off:off zz",
    "stop zz:* quick",
    "signal CONT cat g:* off zz zz:",
    "signal BOGUS all",
    "signal HUP",
    "pid",
    "pid all",
    "pid cat off zz",
    "pid g:*",
    "tail off",
    "tail off:off bogus",
    "tail nolog",
    "tail a b c",
    "tail -5",
    "tail -zz off",
    "tail - off",
    "tail g:*",
    "tail -f",
    "maintail -5 -6",
    "maintail 5",
    "clear off zz g:a",
    "clear all",
    "avail",
    "avail x",
    "reread",
    "update",
    "update zz",
    "add",
    "add zz g",
    "remove zz g",
    "fg",
    "fg a b",
    "fg zz",
    "fg off",
    "version",
    "version x",
    "open foo",
    "open unix:///no/such",
    "help",
    "? zz",
    "help quit x",
    "bogus a b",
    "!ls",
    "status;version",
    "quit x",
    "EOF",
    "shutdown x",
    "--zz",
    "-s foo -h",
    "-i -i status",
    "-c /no/such status",
    "--=3",
    "-s unix:///no/such start x",
    "-s unix:///no/such status",
    "-s unix:///no/such restart x",
    "-s http://127.0.0.1:1 shutdown",
];

#[test]
fn the_same_words_columns_and_exit_statuses() {
    let Some(original) = original() else { return };
    let daemon = Lab::of(&original.join("supervisord"), PROGRAMS, Access::default());
    let (theirs, ours) = (original.join("supervisorctl"), our_ctl());
    let mut differences = String::new();
    for line in LINES {
        let (want, got) = (comparable(&daemon.run(&theirs, line)), comparable(&daemon.run(&ours, line)));
        if want != got {
            differences += &format!("{line}\n  original: {want:?}\n  ours:     {got:?}\n");
        }
    }
    assert_eq!(differences, "");
}

#[test]
fn states_change_with_the_same_words() {
    let Some(original) = original() else { return };
    let daemon = Lab::of(&original.join("supervisord"), PROGRAMS, Access::default());
    let (theirs, ours) = (original.join("supervisorctl"), our_ctl());
    for line in ["stop all", "start g:* off", "restart cat g:", "stop g:a off", "start all", "remove zz", "stop g:*"] {
        // The order of processes that stop together is theirs.
        let sorted = |program| {
            let (status, lines, complaint) = comparable(&daemon.run(program, line));
            let mut lines: Vec<_> = lines.lines().map(str::to_owned).collect();
            lines.sort();
            (status, lines, complaint)
        };
        let want = sorted(&theirs);
        // Back to where it was: everything that autostarts runs, the rest does not.
        for (undo, names) in [("stop", "off g:b quick nolog"), ("start", "cat g:a")] {
            daemon.run(&theirs, &format!("{undo} {names}"));
        }
        assert_eq!(sorted(&ours), want, "{line}");
        for (undo, names) in [("stop", "off g:b quick nolog"), ("start", "cat g:a")] {
            daemon.run(&theirs, &format!("{undo} {names}"));
        }
    }
}
