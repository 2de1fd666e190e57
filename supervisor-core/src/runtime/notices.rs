//! One arm for each notice. Notices of an earlier run of a process, or of one that was removed, are known and dropped.

use crate::domain::exit::ExitStatus;
use crate::domain::level::Level;
use crate::domain::moment::Moment;
use crate::domain::name::ProcessName;
use crate::event::occurrence::{Occurrence, Output};
use crate::machine::process::Input;
use crate::offload;
use crate::process::Stream;
use crate::runtime::engine::{Engine, Entry};
use crate::runtime::launch::Launched;
use crate::runtime::message::{Notice, ProcessKey, Run};
use crate::runtime::narrate;
use crate::runtime::output::OutputNotice;
use crate::runtime::spawn::SpawnError;

impl Engine {
    /// Takes a notice.
    pub(crate) fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Launched { key, run, result, at } => self.launched(key, run, result, at),
            Notice::Exited { key, run, status, at, held_up, socket } => {
                held_up.into_iter().for_each(|(stream, bytes)| self.output_held_up(key, stream, bytes));
                self.exited(key, run, status, at);
                // Closing the last share removes a file, which may block.
                if let Some(socket) = socket {
                    self.executor.spawn(offload::unblock(move || drop(socket))).detach();
                }
            }
            Notice::Output { key, run, pid, stream, notice } => self.output(key, run, pid, stream, notice),
            Notice::Checked { ticket, wait, results } => self.checked(ticket, wait, results),
            Notice::Prepared { group, result, reply } => self.prepared(group, result, &reply),
            Notice::Reloaded { result, then } => self.reloaded(result, then),
            Notice::Cleared { ticket, key, result } => self.cleared(ticket, key, result),
            Notice::ListenerHasRead { key } => self.listener_changed(key),
            Notice::Heard { pool, verdict } => self.heard(pool, verdict),
            Notice::LeftoverEnded(record) => self.leftover_ended(&record),
            Notice::Reaped { pid, status } => self.log(Level::Info, || format!("reaped unknown pid {pid} ({status})")),
        }
    }

    /// The entry, if the notice is about its present run.
    fn present(&mut self, key: ProcessKey, run: Run) -> Option<&mut Entry> {
        self.processes.get_mut(&key).map(|entry| &mut **entry).filter(|entry| entry.run == run)
    }

    fn launched(&mut self, key: ProcessKey, run: Run, result: Result<Launched, SpawnError>, at: Moment) {
        let Some(entry) = self.present(key, run) else { return };
        match result {
            Ok(launched) => {
                let pid = launched.pid;
                entry.sinks = launched.sinks.clone();
                entry.live = Some(launched);
                self.listener_started(key);
                self.step(key, Input::Spawned { pid, at });
                self.settle_spawned(key);
            }
            Err(error) => self.step(key, Input::SpawnFailed { why: error.to_string() }),
        }
    }

    /// A process has ended, and output of it has not been written.
    fn output_held_up(&self, key: ProcessKey, stream: Stream, bytes: u64) {
        let Some(entry) = self.processes.get(&key) else { return };
        let log = match stream {
            Stream::Stdout => &entry.logs.stdout,
            Stream::Stderr => &entry.logs.stderr,
        };
        if let Some(log) = log {
            let text = narrate::output_held_up(&entry.name, stream, log, bytes);
            self.log(Level::Warn, || text);
        }
    }

    fn exited(&mut self, key: ProcessKey, run: Run, status: ExitStatus, at: Moment) {
        let Some(entry) = self.present(key, run) else { return };
        entry.live = None;
        self.step(key, Input::Exited { status, at });
    }

    /// Output is output, also when it comes late because a disk hung; but only the present run of a listener is heard.
    fn output(&mut self, key: ProcessKey, run: Run, pid: u32, stream: Stream, notice: OutputNotice) {
        let entry = self.processes.get(&key);
        let output = |data| entry.map(|entry| Output { name: ProcessName::clone(&entry.name), pid, stream, data });
        match notice {
            OutputNotice::Log(data) => {
                let output = output(data);
                self.publish_output(output);
            }
            OutputNotice::Communication(data) => {
                if let Some(output) = output(data) {
                    self.publish(&Occurrence::Communication(output));
                }
            }
            OutputNotice::Listener(bytes) => {
                if entry.is_some_and(|entry| entry.run == run) {
                    self.listener_said(key, &bytes);
                }
            }
        }
    }
}
