//! Strangers' ends: as PID 1 or a subreaper, processes that are not ours become our children and must be reaped.
//!
//! async-process waits for its own children and must not lose a status, so a zombie is first looked at and only taken if
//! nobody knows it. Nothing is polled: whoever looks waits for SIGCHLD, for a start to be over, or for a known child to
//! be gone. Without need (neither PID 1 nor subreaper, and no children from before our exec) none of this should be used.
#![expect(unsafe_code, reason = "waitid without reaping has no safe wrapper that tells the pid")]

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_channel::{Receiver, Sender};
use async_signal::{Signal, Signals};
use futures_lite::{FutureExt, StreamExt};

use super::process::wait;
use crate::domain::exit::ExitStatus;

/// True if processes that lose their parent become our children.
pub fn adopts_orphans() -> bool {
    if std::process::id() == 1 {
        return true;
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let mut flag: libc::c_int = 0;
        // SAFETY: the call writes one integer through the pointer, which is to a live one.
        let status = unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut flag) };
        status == 0 && flag != 0
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    false
}

/// Which children have somebody who waits for them. Whatever starts a child in this process says so here.
#[derive(Debug)]
pub struct KnownChildren {
    state: Mutex<State>,
    ring: Sender<()>,
    bell: Receiver<()>,
}

#[derive(Debug, Default)]
struct State {
    /// How often each pid is known: a pid can come again before its former owner has said that it is gone.
    known: HashMap<u32, usize>,
    /// Starts under way; their children are not known yet.
    starting: usize,
}

impl KnownChildren {
    /// None yet.
    pub fn new() -> Arc<Self> {
        let (ring, bell) = async_channel::bounded(1);
        Arc::new(Self { state: Mutex::default(), ring, bell })
    }

    /// To be called before a child is started. Until the answer is used or dropped, no stranger is reaped.
    pub fn starting(self: &Arc<Self>) -> Starting {
        self.lock().starting += 1;
        Starting { children: Arc::clone(self) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one statement, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        // Full means that the bell is ringing already.
        let _ = self.ring.try_send(());
    }

    /// Reaps one stranger that has ended. `None` while there is none, or while it cannot be told from a child of ours.
    fn take_stranger(&self) -> Option<Stranger> {
        let state = self.lock();
        if state.starting > 0 {
            return None;
        }
        let pid = peek()?;
        // The kernel shows the same zombie until it is reaped; a known one hides those behind it, but not for long.
        if state.known.contains_key(&pid) {
            return None;
        }
        let status = wait(pid, libc::WNOHANG).ok()??;
        Some(Stranger { pid, status })
    }
}

/// A start under way.
#[derive(Debug)]
pub struct Starting {
    children: Arc<KnownChildren>,
}

impl Starting {
    /// The child is there; whoever holds the answer waits for it.
    pub fn started(self, pid: u32) -> Known {
        *self.children.lock().known.entry(pid).or_default() += 1;
        Known { children: Arc::clone(&self.children), pid }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.children.lock().starting -= 1;
        self.children.ring();
    }
}

/// A child that somebody waits for. To be dropped when it has been reaped (or when nobody will any more).
#[derive(Debug)]
pub struct Known {
    children: Arc<KnownChildren>,
    pid: u32,
}

impl Drop for Known {
    fn drop(&mut self) {
        let mut state = self.children.lock();
        if let Some(count) = state.known.get_mut(&self.pid) {
            *count -= 1;
            if *count == 0 {
                state.known.remove(&self.pid);
            }
        }
        drop(state);
        self.children.ring();
    }
}

/// A process that nobody knew, reaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger {
    /// What its pid was.
    pub pid: u32,
    /// How it ended.
    pub status: ExitStatus,
}

/// Reaps strangers as they end.
#[derive(Debug)]
pub struct Strangers {
    children: Arc<KnownChildren>,
    signals: Signals,
}

impl Strangers {
    /// Begins to listen. Takes SIGCHLD together with whoever else listens to it.
    ///
    /// # Errors
    /// When the signal cannot be listened to.
    pub fn new(children: Arc<KnownChildren>) -> io::Result<Self> {
        Ok(Self { children, signals: Signals::new([Signal::Child])? })
    }

    /// The next stranger that has ended. Can be dropped and called again without loss.
    pub async fn next(&mut self) -> Stranger {
        loop {
            if let Some(stranger) = self.children.take_stranger() {
                return stranger;
            }
            let signal = async {
                let _ = self.signals.next().await;
            };
            let bell = async {
                let _ = self.children.bell.recv().await;
            };
            signal.or(bell).await;
        }
    }
}

/// The first child that has ended, left as it is.
fn peek() -> Option<u32> {
    look().ok().flatten()
}

/// True if this process has children, whether they have ended or not. Before it has started any, they are strangers: what
/// its program was executed from has left them (`sh -c 'helper & exec supervisord'`).
pub fn has_children() -> bool {
    look().is_ok()
}

/// The same; an error if there is no child at all.
fn look() -> io::Result<Option<u32>> {
    // SAFETY: `siginfo_t` is a C struct of integers and pointers, for all of which zero bytes are a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the pointer is to a live value of the right type.
    if unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, options) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: waitid(2) has filled the fields for a child, or left them zero.
    Ok(u32::try_from(unsafe { info.si_pid() }).ok().filter(|pid| *pid != 0))
}

#[cfg(test)]
mod tests;
