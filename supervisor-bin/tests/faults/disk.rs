//! Disks that are full, read-only, cleaned up or moved about.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use crate::lab::{Lab, SLEEPER, Signal, Value, eventually, is_alive, is_root, works};

/// A file system that is mounted for a test.
struct Mount(PathBuf);

impl Mount {
    /// A small one in memory; `None`, with the reason, where it cannot be had.
    fn small(place: PathBuf, options: &str) -> Option<Self> {
        if !is_root("to mount a small file system") {
            return None;
        }
        fs::create_dir_all(&place).unwrap();
        let words = ["mount", "-t", "tmpfs", "-o", options, "none", place.to_str().unwrap()];
        works(&words, "so there is no small disk to fill").then_some(Self(place))
    }

    /// Uses up all space that is left.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("ballast")).unwrap();
        for size in [4096, 1] {
            while file.write(&vec![b'x'; size]).is_ok_and(|written| written > 0) {}
        }
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn an_activity_log_that_cannot_be_written_stops_nobody() {
    let mut lab = Lab::running_with("logfile=/dev/full\nlogfile_maxbytes=0", SLEEPER);
    lab.pid_of("x");
    assert!(lab.ctl(&["restart", "x"]).status.success());
    assert_eq!(lab.stop().code(), Some(0));
}

/// Writes numbered lines of 1000 bytes, a hundred a second.
const WRITER: &str = "i=0; while :; do i=$((i+1)); printf \"%%0999d\\\\n\" $i; sleep 0.01; done";

fn writer(log: &str, keys: &str) -> String {
    format!("[program:w]\ncommand=/bin/sh -c '{WRITER}'\nstdout_logfile=%(here)s/{log}\nstartsecs=0\n{keys}{SLEEPER}")
}

fn length(lab: &Lab, name: &str) -> u64 {
    fs::metadata(lab.path(name)).map_or(0, |metadata| metadata.len())
}

/// Waits until a log has become longer.
fn grows(lab: &Lab, name: &str) {
    let before = length(lab, name);
    eventually(&format!("{name} grows"), || (length(lab, name) > before).then_some(()));
}

/// A full disk under a program's log; with rotation or without.
fn a_full_disk(keys: &str) {
    let mut lab = Lab::new(&writer("disk/out", keys));
    let Some(disk) = Mount::small(lab.path("disk"), "size=1m") else { return };
    lab.start();
    let (w, x) = (lab.pid_of("w"), lab.pid_of("x"));
    grows(&lab, "disk/out");
    disk.fill();
    lab.wait_log("cannot be ");
    lab.wait_log("No space left on device");
    assert_eq!((lab.pid_of("w"), lab.pid_of("x")), (w, x), "nobody is the worse for it");
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).is_ok());
    assert!(lab.call("supervisor.startProcess", &[Value::Text("x")]).is_ok());
    // The writer is not held up: it would sleep in a write to a full pipe.
    let asleep = fs::read_to_string(format!("/proc/{w}/wchan")).unwrap_or_default();
    assert!(!asleep.contains("pipe_write"), "{asleep}");
    disk.empty();
    grows(&lab, "disk/out");
    lab.wait_log("'w' stdout log '");
    eventually("the loss is told of", || {
        let log = lab.log();
        (log.contains("bytes were lost") || log.contains("is rotated again")).then_some(())
    });
    assert_eq!(lab.pid_of("w"), w);
    lab.stop_well();
}

#[test]
fn a_full_disk_costs_lines_and_nothing_else() {
    a_full_disk("stdout_logfile_maxbytes=0\n");
}

#[test]
fn a_full_disk_does_not_end_rotation() {
    a_full_disk("stdout_logfile_maxbytes=100KB\nstdout_logfile_backups=3\n");
}

#[test]
fn a_full_disk_under_the_activity_log_hinders_nobody() {
    let mut lab = Lab::with("logfile=%(here)s/disk/log\nlogfile_maxbytes=0", SLEEPER);
    let Some(disk) = Mount::small(lab.path("disk"), "size=16k") else { return };
    lab.start();
    disk.fill();
    for _ in 0..5 {
        assert!(lab.ctl(&["restart", "x"]).status.success());
    }
    disk.empty();
    assert!(lab.ctl(&["restart", "x"]).status.success());
    let pid = lab.pid_of("x");
    lab.wait_read("disk/log", &format!("with pid {pid}"));
    lab.stop_well();
}

#[test]
fn a_folder_of_logs_that_is_removed_hinders_nobody_else() {
    let mut lab = Lab::new(&writer("logs/out", "stopwaitsecs=1\n"));
    fs::create_dir(lab.path("logs")).unwrap();
    lab.start();
    let (w, x) = (lab.pid_of("w"), lab.pid_of("x"));
    grows(&lab, "logs/out");
    fs::remove_dir_all(lab.path("logs")).unwrap();
    // Opening again fails for this one alone.
    lab.signal(Signal::USR2);
    lab.wait_log("could not reopen");
    assert_eq!((lab.pid_of("w"), lab.pid_of("x")), (w, x));
    // Clearing has nothing to clear or fails; it is answered.
    for method in ["supervisor.clearProcessLogs", "supervisor.clearProcessLog"] {
        let answer = lab.call(method, &[Value::Text("w")]);
        assert!([0, 30].contains(&answer.fault()), "{}", answer.body);
    }
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("w")]).is_ok());
    let answer = lab.call("supervisor.startProcess", &[Value::Text("w")]);
    assert_ne!(answer.fault(), 0);
    assert!(lab.info("w").field("spawnerr").contains("making dispatchers for 'w'"));
    assert_eq!(lab.pid_of("x"), x);
    fs::create_dir(lab.path("logs")).unwrap();
    lab.call("supervisor.startProcess", &[Value::Text("w")]);
    lab.pid_of("w");
    grows(&lab, "logs/out");
    lab.stop_well();
}

