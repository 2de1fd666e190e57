//! What a listener writes and what comes of it, whole and in pieces.

use proptest::prelude::*;

use super::*;

/// A listener with the events it is sent and the words for all that comes of it.
struct Talk {
    protocol: Protocol,
    said: Vec<String>,
}

impl Talk {
    fn new() -> Self {
        Self { protocol: Protocol::new(), said: Vec::new() }
    }

    fn take(&mut self, steps: Vec<Step>) {
        for step in steps {
            match &step {
                Step::Changed(transition) => self.said.push(transition.to_string()),
                Step::BadResultLine(line) => self.said.push(format!("bad {line}")),
                Step::GiveBack => self.said.push("give back".into()),
                Step::Result(result) => {
                    let handled = if result == b"BOOM" { Handled::Failed } else { default_handler(result) };
                    self.said.push(format!("{handled:?} {}", String::from_utf8_lossy(result)));
                    let more = self.protocol.handled(handled);
                    self.take(more);
                }
            }
        }
    }

    /// Reads in pieces of this size; with `send`, an event is sent whenever the listener is ready.
    fn read(&mut self, bytes: &[u8], size: usize, send: bool) {
        for piece in bytes.chunks(size) {
            let steps = self.protocol.feed(piece);
            self.take(steps);
            if send && self.protocol.sent() {
                self.said.push("sent".into());
            }
        }
    }
}

const TO_READY: &str = "ACKNOWLEDGED -> READY";

/// All that comes of these bytes from a new listener, or from one that has just been sent an event.
fn talk(busy: bool, bytes: &[u8], size: usize) -> Vec<String> {
    let mut talk = Talk::new();
    if busy {
        talk.read(READY, READY.len(), true);
        talk.said.clear();
    }
    talk.read(bytes, size, false);
    talk.said
}

#[test]
fn what_a_new_listener_writes() {
    let table: &[(&[u8], &[&str])] = &[
        (b"", &[]),
        (b"READY", &[]),
        (b"READY\n", &[TO_READY]),
        (b"hello", &[]),
        (b"hello world\n", &["ACKNOWLEDGED -> UNKNOWN"]),
        (b"READY\nREADY\n", &[TO_READY, "READY -> UNKNOWN"]),
        (b"ready\nREADY\n", &["ACKNOWLEDGED -> UNKNOWN"]),
    ];
    for (bytes, said) in table {
        for size in [1, 3, 100] {
            assert_eq!(talk(false, bytes, size), *said, "{:?}", text_of(bytes));
        }
    }
}

#[test]
fn what_a_busy_listener_writes() {
    const DONE: &str = "BUSY -> ACKNOWLEDGED";
    const LOST: &str = "BUSY -> UNKNOWN";
    const BACK: &str = "give back";
    let table: &[(&[u8], &[&str])] = &[
        (b"RESULT 2\nOK", &["Processed OK", DONE]),
        (b"RESULT 2\nOKREADY\n", &["Processed OK", DONE, TO_READY]),
        (b"RESULT 2\nOKnonsense", &["Processed OK", DONE, "ACKNOWLEDGED -> UNKNOWN"]),
        (b"RESULT 4\nFAIL", &["Rejected FAIL", DONE, BACK]),
        (b"RESULT 3\nOK\nREADY\n", &["Rejected OK\n", DONE, BACK, TO_READY]),
        (b"RESULT 4\nBOOMREADY\n", &["Failed BOOM", LOST, BACK]),
        (b"RESULT 0\n", &["Rejected ", DONE, BACK]),
        (b"RESULT 0\nREADY\n", &["Rejected ", DONE, BACK, TO_READY]),
        (b"RESULT +2 \r\nOK", &["Processed OK", DONE]),
        (b"RESULT 3\nOK", &[]),
        (b"RESULT", &[]),
        (b"RESULT OK\nREADY\n", &["bad RESULT OK", LOST, BACK]),
        (b"RESULT \n", &["bad RESULT ", LOST, BACK]),
        (b"\n", &["bad ", LOST, BACK]),
        (b"RESULT -1\n", &["bad RESULT -1", LOST, BACK]),
        (b"1234567 2\nOK", &["bad 1234567 2", LOST, BACK]),
        (b"RESULT 99999999999999999999999\n", &["bad RESULT 99999999999999999999999", LOST, BACK]),
        (b"RESULT 1048577\n", &["bad RESULT 1048577", LOST, BACK]),
        (b"bad \xff\n", &["bad Undecodable: b'bad \\xff'", LOST, BACK]),
    ];
    for (bytes, said) in table {
        for size in [1, 3, 100] {
            assert_eq!(talk(true, bytes, size), *said, "{:?} by {size}", text_of(bytes));
        }
    }
}

