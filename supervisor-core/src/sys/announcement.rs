//! A line that a child writes to a file about itself before it executes anything.
//!
//! What its parent writes after the start is not written if the parent is killed in between. What the line says and who
//! reads it is not decided here.
#![expect(unsafe_code, reason = "the child between fork and exec")]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// Room for the decimal digits of every pid.
const DIGITS: usize = 10;

/// The line, all but the pid, and the file that it goes to.
#[derive(Debug)]
pub(crate) struct Announcement {
    file: Arc<File>,
    rest: Vec<u8>,
}

impl Announcement {
    /// The child will append to `file`, in one piece, a line end, its pid, and `rest`.
    pub(crate) fn new(file: Arc<File>, rest: String) -> Self {
        Self { file, rest: rest.into_bytes() }
    }

    /// Writes the line for the calling process. Safe between fork and exec; the descriptor must still be open. Whether it
    /// could be written is not told: the parent writes too.
    pub(super) fn write(&self) {
        // SAFETY: getpid(2) is async-signal-safe and cannot fail.
        let (mut number, mut digits) = (unsafe { libc::getpid() }.unsigned_abs(), [b'0'; DIGITS]);
        let mut first = DIGITS;
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            if number == 0 {
                break;
            }
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            first = place;
        }
        let part = |bytes: &[u8]| libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let parts = [part(b"\n"), part(digits.get(first..).unwrap_or_default()), part(&self.rest)];
        // SAFETY: three live slices, which the call only reads; writev(2) is a bare system call.
        unsafe { libc::writev(self.file.as_raw_fd(), parts.as_ptr(), parts.len() as libc::c_int) };
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_line_has_the_pid_in_front() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let opened = File::options().append(true).open(file.path()).unwrap();
        Announcement::new(Arc::new(opened), " and more\n".to_owned()).write();
        let pid = std::process::id();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), format!("\n{pid} and more\n"));
    }
}
