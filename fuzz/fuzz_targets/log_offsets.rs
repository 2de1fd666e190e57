//! No offset and no length reads what is not in the log. The input: two numbers of 8 bytes, then the log.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use supervisor_core::logfile::read;

static LOG: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("supervisor-fuzz-{}.log", std::process::id())));

fuzz_target!(|input: &[u8]| {
    let Some((offset, rest)) = input.split_first_chunk::<8>() else { return };
    let Some((length, log)) = rest.split_first_chunk::<8>() else { return };
    let (offset, length) = (i64::from_le_bytes(*offset), i64::from_le_bytes(*length));
    fs::write(&*LOG, log).expect("a temporary file can be written");
    if let Ok(bytes) = read::read(&LOG, offset, length) {
        assert!(bytes.is_empty() || log.windows(bytes.len()).any(|part| part == bytes), "{offset} {length}");
        assert!(length == 0 || bytes.len() as u64 <= length.unsigned_abs());
    } else {
        assert!(length < 0 || (offset < 0 && length != 0), "{offset} {length} is refused");
    }
    let tail = read::tail(&LOG, offset, length).expect("the log is there");
    assert_eq!(tail.size, log.len() as u64);
    assert!(tail.bytes.is_empty() || log.windows(tail.bytes.len()).any(|part| part == tail.bytes));
});
