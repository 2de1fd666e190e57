//! Talks with a scripted supervisor, headers and payloads by table.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::io::BufReader;
use std::time::Duration;

use proptest::prelude::*;
use supervisor_core::domain::event_type::EventType;
use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::listener::Verdict;
use supervisor_core::process::Stream;

use super::*;

/// What a supervisor sends for an event.
fn sent(event_name: &str, payload: &str) -> String {
    let length = payload.chars().count();
    format!("ver:3.0 server:lab serial:7 pool:l poolserial:3 eventname:{event_name} len:{length}\n{payload}")
}

/// Hears everything that is sent; gives what was heard and what was written.
fn hear(input: &[u8], verdict: Verdict) -> (Vec<String>, String, Result<(), ProgramError>) {
    let (mut heard, mut output) = (Vec::new(), Vec::new());
    // A buffer of three bytes cuts everything everywhere.
    let result = Listener::new(BufReader::with_capacity(3, input), &mut output).run(|event| {
        heard.push(format!("{} {}", event.header.event_name, event.payload));
        verdict
    });
    (heard, String::from_utf8(output).unwrap(), result)
}

#[test]
fn a_talk_until_the_end() {
    let input = sent("REMOTE_COMMUNICATION", "type:t\nžluť 🦀") + &sent("SUPERVISOR_STATE_CHANGE_STOPPING", "");
    let heard = ["REMOTE_COMMUNICATION type:t\nžluť 🦀", "SUPERVISOR_STATE_CHANGE_STOPPING "];
    for (verdict, answer) in [(Verdict::Processed, "RESULT 2\nOK"), (Verdict::Rejected, "RESULT 4\nFAIL")] {
        let (all, written, result) = hear(input.as_bytes(), verdict);
        result.unwrap();
        assert_eq!(all, heard);
        assert_eq!(written, format!("READY\n{answer}READY\n{answer}READY\n"));
    }
}

#[test]
fn an_event_without_an_answer_is_rejected() {
    let input = sent("TICK_5", "when:5") + &sent("TICK_5", "when:10");
    let mut output = Vec::new();
    let mut listener = Listener::new(input.as_bytes(), &mut output);
    assert_eq!(listener.next_event().unwrap().unwrap().payload, "when:5");
    listener.next_event().unwrap().unwrap().result(b"more").unwrap();
    assert!(listener.next_event().unwrap().is_none());
    assert_eq!(output, b"READY\nRESULT 4\nFAILREADY\nRESULT 4\nmoreREADY\n");
}

#[test]
fn broken_input_is_an_error() {
    let long = "x".repeat(70_000);
    let table = [
        ("ver:3.0 ser", "the events ended in the middle of one"),
        (&sent("TICK_5", "when:5")[..70], "the events ended in the middle of one"),
        ("READY\n", "bad event header \"READY\": ver is missing"),
        (
            "ver:3.0 server:s serial:x pool:p poolserial:0 eventname:E len:0\n",
            "bad event header \"ver:3.0 server:s serial:x pool:p poolserial:0 eventname:E len:0\": serial is no number",
        ),
        (
            "ver:3.0 server:s serial:5 pool:p poolserial:0 eventname:E len:99999999999\n",
            "bad payload of E 5: it is too long",
        ),
        (&long, &format!("bad event header {:?}: it is too long", &long[..80])),
    ];
    for (input, error) in table {
        assert_eq!(hear(input.as_bytes(), Verdict::Processed).2.unwrap_err().to_string(), error);
    }
    let stray = [sent("E", "ab").trim_end_matches("ab").as_bytes(), b"\x80\x80\x80\xffx"].concat();
    let error = hear(&stray, Verdict::Processed).2.unwrap_err().to_string();
    assert_eq!(error, "bad payload of E 7: it is no UTF-8");
}

#[test]
fn headers() {
    let header =
        Header::parse("ver:3.0 server:my host serial:21 pool:l poolserial:10 eventname:TICK_5 len:6\n").unwrap();
    assert_eq!((header.version.as_str(), header.server.as_str(), header.pool.as_str()), ("3.0", "my host", "l"));
    assert_eq!((header.serial, header.pool_serial, header.length), (21, 10, 6));
    assert_eq!(header.event_type(), Some(EventType::Tick5));
    let header = Header::parse("len:6 eventname:NEW poolserial:1 pool:l serial:2 server:a:b ver:4.0 more:x").unwrap();
    assert_eq!((header.event_type(), header.server.as_str()), (None, "a:b"));
}

fn parsed(event_name: &str, payload: &str) -> Result<String, String> {
    let header = Header::parse(&sent(event_name, "")).unwrap();
    let event = Event { header, payload: payload.to_owned() };
    event.parse().map(|payload| format!("{payload:?}")).map_err(|error| error.to_string())
}

