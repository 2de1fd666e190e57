//! Sinks that can be full or gone: pipes and the system log.

use super::*;
use std::os::unix::fs::OpenOptionsExt;

/// A FIFO with its reader.
pub(super) fn fifo(path: &Path) -> File {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let reader = File::options().read(true).custom_flags(nonblocking).open(path).unwrap();
    rustix::io::ioctl_fionbio(&reader, false).unwrap();
    reader
}

fn plan_to(lab: &Lab, name: &str) -> ChannelPlan {
    let unlimited = spec::Channel { logfile_maxbytes: 0, logfile_backups: 0, ..channel() };
    ChannelPlan { log: Some(lab.open(name, &unlimited)), ..lab.plan_without_log(unlimited) }
}

#[test]
fn a_slow_reader_loses_nothing_and_chunks_do_not_mix() {
    let lab = Lab::new();
    let mut slow = fifo(&lab.path("fifo"));
    let writers = ["a", "b"].map(|letter| {
        let (mut pipe, reader) = lab.start(plan_to(&lab, "fifo"));
        thread::spawn(move || {
            // Each line is one write, and one chunk at least.
            let line = format!("{}\n", letter.repeat(999));
            for _ in 0..500 {
                pipe.write_all(line.as_bytes()).unwrap();
            }
            drop(pipe);
            block_on(reader.finish());
        })
    });
    let mut got = vec![0; 1_000_000];
    for part in got.chunks_mut(50_000) {
        thread::sleep(Duration::from_millis(10));
        slow.read_exact(part).unwrap();
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let got = String::from_utf8(got).unwrap();
    let mixed = got.lines().find(|line| !["a", "b"].contains(&&line[..1]) || *line != line[..1].repeat(999));
    assert_eq!(mixed, None);
    assert!(lab.lines.lines.lock().unwrap().is_empty());
}

#[test]
fn a_reader_that_does_not_read_blocks_nobody_and_is_given_up_until_it_does() {
    let lab = Lab::new();
    let mut idle = fifo(&lab.path("fifo"));
    let plan = plan_to(&lab, "fifo");
    let sink = Arc::clone(plan.log.as_ref().unwrap().sink());
    let (mut pipe, reader) = lab.start(plan);
    let before = Instant::now();
    pipe.write_all(&vec![b'x'; 5 << 20]).unwrap();
    assert!(before.elapsed() < SOON);
    lab.run(lab.plan(channel()), &[b"other"]);
    eventually("all is read", || rustix::io::ioctl_fionread(&pipe).unwrap() == 0);
    // And written, or lost: the lane does both at once.
    block_on(sink.lane().ask(|| Ok(()))).unwrap();
    let errors = lab.lines.of(Level::Error);
    assert!(errors.len() == 1 && errors[0].contains("nobody reads it"), "{errors:?}");
    // It reads again: so is it written.
    let mut kept = vec![0; rustix::io::ioctl_fionread(&idle).unwrap() as usize];
    idle.read_exact(&mut kept).unwrap();
    pipe.write_all(b"back").unwrap();
    let mut back = [0; 4];
    idle.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"back");
    eventually("the end of the loss is told", || !lab.lines.of(Level::Warn).is_empty());
    assert_eq!(sink.lost() as usize + kept.len(), 5 << 20);
    // Gone for good: told, and no harm.
    drop(idle);
    pipe.write_all(b"into the void").unwrap();
    drop(pipe);
    block_on(reader.finish());
    eventually("counted", || sink.lost() as usize + kept.len() == (5 << 20) + 13);
}

#[test]
fn the_mode_of_a_shared_description_is_not_changed() {
    let lab = Lab::new();
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
    for shared in [write.as_fd(), one.as_fd()] {
        let before = rustix::fs::fcntl_getfl(shared).unwrap();
        let file = File::from(shared.try_clone_to_owned().unwrap());
        let stream = crate::runtime::sink::stream::StreamSink::new(file).unwrap();
        assert_eq!(rustix::fs::fcntl_getfl(shared).unwrap(), before);
        drop(stream);
    }
    drop((read, other, lab));
}

#[test]
fn lanes_end_without_waiting_for_what_hangs() {
    let lab = Lab::new();
    let _idle = fifo(&lab.path("fifo"));
    let (mut pipe, reader) = lab.start(plan_to(&lab, "fifo"));
    pipe.write_all(&vec![b'x'; 100_000]).unwrap();
    let before = Instant::now();
    drop(lab.lanes);
    block_on(reader.finish());
    assert!(before.elapsed() < PATIENCE);
    eventually("our end is closed", || (&pipe).write(b"x").is_err());
}

fn socket_directory() -> &'static Path {
    static DIRECTORY: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    DIRECTORY.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

fn syslog_settings() -> spec::Channel {
    spec::Channel { syslog: true, ..channel() }
}

#[test]
fn each_line_goes_to_the_system_log_also_in_a_burst() {
    let path = socket_directory().join("burst");
    let socket = UnixDatagram::bind(path).unwrap();
    let make = || Syslog::to(vec![socket_directory().join("burst")], "supervisord");
    let lab = Lab::with(|activity| Lanes::with_syslog(activity, make), false);
    let output: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    let (mut pipe, reader) = lab.start(lab.plan(syslog_settings()));
    let writer = thread::spawn({
        let output = output.clone();
        move || pipe.write_all(output.as_bytes()).unwrap()
    });
    let mut buffer = [0; 100];
    let mut got = String::new();
    while got.len() < output.len() {
        let count = socket.recv(&mut buffer).unwrap();
        let message = std::str::from_utf8(&buffer[..count]).unwrap();
        got.push_str(message.strip_prefix("<14>supervisord: x ").unwrap());
        got.push('\n');
    }
    writer.join().unwrap();
    block_on(reader.finish());
    // A line that was cut by the end of a read comes in two messages.
    assert_eq!(got.replace('\n', ""), output.replace('\n', ""));
    assert_eq!(lab.text("x"), output);
}

#[test]
fn a_dead_system_log_costs_its_lines_only() {
    let lab = Lab::new();
    let output = "a line\n".repeat(100_000);
    let (mut pipe, reader) = lab.start(lab.plan(syslog_settings()));
    pipe.write_all(output.as_bytes()).unwrap();
    drop(pipe);
    block_on(reader.finish());
    assert!(lab.text("x") == output);
    let errors = lab.lines.of(Level::Error);
    assert!(errors.len() == 1 && errors[0].starts_with("'x' stdout system log cannot be written"), "{errors:?}");
    eventually("the end of the loss is told", || !lab.lines.of(Level::Warn).is_empty());
    let warnings = lab.lines.of(Level::Warn);
    assert!(warnings.len() == 1 && warnings[0].starts_with("'x' stdout system log could not"), "{warnings:?}");
}

#[test]
fn a_system_log_that_does_not_read_blocks_nobody() {
    let _socket = UnixDatagram::bind(socket_directory().join("idle")).unwrap();
    let make = || Syslog::to(vec![socket_directory().join("idle")], "supervisord");
    let lab = Lab::with(|activity| Lanes::with_syslog(activity, make), false);
    let output = "a line\n".repeat(100_000);
    let (mut pipe, reader) = lab.start(lab.plan(syslog_settings()));
    pipe.write_all(output.as_bytes()).unwrap();
    lab.run(lab.plan_without_log(channel()), &[b"other"]);
    drop(pipe);
    block_on(reader.finish());
    assert!(lab.text("x") == output);
}
