#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{PermissionsExt, lchown, symlink};

use super::*;
use crate::domain::name::ProcessName;
use crate::domain::spec;
use crate::sys::alone;

fn record(pid: u32) -> Record {
    Record::new(pid, 1_000 + u64::from(pid), &ProcessName::new("g", "x").into(), &spec::Process::new("x", "/bin/true"))
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pid.state");
    (folder, path)
}

#[test]
fn the_next_one_reads_what_a_killed_one_wrote() {
    let (_folder, path) = place();
    let (state, before) = StateFile::open(&path).unwrap();
    assert!(before.is_empty() && !path.exists(), "there is nothing to know");
    for pid in 2..5 {
        state.started(record(pid)).unwrap();
    }
    assert!(matches!(StateFile::open(&path), Err(Refusal::Held)), "its owner lives");
    drop(state);
    let (state, leftovers) = StateFile::open(&path).unwrap();
    assert_eq!(leftovers, [record(2), record(3), record(4)]);
    state.ended(3, 1_003);
    // The same pid again is another process.
    assert!(!state.ended(4, 1));
    state.close().unwrap();
    drop(state);
    let (state, leftovers) = StateFile::open(&path).unwrap();
    assert_eq!(leftovers, [record(2), record(4)], "those that could not be stopped are not forgotten");
    let ended: Vec<_> = leftovers.iter().map(|record| state.ended(record.pid, record.birth)).collect();
    assert_eq!(ended, [false, true]);
    state.close().unwrap();
    assert!(!path.exists());
}

#[test]
fn it_stays_as_long_as_a_start_is_under_way() {
    let (_folder, path) = place();
    let (state, _) = StateFile::open(&path).unwrap();
    let starting = state.starting(&record(0));
    assert!(starting.announcement.is_some());
    state.tidy().unwrap();
    assert!(path.exists(), "a child may be writing to it");
    drop(starting);
    assert!(!path.exists(), "nothing came of it");
    state.started(record(2)).unwrap();
    let files: Vec<u64> = (0..2 * SLACK)
        .map(|_| {
            drop(state.starting(&record(0)));
            fs::metadata(&path).unwrap().ino()
        })
        .collect();
    assert_ne!(files.first(), files.last(), "starts that fail do not make it grow");
}

#[test]
fn it_is_there_only_while_something_runs_and_never_taken_from_another() {
    let (_folder, path) = place();
    let (state, _) = StateFile::open(&path).unwrap();
    for pid in 2..4 {
        state.started(record(pid)).unwrap();
        state.tidy().unwrap();
        assert!(path.exists(), "it runs");
        assert!(state.ended(pid, 1_000 + u64::from(pid)));
        state.tidy().unwrap();
        assert!(!path.exists());
    }
    let (other, _) = StateFile::open(&path).unwrap();
    other.started(record(4)).unwrap();
    assert!(matches!(state.started(record(5)), Err(Refusal::Held)), "its owner lives");
    assert!(state.started(record(5)).is_ok(), "that was told");
    drop(other);
    state.failing.store(false, Ordering::Relaxed);
    assert!(matches!(state.started(record(5)), Err(Refusal::Foreign)), "what it left behind is not forgotten");
    assert_eq!(StateFile::open(&path).unwrap().1, [record(4)]);
}

#[test]
fn it_stays_small_and_locked_however_many_are_started() {
    let (folder, path) = place();
    let (state, _) = StateFile::open(&path).unwrap();
    state.started(record(7)).unwrap();
    for pid in 10..5_000 {
        let _starting = state.starting(&record(pid));
        state.started(record(pid)).unwrap();
        state.ended(pid, 1_000 + u64::from(pid));
    }
    let lines = fs::read_to_string(&path).unwrap().lines().count();
    assert!(lines < 2 * SLACK, "{lines}");
    assert!(matches!(StateFile::open(&path), Err(Refusal::Held)));
    drop(state);
    let (_state, leftovers) = StateFile::open(&path).unwrap();
    assert!(leftovers.contains(&record(7)), "it was never told to have ended");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_others_could_have_written_is_not_believed() {
    let (folder, path) = place();
    symlink(folder.path().join("elsewhere"), &path).unwrap();
    assert!(matches!(StateFile::open(&path), Err(Refusal::Untrusted)));
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(StateFile::open(&path), Err(Refusal::Untrusted)));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(&path, folder.path().join("second")).unwrap();
    assert!(matches!(StateFile::open(&path), Err(Refusal::Untrusted)));
    fs::remove_file(folder.path().join("second")).unwrap();
    if alone::is_root() {
        lchown(&path, Some(65_534), None).unwrap();
        assert!(matches!(StateFile::open(&path), Err(Refusal::Untrusted)));
        lchown(&path, Some(0), None).unwrap();
    }
    drop(StateFile::open(&path).unwrap());
    let (nowhere, _) = StateFile::open(&folder.path().join("no/such")).unwrap();
    assert!(matches!(nowhere.started(record(2)), Err(Refusal::System(_))));
}

#[test]
fn a_line_that_was_cut_off_spoils_no_other() {
    let (_folder, path) = place();
    let (state, _) = StateFile::open(&path).unwrap();
    state.started(record(2)).unwrap();
    // A disk that is full takes half a line.
    if let Some(writing) = &mut *state.file() {
        (&*writing.file).write_all(b"3 1003 15").unwrap();
    }
    state.started(record(4)).unwrap();
    drop(state);
    assert_eq!(StateFile::open(&path).unwrap().1, [record(2), record(4)]);
}

/// What a file tells of, and that it is as good as new afterwards.
fn told(path: &Path, text: &[u8]) -> Vec<Record> {
    fs::write(path, text).unwrap();
    let (state, leftovers) = StateFile::open(path).unwrap();
    state.started(record(9)).unwrap();
    drop(state);
    let (state, again) = StateFile::open(path).unwrap();
    assert_eq!(again, [&leftovers[..], &[record(9)]].concat(), "{:?}", String::from_utf8_lossy(text));
    for record in again {
        state.ended(record.pid, record.birth);
    }
    state.close().unwrap();
    leftovers
}

#[test]
fn what_was_cut_off_or_lost_on_the_disk_tells_of_nobody() {
    let (_folder, path) = place();
    let (state, _) = StateFile::open(&path).unwrap();
    let all = [2, 3, 4].map(record);
    all.iter().for_each(|record| state.started(record.clone()).unwrap());
    drop(state);
    let whole = fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        // Of the first line nobody is told, and the last one is not whole.
        let whole_lines = whole[..cut].rsplit(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
        let known = whole_lines.count().saturating_sub(1);
        for lost in [0, 40] {
            assert_eq!(told(&path, &[&whole[..cut], &vec![0; lost]].concat()), all[..known], "{cut} {lost}");
        }
    }
    let header = record::header(&boot_id().unwrap());
    let noise: Vec<u8> = (0..100_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for garbage in [b"\n".as_slice(), b"supervisor-state 1\n", &noise] {
        assert_eq!(told(&path, garbage), []);
        assert_eq!(told(&path, &[header.as_bytes(), garbage].concat()), []);
        assert_eq!(told(&path, &[garbage, &whole].concat()), [], "the first line is not the first");
    }
    assert_eq!(told(&path, &whole[header.len()..]), [], "there is no first line");
}
