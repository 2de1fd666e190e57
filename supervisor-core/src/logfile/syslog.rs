//! The system log: messages as datagrams to its local socket (RFC 3164), without waiting.
//!
//! libc's `syslog` blocks and keeps process-wide state; this does neither. The time is left to the receiver, which
//! knows it as well as we do. A message that cannot be sent is given back as an error: what is lost is for the caller
//! to count.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Facility user, severity info: what Python's `syslog.syslog` takes when it is told nothing.
const PRIORITY: &str = "<14>";

/// Where systems have the socket of their log.
const SOCKETS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];

/// After a failed connection, messages are given up for this long before the next attempt.
const RETRY: Duration = Duration::from_millis(100);

/// A longer line becomes several messages: receivers cut them here (rsyslog's default), sockets not much later.
const LONGEST: usize = 8192;

/// A way to the system log. Connects when it is first needed, and again when the receiver was restarted.
#[derive(Debug)]
pub struct Syslog {
    ident: String,
    sockets: Vec<PathBuf>,
    socket: Option<UnixDatagram>,
    retry_at: Option<Instant>,
}

impl Syslog {
    /// To the system's log, under this name.
    pub fn new(ident: &str) -> Self {
        Self::to(SOCKETS.iter().map(PathBuf::from).collect(), ident)
    }

    /// To the log behind the first of these sockets that answers.
    pub fn to(sockets: Vec<PathBuf>, ident: &str) -> Self {
        Self { ident: ident.to_owned(), sockets, socket: None, retry_at: None }
    }

    /// Sends one message. Returns at once.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) while the receiver's queue is full (then [`socket`](Self::socket) tells
    /// when there is room again); anything else the system says.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let mut datagram = format!("{PRIORITY}{}: ", self.ident).into_bytes();
        // Receivers take a NUL for the end of the message.
        datagram.extend(message.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }));
        self.send_datagram(&datagram)
    }

    /// The socket, to wait until it takes more.
    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    fn send_datagram(&mut self, datagram: &[u8]) -> io::Result<()> {
        if let Some(socket) = &self.socket {
            match socket.send(datagram).map_err(uniform) {
                Ok(_) => return Ok(()),
                Err(error) if keeps_connection(&error) => return Err(error),
                // The receiver has gone, perhaps to come back under the same name.
                Err(_) => self.socket = None,
            }
        }
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        match self.connect() {
            Ok(socket) => {
                self.retry_at = None;
                self.socket.insert(socket).send(datagram).map(|_| ()).map_err(uniform)
            }
            Err(error) => {
                self.retry_at = Some(Instant::now() + RETRY);
                Err(error)
            }
        }
    }

    fn connect(&self) -> io::Result<UnixDatagram> {
        let mut refusal = io::Error::from(io::ErrorKind::NotFound);
        for path in &self.sockets {
            match connect(path) {
                Ok(socket) => return Ok(socket),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}

/// The BSDs say ENOBUFS where Linux says EAGAIN.
fn uniform(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) {
        return io::ErrorKind::WouldBlock.into();
    }
    error
}

fn keeps_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        || error.raw_os_error() == Some(rustix::io::Errno::MSGSIZE.raw_os_error())
}

/// The messages of a chunk of output: its lines. Newlines at the end of the chunk make no empty lines, empty lines inside
/// are kept; a chunk of newlines only is one empty line (Supervisor 4.3).
pub fn messages(chunk: &[u8]) -> impl Iterator<Item = &[u8]> {
    let length = chunk.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    let lines = chunk[..length].split(|byte| *byte == b'\n');
    lines.flat_map(|line| {
        let empty = line.is_empty().then_some(line);
        line.chunks(LONGEST).chain(empty)
    })
}

/// The name of the running program, which the system log shows (`supervisord` in the daemon).
pub fn program_name() -> String {
    std::env::args_os()
        .next()
        .and_then(|path| Some(Path::new(&path).file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "supervisor".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = vec![0; 1 << 18];
        let count = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    #[test]
    fn messages_reach_the_socket_over_its_restart() {
        // Where no child of another test may keep the socket for a moment.
        crate::sys::alone::run("logfile::syslog::tests::restarts_in_a_process", &[]);
    }

    #[test]
    #[ignore = "run by messages_reach_the_socket_over_its_restart"]
    fn restarts_in_a_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut syslog = Syslog::to(vec![directory.path().join("none"), path.clone()], "supervisord");
        assert_eq!(syslog.send(b"x early").unwrap_err().kind(), io::ErrorKind::NotFound);
        let receiver = UnixDatagram::bind(&path).unwrap();
        // Not before the pause is over.
        assert_eq!(syslog.send(b"x early").unwrap_err().kind(), io::ErrorKind::NotConnected);
        syslog.retry_at = None;
        syslog.send(b"x one").unwrap();
        syslog.send(b"x t\0wo").unwrap();
        assert_eq!(
            (received(&receiver), received(&receiver)),
            ("<14>supervisord: x one".into(), "<14>supervisord: x t wo".into())
        );

        drop(receiver);
        std::fs::remove_file(&path).unwrap();
        syslog.send(b"x lost").unwrap_err();
        let receiver = UnixDatagram::bind(&path).unwrap();
        syslog.retry_at = None;
        syslog.send(b"x three").unwrap();
        assert_eq!(received(&receiver), "<14>supervisord: x three");

        // A restart between two messages loses none.
        drop(receiver);
        std::fs::remove_file(&path).unwrap();
        let receiver = UnixDatagram::bind(&path).unwrap();
        syslog.send(b"x four").unwrap();
        assert_eq!(received(&receiver), "<14>supervisord: x four");
    }

    #[test]
    fn a_receiver_that_does_not_read_costs_no_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let mut syslog = Syslog::to(vec![path], "supervisord");
        let sent = (0..1_000_000).take_while(|_| syslog.send(b"x line").is_ok()).count();
        assert!(sent < 1_000_000);
        assert_eq!(syslog.send(b"x line").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(syslog.socket().is_some());
        received(&receiver);
        syslog.send(b"x line").unwrap();
    }

    #[test]
    fn lines_of_a_chunk() {
        let table: [(&str, &[&str]); 6] = [
            ("a\nb\n", &["a", "b"]),
            ("a\nb", &["a", "b"]),
            ("a\n\nb\n", &["a", "", "b"]),
            ("a\n\nb\n\n\n", &["a", "", "b"]),
            ("\n\n", &[""]),
            ("\n", &[""]),
        ];
        for (chunk, expected) in table {
            let got: Vec<_> = messages(chunk.as_bytes()).map(|line| std::str::from_utf8(line).unwrap()).collect();
            assert_eq!(got, expected, "{chunk:?}");
        }
        let long = [b'a'; 2 * LONGEST + 1];
        assert_eq!(messages(&long).map(<[u8]>::len).collect::<Vec<_>>(), [LONGEST, LONGEST, 1]);
    }
}
