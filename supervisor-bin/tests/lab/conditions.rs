//! Waiting for what is to come, and saying why a test is not for this machine. Nothing here knows what is waited for.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Nothing that is waited for takes as long as this, on however slow a machine. No promise: those are in `probes.rs`.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until there is something to see, and gives it.
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(LIMIT, what, look)
}

/// The same with a limit that is promised.
pub(crate) fn within<T>(limit: Duration, what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait(limit, what, look, || std::thread::sleep(PAUSE))
}

/// The same without a pause between two looks, for a moment that passes.
pub(crate) fn passing<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait(LIMIT, what, look, std::thread::yield_now)
}

fn wait<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>, pause: impl Fn()) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        pause();
    }
}

/// True if we are root; says otherwise why the test is skipped.
pub(crate) fn is_root(why: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root {why}");
    }
    root
}

/// True if a command succeeds; says otherwise why the test is skipped.
pub(crate) fn works(words: &[&str], why: &str) -> bool {
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output();
    let works = output.is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("skipped: `{}` does not work here, {why}", words.join(" "));
    }
    works
}
