//! Result arrays, and signals that are not sent.

use std::sync::Arc;

use supervisor_core::domain::spec;
use supervisor_core::domain::state::ProcessState;

use super::super::rendered;
use super::*;

fn info(group: &str, process: &str, state: ProcessState) -> ProcessInfo {
    let mut info = ProcessInfo::new(ProcessName::new(group, process));
    info.state = state;
    info
}

fn entry(name: &str, group: &str, status: i32, description: &str) -> Value {
    let members: [(&str, Value); 4] = [
        ("name", name.into()),
        ("group", group.into()),
        ("status", status.into()),
        ("description", description.into()),
    ];
    Value::Struct(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[test]
fn results_keep_their_order_and_say_what_happened() {
    let outcome = |process: &str, result| Outcome { name: ProcessName::new("g", process), result };
    let all = Outcomes(vec![
        outcome("missing", Err(RequestError::NoFile("can't find command '/no/such'".to_owned()))),
        outcome("ok", Ok(())),
        outcome("quick", Err(RequestError::SpawnError(ProcessName::new("g", "quick")))),
        Outcome { name: ProcessName::new("x", "x"), result: Err(RequestError::NotRunning(ProcessName::new("x", "x"))) },
    ]);
    let expected = vec![
        entry("missing", "g", 20, "NO_FILE: can't find command '/no/such'"),
        entry("ok", "g", 80, "OK"),
        entry("quick", "g", 50, "SPAWN_ERROR: g:quick"),
        entry("x", "x", 70, "NOT_RUNNING: x"),
    ];
    assert_eq!(rendered(&all), Value::Array(expected));
    assert_eq!(rendered(&Outcomes(vec![])), Value::Array(vec![]));
}

#[test]
fn a_signal_that_is_not_sent_is_told_to_those_that_could_get_it() {
    let signal = |value: &str| GivenSignal::from(&Params(vec![value.into()]), 0).expect("a text");
    let infos = [
        info("g", "a", ProcessState::Running),
        info("g", "b", ProcessState::Stopped),
        info("g", "c", ProcessState::Stopping),
        info("g", "d", ProcessState::Backoff),
    ];
    let bad = vec![entry("a", "g", 11, "BAD_SIGNAL: NOPE"), entry("c", "g", 11, "BAD_SIGNAL: NOPE")];
    assert_eq!(rendered(&Outcomes(refusals(&infos, &signal("NOPE")))), Value::Array(bad));
    let nothing = vec![entry("a", "g", 80, "OK"), entry("c", "g", 80, "OK")];
    assert_eq!(rendered(&Outcomes(refusals(&infos, &signal("0")))), Value::Array(nothing));
    assert_eq!(unsent(&infos[1], &signal("0")), Err(RequestError::NotRunning(ProcessName::new("g", "b"))));
    assert_eq!(unsent(&infos[1], &signal("NOPE")), Err(RequestError::BadSignal("NOPE".to_owned())));
}

#[test]
fn priorities_come_before_names() {
    let configured = |group: &str, of_group, process: &str, of_process| {
        let mut settings = spec::Process::new(process, "x");
        settings.priority = of_process;
        let mut info = ConfigInfo::new(group, Arc::new(settings));
        info.group_priority = of_group;
        info
    };
    let configured = [
        configured("a", 30, "a", 999),
        configured("g", 20, "p", 9),
        configured("g", 20, "q", 8),
        configured("z", 1, "z", 999),
    ];
    let running = ProcessState::Running;
    let mut infos = [
        info("a", "a", running),
        info("gone", "x", running),
        info("g", "p", running),
        info("g", "q", running),
        info("z", "z", running),
    ];
    sort_by_priority(&mut infos, &configured);
    assert_eq!(infos.map(|info| info.name.to_string()), ["z", "g:q", "g:p", "a", "gone:x"]);
}

#[test]
fn events_carry_text() {
    let text = |value: Value| event_text(&Params(vec![value]), 0);
    assert_eq!(text("a\nb".into()), Ok("a\nb".to_owned()));
    assert_eq!(text(5.into()), Ok("5".to_owned()));
    assert_eq!(text(Value::Array(vec![])), Err(Fault::incorrect_parameters()));
}
