//! Looking at processes from outside, as the kernel shows them in `/proc`: the daemon cannot tell us wrong.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::conditions::eventually;

pub(crate) fn kill(pid: i32, signal: Signal) {
    // One that is gone is what is wanted.
    let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
}

/// True if there is such a process, and it is no zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    stat(pid).is_some_and(|fields| fields[0] != "Z" && fields[0] != "X")
}

pub(crate) fn wait_gone(pid: i32) {
    eventually(&format!("{pid} is gone"), || (!is_alive(pid)).then_some(()));
}

/// The fields of `/proc/PID/stat` from the state on.
pub(crate) fn stat(pid: i32) -> Option<Vec<String>> {
    fields(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn fields(stat: &str) -> Option<Vec<String>> {
    Some(stat.rsplit_once(") ")?.1.split_whitespace().map(str::to_owned).collect())
}

pub(crate) fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn pids_where(holds: impl Fn(&[String]) -> bool) -> Vec<i32> {
    pids().into_iter().filter(|pid| stat(*pid).is_some_and(|fields| holds(&fields))).collect()
}

/// The living processes of a process group.
pub(crate) fn group_of(leader: i32) -> Vec<i32> {
    pids_where(|fields| fields[0] != "Z" && fields[2] == leader.to_string())
}

/// The children of a process, those that have ended and that nobody has reaped among them.
pub(crate) fn children_of(parent: i32) -> Vec<i32> {
    pids_where(|fields| fields[1] == parent.to_string())
}

/// How many children of a process nobody has reaped.
pub(crate) fn zombies_of(parent: i32) -> usize {
    pids_where(|fields| fields[0] == "Z" && fields[1] == parent.to_string()).len()
}

/// What each thread of a process does: `R`, `S`, `D` and so on.
pub(crate) fn states_of_threads(pid: i32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stats.filter_map(|stat| fields(&stat)).map(|mut fields| fields.swap_remove(0)).collect()
}

/// How many descriptors a process has.
pub(crate) fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// What a process takes of memory, in bytes.
pub(crate) fn memory(pid: i32) -> u64 {
    status(pid, "VmRSS")
}

/// The most that a process has taken of memory, in bytes.
pub(crate) fn peak(pid: i32) -> u64 {
    status(pid, "VmHWM")
}

/// An amount of memory in `/proc/PID/status`, in bytes.
fn status(pid: i32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// The processor time that a process has used so far.
pub(crate) fn processor_time(pid: i32) -> Duration {
    let fields = stat(pid).unwrap();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

pub(crate) fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

/// Makes an executable copy, in a process of its own: what we open for writing, a child of another test may have open for a
/// moment, and then it cannot be executed.
pub(crate) fn install(source: &Path, copy: &Path) {
    assert!(Command::new("install").args(["-m", "755"]).args([source, copy]).status().unwrap().success());
}
