//! One conversation with one run of a plugin: questions out, answers in, matched by their numbers.
//!
//! Everything is bounded: the length of a line, the number of open questions, the time for an answer. What answers mean is
//! decided elsewhere.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_io::{Async, Timer};
use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, future};
use supervisor_core::Pipes;

use super::protocol::{self, Answered, Ask};

/// The longest line that is read, in bytes.
pub(super) const MAX_LINE: usize = 1 << 20;

/// How many questions may be open at once.
pub(super) const MAX_OPEN: usize = 256;

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("is not running")]
    Gone,
    #[error("has too many calls to answer")]
    Busy,
    #[error("gives no answer in time")]
    Late,
}

type Open = Mutex<HashMap<u64, Sender<Answered>>>;

/// See the module.
pub(super) struct Connection {
    questions: Sender<Vec<u8>>,
    open: Arc<Open>,
    next: AtomicU64,
}

/// The other half, which does the reading and writing.
pub(super) struct Driver {
    stdin: Async<File>,
    stdout: Async<File>,
    questions: Receiver<Vec<u8>>,
    open: Arc<Open>,
}

fn lock(open: &Open) -> MutexGuard<'_, HashMap<u64, Sender<Answered>>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets a question when nobody waits for its answer any more.
struct Asked<'a> {
    open: &'a Open,
    id: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        lock(self.open).remove(&self.id);
    }
}

impl Connection {
    /// Begins a conversation; nothing happens until the driver is run.
    ///
    /// # Errors
    /// What the system says of the pipes.
    pub(super) fn open(pipes: Pipes) -> io::Result<(Self, Driver)> {
        let (Some(stdin), Some(stdout)) = (pipes.stdin, pipes.stdout) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (stdin, stdout) = (Async::new(File::from(stdin))?, Async::new(File::from(stdout))?);
        let (sender, questions) = async_channel::bounded(MAX_OPEN);
        let open = Arc::<Open>::default();
        let driver = Driver { stdin, stdout, questions, open: Arc::clone(&open) };
        Ok((Self { questions: sender, open, next: AtomicU64::new(1) }, driver))
    }

    /// Asks, and waits for the answer no longer than `limit`.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub(super) async fn ask(&self, ask: &Ask<'_>, limit: Duration) -> Result<Answered, NoAnswer> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = async_channel::bounded(1);
        let _asked = {
            let mut open = lock(&self.open);
            if open.len() >= MAX_OPEN {
                return Err(NoAnswer::Busy);
            }
            open.insert(id, reply);
            Asked { open: &self.open, id }
        };
        // The driver may have ended, and its open questions with it, before this one was put down.
        self.questions.try_send(protocol::question(id, ask)).map_err(|error| match error.is_full() {
            true => NoAnswer::Busy,
            false => NoAnswer::Gone,
        })?;
        let answered = async { answer.recv().await.map_err(|_| NoAnswer::Gone) };
        let late = async {
            Timer::after(limit).await;
            Err(NoAnswer::Late)
        };
        future::or(answered, late).await
    }
}

impl Driver {
    /// Reads and writes until the plugin closes its end or says what makes no sense; the text says what.
    pub(super) async fn run(self) -> Option<String> {
        let Self { mut stdin, stdout, questions, open } = self;
        let write = async {
            while let Ok(line) = questions.recv().await {
                if stdin.write_all(&line).await.is_err() {
                    // It does not listen any more; it may still have something to say.
                    break;
                }
            }
            future::pending().await
        };
        let read = async {
            let mut lines = BufReader::new(stdout);
            let mut line = Vec::new();
            loop {
                line.clear();
                let limit = MAX_LINE as u64 + 1;
                let Ok(count) = (&mut lines).take(limit).read_until(b'\n', &mut line).await else { return None };
                if count == 0 {
                    return None;
                }
                if count > MAX_LINE {
                    return Some(format!("a line of more than {MAX_LINE} bytes"));
                }
                match protocol::answer(&line) {
                    Ok(Some((id, answered))) => {
                        // An answer that comes too late finds nobody.
                        if let Some(reply) = lock(&open).remove(&id) {
                            let _ = reply.try_send(answered);
                        }
                    }
                    Ok(None) => {}
                    Err(nonsense) => return Some(nonsense.to_string()),
                }
            }
        };
        let why = future::or(read, write).await;
        questions.close();
        lock(&open).clear();
        why
    }
}
