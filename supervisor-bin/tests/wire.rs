//! The daemon over raw sockets: log streams over rotations to the end, HTTP/1.0, many programs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods, reason = "a test")]

mod lab;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use lab::{Answer, Lab, Value, body, eventually};

/// Sends a request and reads until the server closes.
fn ask(lab: &Lab, request: &str) -> String {
    Answer::of(lab.unix(), request.as_bytes()).all()
}

/// Opens a stream; gives the head and what comes behind it.
fn follow(lab: &Lab, request: &str) -> (String, BufReader<UnixStream>) {
    let mut stream = lab.unix();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    (head, reader)
}

/// The next chunk of a chunked body; empty is the end.
fn chunk(reader: &mut impl BufRead) -> Vec<u8> {
    let mut size = String::new();
    reader.read_line(&mut size).unwrap();
    let size = usize::from_str_radix(size.trim_end(), 16).unwrap_or_else(|_| panic!("{size:?} is no size of a chunk"));
    let mut bytes = vec![0; size + 2];
    reader.read_exact(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"\r\n"));
    bytes.truncate(size);
    bytes
}

/// Reads chunks until the text ends with this, and gives it all.
fn until(reader: &mut impl BufRead, last: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(last.as_bytes()) {
        let chunk = chunk(reader);
        assert!(!chunk.is_empty(), "the stream ended");
        text.extend(chunk);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn a_stream_goes_over_rotations_and_clearing_and_ends_cleanly() {
    // Waits for a line, then writes as many numbered ones as it says.
    let echo = "i=0; while read n; do end=$((i+n)); while [ $i -lt $end ]; do echo line $i; i=$((i+1)); done; done";
    let mut lab = Lab::running_on_port(&format!(
        "[program:w]\ncommand=/bin/sh -c '{echo}'\nstartsecs=0\nstdout_logfile=%(here)s/w.log\n\
         stdout_logfile_maxbytes=2000\nstdout_logfile_backups=90\n"
    ));
    lab.pid_of("w");
    let (head, mut stream) = follow(&lab, "GET /logtail/w HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("transfer-encoding: chunked"), "{head}");
    let mut first = 0;
    // After the clearing one line first: the reader has to see the new file before that is rotated away, too.
    for (count, clear) in [(2000, true), (1, false), (1000, false)] {
        assert!(
            lab.call("supervisor.sendProcessStdin", &[Value::Text("w"), Value::Text(&format!("{count}\n"))]).is_ok()
        );
        let text = until(&mut stream, &format!("line {}\n", first + count - 1));
        let expected: String = (first..first + count).map(|number| format!("line {number}\n")).collect();
        assert!(text == expected, "each line once and in order, but: {}…", &text[..text.len().min(300)]);
        first += count;
        if clear {
            assert!(lab.path("w.log.1").exists(), "it was rotated");
            assert!(lab.call("supervisor.clearProcessLogs", &[Value::Text("w")]).is_ok());
        }
    }
    let (_, mut main) = follow(&lab, "GET /mainlogtail HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(lab.call("supervisor.shutdown", &[]).is_ok());
    for stream in [&mut stream, &mut main] {
        while !chunk(stream).is_empty() {}
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "nothing comes behind the last chunk");
    }
    assert_eq!(lab.wait().code(), Some(0));
}

#[test]
fn http_1_0_is_spoken() {
    let lab = Lab::running_on_port("[program:w]\ncommand=/bin/sh -c 'echo said; exec sleep 600'\nstartsecs=0\n");
    let answer = ask(&lab, "GET /ok.html HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("\r\n\r\nOK"), "{answer}");
    // Kept alive if asked for: two calls over one connection, the second says that it is the last.
    let call = body("supervisor.getState", &[]);
    let post = |keep: &str| format!("POST /RPC2 HTTP/1.0\r\n{keep}Content-Length: {}\r\n\r\n{call}", call.len());
    let both = ask(&lab, &(post("Connection: Keep-Alive\r\n") + &post("")));
    assert_eq!(both.matches("HTTP/1.0 200").count(), 2, "{both}");
    assert_eq!(both.matches("RUNNING").count(), 2, "{both}");
    assert!(both.to_lowercase().contains("connection: keep-alive"), "{both}");
    // A stream without chunks, whose bytes come at once.
    eventually("it has spoken", || {
        let log = lab.call("supervisor.readProcessLog", &[Value::Text("w"), Value::Int(0), Value::Int(0)]);
        log.body.contains("said").then_some(())
    });
    let (head, mut stream) = follow(&lab, "GET /logtail/w HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("HTTP/1.0 200") && !head.to_lowercase().contains("chunked"), "{head}");
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "said\n");
}

#[test]
fn a_thousand_programs_are_told_of() {
    let lab = Lab::running_on_port(
        "[program:p]\ncommand=/bin/cat\nautostart=false\nnumprocs=1000\nprocess_name=%(program_name)s_%(process_num)04d\n",
    );
    let began = Instant::now();
    let answer = lab.call("supervisor.getAllProcessInfo", &[]).body;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(answer.matches("<name>statename</name>").count(), 1000);
    let places: Vec<_> = (0..1000).map(|number| answer.find(&format!(">p_{number:04}<")).unwrap()).collect();
    assert!(places.is_sorted(), "by name");
    assert!(answer.trim_end().ends_with("</methodResponse>"));
}

#[test]
fn an_activity_log_that_cannot_be_read_again_is_named_or_fails() {
    let read = |lab: &Lab| lab.call("supervisor.readLog", &[Value::Int(0), Value::Int(0)]).body;
    let mut lab = Lab::running_with("logfile=syslog", "");
    let answer = read(&lab);
    assert!(answer.contains("NO_FILE: syslog"), "{answer}");
    assert_eq!(lab.stop().code(), Some(0));

    let mut lab = Lab::with("logfile=%(here)s/pipe\nlogfile_maxbytes=0", "");
    let pipe = lab.path("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK;
    let _reader = rustix::fs::open(&pipe, flags, rustix::fs::Mode::empty()).unwrap();
    lab.start();
    let answer = read(&lab);
    assert!(answer.contains("<string>FAILED</string>"), "{answer}");
    assert_eq!(lab.stop().code(), Some(0));
}
