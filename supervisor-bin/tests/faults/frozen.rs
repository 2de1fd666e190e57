//! A file system that hangs: nothing that is written to it comes back until it is thawed from outside.
//!
//! Frozen for real (`fsfreeze` on a loop mount); needs root and loop devices. A network file system whose server is away
//! (NFS, mounted `hard`) is the same to the daemon: a thread that sleeps in a write and cannot be woken. So it has no test
//! of its own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::lab::{
    Lab, MARGIN, Probe, Signal, Value, descriptors, eventually, is_alive, is_root, states_of_threads, works,
};

/// A file system that can be frozen. Thawed and unmounted at the end, whatever happens.
pub(crate) struct Disk {
    place: String,
}

impl Disk {
    pub(crate) fn mount(lab: &Lab) -> Option<Self> {
        if !is_root("to mount and freeze a file system") {
            return None;
        }
        let (image, place) = (lab.path("image"), lab.path("disk"));
        fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
        fs::create_dir(&place).unwrap();
        let (image, place) = (image.to_str().unwrap(), place.to_str().unwrap());
        let mounted = works(&["mkfs.ext4", "-q", image], "so there is no file system to freeze")
            && works(&["mount", "-o", "loop,commit=1", image, place], "so there is no file system to freeze");
        mounted.then(|| Self { place: place.to_owned() })
    }

    /// Freezes it, and waits until the daemon is stuck in writing to it.
    fn freeze(&self, lab: &Lab) {
        assert!(Command::new("fsfreeze").args(["-f", &self.place]).status().unwrap().success());
        eventually("a writer is stuck", || states_of_threads(lab.daemon()).contains(&"D".to_owned()).then_some(()));
    }

    fn thaw(&self) {
        assert!(Command::new("fsfreeze").args(["-u", &self.place]).status().unwrap().success());
    }

    /// Everything that was written to it so far is on the disk afterwards.
    pub(crate) fn synchronize(&self) {
        assert!(Command::new("sync").args(["-f", &self.place]).status().unwrap().success());
    }

    /// From now on nothing reaches the disk, not even what is about to (`EXT4_IOC_SHUTDOWN` without a flush of the journal);
    /// false, with the reason, where that cannot be had.
    pub(crate) fn cut_power(&self) -> bool {
        let script = "open F, q(<), $ARGV[0] or die; my $how = pack q(L), 2; ioctl F, 0x8004587d, $how or die $!";
        works(&["perl", "-e", script, &self.place], "so no power can be cut")
    }

    /// What comes back with the power: what was on the disk.
    pub(crate) fn mount_again(&self, lab: &Lab) {
        let image = lab.path("image");
        let image = image.to_str().unwrap();
        let run = |words: &[&str]| {
            let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
            assert!(output.status.success(), "{words:?}: {output:?}");
            output.stdout
        };
        run(&["umount", &self.place]);
        // Other tests make name spaces, and what was mounted then is mounted there as well; until they end it would be the
        // dead file system that is mounted again.
        eventually("nobody has it mounted", || run(&["losetup", "-j", image]).is_empty().then_some(()));
        run(&["mount", "-o", "loop", image, &self.place]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for words in [&["fsfreeze", "-u"][..], &["umount", "-l"]] {
            drop(Command::new(words[0]).args(&words[1..]).arg(&self.place).output());
        }
    }
}

/// Writes a numbered line twenty times a second, and tells of the last number in a file beside its log as well.
fn chatty(name: &str, log: &str) -> String {
    let loops = format!("i=0; while :; do i=$((i+1)); echo line $i; echo $i >%(here)s/{name}.said; sleep 0.05; done");
    format!(
        "[program:{name}]\ncommand=/bin/sh -c '{loops}'\nstdout_logfile=%(here)s/{log}\nstartsecs=0\nstopwaitsecs=5\n"
    )
}

/// Every line of a log is the one that follows the line before.
fn numbers(text: &str) -> usize {
    let mut last = 0;
    for line in text.lines() {
        let number: usize = line.strip_prefix("line ").unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        assert_eq!(number, last + 1);
        last = number;
    }
    last
}

fn grows(path: &Path) {
    // It may be cleared just now: another one takes its place then.
    let size = || fs::metadata(path).map_or(0, |metadata| metadata.len());
    let before = size();
    eventually("the log grows", || (size() > before + 20).then_some(()));
}

#[test]
fn a_frozen_log_holds_up_its_own_programs_and_nothing_else() {
    let programs = chatty("held", "disk/held") + &chatty("also", "disk/also") + &chatty("free", "free");
    let mut lab = Lab::new(&programs);
    let Some(disk) = Disk::mount(&lab) else { return };
    lab.start();
    let held = lab.pid_of("held");
    for log in ["disk/held", "disk/also", "free"] {
        eventually("it is written", || lab.path(log).exists().then_some(()));
        grows(&lab.path(log));
    }
    disk.freeze(&lab);
    let probe = Probe::start(&lab);
    grows(&lab.path("free"));
    assert_eq!(lab.get("/").status, 200);
    assert!(lab.ctl(&["restart", "free"]).status.success());
    assert_eq!(lab.state("held"), "RUNNING");
    lab.configure(&(programs + "[program:new]\ncommand=/bin/sleep 600\n"));
    assert!(lab.ctl(&["update"]).status.success());
    lab.pid_of("new");
    // What concerns the frozen log is answered as well, late or with a fault, but it is.
    lab.call("supervisor.clearProcessLogs", &[Value::Text("held")]);
    lab.signal(Signal::USR2);
    // A program whose log hangs is stopped like any other.
    let began = Instant::now();
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("also")]).is_ok());
    let time = began.elapsed();
    assert!(time < MARGIN, "{time:?}");
    probe.was_prompt("a frozen disk");
    disk.thaw();
    assert_eq!(lab.pid_of("held"), held, "it was held up, not stopped");
    grows(&lab.path("disk/held"));
    lab.stop_well();
}

