//! Our daemon or the original in a lab, and what a run of a supervisorctl at it comes to.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::lab::{Lab, eventually, program};

/// The directory of the original's programs.
pub(super) fn original() -> Option<PathBuf> {
    let found = std::env::var_os("SUPERVISOR_ORIGINAL").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: SUPERVISOR_ORIGINAL is not set, so there is nothing to compare with");
    }
    found
}

pub(super) fn our_daemon() -> PathBuf {
    program("supervisord")
}

pub(super) fn our_ctl() -> PathBuf {
    program("supervisorctl")
}

/// Exit status, output, and the usage error.
pub(super) type Outcome = (Option<i32>, String, Option<String>);

/// How a supervisorctl reaches the daemon.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Access {
    pub(super) tcp: bool,
    /// The value of `password` in the sections of the servers; the user is `user`, the password itself `geh:eim`.
    pub(super) password: Option<&'static str>,
}

impl Lab {
    /// A lab in which this supervisord runs with these sections, and has settled.
    pub(super) fn of(supervisord: &Path, sections: &str, access: Access) -> Self {
        let mut lab = Self::on_port("");
        lab.supervisord = supervisord.to_owned();
        if access.tcp {
            lab.client = format!("serverurl={}\n", lab.tcp_url());
        }
        if let Some(password) = access.password {
            lab.server = format!("username=user\npassword={password}");
            lab.client += "username=user\npassword=geh:eim";
        }
        lab.configure(sections);
        lab.spawn(Stdio::null());
        lab.settle(1);
        lab
    }

    /// Where its socket is.
    pub(super) fn unix_url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Where its port is.
    pub(super) fn tcp_url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// Waits until the daemon has come up so many times, and has a state for every program and none on its way.
    pub(super) fn settle(&self, starts: usize) {
        eventually("it has settled", || {
            let status = self.says(&["status"]);
            let settled =
                status.contains("RUNNING") && !["STARTING", "BACKOFF"].iter().any(|state| status.contains(state));
            (settled && self.log().matches("supervisord started with pid").count() >= starts).then_some(())
        });
    }

    /// A supervisorctl with these words; one that begins with `-c` has no configuration file of the daemon's.
    pub(super) fn line(&self, program: &Path, line: &str) -> Command {
        let mut command = Command::new(program);
        if !line.starts_with("-c") {
            command.arg("-c").arg(self.path("conf"));
        }
        command.args(line.split_whitespace()).stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, program: &Path, line: &str) -> Output {
        self.line(program, line).output().unwrap()
    }

    /// What a run comes to, whatever the daemon's folder and pids are.
    pub(super) fn outcome(&self, program: &Path, line: &str) -> Outcome {
        let (status, lines, complaint) = comparable(&self.run(program, line));
        let lines = lines.replace(&self.folder.path().display().to_string(), "HERE");
        (status, lines.lines().map(without_pid).collect::<Vec<_>>().join("\n"), complaint)
    }
}

/// A document without pids, times and the random parts of AUTO logs.
fn comparable_document(document: &mut serde_json::Value) {
    use serde_json::Value;
    match document {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    "pid" | "started" | "stopped" | "now" if value.is_number() => *value = "N".into(),
                    "description" | "stdout_log" | "stderr_log" if value.is_string() => *value = "some text".into(),
                    _ => comparable_document(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(comparable_document),
        _ => {}
    }
}

/// The line with `N` in place of a pid, and `TIME` in place of a time.
fn without_pid(line: &str) -> String {
    if let Ok(mut document @ serde_json::Value::Object(_)) = serde_json::from_str(line) {
        comparable_document(&mut document);
        return document.to_string();
    }
    if let Some(state) = ["STOPPED   ", "EXITED    "].iter().find(|state| line.contains(**state))
        && !line.ends_with("Not started")
    {
        return format!("{}{state}TIME", line.split(state).next().unwrap_or_default());
    }
    match line.split_once("  pid ") {
        Some((before, _)) => format!("{before}  pid N"),
        None if line != "0" && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) => "N".to_owned(),
        None => line.to_owned(),
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What must be equal: the exit status, the output without times, help texts and the detail of unexpected errors, and on
/// standard error the usage error.
pub(super) fn comparable(output: &Output) -> Outcome {
    let mut lines: Vec<String> = Vec::new();
    for line in text(&output.stdout).lines() {
        let line = if line.starts_with('{') { line } else { line.split(", uptime").next().unwrap_or_default() };
        // Free wording follows, or stands in the line.
        let is_help = line.contains('\t') || line.starts_with("tail [-f]") || line.starts_with("Ex:");
        if !is_help {
            lines.push(if line.starts_with("error: ") { "error: ".to_owned() } else { line.trim_end().to_owned() });
        }
    }
    let complaint = text(&output.stderr).lines().find(|line| line.starts_with("Error: ")).map(str::to_owned);
    (output.status.code(), lines.join("\n").trim_end().to_owned(), complaint)
}
