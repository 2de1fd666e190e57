//! Event listeners that nobody here wrote: superlance's, under our daemon, each made to act.
//!
//! They come with the original (`SUPERVISOR_ORIGINAL` names the directory with its programs); what is not there is skipped
//! with a reason. Mail goes to a script or to an SMTP server of the test, health checks to an HTTP server of the test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods, reason = "a test")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

mod web;

mod mail;

/// A program that can be restarted.
const SLEEPER: &str = "[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n";

/// A program that ends unexpectedly, as soon as there is a file `go` in the folder.
const CRASHER: &str = "[program:crasher]\ncommand=/bin/sh -c 'while test ! -e %(here)s/go; do sleep 0.05; done; exit 3'\n\
                       startsecs=0\nautorestart=false\n";

/// A program that never comes up.
const FATAL: &str = "[program:broken]\ncommand=/bin/false\nstartsecs=5\nstartretries=0\nautostart=false\n";

/// The program of superlance with this name.
fn superlance(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("SUPERVISOR_ORIGINAL") else {
        println!("skipped: SUPERVISOR_ORIGINAL is not set");
        return None;
    };
    let program = PathBuf::from(folder).join(name);
    if !program.exists() {
        println!("skipped: there is no {}", program.display());
        return None;
    }
    Some(program)
}

