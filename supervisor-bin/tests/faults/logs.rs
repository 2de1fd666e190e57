//! The way from a program's output to its log and to whoever reads it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use crate::lab::{BUSY, Lab, Probe, SLEEPER, Signal, Value, Watch, eventually, passing, states_of_threads, within};

#[test]
fn a_reader_of_stdout_that_stops_reading_stops_nobody() {
    let flood = "[program:x]\ncommand=/bin/sh -c 'i=0;while test $i -lt 20;do yes | head -c 20000;i=$((i+1));done;sleep 600'\n\
                 stopasgroup=true\nstartsecs=0\nstdout_logfile=NONE\n";
    let mut lab = Lab::with("loglevel=debug", flood);
    lab.spawn(Stdio::piped());
    lab.wait_up();
    eventually("more than a pipe holds", || (lab.log().len() > 200_000).then_some(()));
    lab.pid_of("x");
    assert!(lab.ctl(&["stop", "x"]).status.success());
    assert_eq!(lab.stop().code(), Some(0));
    assert!(lab.log().contains("received SIGTERM indicating exit request"));
}

#[test]
fn a_reader_of_stdout_that_goes_away_ends_the_copy_only() {
    let mut lab = Lab::new(SLEEPER);
    lab.spawn(Stdio::piped());
    lab.wait_up();
    let mut stdout = lab.daemons[0].stdout.take().unwrap();
    let mut first = [0; 1];
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    for _ in 0..3 {
        assert!(lab.ctl(&["restart", "x"]).status.success());
    }
    eventually("each start is told", || (lab.log().matches("spawned: 'x'").count() == 4).then_some(()));
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn an_activity_log_that_nobody_reads_keeps_no_other_log_from_being_opened_anew() {
    let flood = "[program:x]\ncommand=/bin/sh -c 'yes | head -c 300000; exec sleep 600'\nstartsecs=0\nstdout_logfile=%(here)s/out\n";
    let mut lab = Lab::with("logfile=%(here)s/pipe\nlogfile_maxbytes=0\nloglevel=debug", flood);
    let pipe = lab.path("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let reader = rustix::fs::open(&pipe, flags, rustix::fs::Mode::empty()).unwrap();
    lab.start();
    eventually("more than the pipe holds", || (fs::metadata(lab.path("out")).ok()?.len() == 300_000).then_some(()));
    let threads = || states_of_threads(lab.daemon()).len();
    let before = threads();
    fs::rename(lab.path("out"), lab.path("moved")).unwrap();
    for _ in 0..20 {
        lab.signal(Signal::USR2);
        passing("it is opened anew", || lab.path("out").exists().then_some(()));
        fs::remove_file(lab.path("out")).unwrap();
    }
    // One thread waits for the activity log, and none for each time that it was to be opened; what others have done leaves
    // its threads for half a second.
    within(Duration::from_secs(4), "the threads go", || (threads() < before + 5).then_some(()));
    drop(reader);
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn a_command_that_is_not_there_leaves_no_log_behind() {
    let body = "[program:x]\ncommand=/no/such/command\nstartretries=0\nstdout_logfile=%(here)s/out\nstderr_logfile=%(here)s/err\n";
    let mut lab = Lab::running(body);
    lab.wait_state("x", "FATAL");
    lab.wait_log("can't find command '/no/such/command'");
    assert!(!lab.path("out").exists() && !lab.path("err").exists());
    lab.stop_well();
}

/// The numbers in a text, one in each line, must follow each other from 1 on; gives the last one.
fn numbers(text: &str) -> usize {
    let mut last = 0;
    for line in text.lines() {
        let number: usize = line.parse().unwrap_or_else(|_| panic!("{line} after {last}"));
        assert_eq!(number, last + 1);
        last = number;
    }
    last
}

#[test]
fn a_million_lines_over_rotations_and_reopenings_are_each_there_once() {
    let body = "[program:x]\ncommand=/usr/bin/seq 1000000\nautostart=false\nautorestart=false\nstartsecs=0\n\
                stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=500KB\nstdout_logfile_backups=100\n";
    let mut lab = Lab::running(body);
    let mut follower = UnixStream::connect(lab.socket()).unwrap();
    follower.write_all(b"GET /logtail/x HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let following = std::thread::spawn(move || {
        follower.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut bytes = vec![0; 1 << 16];
        while follower.read(&mut bytes).is_ok_and(|count| count > 0) {}
    });
    assert!(lab.call("supervisor.startProcess", &[Value::Text("x"), Value::Bool(false)]).is_ok());
    for count in 1..=10 {
        lab.signal(Signal::USR2);
        let reopenings = || lab.log().matches("received SIGUSR2").count();
        passing("the logs are opened again", || (reopenings() == count).then_some(()));
    }
    lab.wait_state("x", "EXITED");
    following.join().unwrap();
    let mut parts: Vec<String> = (1..=100).rev().map(|number| lab.read(&format!("out.{number}"))).collect();
    parts.push(lab.read("out"));
    assert!(parts.iter().filter(|part| !part.is_empty()).count() > 10);
    assert_eq!(numbers(&parts.concat()), 1_000_000);
    lab.stop_well();
}

#[test]
fn what_many_programs_write_in_their_last_moment_is_in_their_logs() {
    let body = "[program:x]\ncommand=/bin/sh -c 'seq 12000; exit 0'\nnumprocs=30\nprocess_name=%(process_num)d\n\
                startsecs=0\nautorestart=false\nautostart=false\nstdout_logfile=%(here)s/out%(process_num)d\n";
    let mut lab = Lab::running(body);
    assert!(lab.call("supervisor.startProcessGroup", &[Value::Text("x"), Value::Bool(false)]).is_ok());
    eventually("all have ended", || (lab.count("EXITED") == 30).then_some(()));
    for number in 0..30 {
        assert_eq!(numbers(&lab.read(&format!("out{number}"))), 12_000, "{number}");
    }
    lab.stop_well();
}

#[test]
fn what_is_in_a_large_pipe_at_the_end_is_in_the_log() {
    // F_SETPIPE_SZ.
    let script = "fcntl(STDOUT, 1031, 1048576) or die; syswrite(STDOUT, \"a\" x 900000) == 900000 or die; exit 0";
    let body = format!(
        "[program:x]\ncommand=/usr/bin/perl -e '{script}'\nstartsecs=0\nautorestart=false\nautostart=false\n\
         stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=0\n"
    );
    let mut lab = Lab::running(&body);
    for round in 1..=5 {
        assert!(lab.call("supervisor.startProcess", &[Value::Text("x"), Value::Bool(false)]).is_ok());
        lab.wait_state("x", "EXITED");
        assert_eq!(fs::metadata(lab.path("out")).unwrap().len(), round * 900_000, "{}", lab.read("out").len());
    }
    lab.stop_well();
}

#[test]
fn what_a_program_says_when_it_is_stopped_is_in_the_log() {
    let body = "[program:x]\ncommand=/bin/sh -c 'trap \"seq 4000; exit 0\" TERM; echo ready; while :; do sleep 0.1; done'\n\
                startsecs=0\nstdout_logfile=%(here)s/out\n";
    let mut lab = Lab::running(body);
    lab.wait_read("out", "ready");
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).is_ok());
    assert_eq!(numbers(lab.read("out").strip_prefix("ready\n").unwrap()), 4_000);
    lab.stop_well();
}

