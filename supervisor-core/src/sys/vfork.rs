//! Starting a child without a copy of this process: neither of its memory nor of its descriptors.
//!
//! `fork(2)` and `posix_spawn(3)` copy the table of descriptors, and exec closes every one of the copies: with a thousand
//! programs, six thousand. Here the child shares memory and table with us until it has taken a small table of its own,
//! while the thread that started it stands still (`vfork(2)`). What it must have lies in slots with low numbers, so that
//! the small table is enough. Where descriptors are few, every table is small, and there are no slots. Whether a child may be
//! started like this is not decided here.
#![expect(unsafe_code, reason = "clone(2)")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::io::DupFlags;

use super::child::Plan;
use super::fds;
use super::process::wait;
use super::signals::Mask;
use crate::domain::exit::ExitStatus;

/// What the child may use before it executes something: far more than its few calls take.
const STACK: usize = 64 << 10;

/// Standard input, output and error.
const STREAMS: usize = 3;

/// A child that nobody has reaped yet.
#[derive(Debug)]
pub(crate) struct Unreaped {
    pub(crate) pid: u32,
    /// Becomes readable when the child has ended.
    pub(crate) pidfd: OwnedFd,
}

/// Starts a child that follows `plan`, with these standard streams. If that is an error, there is no child. ENOSYS, EINVAL
/// or EPERM mean that it cannot be done like this on this system.
///
/// Blocks until the child has executed its program, or failed to.
///
/// # Errors
/// What the system says.
pub(crate) fn start(plan: &Plan, streams: [BorrowedFd<'_>; STREAMS]) -> io::Result<Unreaped> {
    thread_local! {
        /// Of this thread alone: another one may stand still in a start that hangs.
        static NEST: RefCell<Option<Nest>> = const { RefCell::new(None) };
    }
    NEST.with_borrow_mut(|kept| {
        let mut nest = kept.take().unwrap_or_else(Nest::new);
        let child = nest.start(plan, streams);
        // One that could not be emptied would keep the other ends of our pipes.
        if nest.empty() {
            *kept = Some(nest);
        }
        child
    })
}

/// Reaps a child if it has ended. That somebody else has reaped it is an end, too.
pub(crate) fn reap(pid: u32) -> Option<ExitStatus> {
    wait(pid, libc::WNOHANG).unwrap_or(Some(ExitStatus::Exited(-1)))
}

/// Reaps a child that ends right now, and waits for that.
pub(crate) fn reap_ending(pid: u32) {
    // That somebody else has reaped it is as good.
    drop(wait(pid, 0));
}

/// What a thread needs to start children.
struct Nest {
    stack: Box<[MaybeUninit<u8>]>,
    /// Made when they are first needed.
    slots: Option<Slots>,
}

/// Where the child finds its streams.
struct Slots {
    /// Descriptors that are held so that their numbers are ours; what they lead to is `nothing` between two starts.
    held: [OwnedFd; STREAMS],
    nothing: OwnedFd,
}

impl Slots {
    fn new() -> io::Result<Self> {
        let nothing = OwnedFd::from(File::open("/dev/null")?);
        // Above the standard streams, which the child sets from them.
        let slot = || rustix::io::fcntl_dupfd_cloexec(&nothing, STREAMS as libc::c_int);
        let held = [slot()?, slot()?, slot()?];
        Ok(Self { held, nothing })
    }

    /// Their numbers, once they lead to the streams. Whatever comes of it, they are to be emptied.
    fn fill(&mut self, streams: [BorrowedFd<'_>; STREAMS]) -> io::Result<[libc::c_int; STREAMS]> {
        for (slot, stream) in self.held.iter_mut().zip(streams) {
            rustix::io::dup3(stream, slot, DupFlags::CLOEXEC)?;
        }
        Ok(self.held.each_ref().map(AsRawFd::as_raw_fd))
    }

    /// Lets go of what they lead to; false if that fails.
    fn empty(&mut self) -> bool {
        let Self { held, nothing } = self;
        held.iter_mut().all(|slot| rustix::io::dup3(&*nothing, slot, DupFlags::CLOEXEC).is_ok())
    }
}

/// Whether the child can take its streams from where they are: what it takes along until it executes its program is little,
/// and setting one stream does not overwrite another.
fn need_no_slots(few_descriptors: bool, streams: [libc::c_int; STREAMS]) -> bool {
    few_descriptors && streams.iter().all(|number| *number >= STREAMS as libc::c_int)
}

/// What the child is told.
struct Order<'a> {
    plan: &'a Plan,
    slots: [libc::c_int; STREAMS],
    /// What has failed before the child could follow its plan.
    failure: AtomicI32,
}

impl Nest {
    fn new() -> Self {
        Self { stack: Box::new_uninit_slice(STACK), slots: None }
    }

    /// May fill slots; whatever comes of it, they are to be emptied.
    fn start(&mut self, plan: &Plan, streams: [BorrowedFd<'_>; STREAMS]) -> io::Result<Unreaped> {
        let as_they_are = streams.map(|stream| stream.as_raw_fd());
        let slots = match &mut self.slots {
            None if need_no_slots(fds::are_few(), as_they_are) => as_they_are,
            Some(slots) => slots.fill(streams)?,
            none => none.insert(Slots::new()?).fill(streams)?,
        };
        self.give(&Order { plan, slots, failure: AtomicI32::new(0) })
    }

    /// Gives the order to a new child.
    fn give(&mut self, order: &Order<'_>) -> io::Result<Unreaped> {
        let argument = (&raw const *order).cast_mut().cast::<c_void>();
        let kind = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::CLONE_PIDFD | libc::SIGCHLD;
        let mut pidfd: libc::c_int = -1;
        // In the child no handler of ours may run before the dispositions are reset, so it begins with everything blocked.
        let mask = Mask::full();
        let top = self.stack.as_mut_ptr_range().end;
        // SAFETY: the stack is this nest's own, which we hold exclusively and which nobody else uses; its end is given,
        // for it grows downwards, and `clone` aligns it. `hatch` is given a live `Order`. The child shares our memory, but
        // this thread stands still until it has executed its program or ended, so `order`, the stack and `errno` are the
        // child's alone meanwhile. It makes async-signal-safe calls only, writes to nothing of ours but
        // `order.failure`, and never returns. The kernel writes one descriptor to `pidfd`.
        let pid = unsafe { libc::clone(hatch, top.cast(), kind, argument, &raw mut pidfd) };
        let error = io::Error::last_os_error();
        drop(mask);
        let Ok(pid @ 1..) = u32::try_from(pid) else { return Err(error) };
        // SAFETY: the kernel has opened it for us, close-on-exec, and nobody else knows of it.
        let child = Unreaped { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } };
        match order.failure.load(Ordering::SeqCst) {
            0 => Ok(child),
            number => {
                reap_ending(pid);
                Err(io::Error::from_raw_os_error(number))
            }
        }
    }

    /// Lets go of what the slots lead to, if there are any; false if that fails.
    fn empty(&mut self) -> bool {
        self.slots.as_mut().is_none_or(Slots::empty)
    }
}

/// The first steps of the child.
extern "C" fn hatch(argument: *mut c_void) -> libc::c_int {
    // SAFETY: `Nest::start` gives a live `Order`, and stands still.
    let order = unsafe { &*argument.cast::<Order<'_>>() };
    // Before the table is our own: the file is not among what the small one keeps, and its lock is let go of with it.
    order.plan.announce();
    let first = order.slots.iter().max().map_or(0, |last| last.saturating_add(1));
    // SAFETY: takes integers only. The table becomes our own, with what is below `first` in it and nothing else; a kernel
    // that does not know the flag (before Linux 5.9) refuses and closes nothing.
    let own_table =
        unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE) } == 0;
    // SAFETY: takes integers only; the table is our own.
    let has_streams = || (0..).zip(order.slots).all(|(stream, slot)| unsafe { libc::dup2(slot, stream) } >= 0);
    if !(own_table && has_streams()) {
        order.failure.store(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO), Ordering::SeqCst);
        // SAFETY: async-signal-safe; nothing of the memory that we share is touched any more.
        unsafe { libc::_exit(127) };
    }
    order.plan.run()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sys::alone;
    use crate::sys::child::Start;
    use crate::sys::fds::{self, CloseOnExec};

    #[test]
    fn streams_are_taken_from_where_they_are_if_that_is_cheap_and_safe() {
        for (few, streams, direct) in [
            (true, [3, 4, 5], true),
            (true, [200, 7, 9], true),
            (true, [3, 2, 5], false),
            (true, [0, 4, 5], false),
            (false, [3, 4, 5], false),
        ] {
            assert_eq!(need_no_slots(few, streams), direct, "{few} {streams:?}");
        }
    }

    #[test]
    fn what_fails_before_the_plan_leaves_nothing_behind() {
        alone::run("sys::vfork::tests::without_streams", &[]);
    }

    #[test]
    #[ignore = "run by what_fails_before_the_plan_leaves_nothing_behind"]
    fn without_streams() {
        let start = Start {
            program: Path::new("/bin/true"),
            words: &["true".to_owned()],
            environment: &[],
            user: None,
            directory: None,
            umask: None,
            close_on_exec: CloseOnExec::find(),
            reset_oom_score: false,
            extended: None,
            announcement: None,
        };
        let plan = Plan::new(start).unwrap();
        let mut nest = Nest::new();
        let open = fds::open_count();
        let order = Order { plan: &plan, slots: [9000, 9001, 9002], failure: AtomicI32::new(0) };
        assert_eq!(nest.give(&order).unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert_eq!(fds::open_count(), open);
        let none = rustix::process::waitpid(None, rustix::process::WaitOptions::NOHANG);
        assert_eq!(none.unwrap_err(), rustix::io::Errno::CHILD);
    }
}
