#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::activity::ActivityLog;
use crate::logfile::follow::Follow;
use crate::logfile::rotating::backup_path;
use crate::logfile::rotating::tests::SmallDisk;
use crate::logfile::syslog::Syslog;
use crate::runtime::lane::{Lane, QUESTIONS};
use futures_lite::StreamExt;
use futures_lite::future::block_on;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use lab::{Lab, SOON, channel, eventually};

mod lab;
mod logs;
mod streams;

/// `F.n` down to `F`, put together.
fn all_files(path: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for number in (1..=1000).rev() {
        all.extend(fs::read(backup_path(path, number)).unwrap_or_default());
    }
    all.extend(fs::read(path).unwrap());
    all
}

#[test]
fn bytes_go_to_the_log_as_they_are() {
    let lab = Lab::new();
    lab.run(lab.plan(channel()), &[b"\xff\xfe\0x\n", b"no newline"]);
    assert_eq!(fs::read(lab.path("x")).unwrap(), b"\xff\xfe\0x\nno newline");
    lab.run(lab.plan(channel()), &[b" more"]);
    assert!(fs::read(lab.path("x")).unwrap().ends_with(b"no newline more"));
    lab.run(lab.plan_without_log(channel()), &[b"dropped"]);
    assert!(lab.notices().is_empty() && lab.lines.lines.lock().unwrap().is_empty());
}

#[test]
fn numbered_lines_survive_rotation_reopening_and_being_followed() {
    let lab = Lab::new();
    let path = lab.path("x");
    let plan = lab.plan(spec::Channel { logfile_maxbytes: 50_000, logfile_backups: 200, ..channel() });
    let sink = Arc::clone(plan.log.as_ref().unwrap().sink());
    let mut follow = Follow::open(path.clone(), 0).unwrap();
    let (mut pipe, reader) = lab.start(plan);
    let expected: String = (0..200_000).map(|number| format!("line {number}\n")).collect();
    let writer = thread::spawn(move || {
        (0..200_000).for_each(|number| {
            let line = format!("line {number}\n");
            pipe.write_all(line.as_bytes()).unwrap();
        });
    });
    let following = thread::spawn({
        let length = expected.len();
        move || {
            block_on(async {
                let mut got = Vec::new();
                while got.len() < length {
                    got.extend(follow.next().await.unwrap());
                }
                got
            })
        }
    });
    while !writer.is_finished() {
        block_on(sink.reopen()).unwrap();
    }
    writer.join().unwrap();
    block_on(reader.finish());
    assert!(all_files(&path) == expected.as_bytes());
    assert!(fs::metadata(backup_path(&path, 2)).unwrap().len() >= 50_000);
    assert!(following.join().unwrap() == expected.as_bytes());
}

#[test]
fn what_a_process_wrote_last_is_read_when_it_has_ended() {
    let lab = Lab::new();
    for round in 0..20 {
        let _ = fs::remove_file(lab.path("x"));
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        rustix::pipe::fcntl_setpipe_size(&write, 1 << 20).unwrap();
        let output = vec![b'a' + round; 900_000];
        let mut pipe = File::from(write);
        pipe.write_all(&output).unwrap();
        let reader = lab.lanes.read(read, lab.plan(channel()));
        // A grandchild keeps the pipe.
        block_on(reader.finish());
        assert!(fs::read(lab.path("x")).unwrap() == output);
        eventually("our end is closed", || {
            (&pipe).write(b"late").is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
        });
    }
}

/// However the end meets the reading: between the write and the read, the read and the log, the log and the wait.
#[test]
fn whatever_was_written_is_in_the_log_when_the_end_is_told() {
    let lab = Lab::new();
    let mut expected = Vec::new();
    for round in 0..3000_usize {
        let (mut pipe, reader) = lab.start(lab.plan(channel()));
        let line = format!("{round} {}\n", "x".repeat(round * 7 % 60_000));
        pipe.write_all(line.as_bytes()).unwrap();
        (0..round % 100 * 100).for_each(|_| std::hint::spin_loop());
        // Sometimes a grandchild keeps the pipe.
        let kept = (round % 2 == 0).then_some(pipe);
        block_on(reader.finish());
        expected.extend(line.as_bytes());
        assert_eq!(fs::metadata(lab.path("x")).unwrap().len(), expected.len() as u64, "round {round}");
        assert_eq!(reader.held_up(), 0);
        drop(kept);
    }
    assert!(fs::read(lab.path("x")).unwrap() == expected);
}