/// Says every byte there is, more than once, and a line that looks like one of ours.
const BINARY: &str = "[program:x]\ncommand=/usr/bin/perl -e '$|=1; print map { chr } 0 .. 255; \
                      print \"\\n2026-01-01 00:00:00,000 CRIT faked\\n\\x1b[31m\\xc3\"; sleep 600'\n\
                      startsecs=0\nstdout_logfile=%(here)s/out\n";

#[test]
fn bytes_that_are_no_text_are_kept_as_they_are_and_every_answer_can_be_read() {
    let mut lab = Lab::running_with("loglevel=debug", BINARY);
    lab.pid_of("x");
    let mut expected: Vec<u8> = (0..=255).collect();
    expected.extend(b"\n2026-01-01 00:00:00,000 CRIT faked\n\x1b[31m\xc3");
    eventually("everything is there", || (fs::read(lab.path("out")).ok()? == expected).then_some(()));
    // In the activity log nothing of it looks like a line of its own.
    lab.wait_log("faked");
    assert!(!lab.log().lines().any(|line| line.ends_with("CRIT faked") && line.starts_with("2026-01-01")));
    let name = Value::Text("x");
    for (method, offset, length) in [
        ("supervisor.readProcessStdoutLog", 0, 0),
        ("supervisor.readProcessStdoutLog", -20, 0),
        ("supervisor.tailProcessStdoutLog", 0, 1000),
        ("supervisor.readProcessLog", 128, 77),
    ] {
        let answer = lab.call(method, &[name, Value::Int(offset), Value::Int(length)]);
        assert!(answer.is_ok());
        let forbidden = |c: char| c.is_control() && !"\t\n\r".contains(c) && c < '\u{7f}';
        assert!(!answer.body.contains(forbidden), "{method}: {:?}", answer.body);
    }
    for path in ["/tail.html?processname=x", "/logtail/x"] {
        let mut client = UnixStream::connect(lab.socket()).unwrap();
        client.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
        let mut head = [0; 12];
        client.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200", "{path}");
    }
    assert_eq!(lab.get("/tail.html?processname=x").status, 200);
    lab.stop_well();
}

