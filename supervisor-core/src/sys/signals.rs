//! Signal masks and dispositions (`sigaction(2)`, `pthread_sigmask(3)`): what a child starts with.
//!
//! Installs no handler: whoever runs the supervisor decides about those, and about when any of this is done.
#![expect(unsafe_code, reason = "signal sets and dispositions have no safe wrapper among our crates")]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// The greatest signal number that may exist here.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LAST: i32 = 64;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const LAST: i32 = 128;

/// Sets the mask of the calling thread, and puts the former one back when dropped.
#[derive(Debug)]
pub struct Mask {
    former: libc::sigset_t,
    /// A mask belongs to a thread, so the guard must stay there.
    thread: PhantomData<*const ()>,
}

impl Mask {
    /// Blocks every signal.
    pub fn full() -> Self {
        Self::set(full_set())
    }

    /// Blocks none.
    pub fn empty() -> Self {
        Self::set(empty_set())
    }

    fn set(wanted: libc::sigset_t) -> Self {
        let mut former = empty_set();
        // SAFETY: both pointers are to live, initialised sets; the call cannot fail with SIG_SETMASK.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const wanted, &raw mut former) };
        Self { former, thread: PhantomData }
    }
}

impl Drop for Mask {
    fn drop(&mut self) {
        // SAFETY: the set is the one that the kernel gave us.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.former, std::ptr::null_mut()) };
    }
}

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset(3) initialises the set that it is given, and cannot fail on a valid pointer.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

fn full_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigfillset(3) initialises the set that it is given, and cannot fail on a valid pointer.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        set.assume_init()
    }
}

/// Gives every signal its default disposition, and then empties the mask. Safe between fork and exec.
pub(crate) fn reset_in_child() {
    for signal in 1..=LAST {
        // SAFETY: signal(2) with SIG_DFL is async-signal-safe; numbers that cannot be set are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let none = empty_set();
    // SAFETY: as in `Mask::set`; sigprocmask(2) is async-signal-safe, and the child has one thread.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
}

/// Gives every signal that is ignored its default disposition, but for SIGPIPE, which Rust ignores on purpose, and
/// empties the mask of the calling thread. For a daemon's first steps, so that what its caller ignored or blocked
/// (`nohup`, a careless service manager) is not handed on to every child.
pub fn restore_ignored() {
    for signal in (1..=LAST).filter(|signal| *signal != libc::SIGPIPE) {
        let mut present = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: the pointer is to writable memory of the right type; a null new action only asks.
        let known = unsafe { libc::sigaction(signal, std::ptr::null(), present.as_mut_ptr()) } == 0;
        // SAFETY: zero bytes are a valid `sigaction`, and the call may have filled it.
        if known && unsafe { present.assume_init() }.sa_sigaction == libc::SIG_IGN {
            // SAFETY: takes integers only.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    }
    std::mem::forget(Mask::empty());
}

/// Ignores what would end the process though nobody can mean anything by it: SIGPWR, SIGSTKFLT and the real-time signals
/// (`signal(7)`). For a daemon that must not end before its children. They are given their defaults again in children.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn ignore_meaningless() {
    for signal in [libc::SIGPWR, libc::SIGSTKFLT].into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
        // SAFETY: takes integers only; what the C library keeps for itself lies below SIGRTMIN.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// There are no such signals here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn ignore_meaningless() {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).unwrap();
        u64::from_str_radix(line, 16).unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_mask_is_put_back() {
        let before = blocked();
        {
            let _all = Mask::full();
            assert_ne!(blocked() & (1 << (libc::SIGUSR1 - 1)), 0);
            let _none = Mask::empty();
            assert_eq!(blocked(), 0);
        }
        assert_eq!(blocked(), before);
    }
}
