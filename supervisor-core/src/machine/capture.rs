//! Capture mode: splits a channel's output into plain bytes and process communication messages (Supervisor 4.3:
//! `stdout_capture_maxbytes`).
//!
//! Looks for [`BEGIN`] and [`END`] in the bytes as the program wrote them, so before `strip_ansi`: a sequence left open
//! could otherwise swallow a token. What is inside a message is given out twice: as it comes, for it is output all the
//! same, and whole when the message ends. Writes and publishes nothing itself; the pieces tell the caller what to do.

use std::collections::VecDeque;

use memchr::{memchr, memmem};

use crate::domain::token::{BEGIN, END};

/// A part of a channel's output. Pieces come in the order of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Ordinary output, in any cut.
    Plain(&'a [u8]),
    /// Output inside a message, in any cut; it is no part of the log.
    Inside(&'a [u8]),
    /// A whole message, without its tokens: what was inside, as far as it was kept.
    Captured(Vec<u8>),
    /// Of a message that never ended: the token, and what was kept. The log gets it after all.
    Unfinished(&'a [u8]),
}

/// The state of one channel in capture mode.
///
/// Invariants: how the output is cut into reads changes nothing but the cut of the pieces, and how much is kept of a
/// message that is too long. Held back is only what can still become a token. At most `limit` bytes of a message are kept.
#[derive(Debug)]
pub(crate) struct Capture {
    limit: usize,
    /// How much of the awaited token has been seen at the end of the output so far; always less than all of it.
    ///
    /// A token's first byte does not occur again in it. So a match that fails can only begin anew at the byte where it
    /// failed, and what was held back is known from its length.
    matched: usize,
    message: Option<Message>,
}

/// A message that has begun.
#[derive(Debug, Default)]
struct Message {
    newest: VecDeque<u8>,
    overflowed: bool,
}

impl Capture {
    /// A channel at its beginning, outside a message. `limit` is in bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, matched: 0, message: None }
    }

    /// Takes what was read and gives its pieces to `take`.
    ///
    /// Of a message longer than the limit the newest bytes are kept: as many are dropped as come too many, in steps of what
    /// came at once (Supervisor 4.3).
    pub(crate) fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let token = self.awaited();
            if self.matched > 0 {
                let missing = &token[self.matched..];
                let same = missing.iter().zip(rest).take_while(|(a, b)| a == b).count();
                if same == missing.len() {
                    rest = &rest[same..];
                    self.turn(take);
                } else if same == rest.len() {
                    self.matched += same;
                    return;
                } else {
                    let held = std::mem::take(&mut self.matched);
                    self.pass(&token[..held], take);
                }
            } else if let Some(at) = memmem::find(rest, token) {
                self.pass(&rest[..at], take);
                rest = &rest[at + token.len()..];
                self.turn(take);
            } else {
                self.matched = open_token(rest, token);
                self.pass(&rest[..rest.len() - self.matched], take);
                return;
            }
        }
    }

    /// The channel has ended: gives out what was held back.
    ///
    /// A message without its end is no message: the log gets what was kept of it, with the token that opened it, so that
    /// it has the last words of a program that died in the middle of one.
    pub(crate) fn finish(&mut self, take: &mut dyn FnMut(Piece<'_>)) {
        let held = &self.awaited()[..std::mem::take(&mut self.matched)];
        self.pass(held, take);
        if let Some(message) = self.message.take() {
            take(Piece::Unfinished(BEGIN));
            take(Piece::Unfinished(&message.into_bytes()));
        }
    }

    /// The token that ends the present stretch.
    const fn awaited(&self) -> &'static [u8] {
        if self.message.is_some() { END } else { BEGIN }
    }

    /// The awaited token is complete.
    fn turn(&mut self, take: &mut dyn FnMut(Piece<'_>)) {
        self.matched = 0;
        match self.message.take() {
            None => self.message = Some(Message::default()),
            Some(message) => take(Piece::Captured(message.into_bytes())),
        }
    }

    /// Bytes that are no part of a token.
    fn pass(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        match &mut self.message {
            None => take(Piece::Plain(bytes)),
            Some(message) => {
                message.keep(bytes, self.limit);
                take(Piece::Inside(bytes));
            }
        }
    }
}

impl Message {
    fn keep(&mut self, bytes: &[u8], limit: usize) {
        if self.newest.len().saturating_add(bytes.len()) > limit {
            self.overflowed = true;
            self.newest.drain(..bytes.len().min(self.newest.len()));
        }
        self.newest.extend(&bytes[bytes.len().saturating_sub(limit)..]);
    }

    /// What was kept. If bytes were dropped, so is the rest of a character of which they were a part: text stays text.
    fn into_bytes(mut self) -> Vec<u8> {
        if self.overflowed {
            let cut = self.newest.iter().take(3).take_while(|byte| matches!(byte, 0x80..=0xBF)).count();
            self.newest.drain(..cut);
        }
        self.newest.into()
    }
}

/// How many bytes at the end of `bytes` are the beginning of `token`, which does not occur in `bytes`.
fn open_token(bytes: &[u8], token: &[u8]) -> usize {
    let mut tail = &bytes[bytes.len().saturating_sub(token.len() - 1)..];
    while let Some(at) = memchr(token[0], tail) {
        tail = &tail[at..];
        if token.starts_with(tail) {
            return tail.len();
        }
        tail = &tail[1..];
    }
    0
}

#[cfg(test)]
mod tests;
