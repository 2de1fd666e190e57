#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::runtime::lane::Lanes;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl ActivityLog for Lines {
    fn enabled(&self, _level: Level) -> bool {
        true
    }

    fn write(&self, _level: Level, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

#[test]
fn what_is_lost_while_a_log_cannot_be_opened_is_told_once_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let (below, path) = (directory.path().join("logs"), directory.path().join("logs/x"));
    std::fs::create_dir(&below).unwrap();
    let lines = Arc::<Lines>::default();
    let lanes = Lanes::new(Arc::clone(&lines) as Arc<dyn ActivityLog>);
    let log = lanes.open(path.as_path(), 0, 0, "'x' stdout").unwrap();
    let name = format!("'x' stdout log '{}'", path.display());
    // However it came to be closed while somebody writes.
    *log.sink.open() = None;
    std::fs::remove_dir_all(&below).unwrap();
    assert_eq!((log.offer(b"one"), log.offer(b"three")), (3, 5));
    let begun =
        format!("{name} cannot be written, output is lost until it can: No such file or directory (os error 2)");
    assert_eq!(*lines.0.lock().unwrap(), [begun.as_str()]);
    std::fs::create_dir(&below).unwrap();
    assert_eq!(log.offer(b"kept"), 4);
    assert_eq!(*lines.0.lock().unwrap(), [begun, format!("{name} is written again, 8 bytes were lost")]);
    assert_eq!((log.sink.lost(), std::fs::read(&path).unwrap()), (8, b"kept".to_vec()));
}

#[test]
fn who_comes_while_the_last_one_goes_keeps_the_log_open() {
    let directory = tempfile::tempdir().unwrap();
    let lanes = Lanes::new(Arc::<Lines>::default());
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
