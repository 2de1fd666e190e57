//! What is done with each chunk of a channel's output.
//!
//! In this order: captured text is taken out, escape sequences are removed, then the log file, the system log, the copy
//! in the activity log, the events. Everything that can be done at once is done while the chunk is in the lane's buffer;
//! what has to wait is copied and settled afterwards, before the next read.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::copy::copy;
use super::{ChannelPlan, OutputNotice, OutputReport};
use crate::domain::level::Level;
use crate::domain::name::ProcessName;
use crate::logfile::loss::{Loss, Notice};
use crate::logfile::syslog::messages;
use crate::machine::ansi::StripAnsi;
use crate::machine::capture::{Capture, Piece};
use crate::process::Stream;
use crate::runtime::lane::Local;
use crate::runtime::sink::Share;
use crate::runtime::sink::stream::{STALL, room};

/// A stretch of output between two tokens of capture mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stretch {
    Plain,
    Inside,
    Unfinished,
}

/// The state of one channel.
pub(super) struct Channel {
    local: Rc<Local>,
    report: Arc<dyn OutputReport>,
    name: Arc<ProcessName>,
    stream: Stream,
    listener: bool,
    syslog: bool,
    events: bool,
    strip: Option<StripAnsi>,
    /// Where what `strip` holds back belongs to.
    stretch: Stretch,
    capture: Option<Box<Capture>>,
    log: Option<Share>,
    syslog_loss: Loss,
    /// There while something waits.
    waiting: Option<Box<Waiting>>,
}

/// What could not be done at once.
#[derive(Default)]
struct Waiting {
    log: Vec<u8>,
    syslog: VecDeque<Vec<u8>>,
    notices: VecDeque<OutputNotice>,
}

impl Channel {
    pub(super) fn new(plan: ChannelPlan, local: Rc<Local>) -> Self {
        let ChannelPlan { name, stream, settings, listener, .. } = plan;
        let capture = usize::try_from(settings.capture_maxbytes).ok().filter(|limit| *limit > 0 && !listener);
        Self {
            local,
            report: plan.report,
            name,
            stream,
            listener,
            syslog: settings.syslog && !listener,
            events: settings.events_enabled && !listener,
            strip: plan.strip_ansi.then(StripAnsi::new),
            stretch: Stretch::Plain,
            capture: capture.map(|limit| Box::new(Capture::new(limit))),
            log: plan.log,
            syslog_loss: Loss::default(),
            waiting: None,
        }
    }

    pub(super) fn local(&self) -> &Rc<Local> {
        &self.local
    }

    /// Whether it is the stdout of an event listener.
    pub(super) const fn is_listener(&self) -> bool {
        self.listener
    }

    /// Does with a chunk what can be done at once.
    pub(super) fn sort(&mut self, chunk: &[u8]) {
        if self.listener {
            self.without_escapes(chunk, Self::keep);
            self.copy(chunk);
            self.waiting().notices.push_back(OutputNotice::Listener(chunk.to_vec()));
        } else {
            self.search(chunk, false);
        }
    }

    /// Whether something has to wait: then it is to be settled before the next read.
    pub(super) const fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// Hands on what is left of a chunk without escape sequences, if they are to be removed.
    fn without_escapes(&mut self, chunk: &[u8], take: impl FnOnce(&mut Self, &[u8])) {
        let Some(strip) = &mut self.strip else { return take(self, chunk) };
        let local = Rc::clone(&self.local);
        let mut text = local.stripped.borrow_mut();
        text.clear();
        strip.feed(chunk, &mut text);
        take(self, &text);
    }

    /// Does what had to wait.
    pub(super) async fn settle(&mut self) {
        let Some(waiting) = self.waiting.take() else { return };
        let Waiting { log: rest, syslog, notices } = *waiting;
        if let Some(log) = &self.log
            && !rest.is_empty()
        {
            log.settle(&rest).await;
        }
        for message in syslog {
            self.settle_syslog(&message).await;
        }
        for notice in notices {
            self.report.report(notice).await;
        }
    }

    fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_default()
    }

    /// The channel has ended: gives out what was held back and closes the log.
    pub(super) async fn finish(&mut self) {
        let local = Rc::clone(&self.local);
        self.search(&[], true);
        self.end_stretch();
        self.settle().await;
        self.syslog_loss.end(&mut tell_of_syslog(&local, &self.name.process, self.stream));
    }

    /// Looks for captured text where that is wanted.
    fn search(&mut self, text: &[u8], last: bool) {
        let Some(mut capture) = self.capture.take() else { return self.without_escapes(text, Self::plain) };
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Plain(text) => self.go_on(Stretch::Plain, text),
            Piece::Inside(text) => self.go_on(Stretch::Inside, text),
            Piece::Captured(message) => {
                self.end_stretch();
                self.captured(message);
            }
            Piece::Unfinished(text) => self.go_on(Stretch::Unfinished, text),
        };
        capture.feed(text, &mut take);
        if last {
            capture.finish(&mut take);
        }
        self.capture = Some(capture);
    }

    /// Text of this stretch, which may be a new one.
    fn go_on(&mut self, stretch: Stretch, text: &[u8]) {
        if self.stretch != stretch {
            self.end_stretch();
            self.stretch = stretch;
        }
        self.without_escapes(text, |channel, text| channel.place(text));
    }

    /// A token, or the end of the channel: a sequence that was left open goes on in nothing that follows.
    fn end_stretch(&mut self) {
        let Some(strip) = &mut self.strip else { return };
        let mut held = Vec::new();
        strip.finish(&mut held);
        if self.listener { self.keep(&held) } else { self.place(&held) }
    }

    /// To where the stretch belongs.
    fn place(&mut self, text: &[u8]) {
        match self.stretch {
            Stretch::Plain => self.plain(text),
            Stretch::Inside => self.spread(text),
            Stretch::Unfinished => self.record(text),
        }
    }

    fn plain(&mut self, text: &[u8]) {
        self.record(text);
        self.spread(text);
    }

    /// Into the logs.
    fn record(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.keep(text);
        if self.syslog {
            self.send(text);
        }
    }

    /// To those who want to hear of all output, captured or not.
    fn spread(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.copy(text);
        if self.events && self.report.wants_output() {
            self.waiting().notices.push_back(OutputNotice::Log(text.to_vec()));
        }
    }

    /// A message has ended.
    fn captured(&mut self, mut text: Vec<u8>) {
        if self.strip.is_some() {
            let (raw, mut strip) = (std::mem::take(&mut text), StripAnsi::new());
            strip.feed(&raw, &mut text);
            strip.finish(&mut text);
        }
        if self.local.activity.enabled(Level::Debug) {
            let line = format!("'{}' {} emitted a comm event", self.name.process, self.stream.name());
            self.local.activity.write(Level::Debug, &line);
        }
        self.waiting().notices.push_back(OutputNotice::Communication(text));
    }

    fn keep(&mut self, text: &[u8]) {
        let Some(log) = &self.log else { return };
        let done = if self.waiting.as_ref().is_none_or(|waiting| waiting.log.is_empty()) { log.offer(text) } else { 0 };
        if done < text.len() {
            self.waiting().log.extend_from_slice(&text[done..]);
        }
    }

    fn copy(&self, text: &[u8]) {
        if !text.is_empty() && self.local.activity.enabled(Level::Debug) {
            let text = copy(&self.name.process, self.stream, text, self.listener);
            self.local.activity.write(Level::Debug, &text);
        }
    }

    fn send(&mut self, text: &[u8]) {
        for line in messages(text) {
            let mut message = Vec::with_capacity(self.name.process.len() + 1 + line.len());
            message.extend_from_slice(self.name.process.as_bytes());
            message.push(b' ');
            message.extend_from_slice(line);
            if self.waiting.as_ref().is_some_and(|waiting| !waiting.syslog.is_empty()) {
                self.waiting().syslog.push_back(message);
                continue;
            }
            match self.try_send(&message) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !self.local.syslog_stalled.get() => {
                    self.waiting().syslog.push_back(message);
                }
                result => self.note_syslog(&message, result),
            }
        }
    }

    /// Waits for the system log as long as it takes anything, as for a slow pipe.
    async fn settle_syslog(&mut self, message: &[u8]) {
        let patience = Instant::now() + STALL;
        loop {
            let result = self.try_send(message);
            let full = result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
            if full
                && !self.local.syslog_stalled.get()
                && Instant::now() < patience
                && let Some(socket) = self.syslog_socket()
            {
                room(socket.as_fd(), patience).await;
                continue;
            }
            self.local.syslog_stalled.set(full);
            return self.note_syslog(message, result);
        }
    }

    fn try_send(&self, message: &[u8]) -> io::Result<()> {
        self.local.syslog.borrow_mut().send(message)
    }

    /// A duplicate, for the lane's own is in use by all.
    fn syslog_socket(&self) -> Option<OwnedFd> {
        self.local.syslog.borrow().socket()?.try_clone_to_owned().ok()
    }

    fn note_syslog(&mut self, message: &[u8], result: io::Result<()>) {
        let local = Rc::clone(&self.local);
        let tell = &mut tell_of_syslog(&local, &self.name.process, self.stream);
        match result {
            Ok(()) => {
                local.syslog_stalled.set(false);
                self.syslog_loss.kept(tell);
            }
            Err(error) => self.syslog_loss.lost(message.len(), error, tell),
        }
    }
}

fn tell_of_syslog(local: &Local, process: &str, stream: Stream) -> impl FnMut(Notice) {
    move |notice| {
        let text = format!("'{process}' {} system log {notice}", stream.name());
        local.activity.write(notice.level(), &text);
    }
}
