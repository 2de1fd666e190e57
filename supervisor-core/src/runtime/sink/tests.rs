#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::runtime::lane::Lanes;

struct Nobody;

impl ActivityLog for Nobody {
    fn enabled(&self, _level: Level) -> bool {
        false
    }

    fn write(&self, _level: Level, _text: &str) {}
}

#[test]
fn who_comes_while_the_last_one_goes_keeps_the_log_open() {
    let directory = tempfile::tempdir().unwrap();
    let lanes = Lanes::new(Arc::new(Nobody));
    let open = || lanes.open(directory.path().join("x"), 0, 0, "").unwrap();
    let first = open();
    let sink = Arc::clone(first.sink());
    // The first has left, and is about to close.
    assert!(sink.shares().leave(first.limits));
    let second = open();
    sink.close("");
    assert!(sink.open().is_some());
    drop(second);
    assert!(sink.open().is_none());
    drop(first);
}