#[test]
fn a_grandchild_that_never_stops_writing_does_not_hold_up_the_end() {
    let lab = Lab::new();
    let (mut pipe, reader) = lab.start(lab.plan(spec::Channel { logfile_backups: 0, ..channel() }));
    let flood = thread::spawn(move || while pipe.write_all(&[b'x'; 1000]).is_ok() {});
    eventually("the flood has begun", || fs::metadata(lab.path("x")).unwrap().len() > 1_000_000);
    let before = Instant::now();
    block_on(reader.finish());
    assert!(before.elapsed() < PATIENCE);
    flood.join().unwrap();
}

#[test]
fn a_channel_that_was_closed_costs_nothing() {
    let lab = Lab::new();
    let (pipe, reader) = lab.start(lab.plan(channel()));
    drop(pipe);
    eventually("the task ends", || block_on(future::poll_once(reader.link.ended.opened())).is_some());
    block_on(reader.finish());
}

/// Holds a lane up, as a write to a frozen disk does, until the answer is dropped.
fn freeze(lane: &Lane) -> std::sync::mpsc::Sender<()> {
    let (thaw, frozen) = std::sync::mpsc::channel::<()>();
    let (begin, begun) = std::sync::mpsc::channel();
    lane.spawn(move |_| async move {
        begin.send(()).unwrap();
        let _ = frozen.recv();
    });
    begun.recv().unwrap();
    thaw
}

#[test]
fn a_lane_that_hangs_is_not_asked_without_end() {
    let lab = Lab::new();
    let plan = lab.plan(channel());
    let lane = plan.log.as_ref().unwrap().sink().lane();
    let thaw = freeze(lane);
    for _ in 0..QUESTIONS {
        assert!(block_on(future::poll_once(lane.ask(|| Ok(())))).is_none());
    }
    let refused = block_on(lane.ask(|| Ok(()))).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ResourceBusy);
    drop(thaw);
    eventually("it answers again", || block_on(lane.ask(|| Ok(()))).is_ok());
}

#[test]
fn while_its_lane_hangs_a_process_that_said_nothing_keeps_no_pipe() {
    let lab = Lab::new();
    let plan = lab.plan(channel());
    let thaw = freeze(plan.log.as_ref().unwrap().sink().lane());
    let is_read = |pipe: &File| !rustix::io::write(pipe, b"x").is_err_and(|error| error == Errno::PIPE);
    for listener in [false, true] {
        let (silent, reader) = lab.start(ChannelPlan { listener, ..lab.plan(channel()) });
        block_on(reader.finish());
        // Perhaps not yet for a child of another test, until its exec.
        eventually("it is closed at once", || !is_read(&silent));
        assert_eq!(reader.held_up(), 0);
    }
    let (mut loud, reader) = lab.start(plan);
    loud.write_all(b"last words\n").unwrap();
    let told = block_on(future::poll_once(reader.finish()));
    assert_eq!((told, reader.held_up(), is_read(&loud)), (None, 11, true), "it is kept until it is read");
    drop((loud, thaw));
    block_on(reader.finish());
    assert_eq!(lab.text("x"), "last words\nx");
}

#[test]
fn only_busy_pipes_are_enlarged() {
    let lab = Lab::new();
    let (mut quiet, reader) = lab.start(lab.plan(channel()));
    quiet.write_all(&[b'x'; 10_000]).unwrap();
    eventually("read", || rustix::io::ioctl_fionread(&quiet).unwrap() == 0);
    assert_eq!(rustix::pipe::fcntl_getpipe_size(&quiet).unwrap(), 64 << 10);
    let mut busy = quiet;
    busy.write_all(&vec![b'x'; 20 << 20]).unwrap();
    assert_eq!(rustix::pipe::fcntl_getpipe_size(&busy).unwrap(), LARGE_PIPE);
    drop(busy);
    block_on(reader.finish());
}

