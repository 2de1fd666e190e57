//! The rules for every command.

use std::time::Duration;

use supervisor_core::domain::state::ProcessState::Running;
use supervisor_core::rpc::FaultCode;

use super::super::testing::{Run, info};
use super::*;

#[test]
fn lines_are_split_behind_the_command() {
    for (line, want) in [
        ("", None),
        ("  ", None),
        ("status", Some(("status", ""))),
        ("  status   a  b ", Some(("status", "a  b"))),
        ("status;version", Some(("status", ";version"))),
        ("status_x y", Some(("status_x", "y"))),
        ("?", Some(("help", ""))),
        ("? tail", Some(("help", "tail"))),
        ("?tail", Some(("help", "tail"))),
        ("!ls", None),
        ("-5", None),
        ("éa", None),
    ] {
        assert_eq!(split(line), want, "{line:?}");
    }
}

#[test]
fn unknown_commands_are_told() {
    assert_eq!(Run::new().run(""), (String::new(), 0));
    for line in ["bogus", "bogus a b", "!ls", "-", "status_x"] {
        assert_eq!(Run::new().run(line), (format!("*** Unknown syntax: {line}\n"), 1));
    }
}

#[test]
fn the_check_has_a_line_and_a_status_for_each_outcome() {
    let cases = || {
        [
            (Err(ClientError::Refused), "unix:///x refused connection\n", 4),
            (Err(ClientError::NoSuchSocket), "unix:///x no such file\n", 7),
            (
                Ok("2.0"),
                "Sorry, this version of supervisorctl expects to talk to a server with API version 3.0, but the remote \
                 version is 2.0.\n",
                5,
            ),
        ]
    };
    for (line, fixed) in [("start x", None), ("status", Some(4)), ("restart x", None), ("fg x", None)] {
        for (answer, want, status) in cases() {
            let run = Run::new();
            let mut run = match answer {
                Ok(version) => run.on("getVersion()", version),
                Err(error) => run.on("getVersion()", error),
            };
            assert_eq!(run.run(line), (want.to_owned(), fixed.unwrap_or(status)), "{line}");
        }
    }
    let (text, status) = Run::new().on("getVersion()", FaultCode::UnknownMethod).run("version");
    assert!(text.contains("[rpcinterface:supervisor]") && text.lines().count() == 1, "{text}");
    assert_eq!(status, 3);
}

#[test]
fn other_failures_are_one_line() {
    for (answer, want) in [
        (ClientError::Refused, "error: cannot connect to unix:///x: Connection refused\n"),
        (ClientError::PermissionDenied, "error: cannot connect to unix:///x: Permission denied\n"),
        (
            ClientError::Http { status: 500, reason: "Oops".to_owned() },
            "error: unix:///x answered with HTTP status 500 Oops\n",
        ),
        (ClientError::TimedOut(Duration::from_secs(10)), "error: unix:///x gave no answer within 10 seconds\n"),
    ] {
        assert_eq!(Run::new().on("reloadConfig()", answer).run("reread"), (want.to_owned(), 1));
    }
    let mut run = Run::new().on("getVersion()", FaultCode::ShutdownState);
    assert_eq!(run.run("status"), ("error: <Fault 6: 'SHUTDOWN_STATE: detail'>\n".to_owned(), 1));
    let mut run = Run::new().checked().on("getPID()", "no number");
    assert!(run.run("pid").0.starts_with("error: unix:///x does not answer like supervisord: "));
}

#[test]
fn what_can_be_done_is_said_on_standard_error() {
    let mut run = Run::new().on("getVersion()", ClientError::NoSuchSocket);
    assert_eq!(run.run("version").0, "unix:///x no such file\n");
    let want = "Configuration file: none was found, so the defaults hold; name one with -c FILE\n\
                Server: unix:///x\nsupervisord: no process of this name is running\nTry: supervisord\n";
    assert_eq!(run.errors(), want);
    let mut run = Run::new().on("getVersion()", ClientError::Unauthorised);
    assert_eq!(run.run("version"), ("Server requires authentication\n".to_owned(), 1));
    assert!(run.errors().contains("\nTry: supervisorctl -u NAME -p PASSWORD, "), "{}", run.errors());
}

#[test]
fn the_shell_asks_who_asks_and_remembers() {
    let mut run = Run::interactive(&["me", "pw"])
        .on("getVersion()", ClientError::Unauthorised)
        .on("open unix:///x as me:pw", true)
        .checked()
        .on("getProcessInfo(x)", info("x", "x", Running, 3));
    assert_eq!(run.run("pid x").0, "Server requires authentication\nUsername:3\n");
    let mut run = run.checked().on("getPID()", 4);
    assert_eq!(run.run("pid").0, "4\n");
}

#[test]
fn wrong_credentials_are_forgotten_and_asked_for_again() {
    let mut run = Run::interactive(&["me", "bad", "me", "pw"])
        .on("getVersion()", ClientError::Unauthorised)
        .on("open unix:///x as me:bad", true)
        .on("getVersion()", ClientError::Unauthorised)
        .on("open unix:///x as me:pw", true)
        .checked()
        .on("getPID()", 4);
    let asked = "Server requires authentication\nUsername:";
    assert_eq!(run.run("pid"), (format!("{asked}{asked}4\n"), 0));
    let mut run = Run::interactive(&["me", "bad"])
        .on("getVersion()", ClientError::Unauthorised)
        .on("open unix:///x as me:bad", true)
        .on("getVersion()", ClientError::Unauthorised);
    assert_eq!(run.run("pid"), (format!("{asked}{asked}"), 1));
}

#[test]
fn nobody_answers_the_question() {
    let mut run = Run::interactive(&[]).on("getVersion()", ClientError::Unauthorised);
    assert_eq!(run.run("pid").0, "Server requires authentication\nUsername:");
}