#[test]
fn what_was_held_up_is_written_when_the_disk_thaws() {
    let mut lab = Lab::new(&chatty("held", "disk/held"));
    let Some(disk) = Disk::mount(&lab) else { return };
    lab.start();
    eventually("it is written", || lab.path("disk/held").exists().then_some(()));
    grows(&lab.path("disk/held"));
    disk.freeze(&lab);
    eventually("it says much", || (lab.read("held.said").trim().parse::<u32>().ok()? > 60).then_some(()));
    disk.thaw();
    grows(&lab.path("disk/held"));
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("held")]).is_ok());
    assert!(numbers(&lab.read("disk/held")) > 60, "every line, in order");
    lab.stop_well();
}

#[test]
fn a_program_that_crashes_on_and_on_keeps_no_pipes_while_the_disk_is_frozen() {
    let crash = "[program:crash]\ncommand=/bin/false\nstartsecs=0\nautorestart=true\n\
                 stdout_logfile=%(here)s/disk/out\nstderr_logfile=%(here)s/disk/err\n";
    let mut lab = Lab::new(&(chatty("held", "disk/held") + crash));
    let Some(disk) = Disk::mount(&lab) else { return };
    lab.start();
    eventually("it is written", || lab.path("disk/held").exists().then_some(()));
    grows(&lab.path("disk/held"));
    disk.freeze(&lab);
    let crashes = |count: usize| {
        let before = lab.log().matches("exited: crash").count();
        eventually("it crashes again", || (lab.log().matches("exited: crash").count() >= before + count).then_some(()));
    };
    crashes(2);
    let before = descriptors(lab.daemon());
    crashes(5);
    let after = descriptors(lab.daemon());
    // One of its runs may be under way.
    assert!(after <= before + 3, "{before} descriptors, then {after}");
    disk.thaw();
    lab.stop_well();
}

#[test]
fn a_frozen_log_does_not_hinder_the_end() {
    let mut lab = Lab::new(&(chatty("held", "disk/held") + &chatty("free", "free")));
    let Some(disk) = Disk::mount(&lab) else { return };
    lab.start();
    let programs = [lab.pid_of("held"), lab.pid_of("free")];
    eventually("it is written", || lab.path("disk/held").exists().then_some(()));
    grows(&lab.path("disk/held"));
    disk.freeze(&lab);
    lab.signal(Signal::TERM);
    eventually("the programs are stopped", || programs.iter().all(|pid| !is_alive(*pid)).then_some(()));
    eventually("socket and pid file are removed", || {
        ["s", "pid", "pid.state"].iter().all(|name| !lab.path(name).exists()).then_some(())
    });
    for words in ["stopped: held", "'held' stdout log '", "bytes are lost unless"] {
        lab.wait_log(words);
    }
    // The process itself can leave only now.
    disk.thaw();
    assert_eq!(lab.wait().code(), Some(0));
}
