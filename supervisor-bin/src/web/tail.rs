//! The pages of logs: the end of a process's log with what is known of the process, and the end of the activity log.
//!
//! Problems are told in place of the log, with status 200 (Supervisor 4.3: tail.html).

use askama::Template;
use supervisor_core::RequestError;
use supervisor_core::domain::name::{Namespec, ProcessName};
use supervisor_core::process::{StateRecord, Stream};
use supervisor_rpc::namespace::fault;
use tide::StatusCode;

use super::answer::page;
use super::assets;
use super::moment;
use super::row::Row;
use super::site::{Frame, Visit};

/// The least that is shown of a log, in bytes; also the default.
const LEAST: i64 = 1024;

/// The most that is shown of a log, in bytes.
const MOST: i64 = 4 << 20;

/// One change of state, in words.
struct Change {
    when: String,
    from: &'static str,
    to: &'static str,
    pid: String,
    reason: String,
}

impl Change {
    fn new(record: &StateRecord) -> Self {
        Self {
            when: moment::exact(record.when),
            from: record.from.name(),
            to: record.to.name(),
            pid: record.pid.map(|pid| pid.to_string()).unwrap_or_default(),
            reason: record.reason.clone(),
        }
    }
}

#[derive(Template)]
#[template(path = "tail.html")]
struct Tail {
    frame: Frame,
    /// As it was asked for; empty for the activity log.
    name: String,
    channel: &'static str,
    limit: i64,
    /// The end of the log, or what is wrong.
    log: Result<String, String>,
    row: Option<Row>,
    changes: Vec<Change>,
}

impl Tail {
    fn title(&self) -> String {
        match (self.name.as_str(), self.channel) {
            ("", _) => "Main log".to_owned(),
            (name, "stdout") => name.to_owned(),
            (name, channel) => format!("{name} {channel}"),
        }
    }

    /// The page's own address, with this channel and so many times the limit.
    fn place(&self, channel: &str, times: i64) -> String {
        let limit = self.limit.saturating_mul(times).min(MOST);
        let name = super::parameters::encoded(&self.name);
        match (self.name.as_str(), channel) {
            ("", _) => format!("mainlog.html?limit={limit}"),
            (_, "stdout") => format!("tail.html?processname={name}&limit={limit}"),
            (_, channel) => format!("tail.html?processname={name}&limit={limit}&channel={channel}"),
        }
    }
}

fn limit(visit: &Visit) -> i64 {
    let given = visit.parameters.get("limit").and_then(|limit| limit.trim().parse().ok());
    given.unwrap_or(LEAST).clamp(LEAST, MOST)
}

/// `/tail.html?processname=NAME&limit=N&channel=stdout`.
pub(super) async fn process(visit: Visit) -> tide::Result {
    let handle = &visit.site.handle;
    let limit = limit(&visit);
    let name = visit.parameters.get("processname").unwrap_or_default().to_owned();
    let (stream, channel) = match visit.parameters.get("channel") {
        Some("stderr") => (Stream::Stderr, "stderr"),
        _ => (Stream::Stdout, "stdout"),
    };
    let mut tail =
        Tail { frame: visit.frame(), name, channel, limit, log: Ok(String::new()), row: None, changes: Vec::new() };
    let spec = Namespec::parse(&tail.name);
    tail.log = if tail.name.is_empty() {
        "No process name found".clone_into(&mut tail.name);
        Err("No process name found".to_owned())
    } else {
        let read = handle.read_log(&spec, stream, -limit, 0).await;
        read.map(text).map_err(|error| problem(&error, &tail.name))
    };
    if let Namespec { group, process: Some(process) } = spec {
        let name = ProcessName { group, process };
        tail.row = handle.process(&name).await.ok().as_ref().map(Row::new);
        let history = handle.history(&name).await.unwrap_or_default();
        tail.changes = history.iter().rev().map(Change::new).collect();
    }
    page(StatusCode::Ok, &tail)
}

/// `/mainlog.html?limit=N`.
pub(super) async fn activity(visit: Visit) -> tide::Result {
    let limit = limit(&visit);
    let read = visit.site.handle.read_activity_log(-limit, 0).await;
    let log = read.map(text).map_err(|error| problem(&error, "supervisord"));
    let (frame, name) = (visit.frame(), String::new());
    page(StatusCode::Ok, &Tail { frame, name, channel: "stdout", limit, log, row: None, changes: Vec::new() })
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn problem(error: &RequestError, name: &str) -> String {
    match error {
        RequestError::NoFile(_) => format!("No file for {name}"),
        other => format!("ERROR: unexpected rpc fault {}", fault(other, Some(name))),
    }
}
