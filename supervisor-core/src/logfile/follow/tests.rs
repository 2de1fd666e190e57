#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::logfile::rotating::RotatingFile;
use futures_lite::StreamExt;
use futures_lite::future::{self, block_on};
use std::io::Write;

const SOON: Duration = Duration::from_secs(20);

/// Reads until the bytes that came end with `end`.
async fn until(follow: &mut Follow, end: &str) -> String {
    let mut got = Vec::new();
    let reading = async {
        while !got.ends_with(end.as_bytes()) {
            got.extend(follow.next().await.expect("a log has no end"));
        }
        true
    };
    let in_time = future::or(reading, async {
        Timer::after(SOON).await;
        false
    })
    .await;
    let got = String::from_utf8_lossy(&got).into_owned();
    assert!(in_time, "waited for {end:?}, got {got:?}");
    got
}

struct Log {
    _directory: tempfile::TempDir,
    path: PathBuf,
    log: RotatingFile,
}

impl Log {
    fn new(content: &str, maxbytes: u64, backups: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        let mut log = RotatingFile::open(&path, maxbytes, backups).unwrap();
        log.write(content.as_bytes(), &mut |_| {});
        Self { _directory: directory, path, log }
    }

    fn write(&mut self, text: &str) {
        assert_eq!(self.log.write(text.as_bytes(), &mut |_| {}), 0);
    }
}

/// Once as it is, once as it is without inotify.
fn both_ways(log: impl Fn() -> Log, test: impl AsyncFn(Log, Follow)) {
    for timer_only in [false, true] {
        let log = log();
        if timer_only {
            let link = log.path.with_extension("link");
            std::os::unix::fs::symlink(&log.path, &link).unwrap();
            let follow = Follow::open(link, 4).unwrap();
            block_on(test(log, follow));
        } else {
            let follow = Follow::open(log.path.clone(), 4).unwrap();
            block_on(test(log, follow));
        }
    }
}

#[test]
fn begins_with_the_end_and_goes_on() {
    both_ways(
        || Log::new("0123456789", 0, 0),
        async |mut log, mut follow| {
            assert_eq!(until(&mut follow, "9").await, "6789");
            log.write("ab");
            assert_eq!(until(&mut follow, "b").await, "ab");
            assert!(future::poll_once(follow.next()).await.is_none(), "nothing more for now");
            log.write("c");
            assert_eq!(until(&mut follow, "c").await, "c");
        },
    );
}

#[test]
fn a_backlog_larger_than_the_file_is_the_whole_file() {
    let log = Log::new("abc", 0, 0);
    let mut follow = Follow::open(log.path, u64::MAX).unwrap();
    assert_eq!(block_on(until(&mut follow, "c")), "abc");
}

#[test]
fn a_file_that_became_shorter_is_told_and_comes_from_its_start() {
    both_ways(
        || Log::new("0123456789", 0, 0),
        async |mut log, mut follow| {
            until(&mut follow, "9").await;
            File::options().write(true).open(&log.path).unwrap().set_len(0).unwrap();
            assert_eq!(until(&mut follow, "<==\n").await, "\n==> File truncated <==\n");
            log.write("line\n");
            until(&mut follow, "line\n").await;
            File::options().write(true).open(&log.path).unwrap().set_len(0).unwrap();
            assert_eq!(until(&mut follow, "<==\n").await, "==> File truncated <==\n");
        },
    );
}

#[test]
fn a_replaced_file_is_finished_first() {
    both_ways(
        || Log::new("0123", 0, 0),
        async |mut log, mut follow| {
            until(&mut follow, "3").await;
            log.write("last");
            std::fs::rename(&log.path, log.path.with_extension("moved")).unwrap();
            log.write(" words");
            log.log.reopen().unwrap();
            log.write("new");
            assert_eq!(until(&mut follow, "new").await, "last wordsnew");
            log.write("unread");
            log.log.clear().unwrap();
            log.write("clear");
            assert_eq!(until(&mut follow, "clear").await, "unreadclear");
        },
    );
}