#[test]
fn captured_text_becomes_a_notice_and_stays_out_of_the_log() {
    let lab = Lab::with(Lanes::new, true);
    let settings = spec::Channel { capture_maxbytes: 100, events_enabled: true, ..channel() };
    let output: &[&[u8]] = &[b"before <!--XSUPERVISOR:BE", b"GIN-->secret<!--XSUPERVISOR:END--> after <!--XSUP"];
    lab.run(lab.plan(settings), output);
    assert_eq!(lab.text("x"), "before  after <!--XSUP");
    let notices = lab.notices();
    let of = |wanted: fn(&OutputNotice) -> Option<&Vec<u8>>| {
        String::from_utf8(notices.iter().filter_map(wanted).flatten().copied().collect()).unwrap()
    };
    let logged = of(|notice| if let OutputNotice::Log(text) = notice { Some(text) } else { None });
    let captured = of(|notice| if let OutputNotice::Communication(text) = notice { Some(text) } else { None });
    assert_eq!((logged.as_str(), captured.as_str()), ("before secret after <!--XSUP", "secret"));
    let debug = lab.lines.of(Level::Debug);
    assert!(debug.contains(&"'x' stdout emitted a comm event".to_owned()), "{debug:?}");
    assert!(debug.contains(&"'x' stdout output:\nsecret".to_owned()), "{debug:?}");
}

#[test]
fn all_that_is_captured_is_output_as_it_comes_and_the_message_is_bounded() {
    let lab = Lab::new();
    let settings = spec::Channel { capture_maxbytes: 4, events_enabled: true, ..channel() };
    lab.run(lab.plan(settings), &[b"<!--XSUPERVISOR:BEGIN-->12", b"3456", b"<!--XSUPERVISOR:END-->"]);
    let log = |text: &[u8]| OutputNotice::Log(text.to_vec());
    assert_eq!(lab.notices(), [log(b"12"), log(b"3456"), OutputNotice::Communication(b"3456".to_vec())]);
}

#[test]
fn a_message_that_never_ends_is_told_once_and_kept_in_the_log() {
    let lab = Lab::new();
    let settings = spec::Channel { capture_maxbytes: 100, events_enabled: true, ..channel() };
    lab.run(lab.plan(settings), &[b"a<!--XSUPERVISOR:BEGIN-->last", b" words"]);
    assert_eq!(lab.text("x"), "a<!--XSUPERVISOR:BEGIN-->last words");
    assert_eq!(lab.notices(), [b"a".to_vec(), b"last".to_vec(), b" words".to_vec()].map(OutputNotice::Log));
}

#[test]
fn an_escape_sequence_left_open_does_not_swallow_a_token() {
    let lab = Lab::new();
    let plan = lab.plan(spec::Channel { capture_maxbytes: 100, ..channel() });
    let plan = ChannelPlan { strip_ansi: true, ..plan };
    lab.run(plan, &[b"a\x1b[<!--XSUPERVISOR:BEGIN-->m\x1b[1mred<!--XSUPERVISOR:END-->b"]);
    assert_eq!(lab.notices(), [OutputNotice::Communication(b"mred".to_vec())]);
    assert_eq!(lab.text("x"), "a\x1b[b");
}

#[test]
fn an_escape_sequence_left_open_in_a_message_does_not_reach_beyond_it() {
    let lab = Lab::new();
    let settings = spec::Channel { capture_maxbytes: 100, events_enabled: true, ..channel() };
    let plan = ChannelPlan { strip_ansi: true, ..lab.plan(settings.clone()) };
    lab.run(plan, &[b"<!--XSUPERVISOR:BEGIN-->m\x1b[<!--XSUPERVISOR:END-->hello"]);
    assert_eq!(lab.text("x"), "hello");
    let log = |text: &[u8]| OutputNotice::Log(text.to_vec());
    let message = OutputNotice::Communication(b"m\x1b[".to_vec());
    assert_eq!(lab.notices(), [log(b"m"), log(b"\x1b["), message, log(b"hello")]);
    // The same of a message that never ends: the log has all of it.
    let plan = ChannelPlan { strip_ansi: true, ..lab.plan(settings) };
    lab.run(plan, &[b" <!--XSUPERVISOR:BEGIN-->m\x1b[3"]);
    assert_eq!(lab.text("x"), "hello <!--XSUPERVISOR:BEGIN-->m\x1b[3");
    assert_eq!(lab.notices(), [log(b" "), log(b"m"), log(b"\x1b[3")]);
}

