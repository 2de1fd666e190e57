//! docs/JSON.md beside what is printed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use supervisor_core::domain::state::ProcessState::{Exited, Running};
use supervisor_core::rpc::FaultCode as F;

use super::super::connection::ClientError;
use super::super::testing::{Run, changes, configured, entry, info};
use super::*;

const PAGE: &str = include_str!("../../../../docs/JSON.md");

fn examples() -> Vec<Value> {
    let blocks = PAGE.split("```json\n").skip(1).map(|behind| behind.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

/// The document that a line comes to, which must be all that is printed, and on one line.
fn document(mut run: Run, line: &str) -> Value {
    let (output, status) = run.run(line);
    assert_eq!(output.lines().count(), 1, "{line}: {output}");
    let document: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(document["exit_status"], status, "{line}");
    document
}

#[test]
fn every_command_answers_as_documented() {
    let processes = || vec![info("cat", "cat", Running, 7), info("g", "a", Exited, 0)];
    let got = [
        document(Run::new().checked().on("getAllProcessInfo()", processes()), "status --json cat g:* zz"),
        document(Run::new().checked().on("getPID()", 5), "pid --json"),
        document(Run::new().checked().on("getProcessInfo(cat)", info("cat", "cat", Exited, 0)), "pid cat --json"),
        document(Run::new().on("getAllConfigInfo()", vec![configured("g", "a", true)]), "avail --json"),
        document(Run::new().checked().on("getSupervisorVersion()", "4.3.0"), "version --json"),
        document(Run::new().on("reloadConfig()", changes(&["new"], &["cat"], &["old"])), "reread --json"),
        document(Run::new().on("reloadConfig()", F::CantReread), "reread --json"),
        document(
            Run::new()
                .on("reloadConfig()", changes(&["new"], &[], &["old"]))
                .on("stopProcessGroup(old)", vec![entry("old", "old", F::Success)])
                .on("removeProcessGroup(old)", true)
                .on("addProcessGroup(new)", F::Failed),
            "update --json",
        ),
        document(
            Run::new()
                .checked()
                .on("startProcess(cat)", true)
                .on("startProcessGroup(g)", vec![entry("g", "a", F::SpawnError)]),
            "start cat --json g:*",
        ),
        document(Run::new().checked().on("stopProcessGroup(zz)", F::BadName), "stop zz:* --json"),
        document(
            Run::new().checked().on("stopProcess(cat)", F::NotRunning).on("startProcess(cat)", true),
            "restart cat --json",
        ),
        document(Run::new().checked().on("signalProcess(cat, HUP)", true), "signal --json HUP cat"),
        document(Run::new().on("getVersion()", ClientError::NoSuchSocket), "status --json"),
        document(Run::new().checked(), "start --json"),
    ];
    let examples = examples();
    assert_eq!(got.len(), examples.len());
    for (got, want) in got.iter().zip(&examples) {
        assert_eq!(got, want);
    }
}

#[test]
fn the_option_before_the_action_is_for_every_line() {
    let mut run = Run::new().asking_for_documents().on("reloadConfig()", changes(&[], &[], &[]));
    let (output, status) = run.run("reread");
    assert_eq!((serde_json::from_str::<Value>(&output).unwrap()["results"].as_array().unwrap().len(), status), (0, 0));
    assert_eq!(run.run("tail x"), (String::new(), 2));
    assert_eq!(run.errors(), "Error: tail has no --json\n");
    // Elsewhere the word is an argument like any other, as in Supervisor 4.3.
    assert_eq!(Run::new().checked().run("tail --json x").0, "Error: bad argument --json\n");
}

#[test]
fn every_kind_of_error_is_documented() {
    let errors = [
        ClientError::NoSuchSocket,
        ClientError::Refused,
        ClientError::PermissionDenied,
        ClientError::Unauthorised,
        ClientError::UnknownHost,
        ClientError::UnsupportedScheme,
        ClientError::TimedOut(std::time::Duration::from_secs(1)),
        ClientError::Io(std::io::Error::other("x")),
        ClientError::Http { status: 500, reason: String::new() },
        ClientError::NotASupervisor(String::new()),
    ];
    for error in errors {
        let kind = Problem::client(&error, "unix:///x").kind;
        assert!(PAGE.contains(&format!("`{kind}`")), "{kind}");
    }
}

#[test]
fn no_password_of_a_url_is_shown() {
    for (url, want) in [
        ("unix:///tmp/a@b://c@d", "unix:///tmp/a@b://c@d"),
        ("http://h:1", "http://h:1"),
        ("http://u:secret@h:1/", "http://h:1/"),
        ("HTTP://u:se@cret@h", "HTTP://h"),
    ] {
        assert_eq!(without_user(url), want);
    }
}
