//! Supervisors with real processes, through the public API only.
//!
//! Each test has a supervisor of its own; several run side by side in this program, as the crate promises. Nothing here
//! waits for a time: tests wait for states, files and ends of processes.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod definitions;
mod ending;
mod inside_listeners;
mod life;
mod listener_faults;
mod listeners;
mod output;
mod signals;
mod tasks;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_lite::future;
use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::process::ProcessInfo;
use supervisor_core::{Builder, Handle, Program, RunOutcome, Supervisor, Task};

/// Longer than anything here can take; only a defect reaches it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory of its own, and a supervisor in it.
struct Lab {
    directory: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A program of this shell script, RUNNING as soon as it is spawned, its stdout in `NAME.log`.
    fn program(&self, name: &str, script: &str) -> Program {
        let path = self.path(&format!("{name}.sh"));
        std::fs::write(&path, script).unwrap();
        Program::new(name, format!("/bin/sh {}", path.display()))
            .startsecs(0)
            .stdout_logfile(self.path(&format!("{name}.log")).display().to_string())
            .stderr_logfile("NONE")
    }

    /// Runs a supervisor round `test`, and ends it in order.
    fn run<F: Future<Output = ()>>(&self, builder: Builder, test: impl FnOnce(Handle) -> F) {
        let supervisor = builder.build().unwrap();
        let handle = supervisor.handle();
        async_io::block_on(async {
            let tested = async {
                let limit = async {
                    async_io::Timer::after(PATIENCE).await;
                    panic!("the test is stuck");
                };
                future::or(test(handle.clone()), limit).await;
                handle.shutdown().await.unwrap();
            };
            let (outcome, ()) = future::zip(supervisor.run(), tested).await;
            assert!(matches!(outcome.unwrap(), RunOutcome::Shutdown));
        });
    }
}

fn name(name: &str) -> ProcessName {
    ProcessName::new(name, name)
}

/// Waits until `check` gives something.
async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(Instant::now() < end, "never: {what}");
        async_io::Timer::after(Duration::from_millis(5)).await;
    }
}

async fn reaches(handle: &Handle, process: &str, state: ProcessState) -> ProcessInfo {
    eventually(&format!("{process} is {state}"), async || {
        let info = handle.process(&name(process)).await.unwrap();
        (info.state == state).then_some(info)
    })
    .await
}

async fn file_has(path: &Path, text: &str) -> String {
    eventually(&format!("{} has {text:?}", path.display()), async || {
        let found = std::fs::read_to_string(path).ok()?;
        found.contains(text).then_some(found)
    })
    .await
}

/// True as long as the process exists and is no zombie.
fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
}

fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

fn supervisor(programs: impl IntoIterator<Item = Program>) -> Builder {
    programs.into_iter().fold(Supervisor::builder(), Builder::program)
}
