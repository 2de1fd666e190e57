//! The parts of a log that `readLog` and `tailLog` give.
//!
//! Offsets and lengths come from clients: any number is answered, none overflows, and no answer is larger than
//! [`READ_LIMIT`].

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::open::open_read;

/// The most bytes that one call reads. A client gets the rest with further calls.
pub const READ_LIMIT: u64 = 8 << 20;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file.
    #[error("no such file")]
    NoFile,
    /// Offset and length do not go together.
    #[error("bad combination of offset and length")]
    BadArguments,
    /// The system does not let us read it.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The size of the log.
    pub size: u64,
    /// There was more than was asked for.
    pub overflow: bool,
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u64,
    length: u64,
}

/// Reads from `offset` on, at most `length` bytes (0: to the end); a negative offset counts from the end and goes with
/// length 0 only.
///
/// # Errors
/// Why not; a missing file comes first.
pub fn read(path: &Path, offset: i64, length: i64) -> Result<Vec<u8>, ReadError> {
    let (mut file, size) = open(path)?;
    let span = span(size, offset, length).ok_or(ReadError::BadArguments)?;
    Ok(read_span(&mut file, span)?)
}

/// Reads the end of a log: about `length` bytes, for a client that has seen `offset`.
///
/// # Errors
/// [`ReadError::NoFile`] or [`ReadError::Unreadable`].
pub fn tail(path: &Path, offset: i64, length: i64) -> Result<Tail, ReadError> {
    let (mut file, size) = open(path)?;
    let (span, overflow) = tail_span(size, offset, length);
    Ok(Tail { bytes: read_span(&mut file, span)?, size, overflow })
}

fn open(path: &Path) -> Result<(File, u64), ReadError> {
    let mut file = open_read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ReadError::NoFile,
        _ => ReadError::Unreadable(error),
    })?;
    if file.metadata()?.is_dir() {
        return Err(ReadError::Unreadable(io::ErrorKind::IsADirectory.into()));
    }
    // A pipe or terminal fails here, before anything is taken out of it.
    let size = file.seek(SeekFrom::End(0))?;
    Ok((file, size))
}

