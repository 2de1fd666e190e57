#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "says why a test was skipped")]

use super::*;
use crate::domain::level::Level;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::process::Command;

/// Every file of the directory with its content.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| !entry.path().is_dir())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect()
}

fn expect(directory: &Path, expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    assert_eq!(files(directory), expected);
}

fn quiet(notice: Notice) {
    panic!("nothing should be told, but: {notice}");
}

/// What is told, as text.
fn write(log: &mut RotatingFile, bytes: &str) -> Vec<String> {
    let mut told = Vec::new();
    log.write(bytes.as_bytes(), &mut |notice| told.push(notice.to_string()));
    told
}

#[test]
fn rotation_by_size() {
    // (maxbytes, backups), chunks, files
    type Row<'a> = ((u64, u64), &'a [&'a str], &'a [(&'a str, &'a str)]);
    let table: &[Row] = &[
        ((0, 2), &["aaaa", "bbbb"], &[("x", "aaaabbbb")]),
        ((4, 2), &["aaaa"], &[("x", ""), ("x.1", "aaaa")]),
        ((4, 2), &["aaa"], &[("x", "aaa")]),
        ((4, 2), &["aaa", "bbb", "c"], &[("x", "c"), ("x.1", "aaabbb")]),
        ((4, 2), &["aaaa", "bbbb", "cccc", "d"], &[("x", "d"), ("x.1", "cccc"), ("x.2", "bbbb")]),
        ((4, 0), &["aaaa", "bb"], &[("x", "bb")]),
        ((4, 0), &["aaaa"], &[("x", "")]),
        ((4, 1), &["aaaa", "bbbbbbbbbb", "c"], &[("x", "c"), ("x.1", "bbbbbbbbbb")]),
    ];
    for ((maxbytes, backups), chunks, expected) in table {
        let directory = tempfile::tempdir().unwrap();
        let mut log = RotatingFile::open(&directory.path().join("x"), *maxbytes, *backups).unwrap();
        for chunk in *chunks {
            assert_eq!(log.write(chunk.as_bytes(), &mut quiet), 0);
        }
        expect(directory.path(), expected);
    }
}

#[test]
fn an_existing_log_is_appended_to_and_counts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    fs::write(&path, "old\n").unwrap();
    let mut log = RotatingFile::open(&path, 6, 1).unwrap();
    assert!(write(&mut log, "ne").is_empty());
    expect(directory.path(), &[("x", ""), ("x.1", "old\nne")]);
}

#[test]
fn gaps_and_great_numbers_of_backups() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    for (name, content) in [("x.1", "1"), ("x.3", "3"), ("x.999999999", "max"), ("x.y", "y"), ("x.1000000001", "more")]
    {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let mut log = RotatingFile::open(&path, 1, 1_000_000_000).unwrap();
    assert!(write(&mut log, "0").is_empty());
    let expected = [
        ("x", ""),
        ("x.1", "0"),
        ("x.2", "1"),
        ("x.4", "3"),
        ("x.1000000000", "max"),
        ("x.1000000001", "more"),
        ("x.y", "y"),
    ];
    expect(directory.path(), &expected);
}

#[test]
fn copytruncate_leaves_no_hole_and_delays_rotation() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    let mut log = RotatingFile::open(&path, 10, 1).unwrap();
    write(&mut log, "aaaaaaaa");
    fs::copy(&path, directory.path().join("copy")).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    write(&mut log, "bbbb");
    expect(directory.path(), &[("x", "bbbb"), ("copy", "aaaaaaaa")]);
    write(&mut log, "cccccc");
    expect(directory.path(), &[("x", ""), ("x.1", "bbbbcccccc"), ("copy", "aaaaaaaa")]);
}

#[test]
fn a_file_removed_by_somebody_else_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    let mut log = RotatingFile::open(&path, 4, 2).unwrap();
    write(&mut log, "aaaa");
    fs::remove_file(&path).unwrap();
    assert!(write(&mut log, "bbbb").is_empty());
    write(&mut log, "c");
    expect(directory.path(), &[("x", "c"), ("x.2", "aaaa")]);
}

