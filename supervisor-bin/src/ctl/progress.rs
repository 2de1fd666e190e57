//! What a person at a terminal sees while many programs start or stop: one line that is written over, on standard error.
//!
//! Nothing of it goes into a file or a pipe. A call for many answers when all is done, so the states are asked for beside
//! it, a few times a second, and only while somebody watches.

use std::io::Write as _;
use std::time::Duration;

use async_io::Timer;
use futures_lite::future;
use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::rpc::{Fault, FromValue, Value};
use supervisor_rpc::client::ProcessInfo;

use super::connection::Rpc;
use super::session::{Failure, Session, Streams, answered, wait};

/// What is done sooner needs no line.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// How often the line changes.
const NEXT_LOOK: Duration = Duration::from_millis(500);

/// Goes to the beginning of the line and clears it (ECMA-48: EL).
const CLEAR: &str = "\r\x1b[K";

/// The width of a terminal that does not say.
const USUAL_WIDTH: usize = 80;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// That everything runs.
    Start,
    /// That nothing runs.
    Stop,
}

/// The processes that are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope<'a> {
    /// All.
    All,
    /// Those of a group.
    Group(&'a str),
    /// One.
    One(&'a ProcessName),
}

impl Scope<'_> {
    fn holds(self, name: &ProcessName) -> bool {
        match self {
            Self::All => true,
            Self::Group(group) => name.group == group,
            Self::One(one) => name == one,
        }
    }
}

/// The same as [`Session::ask`], with a line about what is waited for where a person sees it.
pub(super) fn ask<T: FromValue>(
    session: &mut Session,
    method: &str,
    params: Vec<Value>,
    goal: Goal,
    scope: Scope<'_>,
) -> Result<Result<T, Fault>, Failure> {
    if !session.look.progress || session.is_reporting() {
        return session.ask(method, params);
    }
    session.show();
    let (server, interrupts, Streams { errors, .. }) = session.parts()?;
    let full_name = format!("supervisor.{method}");
    let mut shown = false;
    let watch = async {
        Timer::after(FIRST_LOOK).await;
        while let Some(line) = look(server, goal, scope).await {
            shown = true;
            // What cannot be shown is no reason to stop waiting.
            let _ = write!(errors, "{CLEAR}{line}").and_then(|()| errors.flush());
            Timer::after(NEXT_LOOK).await;
        }
        future::pending().await
    };
    let answer = wait(interrupts, future::or(server.call(&full_name, params), watch));
    if shown {
        let _ = write!(errors, "{CLEAR}").and_then(|()| errors.flush());
    }
    answered(answer?, method)
}

/// The line of this moment; `None` if the server does not tell.
async fn look(server: &dyn Rpc, goal: Goal, scope: Scope<'_>) -> Option<String> {
    let answer = server.call("supervisor.getAllProcessInfo", vec![]).await.ok()?;
    let processes: Vec<ProcessInfo> = FromValue::from_value(&answer)?;
    let states: Vec<_> = processes.iter().filter(|process| scope.holds(&process.name)).collect();
    Some(line(&states, goal, width().saturating_sub(1)))
}

fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(USUAL_WIDTH)
}

/// How many are where they shall be, and which are on their way.
fn line(processes: &[&ProcessInfo], goal: Goal, width: usize) -> String {
    let reached = |process: &ProcessInfo| match goal {
        Goal::Start => process.state == ProcessState::Running,
        Goal::Stop => process.state.is_stopped(),
    };
    let on_its_way = |process: &ProcessInfo| match goal {
        Goal::Start => matches!(process.state, ProcessState::Starting | ProcessState::Backoff),
        Goal::Stop => !process.state.is_stopped(),
    };
    let count = processes.iter().filter(|process| reached(process)).count();
    let awaited: Vec<String> =
        processes.iter().filter(|process| on_its_way(process)).map(|process| process.name.to_string()).collect();
    let (all, word) = (processes.len(), if goal == Goal::Start { "running" } else { "stopped" });
    let mut text = format!("{count} of {all} {word}");
    if !awaited.is_empty() {
        text += &format!(", waiting for {}", awaited.join(", "));
    }
    // A name is any text; the line must stay one.
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use supervisor_core::domain::state::ProcessState::{Backoff, Exited, Running, Starting, Stopped, Stopping};

    use super::super::testing::process;
    use super::*;

    #[test]
    fn who_is_awaited_is_named() {
        let mixed = [("a", Running), ("b", Starting), ("c", Backoff), ("d", Stopped), ("e", Stopping), ("f", Exited)];
        let processes: Vec<ProcessInfo> = mixed.iter().map(|(name, state)| process(name, name, *state)).collect();
        let all: Vec<&ProcessInfo> = processes.iter().collect();
        assert_eq!(line(&all, Goal::Start, 80), "1 of 6 running, waiting for b, c");
        assert_eq!(line(&all, Goal::Stop, 80), "2 of 6 stopped, waiting for a, b, c, e");
        assert_eq!(line(&all, Goal::Start, 20), "1 of 6 running, wai…");
        assert_eq!(line(&all[..1], Goal::Start, 80), "1 of 1 running");
    }

    #[test]
    fn a_scope_is_all_or_a_group_or_one() {
        let name = ProcessName::new("g", "a");
        assert!(Scope::All.holds(&name) && Scope::Group("g").holds(&name) && Scope::One(&name).holds(&name));
        assert!(!Scope::Group("a").holds(&name) && !Scope::One(&ProcessName::new("g", "b")).holds(&name));
    }
}
