//! Result handlers of listeners that are widely used. They are Python modules, which cannot be loaded here.
//!
//! `supervisor_stdout:event_handler` (the package supervisor-stdout): its listener answers each PROCESS_LOG event with the
//! event itself, and the handler shows the output on the daemon's stdout, each line with whose it is. Many containers log so.

use supervisor_core::domain::spec::Pool;
use supervisor_core::listener::{Event, ResultHandler, Verdict};

/// Shows the output of programs.
pub(super) const STDOUT: &str = "supervisor_stdout:event_handler";

/// All that `result_handler` may name.
pub(super) const NAMES: [&str; 2] = [Pool::DEFAULT_RESULT_HANDLER, STDOUT];

/// Shows the output in a result by `show`. A result that is no such event costs the listener its place among the ready,
/// as an exception does in Supervisor 4.3.
pub(super) fn stdout(show: impl Fn(String) + Send + Sync) -> impl ResultHandler {
    move |_: &Event, result: &[u8]| {
        let text = String::from_utf8_lossy(result);
        show(shown(&text).ok_or("the result is no event of output")?);
        Ok(Verdict::Processed)
    }
}

/// The output that the payload of an event tells of: `NAME CHANNEL | LINE` for each line.
fn shown(payload: &str) -> Option<String> {
    let (head, data) = payload.split_once('\n')?;
    let value = |key: &str| head.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'));
    let prefix = format!("{} {} | ", value("processname")?, value("channel")?);
    Some(data.lines().map(|line| format!("{prefix}{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_shown_with_whose_it_is() {
        let head = "processname:web groupname:g pid:7 channel:stderr\n";
        for (data, want) in [
            ("one\ntwo\n", Some("web stderr | one\nweb stderr | two\n")),
            ("no newline", Some("web stderr | no newline\n")),
            ("a: b\r\n\n", Some("web stderr | a: b\nweb stderr | \n")),
            ("", Some("")),
        ] {
            assert_eq!(shown(&format!("{head}{data}")).as_deref(), want, "{data:?}");
        }
        for other in ["OK", "", "processname:web\nx", "channel:stdout\nx", "when:5\n"] {
            assert_eq!(shown(other), None, "{other:?}");
        }
    }
}
