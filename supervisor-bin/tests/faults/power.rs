//! What stays of logs when nobody has the time to finish: the daemon is killed in the middle of a rotation, or the machine
//! loses its power.
//!
//! A rotation is renames and nothing else, so at every moment each line is in one file. Nothing is synchronized: what the
//! system had not brought to the disk when the power went is lost, and that is all.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use crate::frozen::Disk;
use crate::lab::{Lab, Signal, Value, eventually, passing};

/// The text of a log and the numbers of its backups, the greatest first; 0 is the log itself.
fn whole(lab: &Lab, name: &str) -> (String, Vec<u32>) {
    let (folder, file) = name.rsplit_once('/').unwrap_or((".", name));
    let names = fs::read_dir(lab.path(folder)).unwrap().flatten();
    let numbers: BTreeSet<u32> = names
        .filter_map(|entry| {
            let found = entry.file_name().into_string().ok()?;
            let rest = found.strip_prefix(file)?;
            if rest.is_empty() { Some(0) } else { rest.strip_prefix('.')?.parse().ok() }
        })
        .collect();
    let numbers: Vec<u32> = numbers.into_iter().rev().collect();
    let part = |number: &u32| if *number == 0 { lab.read(name) } else { lab.read(&format!("{name}.{number}")) };
    (numbers.iter().map(part).collect(), numbers)
}

/// Each line is the number that follows the one before; the last may have been cut off. Gives how many there are.
fn follow_each_other(text: &str) -> usize {
    let (lines, cut) = text.rsplit_once('\n').unwrap_or(("", text));
    let mut next = None;
    for line in lines.lines() {
        let number: u64 = line.parse().unwrap_or_else(|_| panic!("'{line}' in the place of {next:?}"));
        assert!(next.is_none_or(|next| number == next), "{number} in the place of {next:?}");
        next = Some(number + 1);
    }
    assert!(next.is_none_or(|next| next.to_string().starts_with(cut)), "'{cut}' in the place of {next:?}");
    lines.lines().count()
}

#[test]
fn a_daemon_that_is_killed_while_it_rotates_loses_and_repeats_no_line() {
    // Every write is followed by a rotation of up to forty files.
    let body = "[program:x]\ncommand=/bin/sh -c 'echo -begins-; exec seq 1000000000'\nstartsecs=0\n\
                stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=1\nstdout_logfile_backups=40\n";
    let mut lab = Lab::new(body);
    let newest = |lab: &Lab| fs::symlink_metadata(lab.path("out.1")).ok().map(|metadata| metadata.ino());
    let (mut round, mut between, mut had_gap) = (0, 0, false);
    while between < 5 {
        assert!(round < 200, "hardly a kill comes at the right moment");
        let mut last = newest(&lab);
        lab.spawn(Stdio::null());
        // So many rotations are seen, then comes the end.
        for _ in 0..=round % 5 * 4 {
            last = passing("a rotation", || Some(newest(&lab)).filter(|newest| newest.is_some() && *newest != last));
        }
        lab.signal(Signal::KILL);
        lab.wait();
        let (text, numbers) = whole(&lab, "out");
        // Of the lives before, too. What is left of the first one begins anywhere, if others were dropped.
        for (index, life) in text.split("-begins-\n").enumerate() {
            let life = if index == 0 { life.split_once('\n').map_or("", |(_, rest)| rest) } else { life };
            assert!(index == 0 || life.is_empty() || life.starts_with('1'), "round {round}: {:?}", life.get(..20));
            follow_each_other(life);
        }
        // A name that is not there: the kill came between two renames, in this life or in one before it.
        let gap = !numbers.iter().rev().copied().eq(0..numbers.len() as u32);
        between += u32::from(gap && !had_gap);
        (round, had_gap) = (round + 1, gap);
    }
    lab.start();
    lab.stop_well();
}

/// Says twenty numbered lines each millisecond.
const STEADY: &str = "[program:x]\ncommand=/usr/bin/perl -e '$|=1; for (1..1e9) { print \"$_\\n\"; \
                      select undef, undef, undef, 0.001 unless $_ %% 20 }'\nstartsecs=0\n\
                      stdout_logfile=%(here)s/disk/out\nstdout_logfile_maxbytes=4KB\nstdout_logfile_backups=1000\n";

#[test]
fn what_is_on_the_disk_when_the_power_goes_is_in_the_logs_afterwards() {
    let mut lab = Lab::new(STEADY);
    let Some(disk) = Disk::mount(&lab) else { return };
    lab.start();
    let backups = |count: usize| (whole(&lab, "disk/out").1.len() > count).then_some(());
    eventually("some rotations", || backups(10));
    // A rotation between two of its looks would hide a file.
    lab.freeze();
    let before = whole(&lab, "disk/out").0;
    lab.signal(Signal::CONT);
    let known = follow_each_other(&before);
    disk.synchronize();
    // The journal takes the renames to the disk now and then, and what was written a little later.
    let then = whole(&lab, "disk/out").1.len();
    eventually("many more rotations", || backups(then + 100));
    if !disk.cut_power() {
        return;
    }
    lab.wait_log("Input/output error");
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).is_ok());
    lab.stop_well();
    disk.mount_again(&lab);
    let mut last = 0;
    for number in whole(&lab, "disk/out").1 {
        let name = if number == 0 { "disk/out".to_owned() } else { format!("disk/out.{number}") };
        // Each of those that were not on the disk yet may have been cut off anywhere.
        for line in lab.read(&name).split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let line: usize = line.parse().unwrap_or_else(|_| panic!("'{line}' after {last} in {name}"));
            assert!(line == last + 1 || (line > last && last >= known), "{line} after {last} of {known} in {name}");
            last = line;
        }
    }
    eprintln!("{known} lines were on the disk, {last} came through");
    assert!(last >= known, "{last} of {known}");
}
