//! Some 750 calls, good and bad, made of both daemons by Python's XML-RPC client: the same answers, types and faults.

use std::fs;
use std::process::Command;

use super::against::{Access, original, our_daemon, text};
use super::lab::Lab;
use super::words::PROGRAMS;

/// Python's own way to a server over TCP, with the password in the URL.
const OVER_TCP: &str = "
import sys, xmlrpc.client
server = xmlrpc.client.ServerProxy(sys.argv[1])
print(server.supervisor.getAPIVersion(), len(server.supervisor.getAllProcessInfo()) > 0)
print(server.supervisor.stopProcess('cat'), server.supervisor.getProcessInfo('cat')['statename'])
try:
    xmlrpc.client.ServerProxy(sys.argv[2]).supervisor.getPID()
except xmlrpc.client.ProtocolError as error:
    print(error.errcode)
";

#[test]
fn pythons_client_comes_over_tcp_with_a_password() {
    let Some(original) = original() else { return };
    let daemon = Lab::of(&our_daemon(), PROGRAMS, Access { tcp: true, password: Some("geh:eim") });
    let url = daemon.tcp_url();
    let known = url.replace("//", "//user:geh%3Aeim@") + "/RPC2";
    let output =
        Command::new(original.join("python")).args(["-c", OVER_TCP, &known, &(url + "/RPC2")]).output().unwrap();
    assert_eq!(text(&output.stdout), "3.0 True\nTrue STOPPED\n401\n", "{}", text(&output.stderr));
}

#[test]
fn every_method_answers_as_the_original_does() {
    let Some(original) = original() else { return };
    let sections = include_str!("programs.conf");
    let daemons = [original.join("supervisord"), our_daemon()].map(|program| {
        let daemon = Lab::of(&program, sections, Access::default());
        fs::write(daemon.path("ten.log"), "0123456789").unwrap();
        fs::write(daemon.path("cut.log"), "aé").unwrap();
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
