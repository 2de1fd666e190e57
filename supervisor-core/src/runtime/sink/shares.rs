//! Who shares a log, and what size it may have then.
//!
//! Each share has limits of its own; the log is one file and knows one. It is rotated for whoever wants it smallest, as if
//! each looked at its size alone (Supervisor 4.3), and one that wants no rotation keeps the others from none.

use std::cmp::Reverse;

/// `logfile_maxbytes` and `logfile_backups`; 0 turns them off.
pub(in super::super) type Limits = (u64, u64);

/// The limits of all that share a log.
#[derive(Debug, Default)]
pub(super) struct Shares {
    each: Vec<Limits>,
}

impl Shares {
    /// One more.
    pub(super) fn join(&mut self, limits: Limits) {
        // Most logs have one share for all their life.
        self.each.reserve_exact(1);
        self.each.push(limits);
    }

    /// One less, which had joined with these limits. True if it was the last.
    pub(super) fn leave(&mut self, limits: Limits) -> bool {
        if let Some(at) = self.each.iter().position(|each| *each == limits) {
            self.each.swap_remove(at);
        }
        self.each.is_empty()
    }

    /// False while somebody writes to the log.
    pub(super) const fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// The limits of the log: the smallest size at which somebody wants a rotation, with what that one wants kept. Of two that
    /// agree on the size, the one that keeps more.
    pub(super) fn limits(&self) -> Limits {
        let rotating = self.each.iter().filter(|(maxbytes, _)| *maxbytes > 0);
        rotating.min_by_key(|(maxbytes, backups)| (*maxbytes, Reverse(*backups))).copied().unwrap_or((0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_counts_as_long_as_its_owner_is_there() {
        let mut shares = Shares::default();
        assert!(shares.is_empty());
        for (joins, limits) in [((0, 5), (0, 0)), ((50, 10), (50, 10)), ((20, 2), (20, 2)), ((20, 3), (20, 3))] {
            shares.join(joins);
            assert_eq!(shares.limits(), limits, "with {joins:?}");
        }
        for (leaves, limits) in [((20, 3), (20, 2)), ((20, 2), (50, 10)), ((50, 10), (0, 0))] {
            assert!(!shares.leave(leaves));
            assert_eq!(shares.limits(), limits, "without {leaves:?}");
        }
        assert!(shares.leave((0, 5)));
        assert!(shares.is_empty());
    }
}
