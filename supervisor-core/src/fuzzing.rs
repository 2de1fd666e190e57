//! The door through which `fuzz/` reaches the machines that nobody else needs to reach.
//!
//! Only there with `--cfg fuzzing`, so that no build for users has it. Holds no decision of its own: it feeds bytes and
//! checks what the machines promise, that how output is cut into reads changes nothing.

use crate::domain::state::ListenerState;
use crate::domain::token::READY;
use crate::machine::capture::{Capture, Piece};
use crate::machine::protocol::{Protocol, Step, default_handler};

/// The first byte of the input as the size of the reads, and the rest as what is read.
fn reads(input: &[u8]) -> Option<(usize, &[u8])> {
    let (size, output) = input.split_first()?;
    Some((usize::from(*size).max(1), output))
}

/// What an event listener writes while it has an event (an even first byte), or before it is ready.
pub fn listener_protocol(input: &[u8]) {
    let Some((size, output)) = reads(input) else { return };
    let busy = size % 2 == 0;
    assert_eq!(listen(busy, output, output.len().max(1)), listen(busy, output, size));
}

fn listen(busy: bool, output: &[u8], size: usize) -> (Vec<Step>, ListenerState) {
    let mut protocol = Protocol::new();
    if busy {
        protocol.feed(READY);
        assert!(protocol.sent());
    }
    let mut all = Vec::new();
    for read in output.chunks(size) {
        let mut steps = protocol.feed(read);
        while let Some(Step::Result(result)) = steps.last().cloned() {
            all.append(&mut steps);
            steps = protocol.handled(default_handler(&result));
        }
        all.append(&mut steps);
    }
    (all, protocol.state())
}

/// What a program writes in capture mode, the limit being the second byte of the input.
pub fn capture(input: &[u8]) {
    let Some((size, rest)) = reads(input) else { return };
    let Some((limit, output)) = rest.split_first() else { return };
    let whole = captured(usize::MAX, output, output.len().max(1));
    assert_eq!(whole, captured(usize::MAX, output, size));
    let limit = usize::from(*limit);
    for (kept, message) in captured(limit, output, size).1.iter().zip(whole.1) {
        assert!(kept.len() <= limit && message.ends_with(kept));
    }
}

/// The plain bytes, and the messages.
fn captured(limit: usize, output: &[u8], size: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut capture = Capture::new(limit);
    let (mut plain, mut messages) = (Vec::new(), Vec::new());
    let mut take = |piece: Piece<'_>| match piece {
        Piece::Plain(bytes) | Piece::Unfinished(bytes) => plain.extend_from_slice(bytes),
        Piece::Captured(message) => messages.push(message),
        Piece::Inside(_) => {}
    };
    for read in output.chunks(size) {
        capture.feed(read, &mut take);
    }
    capture.finish(&mut take);
    (plain, messages)
}
