//! Everything at once for a long time: 500 programs that crash, talk, are started and stopped by ten clients, with reloads,
//! rotations and event listeners; at the end nothing is lost, leaked or confused.
//!
//! Not run by default: `cargo test -p supervisor-bin --test faults -- --ignored --nocapture soak`. `SOAK_MINUTES` says for
//! how long, 10 if it is not set.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::lab::{Lab, Probe, Signal, Value, call, children_of, descriptors, eventually, memory, pids, zombies_of};

/// How many there are of each kind; 500 together.
const CRASHING: u32 = 150;
const TALKING: u32 = 50;
const PUSHED: u32 = 200;
const QUIET: u32 = 100;

/// Descriptors of the daemon's own, which come and go: clients, watches.
const SLACK: usize = 16;

const CLIENTS: u64 = 10;
const MEGABYTE: u64 = 1 << 20;

/// The listeners get ten events a second and more; they answer each, and one of them dies now and then.
const LISTENER: &str = "read -r n < /dev/null; while :; do echo READY; read -r head || exit 0; \
                        len=${head##*len:}; head -c \"$len\" > /dev/null; printf \"RESULT 2\\nOK\"; done";

fn configuration() -> String {
    let numbered = |count: u32| format!("numprocs={count}\nprocess_name=%(process_num)03d\n");
    let talk = "i=0; while :; do i=$((i+1)); echo line $i; test $((i % 50)) = 0 && sleep 1; done";
    let crash = "sleep $(( $$ % 4 )).5; echo crashed; kill -9 $$";
    format!(
        "[program:crash]\ncommand=/bin/sh -c '{crash}'\n{}startsecs=0\nautorestart=true\nstartretries=1000000\n\
         stdout_logfile_maxbytes=10KB\nstdout_logfile_backups=1\n\
         [program:talk]\ncommand=/bin/sh -c '{talk}'\n{}startsecs=0\nstdout_logfile=%(here)s/talk-%(process_num)03d\n\
         stdout_logfile_maxbytes=20KB\nstdout_logfile_backups=100000\n\
         [program:pushed]\ncommand=/bin/sh -c 'echo up; exec sleep 1000'\n{}startsecs=0\nautorestart=false\n\
         stdout_logfile_maxbytes=1KB\nstdout_logfile_backups=1\n\
         [program:quiet]\ncommand=/bin/sleep 100000\n{}startsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n\
         [eventlistener:states]\ncommand=/bin/sh -c '{LISTENER}'\nevents=PROCESS_STATE\nnumprocs=2\n\
         process_name=%(process_num)d\nbuffer_size=1000\nstderr_logfile=NONE\n\
         [eventlistener:ticks]\ncommand=/bin/sh -c '{LISTENER}'\nevents=TICK_5\nstderr_logfile=NONE\n",
        numbered(CRASHING),
        numbered(TALKING),
        numbered(PUSHED),
        numbered(QUIET),
    )
    .replace("read -r n < /dev/null; ", "")
    .replace('%', "%%")
    .replace("%%(", "%(")
}

/// What one look at the daemon shows.
#[derive(Debug)]
struct Look {
    memory: u64,
    descriptors: usize,
    threads: usize,
    zombies: usize,
}

fn look(lab: &Lab) -> Look {
    let daemon = lab.daemon();
    Look {
        memory: memory(daemon),
        descriptors: descriptors(daemon),
        threads: fs::read_dir(format!("/proc/{daemon}/task")).unwrap().count(),
        zombies: zombies_of(daemon),
    }
}

