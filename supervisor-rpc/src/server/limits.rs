//! What a client may cost: sizes, times and numbers.

use std::time::Duration;

use supervisor_core::sys::fds;

/// The limits of the server. [`default`](Self::default) is for a daemon that faces the world.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The head of a request, in bytes; at least 8,192. Default 16 KiB.
    pub head: usize,
    /// From the first byte of a head to its last. Default 10 s.
    pub head_time: Duration,
    /// Before the first request. Default 60 s.
    pub idle_time: Duration,
    /// Between requests: event listeners made for Supervisor keep one connection, do not connect again, and may have
    /// something to ask once an hour. Who needs a place gets that of an idle one. Default two hours.
    pub kept_time: Duration,
    /// The body of a request, in bytes. Default 8 MiB.
    pub body: u64,
    /// The bodies of all connections that are in memory at once, in bytes; those up to 64 KiB are not counted, others wait
    /// for their turn. Default 8 MiB.
    pub bodies: u64,
    /// For the whole body, and the wait for its turn. Default 30 s.
    pub body_time: Duration,
    /// A write that makes no progress for this long ends the connection. Default 30 s.
    pub write_stall: Duration,
    /// How long a refused client may go on sending before it is cut off, so that it can read why, unless somebody needs its
    /// place. Default 2 s.
    pub linger: Duration,
    /// Connections at once, over all listeners. Default 1,024, or a quarter of the free descriptors if that is less, but at
    /// least 8; fewer where no more than 256 files may be open: what programs leave then.
    pub connections: usize,
    /// How many of them may be answers without end, such as log streams: calls must always find room. One that follows several
    /// logs counts as so many, for each takes descriptors. Default half of `connections`.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let connections = connections(free_descriptors(), fds::spared());
        Self {
            head: 16 * 1024,
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            kept_time: Duration::from_secs(2 * 3600),
            body: 8 * 1024 * 1024,
            bodies: 8 * 1024 * 1024,
            body_time: Duration::from_secs(30),
            write_stall: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            connections,
            streams: connections / 2,
        }
    }
}

fn connections(free_descriptors: u64, spared: Option<u64>) -> usize {
    if let Some(spared) = spared {
        // One is for what is opened for a moment.
        return usize::try_from(spared.saturating_sub(1)).unwrap_or(usize::MAX).clamp(3, 1024);
    }
    usize::try_from(free_descriptors / 4).unwrap_or(usize::MAX).clamp(8, 1024)
}

/// The soft limit less what is open now, as far as the system tells.
fn free_descriptors() -> u64 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let open = std::fs::read_dir("/dev/fd").map_or(64, |entries| entries.count() as u64);
    limit.saturating_sub(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_programs() {
        for (free, expected) in [(u64::MAX, 1024), (4096, 1024), (1000, 250), (0, 8)] {
            assert_eq!(connections(free, None), expected);
        }
        for (spared, expected) in [(0, 3), (4, 3), (5, 4), (8, 7), (21, 20)] {
            assert_eq!(connections(100, Some(spared)), expected);
        }
        assert!((3..=1024).contains(&Limits::default().connections));
    }
}
