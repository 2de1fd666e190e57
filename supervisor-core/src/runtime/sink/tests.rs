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

/// Keeps what it is told.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl ActivityLog for Kept {
    fn enabled(&self, _level: Level) -> bool {
        true
    }

    fn write(&self, _level: Level, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

impl Kept {
    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join("\n")
    }
}

fn rests(sink: &LogSink) -> bool {
    matches!(*sink.open(), Some(Open::Resting(_)))
}

#[test]
fn where_descriptors_are_few_a_log_is_open_only_while_it_is_written() {
    use futures_lite::future::block_on;
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let activity = Arc::new(Kept::default());
    let lanes = Lanes::with_few_descriptors(Arc::clone(&activity) as Arc<dyn ActivityLog>);
    let share = lanes.open(path("x"), 8, 2, "'x' stdout").unwrap();
    let sink = Arc::clone(share.sink());
    assert!(rests(&sink) && read("x").is_empty(), "it is there before anything is written");
    let write = |text: &str| {
        assert_eq!(share.offer(text.as_bytes()), text.len());
        assert!(rests(&sink));
    };
    write("one\n");
    write("two\n");
    // Full files are rotated, also those that were not open.
    assert_eq!((read("x.1").as_str(), read("x").as_str()), ("one\ntwo\n", ""));
    write("three\n");
    block_on(sink.clear()).unwrap();
    assert!(rests(&sink) && read("x").is_empty());
    std::fs::rename(path("x"), path("moved")).unwrap();
    block_on(sink.reopen()).unwrap();
    assert!(rests(&sink) && read("x").is_empty());
    write("four\n");
    // Another process that writes to it, and ends first.
    let other = lanes.open(path("x"), 8, 2, "'y' stdout").unwrap();
    assert_eq!(other.offer(b"5"), 1);
    drop(other);
    write("6");
    assert_eq!(read("x"), "four\n56");
    assert_eq!((activity.take().as_str(), sink.lost()), ("", 0));
    // What cannot be opened is lost, told of once, and opened as soon as it can be.
    std::fs::rename(path("x"), path("aside")).unwrap();
    std::fs::create_dir(path("x")).unwrap();
    write("lost");
    write("too");
    assert!(block_on(sink.reopen()).is_err() && rests(&sink));
    std::fs::remove_dir(path("x")).unwrap();
    write("7");
    assert_eq!((read("x").as_str(), sink.lost()), ("7", 7));
    let told = activity.take();
    assert_eq!(told.matches("cannot be written").count(), 1, "{told}");
    assert!(told.contains("is written again, 7 bytes were lost"), "{told}");
    drop(share);
    assert!(sink.open().is_none());
}

#[test]
fn what_may_lead_elsewhere_never_rests() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    let reader = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let lanes = Lanes::with_few_descriptors(Arc::new(Nobody));
    for path in [path.as_path(), Path::new("/dev/null")] {
        let share = lanes.open(path, 0, 0, "").unwrap();
        assert_eq!(share.offer(b"text"), 4);
        assert!(!rests(share.sink()), "{}", path.display());
    }
    drop(reader);
}

#[test]
fn output_waits_for_a_descriptor() {
    crate::sys::alone::run("runtime::sink::tests::without_descriptors", &[]);
}

#[test]
#[ignore = "run by output_waits_for_a_descriptor"]
fn without_descriptors() {
    use futures_lite::future::{block_on, poll_once};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let hard = getrlimit(Resource::Nofile).maximum;
    let limit = |soft| setrlimit(Resource::Nofile, Rlimit { current: Some(soft), maximum: hard }).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    let activity = Arc::new(Kept::default());
    let lanes = Lanes::with_few_descriptors(Arc::clone(&activity) as Arc<dyn ActivityLog>);
    let share = lanes.open(path.as_path(), 0, 0, "'x' stdout").unwrap();
    // The reactor takes its own.
    block_on(Timer::after(Duration::from_millis(1)));
    limit(3);
    assert_eq!(share.offer(b"text"), 0);
    let mut settling = Box::pin(share.settle(b"text"));
    assert!(block_on(poll_once(&mut settling)).is_none());
    limit(256);
    block_on(settling);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
    assert_eq!((activity.take().as_str(), share.sink().lost()), ("", 0));
    // But not for ever.
    limit(3);
    block_on(share.settle(b"more"));
    limit(256);
    assert_eq!(share.sink().lost(), 4);
    assert!(activity.take().contains("cannot be written"));
    assert_eq!(share.offer(b"!"), 1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "text!");
}