/// Numbers without a system of its own: the same in every run.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// A client that starts, stops, restarts and asks, at random, until the end. Gives the number of calls.
fn client(socket: &Path, mut seed: u64, over: &AtomicBool) -> u64 {
    let mut calls = 0;
    while !over.load(Ordering::SeqCst) {
        let name = format!("pushed:{:03}", next(&mut seed) % u64::from(PUSHED));
        let name = Value::Text(&name);
        let answer = match next(&mut seed) % 8 {
            0 | 1 => call(socket, "supervisor.startProcess", &[name]),
            2 | 3 => call(socket, "supervisor.stopProcess", &[name]),
            4 => call(socket, "supervisor.signalProcess", &[name, Value::Text("CONT")]),
            5 => call(socket, "supervisor.getAllProcessInfo", &[]),
            6 => call(socket, "supervisor.tailProcessStdoutLog", &[name, Value::Int(0), Value::Int(1000)]),
            _ => call(socket, "supervisor.clearProcessLogs", &[name]),
        };
        let answer = answer.expect("an answer");
        // BAD_NAME would be wrong; ALREADY_STARTED and NOT_RUNNING are not, nor a log that is too busy to be cleared.
        assert!([0, 30, 40, 60, 70, 80].contains(&answer.fault()), "{}", answer.body);
        calls += 1;
        // The pace of one client.
        std::thread::sleep(Duration::from_millis(20));
    }
    calls
}

/// The lines of a rotated log, oldest first, must be the numbers from 1 on; gives how many there are.
fn complete(lab: &Lab, name: &str) -> u64 {
    let mut parts: BTreeMap<std::cmp::Reverse<u32>, String> = BTreeMap::new();
    for entry in fs::read_dir(lab.folder.path()).unwrap().flatten() {
        let file = entry.file_name().into_string().unwrap();
        if file == name {
            parts.insert(std::cmp::Reverse(0), file);
        } else if let Some(number) = file.strip_prefix(&format!("{name}.")) {
            parts.insert(std::cmp::Reverse(number.parse().unwrap()), file);
        }
    }
    let text: String = parts.values().map(|file| lab.read(file)).collect();
    let mut last = 0;
    for line in text.lines() {
        let number: u64 = line.strip_prefix("line ").unwrap_or_else(|| panic!("{name}: {line}")).parse().unwrap();
        assert_eq!(number, last + 1, "{name}");
        last = number;
    }
    last
}

/// What the daemon says of its processes is what there is.
fn consistent(lab: &Lab) {
    let answer = lab.call("supervisor.getAllProcessInfo", &[]);
    let mut told = Vec::new();
    for part in answer.body.split("<name>statename</name>").skip(1) {
        let state = part.split("<string>").nth(1).unwrap().split('<').next().unwrap();
        let pid = part.split("<name>pid</name>").nth(1).unwrap();
        let pid: i32 = pid.split("<int>").nth(1).unwrap().split('<').next().unwrap().parse().unwrap();
        let runs = ["RUNNING", "STARTING", "STOPPING"].contains(&state);
        assert_eq!(runs, pid != 0, "{state} {pid}");
        told.extend(runs.then_some(pid));
    }
    told.sort_unstable();
    let mut there = children_of(lab.daemon());
    there.sort_unstable();
    assert_eq!(told, there, "the children that are told of, and those that there are");
}

