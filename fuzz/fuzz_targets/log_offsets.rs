//! Each offset and length reads what they mean, and nothing that is not in the log. The input: two numbers, each a byte and
//! how far it is shifted, so that the ends of small logs are met often; then the log.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use supervisor_core::logfile::read;

static LOG: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("supervisor-fuzz-{}.log", std::process::id())));

fuzz_target!(|input: &[u8]| {
    let Some(([offset, shift, length, scale], log)) = input.split_first_chunk::<4>() else { return };
    let number = |byte: u8, shift: u8| i64::from(byte.cast_signed()) << (shift % 57);
    let (offset, length) = (number(*offset, *shift), number(*length, *scale));
    fs::write(&*LOG, log).expect("a temporary file can be written");
    match (read::read(&LOG, offset, length), wanted(log, offset, length)) {
        (Ok(bytes), Some(wanted)) => assert!(bytes == wanted, "{offset} {length}"),
        (Err(_), None) => {}
        (read, _) => panic!("{offset} {length}: {read:?}"),
    }
    let tail = read::tail(&LOG, offset, length).expect("the log is there");
    assert_eq!(tail.size, log.len() as u64);
    assert!(tail.bytes.is_empty() || log.windows(tail.bytes.len()).any(|part| part == tail.bytes));
});

/// From an offset on, or from so many bytes before the end on; not both an end and a length, and no negative length.
fn wanted(log: &[u8], offset: i64, length: i64) -> Option<&[u8]> {
    let distance = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
    match (offset, length) {
        (..0, 0) => Some(&log[log.len().saturating_sub(distance)..]),
        (0.., 0..) => {
            let rest = &log[distance.min(log.len())..];
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            Some(if length == 0 { rest } else { &rest[..length.min(rest.len())] })
        }
        _ => None,
    }
}
