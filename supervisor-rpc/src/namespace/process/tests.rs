//! Result arrays, and signals that are not sent.

use supervisor_core::domain::name::ProcessName;
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
    let stopped = info("g", "b", ProcessState::Stopped);
    assert_eq!(unsent(&stopped, &signal("0")), Err(RequestError::NotRunning(ProcessName::new("g", "b"))));
    assert_eq!(unsent(&stopped, &signal("NOPE")), Err(RequestError::BadSignal("NOPE".to_owned())));
    assert_eq!(unsent(&info("g", "a", ProcessState::Stopping), &signal("0")), Ok(()));
}

#[test]
fn events_carry_text() {
    let text = |value: Value| event_text(&Params(vec![value]), 0);
    assert_eq!(text("a\nb".into()), Ok("a\nb".to_owned()));
    assert_eq!(text(5.into()), Ok("5".to_owned()));
    assert_eq!(text(Value::Array(vec![])), Err(Fault::incorrect_parameters()));
}
