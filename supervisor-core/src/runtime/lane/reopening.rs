//! Opening all logs anew (SIGUSR2).
//!
//! Every lane does its own logs, all lanes at once: one that hangs holds up no other, and asking again adds nothing to what
//! waits before it already. A log that is being opened for a start at this moment may not be known yet; so reopenings are
//! counted, and whoever opens one compares the count before with the count after ([`Lanes::open`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_channel::Receiver;
use async_io::Timer;
use futures_lite::{FutureExt, future};

use super::{Lane, Lanes, PATIENCE};
use crate::domain::level::Level;
use crate::runtime::sink::LogSink;

/// What one lane has been asked to open anew.
struct Asked {
    sinks: Vec<Arc<LogSink>>,
    /// How many of them are done with.
    done: Arc<AtomicUsize>,
    answer: Receiver<()>,
}

impl Lanes {
    /// Closes and opens every log that somebody writes to. What cannot be opened is told in the activity log; the old file
    /// stays in use then, and opening is tried again. Resolves when all is done, or when the lanes that are left hang: they
    /// do it once they do not.
    pub(crate) async fn reopen(&self) {
        self.reopenings.fetch_add(1, Ordering::SeqCst);
        let mut patience = Timer::after(PATIENCE);
        let mut late = false;
        // All are asked before the first one is waited for.
        for asked in self.ask_to_reopen() {
            if !late {
                let answered = async {
                    // An error means that the lane has ended.
                    let _ = asked.answer.recv().await;
                    false
                };
                let timeout = async {
                    (&mut patience).await;
                    true
                };
                late = answered.or(timeout).await;
            }
            let rest = &asked.sinks[asked.done.load(Ordering::Relaxed)..];
            if late && let [first, others @ ..] = rest {
                self.tell_of(first, others.len());
            }
        }
    }

    fn ask_to_reopen(&self) -> Vec<Asked> {
        let mut by_lane: Vec<(Arc<Lane>, Vec<Arc<LogSink>>)> = Vec::new();
        for sink in self.in_use().into_iter().filter(|sink| sink.ask_to_reopen()) {
            match by_lane.iter_mut().find(|(lane, _)| Arc::ptr_eq(lane, sink.lane())) {
                Some((_, sinks)) => sinks.push(sink),
                None => by_lane.push((Arc::clone(sink.lane()), vec![sink])),
            }
        }
        by_lane.into_iter().map(|(lane, sinks)| lane.reopen(sinks)).collect()
    }

    fn tell_of(&self, first: &LogSink, others: usize) {
        let path = first.path().display();
        let others = match others {
            0 => String::new(),
            others => format!(" (nor {others} more)"),
        };
        let text = format!("could not reopen {path}{others} so far: the file system does not answer");
        self.activity().write(Level::Error, &text);
    }
}

impl Lane {
    fn reopen(&self, sinks: Vec<Arc<LogSink>>) -> Asked {
        let (reply, answer) = async_channel::bounded(1);
        let (all, done) = (sinks.clone(), Arc::<AtomicUsize>::default());
        let count = Arc::clone(&done);
        self.spawn(move |local| async move {
            for sink in all {
                sink.reopen_as_asked(local.activity.as_ref());
                count.fetch_add(1, Ordering::Relaxed);
                // There may be a thousand, and the programs go on writing.
                future::yield_now().await;
            }
            // Whoever asked may have gone.
            let _ = reply.try_send(());
        });
        Asked { sinks, done, answer }
    }
}