#[test]
fn a_vanished_directory_may_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("logs");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("x"), "old").unwrap();
    let mut follow = Follow::open(below.join("x"), 3).unwrap();
    block_on(async {
        until(&mut follow, "old").await;
        assert!(future::poll_once(follow.next()).await.is_none());
        std::fs::remove_dir_all(&below).unwrap();
        assert!(future::poll_once(follow.next()).await.is_none());
        std::fs::create_dir(&below).unwrap();
        std::fs::write(below.join("x"), "new").unwrap();
        assert_eq!(until(&mut follow, "new").await, "new");
        let mut file = File::options().append(true).open(below.join("x")).unwrap();
        file.write_all(b"er").unwrap();
        assert_eq!(until(&mut follow, "er").await, "er");
    });
}

#[test]
fn a_directory_that_was_moved_away_is_followed_into_the_one_in_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("a/logs");
    for (number, moved) in [&below, &directory.path().join("a"), &below].into_iter().enumerate() {
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(below.join("x"), "old").unwrap();
        let mut follow = Follow::open(below.join("x"), 3).unwrap();
        block_on(async {
            until(&mut follow, "old").await;
            // Once all is in place before anybody looks, once there is nothing for a while.
            let mut waiting = Box::pin(until(&mut follow, "new"));
            assert!(future::poll_once(&mut waiting).await.is_none());
            std::fs::rename(moved, directory.path().join(format!("moved{number}"))).unwrap();
            if number == 2 {
                Timer::after(Duration::from_millis(50)).await;
                assert!(future::poll_once(&mut waiting).await.is_none());
            }
            std::fs::create_dir_all(&below).unwrap();
            std::fs::write(below.join("x"), "new").unwrap();
            assert_eq!(waiting.await, "new");
            let mut file = File::options().append(true).open(below.join("x")).unwrap();
            file.write_all(b"er").unwrap();
            assert_eq!(until(&mut follow, "er").await, "er");
        });
        std::fs::remove_dir_all(directory.path().join("a")).unwrap();
    }
}

#[test]
fn many_rotations_between_two_looks_lose_nothing() {
    let mut log = Log::new("", 100, 500);
    let mut follow = Follow::open(log.path.clone(), 0).unwrap();
    let mut expected = String::new();
    for number in 0..2000 {
        let line = format!("line {number}\n");
        expected.push_str(&line);
        log.write(&line);
    }
    log.write("end");
    let got = block_on(until(&mut follow, "end"));
    assert!(got == expected + "end", "{} bytes came", got.len());
}

#[test]
fn rotations_while_following_lose_nothing() {
    let mut log = Log::new("", 5000, 200);
    let mut follow = Follow::open(log.path.clone(), 0).unwrap();
    let writer = std::thread::spawn(move || {
        let mut expected = String::new();
        for number in 0..50_000 {
            let line = format!("line {number}\n");
            expected.push_str(&line);
            log.write(&line);
            if number % 1000 == 0 {
                log.log.reopen().unwrap();
            }
        }
        log.write("end");
        (log, expected + "end")
    });
    let got = block_on(until(&mut follow, "end"));
    let (_log, expected) = writer.join().unwrap();
    assert!(got == expected, "{} bytes of {}", got.len(), expected.len());
}

#[test]
fn chunks_are_bounded_and_nothing_is_read_ahead() {
    let log = Log::new(&"x".repeat(10 * CHUNK + 1), 0, 0);
    let mut follow = Follow::open(log.path, u64::MAX).unwrap();
    let sizes = block_on(async {
        let mut sizes = Vec::new();
        while sizes.iter().sum::<usize>() < 10 * CHUNK + 1 {
            sizes.push(follow.next().await.unwrap().len());
        }
        sizes
    });
    assert_eq!(sizes, [vec![CHUNK; 10], vec![1]].concat());
}

#[test]
fn what_cannot_be_followed() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Follow::open(directory.path().join("none"), 0).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    Follow::open(directory.path().to_owned(), 0).unwrap_err();
    let mut silent = Follow::open(PathBuf::from("/dev/null"), 10).unwrap();
    assert_eq!(block_on(future::poll_once(silent.next())), None, "neither a byte nor the end");
}
