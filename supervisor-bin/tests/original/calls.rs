//! Some 750 calls, good and bad, made of both daemons by Python's XML-RPC client: the same answers, types and faults.

use std::fs;
use std::process::Command;

use super::harness::{Access, Daemon, original, our_daemon, text};

#[test]
fn every_method_answers_as_the_original_does() {
    let Some(original) = original() else { return };
    let sections = include_str!("programs.conf");
    let daemons = [original.join("supervisord"), our_daemon()].map(|program| {
        let daemon = Daemon::start(&program, sections, Access::default());
        fs::write(daemon.folder.path().join("ten.log"), "0123456789").unwrap();
        fs::write(daemon.folder.path().join("cut.log"), "aé").unwrap();
        daemon
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/original/calls.py");
    let output = Command::new(original.join("python"))
        .arg(script)
        .args(daemons.iter().map(|daemon| daemon.folder.path()))
        .output()
        .unwrap();
    let (differences, notes) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && differences.is_empty(), "{differences}\n{notes}");
    let count: usize = notes.split_whitespace().next().unwrap().parse().unwrap();
    assert!(count > 700, "{notes}");
}