#[test]
fn escape_sequences_are_stripped_across_reads() {
    let lab = Lab::new();
    let plan = ChannelPlan { strip_ansi: true, ..lab.plan(spec::Channel { events_enabled: true, ..channel() }) };
    lab.run(plan, &[b"\x1b[1;3", b"1mred\x1b[0m plain\n"]);
    assert_eq!(lab.text("x"), "red plain\n");
    assert_eq!(lab.notices(), [OutputNotice::Log(b"red plain\n".to_vec())]);
}

#[test]
fn a_listener_speaks_to_the_loop() {
    let lab = Lab::with(Lanes::new, true);
    let settings = spec::Channel { capture_maxbytes: 100, events_enabled: true, syslog: true, ..channel() };
    let plan = ChannelPlan { listener: true, strip_ansi: true, ..lab.plan(settings) };
    lab.run(plan, &[b"READY\n", b"\x1b[1mRESULT 2\nOK"]);
    assert_eq!(lab.text("x"), "READY\nRESULT 2\nOK");
    let said = [b"READY\n".to_vec(), b"\x1b[1mRESULT 2\nOK".to_vec()].map(OutputNotice::Listener);
    assert_eq!(lab.notices(), said);
    let debug = lab.lines.of(Level::Debug);
    assert_eq!(debug, [r"b'READY\n'", r"b'\x1b[1mRESULT 2\nOK'"].map(|text| format!("'x' stdout output:\n{text}")));
}

#[test]
fn a_loop_that_does_not_take_notices_holds_up_that_channel_alone() {
    let lab = Lab::new();
    let (mut pipe, reader) = lab.start(lab.plan_without_log(spec::Channel { events_enabled: true, ..channel() }));
    let writer = thread::spawn(move || pipe.write_all(&vec![b'x'; 100 << 20]).unwrap());
    eventually("the way to the loop is full", || lab.notices.is_full());
    lab.run(lab.plan(channel()), &[b"other"]);
    assert_eq!(lab.text("x"), "other");
    assert!(!writer.is_finished());
    let mut got = 0;
    while got < 100 << 20 {
        let Ok(OutputNotice::Log(text)) = lab.notices.recv_blocking() else { panic!("only output is expected") };
        got += text.len();
    }
    writer.join().unwrap();
    block_on(reader.finish());
}

#[test]
fn clearing_and_reopening_with_and_without_a_process() {
    let lab = Lab::new();
    let plan = lab.plan(channel());
    let sink = Arc::clone(plan.log.as_ref().unwrap().sink());
    assert_eq!(sink.path(), lab.path("x"));
    let (mut pipe, reader) = lab.start(plan);
    pipe.write_all(b"one").unwrap();
    eventually("written", || lab.text("x") == "one");
    block_on(sink.clear()).unwrap();
    assert_eq!(lab.text("x"), "");
    pipe.write_all(b"two").unwrap();
    eventually("written", || lab.text("x") == "two");
    fs::rename(lab.path("x"), lab.path("moved")).unwrap();
    block_on(sink.reopen()).unwrap();
    pipe.write_all(b"three").unwrap();
    eventually("written", || lab.text("x") == "three");
    assert_eq!(lab.text("moved"), "two");
    drop(pipe);
    block_on(reader.finish());

    // Nobody writes any more: the file is closed, and nothing is made anew.
    block_on(sink.clear()).unwrap();
    assert_eq!(lab.text("x"), "");
    fs::remove_file(lab.path("x")).unwrap();
    block_on(sink.reopen()).unwrap();
    block_on(sink.clear()).unwrap();
    assert!(!lab.path("x").exists());
}