#[test]
fn payloads() {
    let name = || ProcessName::new("zoo", "cat");
    let state = |from, to| (name(), from, to);
    use ProcessState::{Backoff, Exited, Fatal, Running, Starting, Stopped};
    let change =
        |(name, from, to), tries, pid, expected| Payload::ProcessState { name, from, to, tries, pid, expected };
    let table = [
        ("PROCESS_STATE_STARTING", "from_state:STOPPED tries:0", change(state(Stopped, Starting), Some(0), None, None)),
        ("PROCESS_STATE_STOPPED", "from_state:BACKOFF pid:0", change(state(Backoff, Stopped), None, None, None)),
        (
            "PROCESS_STATE_EXITED",
            "from_state:RUNNING expected:0 pid:9",
            change(state(Running, Exited), None, Some(9), Some(false)),
        ),
        ("PROCESS_STATE_FATAL", "from_state:BACKOFF", change(state(Backoff, Fatal), None, None, None)),
        (
            "PROCESS_COMMUNICATION_STDERR",
            "pid:9\nto be\nor not",
            Payload::ProcessCommunication { name: name(), pid: 9, stream: Stream::Stderr, data: "to be\nor not" },
        ),
        (
            "PROCESS_LOG_STDOUT",
            "pid:9 channel:stdout\nout\n",
            Payload::ProcessLog { name: name(), pid: 9, stream: Stream::Stdout, data: "out\n" },
        ),
    ];
    for (event_name, rest, payload) in table {
        let text = format!("processname:cat groupname:zoo {rest}");
        assert_eq!(parsed(event_name, &text), Ok(format!("{payload:?}")));
    }
    let table = [
        ("REMOTE_COMMUNICATION", "type:my type\nx\n", Payload::RemoteCommunication { kind: "my type", data: "x\n" }),
        ("SUPERVISOR_STATE_CHANGE_RUNNING", "", Payload::SupervisorStateChange),
        ("TICK_5", "when:15", Payload::Tick { when: Duration::from_secs(15) }),
        ("PROCESS_GROUP_ADDED", "groupname:zoo\n", Payload::ProcessGroup { group: "zoo" }),
        ("NEW", "anything", Payload::Other("anything")),
    ];
    for (event_name, text, payload) in table {
        assert_eq!(parsed(event_name, text), Ok(format!("{payload:?}")));
    }
    let table = [
        ("TICK_5", "soon", "when is missing"),
        ("TICK_5", "when:soon", "when is no number"),
        ("PROCESS_STATE_FATAL", "processname:a groupname:a from_state:ODD", "unknown state ODD"),
        ("PROCESS_LOG_STDOUT", "processname:a groupname:a\n", "pid is missing"),
    ];
    for (event_name, text, reason) in table {
        assert_eq!(parsed(event_name, text), Err(format!("bad payload of {event_name} 7: {reason}")));
    }
}

#[test]
fn messages_cannot_contain_their_end() {
    let error = communicate(&mut Vec::new(), b"a<!--XSUPERVISOR:END-->b").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn identities() {
    let read = |all: &[(&str, &str)]| {
        Identity::read(|key| all.iter().find(|(known, _)| *known == key).map(|(_, value)| (*value).to_owned()))
    };
    assert_eq!(read(&[("SUPERVISOR_PROCESS_NAME", "cat")]), None);
    let mut all =
        vec![("SUPERVISOR_ENABLED", "1"), ("SUPERVISOR_PROCESS_NAME", "cat"), ("SUPERVISOR_GROUP_NAME", "zoo")];
    assert_eq!(read(&all), Some(Identity { name: ProcessName::new("zoo", "cat"), server_url: None }));
    all.push(("SUPERVISOR_SERVER_URL", "unix:///s"));
    assert_eq!(read(&all).unwrap().server_url.as_deref(), Some("unix:///s"));
}

proptest! {
    #[test]
    fn payloads_of_any_characters_are_read_whole(payloads in proptest::collection::vec("\\PC{0,12}", 0..5)) {
        let input: String = payloads.iter().map(|payload| sent("NEW", payload)).collect();
        let (heard, _, result) = hear(input.as_bytes(), Verdict::Processed);
        prop_assert!(result.is_ok());
        prop_assert_eq!(heard, payloads.iter().map(|payload| format!("NEW {payload}")).collect::<Vec<_>>());
    }

    #[test]
    fn no_input_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = hear(&[sent("NEW", "x").as_bytes(), &bytes].concat(), Verdict::Processed);
        let _ = hear(&bytes, Verdict::Processed);
    }
}
