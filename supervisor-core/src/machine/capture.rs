//! PLACEHOLDER, replaced at the merge.
#![allow(missing_docs)]
pub(crate) enum Piece<'a> {
    Plain(&'a [u8]),
    Captured(Vec<u8>),
}
pub(crate) struct Capture {
    limit: usize,
    held: Vec<u8>,
    inside: bool,
}
impl Capture {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, held: Vec::new(), inside: false }
    }
    pub(crate) fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece<'_>)) {
        self.held.extend_from_slice(bytes);
        loop {
            let token: &[u8] = if self.inside { b"<!--XSUPERVISOR:END-->" } else { b"<!--XSUPERVISOR:BEGIN-->" };
            let Some(at) = self.held.windows(token.len()).position(|window| window == token) else { break };
            let rest = self.held.split_off(at + token.len());
            self.held.truncate(at);
            let part = std::mem::replace(&mut self.held, rest);
            if self.inside {
                take(Piece::Captured(part[part.len().saturating_sub(self.limit)..].to_vec()));
            } else if !part.is_empty() {
                take(Piece::Plain(&part));
            }
            self.inside = !self.inside;
        }
        if !self.inside {
            let token = b"<!--XSUPERVISOR:BEGIN-->";
            let keep = (1..token.len()).rev().find(|&n| self.held.ends_with(&token[..n])).unwrap_or(0);
            let rest = self.held.split_off(self.held.len() - keep);
            if !self.held.is_empty() {
                take(Piece::Plain(&self.held));
            }
            self.held = rest;
        }
    }
    pub(crate) fn finish(&mut self, take: &mut dyn FnMut(Piece<'_>)) {
        if !self.inside && !self.held.is_empty() {
            take(Piece::Plain(&self.held));
        }
        self.held.clear();
    }
}