#[test]
fn offsets_without_sense_are_answered() {
    let mut lab = Lab::running("[program:x]\ncommand=/bin/sh -c 'seq 100; exec sleep 600'\nstartsecs=0\n");
    lab.pid_of("x");
    let numbers = [0, 1, -1, 100, -100, 291, 292, 1_000_000, i64::from(i32::MAX), i64::from(i32::MIN)];
    for offset in numbers {
        for length in numbers {
            for method in
                ["readProcessStdoutLog", "readProcessStderrLog", "tailProcessStdoutLog", "tailProcessStderrLog"]
            {
                let (offset, length) = (Value::Int(offset), Value::Int(length));
                let answer = lab.call(&format!("supervisor.{method}"), &[Value::Text("x"), offset, length]);
                assert!([0, 3, 20, 30].contains(&answer.fault()), "{method} {offset:?} {length:?}: {}", answer.body);
            }
            lab.call("supervisor.readLog", &[Value::Int(offset), Value::Int(length)]);
        }
    }
    lab.stop_well();
}

#[test]
fn a_follower_that_does_not_keep_up_costs_no_memory() {
    let body = "[program:x]\ncommand=/bin/sh -c 'head -c 100000000 /dev/zero | tr \"\\\\0\" a; exec sleep 600'\nstartsecs=0\n\
                autostart=false\nstdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=0\n";
    let mut lab = Lab::running(body);
    let mut follower = UnixStream::connect(lab.socket()).unwrap();
    assert!(lab.call("supervisor.startProcess", &[Value::Text("x")]).is_ok());
    follower.write_all(b"GET /logtail/x HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = [0; 12];
    follower.read_exact(&mut head).unwrap();
    let (watch, probe) = (Watch::start(&lab), Probe::start(&lab));
    eventually("everything is written", || (fs::metadata(lab.path("out")).ok()?.len() == 100_000_000).then_some(()));
    probe.kept(BUSY, "a slow follower");
    watch.was_moderate("a slow follower");
    drop(follower);
    lab.stop_well();
}