#[test]
fn a_backup_that_is_a_directory_stops_rotation_not_writing() {
    for backups in [1, 2] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        let obstacle = directory.path().join("x.1");
        fs::create_dir_all(obstacle.join("full")).unwrap();
        let mut log = RotatingFile::open(&path, 4, backups).unwrap();
        let told = write(&mut log, "aaaa");
        assert!(told[0].starts_with("cannot be rotated") && told.len() == 1, "{told:?}");
        for _ in 0..100 {
            assert!(write(&mut log, "b").is_empty());
        }
        log.retry_at = None;
        assert!(write(&mut log, "c").is_empty(), "told once, not at each attempt");
        expect(directory.path(), &[("x", &format!("aaaa{}c", "b".repeat(100)))]);
        fs::remove_dir_all(&obstacle).unwrap();
        log.retry_at = None;
        assert_eq!(write(&mut log, "d"), ["is rotated again"]);
        expect(directory.path(), &[("x", ""), ("x.1", &format!("aaaa{}cd", "b".repeat(100)))]);
        assert!(write(&mut log, "eeee").is_empty());
    }
}

#[test]
fn a_removed_directory_stops_neither_writing_nor_the_return() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("logs");
    fs::create_dir(&below).unwrap();
    let mut log = RotatingFile::open(&below.join("x"), 4, 2).unwrap();
    write(&mut log, "aa");
    fs::remove_dir_all(&below).unwrap();
    let told = write(&mut log, "aa");
    assert!(told.iter().any(|line| line.starts_with("cannot be rotated")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("cannot be written")), "{told:?}");
    assert_eq!(log.file.metadata().unwrap().len(), 0, "a file without a name does not grow for ever");
    assert!(log.reopen().is_err());
    assert!(write(&mut log, "bb").is_empty());
    fs::create_dir(&below).unwrap();
    log.retry_at = None;
    let told = write(&mut log, "c");
    assert_eq!(told, ["could be opened again", "is written again, 4 bytes were lost"]);
    expect(&below, &[("x", "c")]);
}

#[test]
fn without_backups_the_file_is_emptied_where_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (path, target) = (directory.path().join("x"), directory.path().join("target"));
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o666)).unwrap();
    let before = fs::metadata(&target).unwrap();
    symlink("target", &path).unwrap();
    let mut log = RotatingFile::open(&path, 4, 0).unwrap();
    assert_eq!(write(&mut log, "+ 1"), [""; 0]);
    assert_eq!(write(&mut log, "two"), [""; 0]);
    expect(directory.path(), &[("target", "two"), ("x", "two")]);
    let after = fs::metadata(&target).unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()));
    // Nor does it matter who may write to the directory, or that the file has gone.
    fs::remove_file(&target).unwrap();
    assert_eq!(write(&mut log, "three"), [""; 0]);
    assert_eq!(write(&mut log, "4"), [""; 0]);
    expect(directory.path(), &[("target", "4"), ("x", "4")]);
}

#[test]
fn reopening_leaves_a_moved_file_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    let mut log = RotatingFile::open(&path, 0, 0).unwrap();
    write(&mut log, "one");
    fs::rename(&path, directory.path().join("moved")).unwrap();
    write(&mut log, " and");
    log.reopen().unwrap();
    write(&mut log, "two");
    expect(directory.path(), &[("x", "two"), ("moved", "one and")]);
}

#[test]
fn reopening_what_cannot_be_opened_keeps_the_old_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    let mut log = RotatingFile::open(&path, 0, 0).unwrap();
    fs::rename(&path, directory.path().join("moved")).unwrap();
    fs::create_dir(&path).unwrap();
    log.reopen().unwrap_err();
    assert!(write(&mut log, "one").is_empty());
    fs::remove_dir(&path).unwrap();
    log.retry_at = None;
    assert_eq!(write(&mut log, "two"), ["could be opened again"]);
    expect(directory.path(), &[("x", "two"), ("moved", "one")]);
}