#[test]
fn limits_hold() {
    let longest = [RESULT, &[b' '; MAX_RESULT_LINE - 8], b"2\nOK"].concat();
    assert_eq!(talk(true, &longest, 4096), ["Processed OK", "BUSY -> ACKNOWLEDGED"]);

    let endless = vec![b'x'; MAX_RESULT_LINE + 1];
    assert_eq!(talk(true, &endless[1..], 4096), [""; 0]);
    let told = format!("bad {}...", "x".repeat(MAX_TOLD));
    assert_eq!(talk(true, &endless, 4096), [told.as_str(), "BUSY -> UNKNOWN", "give back"]);

    let mut flood = Talk::new();
    flood.read(b"READY\n", 6, true);
    flood.read(format!("RESULT {MAX_RESULT}\n").as_bytes(), 100, false);
    for _ in 0..MAX_RESULT / 4096 + 20 {
        flood.read(&[b'y'; 4096], 4096, false);
        assert!(flood.protocol.buffer.capacity() <= 2 * MAX_RESULT);
    }
    assert_eq!(flood.protocol.state(), ListenerState::Unknown);
    assert_eq!(flood.protocol.buffer.capacity(), 0);
}

#[test]
fn output_waits_while_a_result_is_handled() {
    let mut protocol = Protocol::new();
    protocol.feed(READY);
    assert!(protocol.sent());
    assert_eq!(protocol.feed(b"RESULT 2\nOKREA"), [Step::Result(b"OK".to_vec())]);
    assert_eq!(protocol.feed(b"DY\n"), []);
    let change = |from, to| Step::Changed(Transition { from, to });
    use ListenerState::{Acknowledged, Busy, Ready, Unknown};
    assert_eq!(protocol.handled(Handled::Processed), [change(Busy, Acknowledged), change(Acknowledged, Ready)]);
    assert_eq!(protocol.handled(Handled::Rejected), [], "nothing is being handled");

    // A flood meanwhile ends the trust, but the result that was whole still counts.
    assert!(protocol.sent());
    protocol.feed(b"RESULT 2\nOK");
    let steps: Vec<_> = (0..=MAX_WAITING / 4096).flat_map(|_| protocol.feed(&[b'z'; 4096])).collect();
    assert_eq!(steps, [change(Busy, Unknown)]);
    assert_eq!(protocol.handled(Handled::Processed), []);
    assert_eq!(protocol.state(), Unknown);
}

#[test]
fn only_a_ready_listener_is_sent_something() {
    let mut protocol = Protocol::new();
    assert!(!protocol.sent());
    protocol.feed(READY);
    assert!(protocol.sent() && !protocol.sent());
}

#[test]
fn lines_of_the_log() {
    let mut lines = Vec::new();
    let mut write = |level: Level, text: fmt::Arguments<'_>| lines.push(format!("{} {text}", level.word()));
    Handled::Processed.narrate("l", &mut write);
    Handled::Rejected.narrate("l", &mut write);
    Handled::Failed.narrate("l", &mut write);
    Step::BadResultLine("RESULT OK".into()).narrate("l", &mut write);
    use ListenerState::{Acknowledged, Busy, Ready, Unknown};
    Step::Changed(Transition { from: Acknowledged, to: Ready }).narrate("l", &mut write);
    Step::Changed(Transition { from: Busy, to: Unknown }).narrate("l", &mut write);
    assert_eq!(
        lines,
        [
            "DEBG l: event was processed",
            "WARN l: event was rejected",
            "WARN l: event caused an error",
            "WARN l: bad result line: 'RESULT OK'",
            "DEBG l: ACKNOWLEDGED -> READY",
            "DEBG l: BUSY -> UNKNOWN",
            "WARN l: has entered the UNKNOWN state and will no longer receive events, this usually indicates the process \
             violated the eventlistener protocol",
        ]
    );
}

proptest! {
    #[test]
    fn the_cut_does_not_matter(busy: bool, text in "(READY\n|RESULT |[0-3]|\n|OK|FAIL|BOOM|x){0,12}", size in 1..9usize) {
        let bytes = text.as_bytes();
        prop_assert_eq!(talk(busy, bytes, bytes.len().max(1)), talk(busy, bytes, size));
    }

    #[test]
    fn an_event_is_done_or_given_back_once(text in "(READY\n|RESULT 2\nOK|RESULT 1\nx|RESULT |[0-3]|\n|OK){0,30}", size in 1..9usize) {
        let mut talk = Talk::new();
        talk.read(text.as_bytes(), size, true);
        let count = |what: &str| talk.said.iter().filter(|said| said.starts_with(what)).count();
        let owed = usize::from(talk.protocol.state() == ListenerState::Busy);
        prop_assert_eq!(count("sent"), count("Processed") + count("give back") + owed);
    }
}
