//! What happens in a child between fork and exec.
//!
//! Everything is prepared in the parent; the child makes async-signal-safe calls only, allocates nothing and never
//! returns. What fails is written to the child's stderr in Supervisor's words, and the status is 127.
#![expect(unsafe_code, reason = "the child between fork and exec")]

use std::ffi::{CString, NulError, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::announcement::Announcement;
use super::birth::BirthNote;
use super::fds::CloseOnExec;
use super::privilege::{Identity, PrivilegeError};
use super::rlimit::Extended;
use super::{errno, signals};

/// The second line of every failure.
const NOT_SPAWNED: &[u8] = b"\nsupervisor: child process was not spawned\n";

/// Strings as `execve(2)` takes them: pointers, the last one null.
struct CStringArray {
    pointers: Vec<*const libc::c_char>,
    /// What the pointers point into; never touched again.
    _strings: Vec<CString>,
}

// SAFETY: the pointers are to heap memory owned by `_strings`, which moves along with them and never changes.
unsafe impl Send for CStringArray {}
// SAFETY: as above; shared use only reads.
unsafe impl Sync for CStringArray {}

impl CStringArray {
    fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }
}

/// Who the child is to be.
pub(crate) enum Who {
    /// Whoever the parent is.
    Same,
    /// Somebody else.
    Other(Identity),
    /// Somebody whom the parent cannot become: the child says so.
    Refused(PrivilegeError),
}

/// What a program is to be started with.
pub(crate) struct Start<'a> {
    /// The file to execute.
    pub(crate) program: &'a Path,
    /// All words of the command; the first is its name as written.
    pub(crate) words: &'a [String],
    /// The whole environment.
    pub(crate) environment: &'a [(&'a OsStr, &'a OsStr)],
    /// The user and how to become it; `None` without `user`.
    pub(crate) user: Option<(u32, Who)>,
    /// Where to start it.
    pub(crate) directory: Option<&'a Path>,
    /// Its umask.
    pub(crate) umask: Option<u32>,
    /// How its descriptors are cut off.
    pub(crate) close_on_exec: CloseOnExec,
    /// Give it the neutral out-of-memory score.
    pub(crate) reset_oom_score: bool,
    /// The limit of open files that is ours alone.
    pub(crate) extended: Option<Extended>,
    /// What it writes down about itself before anything else.
    pub(crate) announcement: Option<Arc<Announcement>>,
}

/// The same, as the child can use it.
pub(crate) struct Plan {
    program: CString,
    words: CStringArray,
    environment: CStringArray,
    who: Who,
    directory: Option<CString>,
    umask: Option<u32>,
    close_on_exec: CloseOnExec,
    reset_oom_score: bool,
    extended: Option<Extended>,
    announcement: Option<Arc<Announcement>>,
    /// The beginnings of the messages, up to the reason.
    cannot_set_user: Vec<u8>,
    cannot_change_directory: Vec<u8>,
    cannot_execute: Vec<u8>,
}

fn c_string(text: impl AsRef<OsStr>) -> Result<CString, NulError> {
    CString::new(text.as_ref().as_bytes())
}

fn pair(name: &OsStr, value: &OsStr) -> Result<CString, NulError> {
    CString::new([name.as_bytes(), b"=", value.as_bytes()].concat())
}

fn cannot(what: &str, with: &OsStr) -> Vec<u8> {
    [b"supervisor: couldn't ", what.as_bytes(), b" ", with.as_bytes(), b": "].concat()
}

impl Plan {
    /// A plan for this start.
    ///
    /// # Errors
    /// A NUL byte in a word, a path or the environment.
    pub(crate) fn new(start: Start<'_>) -> Result<Self, NulError> {
        let (uid, who) = start.user.map_or((0, Who::Same), |(uid, who)| (uid, who));
        Ok(Self {
            program: c_string(start.program)?,
            words: CStringArray::new(start.words.iter().map(c_string).collect::<Result<_, _>>()?),
            environment: CStringArray::new(
                start.environment.iter().map(|(name, value)| pair(name, value)).collect::<Result<_, _>>()?,
            ),
            who,
            directory: start.directory.map(c_string).transpose()?,
            umask: start.umask,
            close_on_exec: start.close_on_exec,
            reset_oom_score: start.reset_oom_score,
            extended: start.extended,
            announcement: start.announcement,
            cannot_set_user: cannot("setuid to", uid.to_string().as_ref()),
            cannot_change_directory: cannot("chdir to", start.directory.unwrap_or(Path::new("")).as_os_str()),
            cannot_execute: cannot("exec", start.words.first().map_or("", String::as_str).as_ref()),
        })
    }