#[test]
fn a_log_that_could_not_be_opened_again_is_when_it_can() {
    let mut lab = Lab::new(&writer("logs/out", ""));
    fs::create_dir(lab.path("logs")).unwrap();
    lab.start();
    let w = lab.pid_of("w");
    grows(&lab, "logs/out");
    fs::rename(lab.path("logs"), lab.path("away")).unwrap();
    lab.signal(Signal::USR2);
    lab.wait_log("could not reopen");
    grows(&lab, "away/out");
    fs::create_dir(lab.path("logs")).unwrap();
    lab.signal(Signal::USR2);
    grows(&lab, "logs/out");
    assert_eq!(lab.pid_of("w"), w);
    lab.stop_well();
}

#[test]
fn the_activity_log_of_a_folder_that_is_gone_is_a_fault_to_clear() {
    let mut lab = Lab::with("logfile=%(here)s/logs/log", SLEEPER);
    fs::create_dir(lab.path("logs")).unwrap();
    lab.start();
    fs::remove_dir_all(lab.path("logs")).unwrap();
    assert_ne!(lab.call("supervisor.clearLog", &[]).fault(), 0);
    lab.pid_of("x");
    lab.stop_well();
}

#[test]
fn a_folder_in_the_place_of_a_log_is_a_spawn_error_of_that_program() {
    let mut lab = Lab::new(&writer("folder", "startretries=0\n"));
    fs::create_dir(lab.path("folder")).unwrap();
    lab.start();
    lab.wait_state("w", "FATAL");
    assert!(!lab.info("w").field("spawnerr").is_empty());
    lab.pid_of("x");
    lab.stop_well();
}

#[test]
fn a_log_that_is_cut_off_from_outside_goes_on_at_its_beginning() {
    let mut lab = Lab::running(&writer("out", "stdout_logfile_maxbytes=0\n"));
    lab.pid_of("w");
    eventually("some lines", || (length(&lab, "out") > 20_000).then_some(()));
    fs::OpenOptions::new().write(true).truncate(true).open(lab.path("out")).unwrap();
    eventually("some more", || (length(&lab, "out") > 3_000).then_some(()));
    assert!(!fs::read(lab.path("out")).unwrap().contains(&0), "no hole");
    lab.stop_well();
}

#[test]
fn logs_that_are_moved_away_lose_and_repeat_nothing() {
    let mut lab = Lab::running(&writer("out", "stdout_logfile_maxbytes=0\n"));
    lab.pid_of("w");
    for round in 1..=4 {
        grows(&lab, "out");
        fs::rename(lab.path("out"), lab.path(&format!("old{round}"))).unwrap();
        lab.signal(Signal::USR2);
        eventually("a new one", || lab.path("out").exists().then_some(()));
    }
    grows(&lab, "out");
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("w")]).is_ok());
    let text: String = ["old1", "old2", "old3", "old4", "out"].map(|name| lab.read(name)).concat();
    for (index, line) in text.lines().enumerate() {
        assert_eq!(line.parse::<usize>().unwrap(), index + 1);
    }
    lab.stop_well();
}

#[test]
fn a_folder_in_the_way_of_rotation_is_said_once_and_holds_up_nobody() {
    let mut lab = Lab::new(&writer("out", "stdout_logfile_maxbytes=10KB\nstdout_logfile_backups=1\n"));
    fs::create_dir_all(lab.path("out.1/full")).unwrap();
    lab.start();
    let w = lab.pid_of("w");
    lab.wait_log("cannot be rotated");
    eventually("it grows beyond its limit", || (length(&lab, "out") > 100_000).then_some(()));
    assert_eq!(lab.log().matches("cannot be rotated").count(), 1);
    fs::remove_dir_all(lab.path("out.1")).unwrap();
    lab.wait_log("is rotated again");
    assert_eq!(lab.pid_of("w"), w);
    lab.stop_well();
}

#[test]
fn a_pid_file_on_a_read_only_disk_is_said_and_done_without() {
    let mut lab = Lab::with("pidfile=%(here)s/disk/pid", SLEEPER);
    let Some(_disk) = Mount::small(lab.path("disk"), "ro,size=16k") else { return };
    lab.start();
    lab.wait_log("CRIT could not write pidfile");
    let pid = lab.pid_of("x");
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!is_alive(pid));
}

#[test]
fn a_socket_and_a_pid_file_that_were_cleaned_up_come_back() {
    let mut lab = Lab::running(SLEEPER);
    lab.pid_of("x");
    fs::remove_file(lab.socket()).unwrap();
    fs::remove_file(lab.path("pid")).unwrap();
    lab.signal(Signal::HUP);
    lab.wait_up();
    lab.pid_of("x");
    eventually("the pid file is back", || lab.path("pid").exists().then_some(()));
    lab.stop_well();
}
