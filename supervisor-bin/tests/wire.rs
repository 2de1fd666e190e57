//! The daemon over raw sockets: log streams over rotations to the end, HTTP/1.0, crowds of clients, restarts under load,
//! many programs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods, reason = "a test")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A daemon with one UNIX and one TCP server, in a folder of its own.
struct Lab {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Lab {
    fn start(programs: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nchildlogdir=%(here)s\nnodaemon=true\nminfds=256\n\
             minprocs=50\n[unix_http_server]\nfile=%(here)s/s\n[inet_http_server]\nport=127.0.0.1:{port}\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://%(here)s/s\n{programs}"
        );
        fs::write(folder.path().join("c.conf"), text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_supervisord"))
            .arg("-c")
            .arg(folder.path().join("c.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lab = Self { child, folder, port };
        eventually("the daemon answers", || UnixStream::connect(lab.path("s")).ok());
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn unix(&self) -> UnixStream {
        let stream = UnixStream::connect(self.path("s")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends a request and reads until the server closes.
    fn ask(&self, request: &str) -> String {
        exchange(self.unix(), request).unwrap()
    }

    fn call(&self, method: &str, params: &[&str]) -> String {
        self.ask(&rpc(method, params))
    }

    fn ctl(&self, words: &[&str]) -> bool {
        let ctl = env!("CARGO_BIN_EXE_supervisorctl");
        let output = Command::new(ctl).arg("-c").arg(self.path("c.conf")).args(words).output().unwrap();
        output.status.success()
    }

    /// Opens a stream; gives what comes behind the head.
    fn stream(&self, request: &str) -> (String, BufReader<UnixStream>) {
        let mut stream = self.unix();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
        }
        (head, reader)
    }

    fn ended(&mut self) -> ExitStatus {
        eventually("the daemon ends", || self.child.try_wait().unwrap())
    }
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within 30 s: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn exchange(mut stream: impl Read + Write, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8(answer).unwrap())
}

fn body(method: &str, params: &[&str]) -> String {
    let params: String = params.iter().map(|value| format!("<param><value>{value}</value></param>")).collect();
    format!("<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>")
}

/// A request after which the server closes.
fn rpc(method: &str, params: &[&str]) -> String {
    let body = body(method, params);
    format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
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
    let mut lab = Lab::start(&format!(
        "[program:w]\ncommand=/bin/sh -c '{echo}'\nstartsecs=0\nstdout_logfile=%(here)s/w.log\n\
         stdout_logfile_maxbytes=2000\nstdout_logfile_backups=90\n"
    ));
    eventually("the program runs", || lab.ctl(&["status", "w"]).then_some(()));
    let (head, mut stream) = lab.stream("GET /logtail/w HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("transfer-encoding: chunked"), "{head}");
    let mut first = 0;
    // After the clearing one line first: the reader has to see the new file before that is rotated away, too.
    for (count, clear) in [(2000, true), (1, false), (1000, false)] {
        assert!(lab.call("supervisor.sendProcessStdin", &["w", &format!("{count}\n")]).contains("<boolean>1"));
        let text = until(&mut stream, &format!("line {}\n", first + count - 1));
        let expected: String = (first..first + count).map(|number| format!("line {number}\n")).collect();
        assert!(text == expected, "each line once and in order, but: {}…", &text[..text.len().min(300)]);
        first += count;
        if clear {
            assert!(lab.path("w.log.1").exists(), "it was rotated");
            assert!(lab.call("supervisor.clearProcessLogs", &["w"]).contains("<boolean>1"));
        }
    }
    let (_, mut main) = lab.stream("GET /mainlogtail HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(lab.call("supervisor.shutdown", &[]).contains("<boolean>1"));
    for stream in [&mut stream, &mut main] {
        while !chunk(stream).is_empty() {}
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "nothing comes behind the last chunk");
    }
    assert_eq!(lab.ended().code(), Some(0));
}

#[test]
fn http_1_0_is_spoken() {
    let lab = Lab::start("[program:w]\ncommand=/bin/sh -c 'echo said; exec sleep 600'\nstartsecs=0\n");
    let answer = lab.ask("GET /ok.html HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("\r\n\r\nOK"), "{answer}");
    // Kept alive if asked for: two calls over one connection, the second says that it is the last.
    let call = body("supervisor.getState", &[]);
    let post = |keep: &str| format!("POST /RPC2 HTTP/1.0\r\n{keep}Content-Length: {}\r\n\r\n{call}", call.len());
    let both = lab.ask(&(post("Connection: Keep-Alive\r\n") + &post("")));
    assert_eq!(both.matches("HTTP/1.0 200").count(), 2, "{both}");
    assert_eq!(both.matches("RUNNING").count(), 2, "{both}");
    assert!(both.to_lowercase().contains("connection: keep-alive"), "{both}");
    // A stream without chunks, whose bytes come at once.
    eventually("it has spoken", || {
        lab.call("supervisor.readProcessLog", &["w", "<int>0</int>", "<int>0</int>"]).contains("said").then_some(())
    });
    let (head, mut stream) = lab.stream("GET /logtail/w HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("HTTP/1.0 200") && !head.to_lowercase().contains("chunked"), "{head}");
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "said\n");
}

#[test]
fn fifty_clients_start_and_stop_one_program() {
    if !Command::new("flock").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no flock to see two instances with");
        return;
    }
    let one = "exec 9>%(here)s/lock; flock -n 9 || echo two >>%(here)s/two; echo x >>%(here)s/runs; exec sleep 600";
    let lab = Lab::start(&format!("[program:x]\ncommand=/bin/sh -c '{one}'\nstartsecs=0\n"));
    let allowed = ["<boolean>1", "ALREADY_STARTED", "NOT_RUNNING", "ABNORMAL_TERMINATION"];
    thread::scope(|scope| {
        for client in 0..50_usize {
            let lab = &lab;
            scope.spawn(move || {
                for step in 0..6 {
                    let method =
                        ["supervisor.startProcess", "supervisor.stopProcess"][(client + step * (client % 3 + 1)) % 2];
                    let answer = lab.call(method, &["x"]);
                    assert!(allowed.iter().any(|part| answer.contains(part)), "{method}: {answer}");
                }
            });
        }
    });
    lab.call("supervisor.startProcess", &["x"]);
    assert!(lab.call("supervisor.getProcessInfo", &["x"]).contains("RUNNING"));
    lab.call("supervisor.stopProcess", &["x"]);
    assert!(lab.call("supervisor.getProcessInfo", &["x"]).contains("STOPPED"));
    assert!(!lab.path("two").exists(), "two instances at once");
    assert!(fs::read_to_string(lab.path("runs")).unwrap().lines().count() > 1);
}

#[test]
fn nobody_is_refused_while_the_daemon_starts_anew() {
    let lab = Lab::start("[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n");
    let (over, answers, unanswered) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let count = |result: std::io::Result<String>| match result {
        // Everybody is told something: the state, or that the daemon is about to start anew.
        Ok(answer) if answer.contains("RUNNING") || answer.contains("SHUTDOWN_STATE") => {
            answers.fetch_add(1, Ordering::Relaxed)
        }
        Ok(_) | Err(_) => unanswered.fetch_add(1, Ordering::Relaxed),
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|client| {
                let (lab, over, count) = (&lab, &over, &count);
                scope.spawn(move || {
                    // Ends by itself if the test fails.
                    let began = Instant::now();
                    while !over.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(100) {
                        let request = rpc("supervisor.getState", &[]);
                        if client % 2 == 0 {
                            count(exchange(UnixStream::connect(lab.path("s")).expect("not refused"), &request));
                        } else {
                            count(exchange(
                                TcpStream::connect(("127.0.0.1", lab.port)).expect("not refused"),
                                &request,
                            ));
                        }
                    }
                })
            })
            .collect();
        let lives = || fs::read_to_string(lab.path("log")).unwrap().matches("supervisord started with pid").count();
        for life in 2..=4 {
            let before = answers.load(Ordering::Relaxed);
            eventually("there is load", || (answers.load(Ordering::Relaxed) > before + 50).then_some(()));
            assert!(lab.ctl(&["reload"]), "reload");
            eventually("a new life", || (lives() == life).then_some(()));
        }
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap();
        }
    });
    let (answers, unanswered) = (answers.into_inner(), unanswered.into_inner());
    assert_eq!(unanswered, 0, "of {answers}");
}

#[test]
fn a_thousand_programs_are_told_of() {
    let lab = Lab::start(
        "[program:p]\ncommand=/bin/cat\nautostart=false\nnumprocs=1000\nprocess_name=%(program_name)s_%(process_num)04d\n",
    );
    let began = Instant::now();
    let answer = lab.call("supervisor.getAllProcessInfo", &[]);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(answer.matches("<name>statename</name>").count(), 1000);
    let places: Vec<_> = (0..1000).map(|number| answer.find(&format!(">p_{number:04}<")).unwrap()).collect();
    assert!(places.is_sorted(), "by name");
    assert!(answer.trim_end().ends_with("</methodResponse>"));
}
