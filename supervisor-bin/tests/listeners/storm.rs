//! More events than anybody wants, all of which arrive.

use std::collections::HashMap;

use super::lab::{Lab, eventually};
use super::{child, start};

/// What the listener wrote down, whole lines only.
fn diary(lab: &Lab) -> Vec<Vec<String>> {
    let text = lab.read("diary");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

fn has_no_gap(diary: &[Vec<String>]) {
    for (number, line) in diary.iter().enumerate() {
        assert_eq!(line[0], number.to_string(), "no gap and nothing twice: {line:?}");
    }
}

#[test]
fn every_change_of_a_hundred_crashing_programs_arrives_in_order() {
    let crashing: String = (0..100)
        .map(|number| {
            format!("[program:p{number}]\ncommand=/bin/false\nstartsecs=0\nautorestart=true\nstdout_logfile=NONE\nstderr_logfile=NONE\n")
        })
        .collect();
    let lab = start(&format!("{crashing}{}", child::section("PROCESS_STATE", 100_000)));
    let diary = eventually("three ends of each", || Some(diary(&lab)).filter(|diary| diary.len() >= 900));
    has_no_gap(&diary);
    let mut last: HashMap<&str, (&str, &str)> = HashMap::new();
    for line in diary.iter().filter(|line| line[2].starts_with("processname:p")) {
        let [_, event, process, _, from, rest @ ..] = line.as_slice() else { panic!("{line:?}") };
        let state = event.trim_start_matches("PROCESS_STATE_");
        let before = last.insert(process, (state, &rest[rest.len() - 2]));
        let expected = before.map_or("STOPPED", |(state, _)| state);
        assert_eq!(from, &format!("from_state:{expected}"), "{line:?}");
        if state == "EXITED" {
            assert_eq!(before.map(|(_, pid)| pid), Some(rest[rest.len() - 2].as_str()), "{line:?}");
        }
    }
    assert_eq!(last.len(), 100);
    assert!(!lab.log().contains("overflowed"));
}

#[test]
fn a_program_that_writes_faster_than_its_listener_hears_loses_nothing() {
    let writer = "[program:w]\ncommand=/bin/sh -c 'yes | head -c 50000000; exec sleep 600'\nstartsecs=0\nstopasgroup=true\n\
                  autostart=false\nstdout_logfile=NONE\nstdout_events_enabled=true\n";
    let sections = format!("{writer}{}", child::section("PROCESS_LOG", 600));
    let lab = Lab::running_with("logfile_maxbytes=0", &sections);
    lab.wait_log("success: l entered RUNNING state");
    eventually("it listens", || lab.path("diary").exists().then_some(()));
    lab.ctl(&["start", "w"]);
    let sum = |diary: &[Vec<String>]| diary.iter().map(|line| line[6].parse::<usize>().unwrap()).sum::<usize>();
    let diary = eventually("all of it", || Some(diary(&lab)).filter(|diary| sum(diary) >= 50_000_000));
    has_no_gap(&diary);
    assert_eq!(sum(&diary), 50_000_000);
}
