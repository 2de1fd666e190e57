//! The original supervisorctl at our daemon, and ours at the original daemon: whoever asks whom, it comes to the same.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use super::against::{Access, Outcome, original, our_ctl, our_daemon};
use super::lab::Lab;
use super::words::{LINES, PROGRAMS};

const TALKER: &str = "[program:talker]\ncommand=/bin/sh -c 'while :; do echo said; sleep 0.1; done'\nstartsecs=0\n";

/// Every command, each with something to do where it can have something.
const EVERY: &[&str] = &[
    "status",
    "pid",
    "pid cat",
    "version",
    "stop cat",
    "status cat",
    "start cat zz",
    "restart g:*",
    "signal CONT all",
    "tail nolog",
    "tail off stderr",
    "clear cat",
    "avail",
    "reread",
    "update",
    "remove off",
    "add off",
    "remove off",
    "update off",
    "fg off",
    "maintail x",
    "open foo",
    "help",
    "quit",
    "exit",
    "shutdown x",
    "-u user -p wrong status",
    "-u user -p wrong start cat",
    "reload",
    "status cat g:*",
    "shutdown",
];

/// What each line comes to at the daemon, in order.
fn outcomes(daemon: &Lab, ctl: &Path, lines: &[&str]) -> Vec<(String, Outcome)> {
    let outcome = |line: &str| {
        let outcome = daemon.outcome(ctl, line);
        if line == "reload" {
            daemon.settle(2);
        }
        outcome
    };
    lines.iter().map(|line| ((*line).to_owned(), outcome(line))).collect()
}

fn assert_same(theirs: &[(String, Outcome)], ours: &[(String, Outcome)]) {
    let different = theirs.iter().zip(ours).filter(|(theirs, ours)| theirs != ours);
    let told: String = different.map(|(theirs, ours)| format!("original: {theirs:?}\nours:     {ours:?}\n")).collect();
    assert_eq!(told, "");
}

#[test]
fn the_original_supervisorctl_says_of_our_daemon_what_it_says_of_its_own() {
    let Some(original) = original() else { return };
    let ctl = original.join("supervisorctl");
    // The daemon's own log differs, and what is stopped together ends in any order.
    let lines: Vec<_> = LINES.iter().copied().filter(|line| !line.starts_with("maintail")).collect();
    let ask = |program: &Path| outcomes(&Lab::of(program, PROGRAMS, Access::default()), &ctl, &lines);
    assert_same(&ask(&original.join("supervisord")), &ask(&our_daemon()));
}

#[test]
fn every_command_over_unix_and_tcp_with_and_without_passwords() {
    let Some(original) = original() else { return };
    let sha = "{SHA}13b0a98c0dbf238a62f15f05d766a84914264e09";
    for access in [
        Access { tcp: false, password: None },
        Access { tcp: true, password: None },
        Access { tcp: false, password: Some("geh:eim") },
        Access { tcp: true, password: Some(sha) },
    ] {
        let theirs =
            outcomes(&Lab::of(&original.join("supervisord"), PROGRAMS, access), &original.join("supervisorctl"), EVERY);
        for (daemon, ctl) in [
            (our_daemon(), original.join("supervisorctl")),
            (original.join("supervisord"), our_ctl()),
            (our_daemon(), our_ctl()),
        ] {
            let mut ours = outcomes(&Lab::of(&daemon, PROGRAMS, access), &ctl, EVERY);
            if ctl == our_ctl() {
                // Better: one line says that credentials are wanted, not two.
                for ((_, theirs), (_, ours)) in theirs.iter().zip(&mut ours) {
                    if ours.1 == "Server requires authentication" && theirs.1.starts_with(&ours.1) {
                        ours.1.clone_from(&theirs.1);
                    }
                }
            }
            assert_same(&theirs, &ours);
        }
    }
}

#[test]
fn streams_reach_the_other_ones_client() {
    let Some(original) = original() else { return };
    for (daemon, ctl) in [(our_daemon(), original.join("supervisorctl")), (original.join("supervisord"), our_ctl())] {
        let daemon = Lab::of(&daemon, TALKER, Access { tcp: false, password: Some("geh:eim") });
        for (line, wanted) in [("tail -f talker", "said"), ("maintail -f", "supervisord started")] {
            let mut client = daemon.line(&ctl, line).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(client.stdout.take().unwrap()).lines().map(Result::unwrap);
            assert_eq!(lines.next().as_deref(), Some("==> Press Ctrl-C to exit <=="), "{line}");
            assert!(lines.any(|line| line.contains(wanted)), "{line}");
            client.kill().unwrap();
            client.wait().unwrap();
        }
    }
}

#[test]
fn a_strong_hash_lets_the_original_supervisorctl_in() {
    let Some(original) = original() else { return };
    let hash = supervisor_rpc::server::hash_password("geh:eim").unwrap();
    let access = Access { tcp: true, password: Some(hash.leak()) };
    let daemon = Lab::of(&our_daemon(), PROGRAMS, access);
    let (right, wrong) = (
        daemon.outcome(&original.join("supervisorctl"), "pid cat"),
        daemon.outcome(&original.join("supervisorctl"), "-u user -p wrong pid"),
    );
    assert_eq!((right.0, right.1.as_str()), (Some(0), "N"));
    assert_eq!(wrong.0, Some(1), "{wrong:?}");
}

#[test]
fn what_is_beyond_the_original_works_at_its_daemon_too() {
    let Some(original) = original() else { return };
    let lines = [
        "--json status",
        "--json status zz g:*",
        "--json pid cat off",
        "--json avail",
        "--json version",
        "--json reread",
        "--json update",
        "--json start off quick",
        "--json stop off zz:*",
        "--json restart g:*",
        "--json signal CONT all",
        "--json start",
        "logs",
        "logs -n 0 zz cat",
    ];
    let daemons = [original.join("supervisord"), our_daemon()];
    let [theirs, ours] = daemons.map(|daemon| {
        let daemon = Lab::of(&daemon, PROGRAMS, Access { tcp: false, password: Some("geh:eim") });
        outcomes(&daemon, &our_ctl(), &lines)
    });
    assert_same(&theirs, &ours);
    let daemon = Lab::of(&original.join("supervisord"), TALKER, Access::default());
    let mut client = daemon.line(&our_ctl(), "logs -f").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!((0..5).all(|_| lines.next().as_deref() == Some("talker out | said")));
    client.kill().unwrap();
    client.wait().unwrap();
}