/// Our daemon with a listener and a program.
struct Lab {
    child: Child,
    folder: tempfile::TempDir,
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Lab {
    /// `listener` is a program of superlance with its arguments; it hears of these events.
    fn start(program: &std::path::Path, arguments: &str, events: &str, sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nchildlogdir=%(here)s\nnodaemon=true\nminfds=256\n\
             minprocs=50\nloglevel=debug\n[unix_http_server]\nfile=%(here)s/s\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://%(here)s/s\n{sections}\
             [eventlistener:l]\ncommand={} {arguments}\nevents={events}\nbuffer_size=100\nstderr_logfile=%(here)s/told\n",
            program.display(),
        );
        fs::write(folder.path().join("c.conf"), text).unwrap();
        // Takes mail as sendmail does.
        let sendmail =
            format!("#!/bin/sh\ncat >>{0}/mail.part && mv {0}/mail.part {0}/mail\n", folder.path().display());
        fs::write(folder.path().join("sendmail"), sendmail).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_supervisord"))
            .arg("-c")
            .arg(folder.path().join("c.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lab = Self { child, folder };
        lab.eventually("the listener is ready", |lab| {
            lab.read("log").contains("l: ACKNOWLEDGED -> READY").then_some(())
        });
        lab
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn ctl(&self, words: &[&str]) -> String {
        let ctl = env!("CARGO_BIN_EXE_supervisorctl");
        let output = Command::new(ctl).arg("-c").arg(self.folder.path().join("c.conf")).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The pid of `x`.
    fn pid(&self) -> String {
        self.eventually("x runs", |lab| {
            let pid = lab.ctl(&["pid", "x"]);
            (pid.trim() != "0" && !pid.trim().is_empty()).then(|| pid.trim().to_owned())
        })
    }

    /// Lets the program of [`CRASHER`] end; gives the pid that it had.
    fn crash(&self) -> String {
        let pid = self.ctl(&["pid", "crasher"]).trim().to_owned();
        fs::write(self.folder.path().join("go"), "").unwrap();
        pid
    }

    fn eventually<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < end, "never: {what}\n{}\n{}", self.read("told"), self.read("log"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The mail that came through the script.
    fn mail(&self) -> String {
        self.eventually("a mail", |lab| Some(lab.read("mail")).filter(|mail| !mail.is_empty()))
    }

    /// Nothing that the listener did was wrong for us, nor the other way round.
    fn check(&self) {
        let log = self.read("log");
        assert!(!log.contains("UNKNOWN") && !log.contains("event was rejected"), "{log}");
        self.eventually("its event is done", |lab| lab.read("log").contains("l: event was processed").then_some(()));
    }
}

#[test]
fn memmon_restarts_a_program_that_is_too_large() {
    let Some(memmon) = superlance("memmon") else { return };
    if Command::new("ps").arg("--version").output().is_err() {
        return println!("skipped: memmon needs ps");
    }
    let arguments = "-p x=1KB -m ops@example.com -u 1h -s '/bin/sh %(here)s/sendmail'";
    let lab = Lab::start(&memmon, arguments, "TICK_5", SLEEPER);
    let pid = lab.pid();
    let mail = lab.mail();
    assert!(mail.starts_with("To: ops@example.com\nSubject: memmon: process x:x restarted\n"), "{mail}");
    assert_ne!(lab.pid(), pid);
    lab.check();
}

#[test]
fn httpok_restarts_a_program_whose_page_fails() {
    let Some(httpok) = superlance("httpok") else { return };
    let page = web::Page::serve();
    let url = format!("http://127.0.0.1:{}/health", page.port);
    let arguments = format!("-p x -t 1 -m ops@example.com -s '/bin/sh %(here)s/sendmail' {url}");
    let lab = Lab::start(&httpok, &arguments, "TICK_5", SLEEPER);
    let pid = lab.pid();
    lab.eventually("it asks", |_| (page.asked.load(Ordering::SeqCst) > 0).then_some(()));
    lab.check();
    assert_eq!(lab.pid(), pid, "the page was good");
    page.fails.store(true, Ordering::SeqCst);
    let mail = lab.mail();
    assert!(mail.starts_with(&format!("To: ops@example.com\nSubject: httpok: {url}: bad status returned\n")), "{mail}");
    assert!(mail.contains("x is in RUNNING state, restarting\nx restarted"), "{mail}");
    assert_ne!(lab.pid(), pid);
    lab.check();
}

#[test]
fn crashmail_writes_when_a_program_ends_unexpectedly() {
    let Some(crashmail) = superlance("crashmail") else { return };
    let arguments = "-a -m ops@example.com -s '/bin/sh %(here)s/sendmail'";
    let lab = Lab::start(&crashmail, arguments, "PROCESS_STATE_EXITED", CRASHER);
    let pid = lab.crash();
    let mail = lab.mail();
    let sentence = format!("Process crasher in group crasher exited unexpectedly (pid {pid}) from state RUNNING");
    assert!(
        mail.starts_with("To: ops@example.com\nSubject:  crasher crashed at ") && mail.ends_with(&sentence),
        "{mail}"
    );
    lab.check();
}

/// Runs a listener that writes by SMTP what it has heard between two ticks.
fn batch(name: &str, events: &str, sections: &str, act: impl FnOnce(&Lab) -> Vec<String>) {
    let Some(program) = superlance(name) else { return };
    let server = mail::Server::serve();
    let arguments =
        format!("-i 0.05 -e TICK_5 -t ops@example.com -f lab@example.com -s alert -H 127.0.0.1:{}", server.port);
    let lab = Lab::start(&program, &arguments, &format!("{events},TICK_5"), sections);
    let expected = act(&lab);
    let mail = lab.eventually("a mail", |_| server.mails.try_recv().ok());
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("lab@example.com", &["ops@example.com".to_owned()][..]));
    for line in ["Subject: alert", "To: ops@example.com"].into_iter().chain(expected.iter().map(String::as_str)) {
        assert!(mail.text.contains(line), "{line} in {}", mail.text);
    }
    lab.check();
}

#[test]
fn crashmailbatch_writes_what_has_crashed() {
    batch("crashmailbatch", "PROCESS_STATE", CRASHER, |lab| {
        vec![format!("Process crasher:crasher (pid {}) died unexpectedly", lab.crash())]
    });
}

#[test]
fn crashsms_writes_what_has_crashed() {
    batch("crashsms", "PROCESS_STATE", CRASHER, |lab| {
        vec![format!("[crasher:crasher]({}) exited unexpectedly", lab.crash())]
    });
}

#[test]
fn fatalmailbatch_writes_what_could_not_be_started() {
    batch("fatalmailbatch", "PROCESS_STATE", FATAL, |lab| {
        lab.ctl(&["start", "broken"]);
        vec!["Process broken:broken failed to start too many times".to_owned()]
    });
}