#[test]
#[ignore = "takes ten minutes and more"]
fn soak() {
    let minutes: u64 = std::env::var("SOAK_MINUTES").map_or(10, |text| text.parse().unwrap());
    let keys = "minfds=8192\nminprocs=1000\nlogfile_maxbytes=1MB\nlogfile_backups=2";
    let mut lab = Lab::running_with(keys, &configuration());
    eventually("everything has been started", || (lab.count("STOPPED") == 0).then_some(()));
    // All but those that crash run, then as at the end.
    let settled = settle(&lab, None);
    assert!(lab.call("supervisor.startProcessGroup", &[Value::Text("crash")]).is_ok());
    let over = AtomicBool::new(false);
    let calls = AtomicU64::new(0);
    let began = Instant::now();
    let probe = Probe::start(&lab);
    let (mut first, mut reloads, mut reopened) = (None, 0, 0);
    std::thread::scope(|scope| {
        for number in 1..=CLIENTS {
            let (over, calls, socket) = (&over, &calls, lab.socket());
            scope.spawn(move || calls.fetch_add(client(&socket, number * 7919, over), Ordering::SeqCst));
        }
        let end = Duration::from_secs(minutes * 60);
        let mut round = 0;
        while began.elapsed() < end {
            // The pace of what is done from time to time.
            std::thread::sleep(Duration::from_secs(1));
            round += 1;
            // A group that comes and goes, and logs that are opened again.
            if round % 5 == 0 {
                let more = if round % 10 == 0 { "[program:guest]\ncommand=/bin/sleep 600\nstartsecs=0\n" } else { "" };
                lab.configure(&(configuration() + more));
                // It gives up after ten seconds without an answer, which a busy machine may take.
                eventually("an update", || lab.ctl(&["update"]).status.success().then_some(()));
                reloads += 1;
            }
            if round % 7 == 0 {
                lab.signal(Signal::USR2);
                reopened += 1;
            }
            // What is needed for good has been had by now.
            if first.is_none() && began.elapsed() > end / 5 {
                first = Some(look(&lab));
            }
            if round % 60 == 0 {
                eprintln!("{:>5} s: {:?}", began.elapsed().as_secs(), look(&lab));
            }
        }
        over.store(true, Ordering::SeqCst);
    });
    let slowest = probe.percentile();
    lab.configure(&configuration());
    eventually("the last update", || lab.ctl(&["update"]).status.success().then_some(()));
    assert!(lab.call("supervisor.startProcessGroup", &[Value::Text("pushed")]).is_ok());
    let first = first.unwrap();
    let (crashes, rotations) = {
        let log = ["log.2", "log.1", "log"].map(|name| lab.read(name)).concat();
        (log.matches("terminated by SIGKILL").count(), fs::read_dir(lab.folder.path()).unwrap().count())
    };
    let last = settle(&lab, Some(&settled));
    consistent(&lab);
    assert!(lab.call("supervisor.stopProcessGroup", &[Value::Text("talk")]).is_ok());
    let lines: u64 = (0..TALKING).map(|number| complete(&lab, &format!("talk-{number:03}"))).sum();
    eprintln!(
        "{minutes} minutes: {} calls by {CLIENTS} clients, {reloads} reloads, {reopened} reopenings, {lines} lines complete \
         in {rotations} files, {crashes} crashes in what is left of the activity log, 95 of 100 answers within {slowest:?}\n\
         before      {settled:?}\nearly       {first:?}\nat the end  {last:?}",
        calls.load(Ordering::SeqCst),
    );
    assert!(last.memory < first.memory + 16 * MEGABYTE, "memory");
    assert!(last.threads <= first.threads + 2, "threads");
    let log = ["log.2", "log.1", "log"].map(|name| lab.read(name)).concat();
    for wrong in ["UNKNOWN", "bytes were lost", "are missing here", "cannot be"] {
        assert!(!log.contains(wrong), "{wrong}: {}", log.lines().find(|line| line.contains(wrong)).unwrap());
    }
    assert!(lines > u64::from(TALKING) * 100);
    lab.stop_well();
    // What a program has started and left is none of ours; theirs end by themselves.
    eventually("nobody is left", || (!pids().into_iter().any(|pid| lab.is_home_of(pid))).then_some(()));
}

/// Stops what crashes, and looks when everything has come to rest: with no more descriptors than `before`, if that is given.
fn settle(lab: &Lab, before: Option<&Look>) -> Look {
    assert!(lab.call("supervisor.stopProcessGroup", &[Value::Text("crash")]).is_ok());
    eventually("the last ones have settled", || {
        let answer = lab.call("supervisor.getAllProcessInfo", &[]);
        if answer.body.contains("<string>STARTING</string>") || answer.body.contains("<string>BACKOFF</string>") {
            return None;
        }
        let look = look(lab);
        let most = before.map_or(usize::MAX, |before| before.descriptors + SLACK);
        (look.zombies == 0 && look.descriptors <= most).then_some(look)
    })
}
