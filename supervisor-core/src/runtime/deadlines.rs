//! The deadlines of all processes in one heap, so that the loop sleeps exactly until the next one.
//!
//! An entry that no longer holds is left in the heap and dropped when it comes up; whoever pops it asks the machine what
//! is really due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Deadlines with what they are for.
#[derive(Debug)]
pub(crate) struct Deadlines<T> {
    heap: BinaryHeap<Reverse<(Duration, T)>>,
}

impl<T: Ord + Copy> Deadlines<T> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new() }
    }

    /// Adds a deadline.
    pub(crate) fn push(&mut self, at: Duration, what: T) {
        self.heap.push(Reverse((at, what)));
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes out one deadline that is due.
    pub(crate) fn pop_due(&mut self, now: Duration) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, what))| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_nothing_before_its_time() {
        let mut deadlines = Deadlines::new();
        for (at, what) in [(3, 'c'), (1, 'a'), (2, 'b')] {
            deadlines.push(Duration::from_secs(at), what);
        }
        assert_eq!(deadlines.next(), Some(Duration::from_secs(1)));
        assert_eq!(deadlines.pop_due(Duration::from_secs(2)), Some('a'));
        assert_eq!(deadlines.pop_due(Duration::from_secs(2)), Some('b'));
        assert_eq!(deadlines.pop_due(Duration::from_secs(2)), None);
    }
}
