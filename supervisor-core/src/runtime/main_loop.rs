//! The loop: one receive point, one owner of the state.
//!
//! Waits for a notice, a request or the next deadline, whichever is first, and for nothing else but that the clock is set if
//! somebody wants slices of wall time. Notices come before requests, so that answers are true at the moment they are given;
//! requests are taken a few at a time, so that neither starves the other.

use std::future::poll_fn;
use std::sync::Arc;

use async_channel::Receiver;
use futures_lite::future;

use crate::request::Request;
use crate::runtime::engine::Engine;
use crate::runtime::message::Notice;

/// How many notices are taken before requests get their turn, and how many requests before notices do.
const BATCH: usize = 64;

/// What woke the loop.
enum Wake {
    Notice(Notice),
    Request(Request),
    Deadline,
    ClockSet,
}

/// Runs until everything has ended; true if it shall start anew.
pub(crate) async fn run(engine: &mut Engine, notices: &Receiver<Notice>, requests: &Receiver<Request>) -> bool {
    let clock = Arc::clone(&engine.clock);
    loop {
        engine.turn();
        if let Some(restart) = engine.outcome() {
            return restart;
        }
        let notice = async {
            match notices.recv().await {
                Ok(notice) => Wake::Notice(notice),
                // The engine itself holds a sender.
                Err(_) => future::pending().await,
            }
        };
        let request = async {
            match requests.recv().await {
                Ok(request) => Wake::Request(request),
                // Every handle is gone; what runs goes on.
                Err(_) => future::pending().await,
            }
        };
        let deadline = async {
            match engine.next_deadline() {
                Some(at) => clock.sleep_until(at).await,
                None => future::pending().await,
            }
            Wake::Deadline
        };
        let set = async {
            if !engine.awaits_ticks() {
                return future::pending().await;
            }
            poll_fn(|context| clock.poll_set(context)).await;
            Wake::ClockSet
        };
        match future::or(notice, future::or(request, future::or(deadline, set))).await {
            Wake::Notice(notice) => engine.notice(notice),
            Wake::Request(request) => engine.request(request),
            Wake::Deadline => {}
            Wake::ClockSet => engine.tick(clock.now()),
        }
        for _ in 0..BATCH {
            let Ok(notice) = notices.try_recv() else { break };
            engine.notice(notice);
        }
        for _ in 0..BATCH {
            let Ok(request) = requests.try_recv() else { break };
            engine.request(request);
        }
        engine.fire();
    }
}

impl Engine {
    /// What is done once for each round: events go out, an end goes on.
    fn turn(&mut self) {
        self.answer_inquiries();
        // First to those who listen: an end that goes on may stop them.
        self.dispatch();
        self.advance_end();
        self.dispatch();
    }
}
