//! The sentences of the activity log about processes, word for word as people search for them
//! (Supervisor 4.3: activity log).
//!
//! Decides words and levels, not occasions.

use std::path::Path;

use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::machine::process::Narration;
use crate::process::Stream;

/// The level and the sentence of a narration about the process of this (bare) name.
pub(crate) fn process(name: &str, narration: &Narration) -> (Level, String) {
    match narration {
        Narration::Spawned { pid: Some(pid) } => (Level::Info, format!("spawned: '{name}' with pid {pid}")),
        Narration::Spawned { pid: None } => (Level::Info, format!("spawned: '{name}' as a task")),
        Narration::SpawnError { why } => (Level::Info, format!("spawnerr: {why}")),
        Narration::Succeeded { startsecs } => (
            Level::Info,
            format!(
                "success: {name} entered RUNNING state, process has stayed up for > than {startsecs} seconds (startsecs)"
            ),
        ),
        Narration::GaveUp => {
            (Level::Info, format!("gave up: {name} entered FATAL state, too many start retries too quickly"))
        }
        Narration::ExitedTooQuickly { status } => (Level::Warn, format!("exited: {name} ({status}; not expected)")),
        Narration::Exited { status, expected: true } => (Level::Info, format!("exited: {name} ({status}; expected)")),
        Narration::Exited { status, expected: false } => {
            (Level::Warn, format!("exited: {name} ({status}; not expected)"))
        }
        Narration::Stopped { status, expected } => {
            (if *expected { Level::Info } else { Level::Warn }, format!("stopped: {name} ({status})"))
        }
        Narration::StopInBackoff => (Level::Debug, format!("Attempted to kill {name}, which is in BACKOFF state.")),
        Narration::CalledOff => {
            (Level::Info, format!("called off: {name} is not started, a leftover of it was still being stopped"))
        }
        Narration::Stopping { pid, signal, whole_group } => {
            let group = if *whole_group { "process group " } else { "" };
            (Level::Debug, format!("killing {name} ({}) {group}with signal {signal}", with_pid(*pid)))
        }
        Narration::Killing { pid } => (Level::Warn, format!("killing '{name}' ({}) with SIGKILL", bare(*pid))),
        Narration::AlreadyRunning => (Level::Warn, format!("process '{name}' already running")),
        Narration::RestartPaced => {
            (Level::Info, format!("{name} ended within a second of its start: it is restarted at most once a second"))
        }
        Narration::KillFailed { pid, why } => {
            (Level::Critical, format!("unknown problem killing {name} ({}):{why}", bare(*pid)))
        }
        Narration::SignalFailed { pid, why } => {
            (Level::Critical, format!("unknown problem sending sig {name} ({}):{why}", bare(*pid)))
        }
    }
}

fn with_pid(pid: Option<u32>) -> String {
    pid.map_or_else(|| "task".to_owned(), |pid| format!("pid {pid}"))
}

fn bare(pid: Option<u32>) -> String {
    pid.map_or_else(|| "task".to_owned(), |pid| pid.to_string())
}

/// A stop is being waited for by whoever asked.
pub(crate) fn waiting_to_stop(name: &str) -> String {
    format!("waiting for {name} to stop")
}

/// A shutdown is waiting for these.
pub(crate) fn waiting_to_die(names: &[&str]) -> String {
    format!("waiting for {} to die", names.join(", "))
}

/// The process was gone before the stop signal reached it.
pub(crate) fn gone_while_killing(name: &str, pid: Option<u32>, why: &str) -> String {
    format!("unable to signal {name} ({}), it probably just exited on its own: {why}", with_pid(pid))
}

/// The process was gone before a requested signal reached it.
pub(crate) fn gone_while_signalling(name: &str, pid: Option<u32>, why: &str) -> String {
    format!("unable to signal {name} ({}), it probably just now exited on its own: {why}", with_pid(pid))
}

/// A signal is sent by request.
pub(crate) fn sending(name: &str, pid: Option<u32>, signal: &str) -> String {
    format!("sending {name} ({}) sig {signal}", with_pid(pid))
}

/// A process has ended before its log took everything that it wrote.
pub(crate) fn output_held_up(name: &ProcessName, stream: Stream, log: &Path, bytes: u64) -> String {
    let (stream, log) = (stream.name(), log.display());
    format!(
        "'{name}' {stream} log '{log}' does not answer, {bytes} bytes are lost unless it does before supervisord ends"
    )
}