#[test]
fn one_path_is_one_log() {
    let lab = Lab::new();
    let settings = spec::Channel { logfile_maxbytes: 10_000, logfile_backups: 1000, ..channel() };
    let plans = [lab.plan(settings.clone()), lab.plan(settings)];
    let sink = |plan: &ChannelPlan| Arc::clone(plan.log.as_ref().unwrap().sink());
    assert!(Arc::ptr_eq(&sink(&plans[0]), &sink(&plans[1])));
    let running = plans.map(|plan| lab.start(plan));
    let writers = running.map(|(mut pipe, reader)| {
        thread::spawn(move || {
            for _ in 0..5000 {
                pipe.write_all(b"0123456789012345678901234567890123456789\n").unwrap();
            }
            drop(pipe);
            block_on(reader.finish());
        })
    });
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(all_files(&lab.path("x")).len(), 2 * 5000 * 41);
}

#[test]
fn a_log_that_cannot_be_opened_is_an_error_of_that_start() {
    let lab = Lab::new();
    fs::create_dir(lab.path("directory")).unwrap();
    assert!(lab.lanes.open(lab.path("directory"), 0, 0, "").is_err());
    assert!(lab.lanes.open(lab.path("none/x"), 0, 0, "").is_err());
}

#[test]
fn a_removed_directory_costs_neither_the_program_nor_others() {
    let lab = Lab::new();
    fs::create_dir(lab.path("logs")).unwrap();
    let settings = spec::Channel { logfile_maxbytes: 100_000, logfile_backups: 2, ..channel() };
    let log = lab.open("logs/x", &settings);
    let sink = Arc::clone(log.sink());
    let plan = ChannelPlan { log: Some(log), ..lab.plan_without_log(settings) };
    let (mut pipe, reader) = lab.start(plan);
    pipe.write_all(b"begin").unwrap();
    eventually("written", || lab.text("logs/x") == "begin");
    fs::remove_dir_all(lab.path("logs")).unwrap();
    assert!(block_on(sink.reopen()).is_err());
    assert!(block_on(sink.clear()).is_err());
    pipe.write_all(&vec![b'x'; 1 << 20]).unwrap();
    lab.run(lab.plan(channel()), &[b"other"]);
    assert_eq!(lab.text("x"), "other");
    // A start fails clearly, while the one that runs goes on.
    assert!(lab.lanes.open(lab.path("logs/x"), 100_000, 2, "").is_err());
    fs::create_dir(lab.path("logs")).unwrap();
    block_on(sink.reopen()).unwrap();
    pipe.write_all(b"end").unwrap();
    drop(pipe);
    block_on(reader.finish());
    assert!(lab.text("logs/x").ends_with("end"));
}

#[test]
fn a_full_disk_is_told_of_once_and_blocks_nobody() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path().join("x");
    let lab = Lab::new();
    let log = lab.lanes.open(path.as_path(), 0, 0, "'x' stdout").unwrap();
    let sink = Arc::clone(log.sink());
    let elsewhere = lab.open("x", &channel());
    assert!(!Arc::ptr_eq(sink.lane(), elsewhere.sink().lane()), "each file system has its lane");
    let plan = ChannelPlan { log: Some(log), ..lab.plan_without_log(channel()) };
    let (mut pipe, reader) = lab.start(plan);
    pipe.write_all(&vec![b'x'; 5 << 20]).unwrap();
    lab.run(lab.plan(channel()), &[b"other"]);
    eventually("all is read", || rustix::io::ioctl_fionread(&pipe).unwrap() == 0);
    // And written, or lost: the lane does both at once.
    block_on(sink.lane().ask(|| Ok(()))).unwrap();
    let kept = fs::metadata(&path).unwrap().len();
    File::create(&path).unwrap();
    pipe.write_all(b"back").unwrap();
    drop(pipe);
    block_on(reader.finish());
    assert_eq!(sink.lost() + kept, 5 << 20);
    let name = format!("'x' stdout log '{}'", path.display());
    assert_eq!(lab.lines.of(Level::Warn), [format!("{name} is written again, {} bytes were lost", sink.lost())]);
    let errors = lab.lines.of(Level::Error);
    assert!(errors.len() == 1 && errors[0].contains("No space left"), "{errors:?}");
}