#[test]
fn clearing_touches_regular_files_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    let mut log = RotatingFile::open(&path, 0, 0).unwrap();
    write(&mut log, "one");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let before = fs::metadata(&path).unwrap().ino();
    let held = File::open(&path).unwrap();
    log.clear().unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_ne!(before, after.ino(), "a new file, so that followers can finish the old one");
    assert_eq!(after.mode() & 0o777, 0o600, "private logs stay private");
    write(&mut log, "two");
    expect(directory.path(), &[("x", "two")]);
    drop(held);

    // A link stays, what it names is emptied.
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    let mut log = RotatingFile::open(&link, 0, 0).unwrap();
    log.clear().unwrap();
    write(&mut log, "three");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    expect(directory.path(), &[("x", "three"), ("link", "three")]);

    // Everything else stays as it is.
    let null = directory.path().join("null");
    symlink("/dev/null", &null).unwrap();
    for path in [Path::new("/dev/null"), &null] {
        let mut log = RotatingFile::open(path, 1, 1).unwrap();
        assert_eq!(log.write(b"rotate me not", &mut quiet), 0);
        log.clear().unwrap();
        assert!(clear(path).unwrap().is_none());
        assert!(!fs::metadata(path).unwrap().is_file());
    }
    // A missing one is made; one whose directory is missing is an error.
    fs::remove_file(&path).unwrap();
    assert!(clear(&path).unwrap().is_some());
    clear(&directory.path().join("none/x")).unwrap_err();
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn what_a_descriptor_leads_to_is_written_and_neither_moved_nor_emptied() {
    use std::os::fd::AsRawFd;
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let ours = File::create(place("ours")).unwrap();
    let number = ours.as_raw_fd();
    symlink(format!("/proc/self/fd/{number}"), place("direct")).unwrap();
    symlink("direct", place("log")).unwrap();
    for path in [place("log"), place("direct"), PathBuf::from(format!("/dev/fd/{number}"))] {
        ours.set_len(0).unwrap();
        let mut log = RotatingFile::open(&path, 10, 2).unwrap();
        (0..3).for_each(|_| assert!(write(&mut log, "0123456789").is_empty()));
        log.clear().unwrap();
        assert_eq!(fs::read_to_string(place("ours")).unwrap(), "0123456789".repeat(3), "{}", path.display());
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
}

#[test]
fn a_rotated_private_log_stays_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut log = RotatingFile::open(&path, 1, 1).unwrap();
    write(&mut log, "a");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(log.path(), path);
}

/// A file system of one megabyte that goes away with the test; `None` (with a reason shown) if we may not mount one.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(directory.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(directory));
        }
        eprintln!("skipped: a file system can only be mounted by root");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_costs_what_it_cannot_take() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path().join("x");
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 900 << 10]).unwrap();
    let mut log = RotatingFile::open(&path, 0, 0).unwrap();
    let chunk = "a".repeat(100 << 10);
    let mut told = Vec::new();
    let mut tell = |notice: Notice| told.push((notice.level(), notice.to_string()));
    let lost: usize = (0..10).map(|_| log.write(chunk.as_bytes(), &mut tell)).sum();
    let kept = fs::metadata(&path).unwrap().len() as usize;
    assert!(kept > 0 && kept + lost == 10 * chunk.len(), "{kept} kept, {lost} lost");
    fs::remove_file(&ballast).unwrap();
    assert_eq!(log.write(b"back", &mut tell), 0);
    assert_eq!(fs::metadata(&path).unwrap().len() as usize, kept + 4);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].0 == Level::Error && told[0].1.contains("No space left on device"), "{told:?}");
    assert_eq!(told[1], (Level::Warn, format!("is written again, {lost} bytes were lost")));
}

#[test]
fn rotation_on_a_full_disk_goes_on() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path().join("x");
    let mut log = RotatingFile::open(&path, 100 << 10, 20).unwrap();
    let chunk = "a".repeat(10 << 10);
    let lost: usize = (0..300).map(|_| log.write(chunk.as_bytes(), &mut |_| {})).sum();
    assert!(lost > 0);
    fs::remove_file(disk.path().join("x.1")).unwrap();
    log.retry_at = None;
    assert_eq!(log.write(chunk.as_bytes(), &mut |_| {}), 0);
}

proptest! {
    /// However the bytes are cut and the file rotated: all files together, oldest first, are what was written.
    #[test]
    fn nothing_is_lost_or_doubled(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..30),
        maxbytes in 0_u64..60,
        reopen_every in 1_usize..10,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        let mut log = RotatingFile::open(&path, maxbytes, 100).unwrap();
        for (index, chunk) in chunks.iter().enumerate() {
            if index % reopen_every == 0 {
                log.reopen().unwrap();
            }
            prop_assert_eq!(log.write(chunk, &mut quiet), 0);
        }
        let mut all = Vec::new();
        for number in (1..=100).rev() {
            let backup = fs::read(backup_path(&path, number)).unwrap_or_default();
            prop_assert!(backup.is_empty() || backup.len() as u64 >= maxbytes);
            all.extend(backup);
        }
        let current = fs::read(&path).unwrap();
        prop_assert!(maxbytes == 0 || (current.len() as u64) < maxbytes);
        all.extend(current);
        prop_assert_eq!(all, chunks.concat());
    }
}
