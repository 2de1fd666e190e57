//! The two readers of answers side by side, for `fuzz/`: what the strict one takes, the fast one reads alike.

use super::decode::{MAX_RESPONSE_ELEMENTS, read, text};
use super::element::{Found, Limits};
use super::fast;

/// Reads an answer with both readers.
///
/// # Panics
/// If the strict one takes it and the fast one makes something else of it.
pub fn fuzz_readers(body: &[u8]) {
    let limits = Limits { elements: MAX_RESPONSE_ELEMENTS };
    let Ok(text) = text(body) else { return };
    if let (Ok(strict), fast) = (read(text, limits), fast::read(text, limits)) {
        let fast = fast.expect("the fast reader takes what the strict one takes");
        // As text, since a number that is none is unequal to itself.
        let all = |found: &Found| format!("{:?} {:?} {:?}", found.method, found.params, found.fault);
        assert_eq!(all(&strict), all(&fast));
    }
}