fn read_span(file: &mut File, span: Span) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if span.length > 0 {
        file.seek(SeekFrom::Start(span.start))?;
        file.take(span.length).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What `read` means in a log of `size` bytes; `None` for arguments that do not go together.
fn span(size: u64, offset: i64, length: i64) -> Option<Span> {
    let start = match (offset, length) {
        (0.., 0..) => offset.unsigned_abs().min(size),
        // The newest bytes are those that an offset from the end is for.
        (..0, 0) => size.saturating_sub(offset.unsigned_abs().min(READ_LIMIT)),
        _ => return None,
    };
    let rest = size - start;
    let wanted = if length == 0 { rest } else { rest.min(length.unsigned_abs()) };
    Some(Span { start, length: wanted.min(READ_LIMIT) })
}

/// What `tail` means in a log of `size` bytes, and whether there is more than was asked for.
fn tail_span(size: u64, offset: i64, length: i64) -> (Span, bool) {
    let (size, mut offset, mut length) = (i128::from(size), i128::from(offset), i128::from(length));
    let overflow = size > offset + length;
    if overflow {
        offset = size - 1;
    }
    if offset + length > size {
        if offset > size - 1 {
            length = 0;
        }
        offset = size - length;
    }
    let (offset, length) = (offset.max(0), length.max(0));
    // The newest bytes are those that a tail is for.
    let end = (offset + length).min(size);
    let start = offset.max(end - i128::from(READ_LIMIT)).min(end);
    let unsigned = |number: i128| u64::try_from(number).unwrap_or(0);
    (Span { start: unsigned(start), length: unsigned(end - start) }, overflow)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn log(content: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        fs::write(&path, content).unwrap();
        (directory, path)
    }

    #[test]
    fn read_by_offset_and_length() {
        let (_directory, path) = log("0123456789");
        let table = [
            ((0, 0), Some("0123456789")),
            ((0, 3), Some("012")),
            ((3, 3), Some("345")),
            ((3, 0), Some("3456789")),
            ((8, 100), Some("89")),
            ((10, 0), Some("")),
            ((100, 0), Some("")),
            ((100, 5), Some("")),
            ((i64::MAX, i64::MAX), Some("")),
            ((-3, 0), Some("789")),
            ((-10, 0), Some("0123456789")),
            ((-99, 0), Some("0123456789")),
            ((i64::MIN, 0), Some("0123456789")),
            ((0, -1), None),
            ((5, -5), None),
            ((-3, 1), None),
            ((-3, -3), None),
            ((i64::MIN, i64::MIN), None),
        ];
        for ((offset, length), expected) in table {
            match (read(&path, offset, length), expected) {
                (Ok(bytes), Some(expected)) => assert_eq!(bytes, expected.as_bytes(), "({offset}, {length})"),
                (Err(ReadError::BadArguments), None) => {}
                (other, _) => panic!("({offset}, {length}): {other:?}"),
            }
        }
    }

    #[test]
    fn tail_by_offset_and_length() {
        let (_directory, path) = log("0123456789");
        let table = [
            ((0, 0), "", true),
            ((0, 3), "789", true),
            ((0, 4), "6789", true),
            ((0, 10), "0123456789", false),
            ((0, 100), "0123456789", false),
            ((5, 3), "789", true),
            ((5, 5), "56789", false),
            ((5, 100), "0123456789", false),
            ((9, 1), "9", false),
            ((9, 5), "56789", false),
            ((10, 0), "", false),
            ((10, 5), "", false),
            ((100, 5), "", false),
            ((-3, 5), "56789", true),
            ((0, -5), "", true),
            ((-20, 100), "0123456789", false),
            ((i64::MAX, i64::MAX), "", false),
            ((i64::MIN, i64::MAX), "0123456789", true),
            ((i64::MIN, i64::MIN), "", true),
        ];
        for ((offset, length), bytes, overflow) in table {
            let expected = Tail { bytes: bytes.into(), size: 10, overflow };
            assert_eq!(tail(&path, offset, length).unwrap(), expected, "({offset}, {length})");
        }
    }

    #[test]
    fn what_cannot_be_read() {
        let (directory, path) = log("");
        assert!(matches!(read(&directory.path().join("none"), -3, 3), Err(ReadError::NoFile)));
        assert!(matches!(tail(&directory.path().join("none"), 7, 10), Err(ReadError::NoFile)));
        assert!(matches!(read(directory.path(), 0, 0), Err(ReadError::Unreadable(_))));
        assert!(matches!(tail(directory.path(), 5, 10), Err(ReadError::Unreadable(_))));
        assert_eq!(tail(&path, 0, 0).unwrap(), Tail { bytes: vec![], size: 0, overflow: false });
        assert_eq!(read(Path::new("/dev/null"), 0, 0).unwrap(), b"");
        let fifo = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(matches!(read(&fifo, 0, 0), Err(ReadError::Unreadable(_))), "a FIFO must not be waited for");
    }

    #[test]
    fn no_answer_is_larger_than_the_limit() {
        let size = 10 * READ_LIMIT;
        assert_eq!(span(size, 7, 0), Some(Span { start: 7, length: READ_LIMIT }));
        assert_eq!(span(size, -8, 0), Some(Span { start: size - 8, length: 8 }));
        assert_eq!(span(size, i64::MIN, 0), Some(Span { start: size - READ_LIMIT, length: READ_LIMIT }));
        let (whole, overflow) = tail_span(size, 0, i64::MAX);
        assert_eq!((whole, overflow), (Span { start: size - READ_LIMIT, length: READ_LIMIT }, false));
    }

    proptest! {
        #[test]
        fn spans_stay_inside_the_file(size: u64, offset: i64, length: i64) {
            let tail = tail_span(size, offset, length).0;
            for span in span(size, offset, length).into_iter().chain([tail]) {
                prop_assert!(span.start.checked_add(span.length).is_some_and(|end| end <= size));
                prop_assert!(span.length <= READ_LIMIT);
            }
        }
    }
}