    /// Whether the child may share our memory until it executes the program. The C library's calls that change an
    /// identity change it for every thread that they find in memory, which would be ours.
    pub(crate) fn may_share_memory(&self) -> bool {
        !matches!(self.who, Who::Other(_))
    }

    /// A command whose child signs `note` and then follows the plan. Its standard streams are still to be set.
    pub(crate) fn into_command(self, note: Arc<BirthNote>) -> Command {
        // The name does not matter: the plan executes its own program and never comes back.
        #[expect(clippy::disallowed_methods, reason = "what the spawner is made of")]
        let mut command = Command::new("supervisor");
        let follow = move || {
            note.sign();
            self.announce();
            self.run()
        };
        // SAFETY: `BirthNote::sign`, `Plan::announce` and `Plan::run` make async-signal-safe calls on prepared memory only, as pre_exec
        // demands.
        unsafe { command.pre_exec(follow) };
        command
    }

    /// Writes down what is to be known of the child even if its parent is killed now. Only called in a fresh child that
    /// still has its parent's descriptors.
    pub(super) fn announce(&self) {
        if let Some(announcement) = &self.announcement {
            announcement.write();
        }
    }

    /// Becomes the program. Only called in a fresh child, which has one thread and its standard streams. It may share our
    /// memory if [`may_share_memory`](Self::may_share_memory) says so: nothing is written to.
    pub(crate) fn run(&self) -> ! {
        // SAFETY: takes integers only; async-signal-safe. It cannot fail in a child that has not executed yet.
        unsafe { libc::setpgid(0, 0) };
        signals::reset_in_child();
        self.close_on_exec.mark();
        if self.reset_oom_score {
            write_oom_score();
        }
        self.set_user();
        if let Some(directory) = &self.directory {
            // SAFETY: a live C string; async-signal-safe.
            if unsafe { libc::chdir(directory.as_ptr()) } != 0 {
                fail(&self.cannot_change_directory, b"", last_error());
            }
        }
        if let Some(mask) = self.umask {
            // SAFETY: takes an integer only; async-signal-safe.
            unsafe { libc::umask(mask as libc::mode_t) };
        }
        // After the last thing that is opened: the table may be fuller than this limit.
        if let Some(extended) = self.extended {
            extended.give_back();
        }
        let (words, environment) = (self.words.pointers.as_ptr(), self.environment.pointers.as_ptr());
        // SAFETY: a live C string and two arrays of such that end with null; async-signal-safe.
        unsafe { libc::execve(self.program.as_ptr(), words, environment) };
        fail(&self.cannot_execute, b"", last_error());
    }

    fn set_user(&self) {
        let error = match &self.who {
            Who::Same => return,
            Who::Other(identity) => match identity.take() {
                Ok(()) => return,
                Err(error) => error,
            },
            Who::Refused(error) => *error,
        };
        match error {
            PrivilegeError::NotRoot => fail(&self.cannot_set_user, b"Can't drop privilege as nonroot user", b""),
            PrivilegeError::Unchanged => fail(&self.cannot_set_user, b"the identity did not change as asked", b""),
            PrivilegeError::Step { step, number } => {
                fail(&self.cannot_set_user, step.words().as_bytes(), reason(number));
            }
        }
    }
}

fn last_error() -> &'static [u8] {
    // Reads errno and allocates nothing.
    reason(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

fn reason(number: i32) -> &'static [u8] {
    errno::name(number).unwrap_or("unknown error").as_bytes()
}

/// Says why on stderr, in one piece, and ends the child.
fn fail(what: &[u8], words: &[u8], name: &[u8]) -> ! {
    let between: &[u8] = if words.is_empty() || name.is_empty() { b"" } else { b": " };
    let part = |bytes: &[u8]| libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let parts = [part(what), part(words), part(between), part(name), part(NOT_SPAWNED)];
    // SAFETY: five live slices, which the call only reads. writev(2) is a bare system call. The pipe is fresh and empty,
    // so it takes the lines without waiting; where it does not, nothing can be done. _exit(2) is async-signal-safe.
    unsafe {
        libc::writev(libc::STDERR_FILENO, parts.as_ptr(), parts.len() as libc::c_int);
        libc::_exit(127)
    }
}

/// A daemon that is spared when memory runs out must not spare its children. Before the identity changes, since the
/// file belongs to root.
fn write_oom_score() {
    // SAFETY: a C string literal, a live buffer of one byte, and a descriptor that nobody else has; all async-signal-safe.
    unsafe {
        let fd = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd >= 0 {
            libc::write(fd, b"0".as_ptr().cast(), 1);
            libc::close(fd);
        }
    }
}
