//! What a connection is doing at the moment, and how long it may go on so.
//!
//! Two clocks: a connection without a request is idle, and may be for long, for very long if it has had one; from the first
//! byte of a head on its rest must come soon. While a request is answered there is no limit here, but who does not take its
//! answer may have to make room for others. Reads and writes nothing itself.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};

use super::access::{AccessLog, Request};
use super::limits::Limits;
use crate::bridge::Pace;

/// A client that takes nothing of its answer for this long waits no less than one that sends nothing.
const UNREAD: Duration = Duration::from_millis(250);

/// The state of one connection, shared by its stream, its answers and the table of connections.
pub(super) struct Wire {
    now: Mutex<Now>,
    idle_time: Duration,
    kept_time: Duration,
    head_time: Duration,
    access: AccessLog,
    evict: Sender<Infallible>,
    evicted: Receiver<Infallible>,
}

struct Now {
    phase: Phase,
    /// Bytes sent since the last complete answer.
    sent: u64,
    /// Answers whose last bytes may still be on their way.
    answered: VecDeque<Request>,
    /// Since when the client takes nothing.
    blocked: Option<Instant>,
    expired: bool,
    /// No request has begun yet.
    fresh: bool,
    linger: bool,
    ever_sent: bool,
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle { since: Instant },
    Head { since: Instant },
    Body { since: Instant },
    Busy,
}

/// Who waits for its client, in the order in which places are given up: the idle first, then unfinished requests, then answers
/// that are not read; in each the one that has waited for longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Waits {
    /// Between requests.
    Idle(Instant),
    /// In the middle of one.
    Unfinished(Instant),
    /// In the middle of its answer.
    Unread(Instant),
}

impl Now {
    /// Since when the client has taken nothing, if that is long.
    fn unread(&self) -> Option<Instant> {
        self.blocked.filter(|since| since.elapsed() >= UNREAD)
    }
}

impl Wire {
    pub(super) fn new(limits: &Limits, access: AccessLog) -> Arc<Self> {
        let (evict, evicted) = async_channel::bounded(1);
        let now = Now {
            phase: Phase::Idle { since: Instant::now() },
            sent: 0,
            answered: VecDeque::new(),
            blocked: None,
            expired: false,
            fresh: true,
            linger: false,
            ever_sent: false,
            closed: false,
        };
        let Limits { idle_time, kept_time, head_time, .. } = *limits;
        Arc::new(Self { now: Mutex::new(now), idle_time, kept_time, head_time, access, evict, evicted })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head of a request is there; it ends when the ticket is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Ticket {
        let mut now = self.now();
        (now.phase, now.fresh) = (Phase::Body { since: Instant::now() }, false);
        drop(now);
        Ticket { wire: Arc::clone(self), request: None }
    }

    /// Since when the connection waits for its client; `None` while it is answered, and when it is closed.
    pub(super) fn waits(&self) -> Option<Waits> {
        let now = self.now();
        match now.phase {
            _ if now.closed => None,
            _ if let Some(since) = now.unread() => Some(Waits::Unread(since)),
            _ if !now.answered.is_empty() => None,
            Phase::Idle { since } => Some(Waits::Idle(since)),
            Phase::Head { since } | Phase::Body { since } => Some(Waits::Unfinished(since)),
            Phase::Busy => None,
        }
    }

    /// True if the client takes nothing of its answer, be it for a moment.
    pub(super) fn is_blocked(&self) -> bool {
        let now = self.now();
        now.blocked.is_some() && !now.closed
    }

    /// True if the connection should come to its end before it is closed: a request is answered, or, if nobody needs the place,
    /// its body or its answer waits for the client.
    pub(super) fn is_busy(&self) -> bool {
        let now = self.now();
        let is_wanted = self.is_evicted();
        let reads = matches!(now.phase, Phase::Body { .. }) && !is_wanted;
        let answers = now.phase == Phase::Busy || !now.answered.is_empty();
        reads || answers && !(is_wanted && now.unread().is_some())
    }

    /// True until the first request has begun.
    pub(super) fn is_fresh(&self) -> bool {
        self.now().fresh
    }

    /// True if the head of a request did not come in time.
    pub(super) fn head_expired(&self) -> bool {
        self.now().expired
    }

    /// True if anything was ever sent.
    pub(super) fn ever_sent(&self) -> bool {
        self.now().ever_sent
    }

    /// The client is refused while it may still be sending: let it read why before the connection goes.
    pub(super) fn linger(&self) {
        self.now().linger = true;
    }

    /// True if the connection was told to linger.
    pub(super) fn lingers(&self) -> bool {
        self.now().linger
    }

    /// Asks the connection to go, because somebody else needs its place.
    pub(super) fn evict(&self) {
        self.evict.close();
    }

    /// True if it was asked to.
    pub(super) fn is_evicted(&self) -> bool {
        self.evicted.is_closed()
    }

    /// True if it was asked to and will be closed at once.
    pub(super) fn is_leaving(&self) -> bool {
        self.is_evicted() && self.waits().is_some()
    }

    /// Resolves when the connection is asked to go.
    pub(super) async fn evicted(&self) {
        // Nothing is ever sent: an answer means that the channel is closed.
        let _ = self.evicted.recv().await;
    }

    /// The socket is closed. Work for its client may go on.
    pub(super) fn closed(&self) {
        self.now().closed = true;
    }

    /// The connection has ended: what was answered is told, complete or not.
    pub(super) fn ended(&self) {
        while self.tell_oldest() {}
    }

    fn tell_oldest(&self) -> bool {
        let mut now = self.now();
        let Some(request) = now.answered.pop_front() else { return false };
        let sent = std::mem::take(&mut now.sent);
        drop(now);
        self.access.tell(&request, sent);
        true
    }
}

impl Pace for Arc<Wire> {
    fn read_deadline(&self) -> Option<Instant> {
        let now = self.now();
        match now.phase {
            Phase::Idle { since } if now.fresh => Some(since + self.idle_time),
            Phase::Idle { since } => Some(since + self.kept_time),
            Phase::Head { since } => Some(since + self.head_time),
            // The body has a clock of its own.
            Phase::Body { .. } | Phase::Busy => None,
        }
    }

    fn expired(&self) {
        let mut now = self.now();
        now.expired = matches!(now.phase, Phase::Head { .. });
    }

    fn received(&self, bytes: &[u8]) {
        let mut now = self.now();
        // Empty lines between requests are no beginning of one (RFC 9112, 2.2).
        let begins = bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        if begins && matches!(now.phase, Phase::Idle { .. }) {
            now.phase = Phase::Head { since: Instant::now() };
        }
    }

    fn sent(&self, count: usize) {
        let mut now = self.now();
        now.sent += count as u64;
        now.ever_sent = true;
        now.blocked = None;
    }

    fn blocked(&self) {
        self.now().blocked = Some(Instant::now());
    }

    fn flushed(&self) {
        self.tell_oldest();
    }
}

/// One request being answered. Dropped when the last byte of the answer has been handed over, or will never be.
pub(super) struct Ticket {
    wire: Arc<Wire>,
    request: Option<Request>,
}

impl Ticket {
    /// The whole request is there: from now on we are the ones who are waited for.
    pub(super) fn has_request(&self) {
        self.wire.now().phase = Phase::Busy;
    }

    /// What the access log will say; without it, nothing.
    pub(super) fn record(&mut self, request: Request) {
        self.request = Some(request);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut now = self.wire.now();
        now.phase = Phase::Idle { since: Instant::now() };
        now.answered.extend(self.request.take());
    }
}
