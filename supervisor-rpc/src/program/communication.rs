//! Messages from a program in capture mode (Supervisor 4.3: process communication events).

use std::io::{self, Write};

use supervisor_core::domain::token::{BEGIN, END};

/// Sends a message that becomes a PROCESS_COMMUNICATION event if the supervisor captures this channel
/// (`stdout_capture_maxbytes`, `stderr_capture_maxbytes`), and is ordinary output if it does not.
///
/// `output` is standard output or standard error; it is flushed. Of a message longer than the capture limit the listener
/// gets the end only. The message should be UTF-8: of other bytes it gets a Python literal.
///
/// # Errors
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if the message contains the token that ends it; else what writing says.
///
/// ```
/// let mut output = Vec::new();
/// supervisor_rpc::program::communicate(&mut output, b"disk full")?;
/// assert_eq!(output, b"<!--XSUPERVISOR:BEGIN-->disk full<!--XSUPERVISOR:END-->");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn communicate(output: &mut impl Write, message: &[u8]) -> io::Result<()> {
    if message.windows(END.len()).any(|part| part == END) {
        let why = "the message contains the token that ends a message";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    // In one write as far as the system allows, so that other threads' output does not come in between.
    output.write_all(&[BEGIN, message, END].concat())?;
    output.flush()
}
