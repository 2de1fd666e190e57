//! Event listeners that nobody here wrote: superlance's, under our daemon, each made to act.
//!
//! They come with the original (`SUPERVISOR_ORIGINAL` names the directory with its programs); what is not there is skipped
//! with a reason. Mail goes to a script or to an SMTP server of the test, health checks to an HTTP server of the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;

use super::lab::{Lab, SLEEPER, eventually};
use super::{mail, web};

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

/// Starts our daemon with these sections and a listener `l`: a program of superlance with arguments, that hears of these
/// events.
fn start(program: &Path, arguments: &str, events: &str, sections: &str) -> Lab {
    let listener = format!(
        "[eventlistener:l]\ncommand={} {arguments}\nevents={events}\nbuffer_size=100\nstderr_logfile=%(here)s/told\n",
        program.display(),
    );
    let lab = super::start(&format!("{sections}{listener}"));
    // Takes mail as sendmail does; nothing runs before the first event.
    let script = format!("cat >>{0}/part && mv {0}/part {0}/mail\n", lab.folder.path().display());
    fs::write(lab.path("sendmail"), script).unwrap();
    lab.wait_log("l: ACKNOWLEDGED -> READY");
    lab
}

/// Lets the program of [`CRASHER`] end; gives the pid that it had.
fn crash(lab: &Lab) -> i32 {
    let pid = lab.pid_of("crasher");
    fs::write(lab.path("go"), "").unwrap();
    pid
}

/// The mail that came through the script.
fn mail_of(lab: &Lab) -> String {
    eventually("a mail", || Some(lab.read("mail")).filter(|mail| !mail.is_empty()))
}

/// Nothing that the listener did was wrong for us, nor the other way round.
fn check(lab: &Lab) {
    lab.wait_log("l: event was processed");
    let log = lab.log();
    assert!(!log.contains("UNKNOWN") && !log.contains("event was rejected"), "{log}");
}

#[test]
fn memmon_restarts_a_program_that_is_too_large() {
    let Some(memmon) = superlance("memmon") else { return };
    if Command::new("ps").arg("--version").output().is_err() {
        return println!("skipped: memmon needs ps");
    }
    let arguments = "-p x=1KB -m ops@example.com -u 1h -s '/bin/sh %(here)s/sendmail'";
    let lab = start(&memmon, arguments, "TICK_5", SLEEPER);
    let mail = mail_of(&lab);
    assert!(
        mail.starts_with("To: ops@example.com\nSubject: memmon") && mail.contains("process x:x restarted\n"),
        "{mail}"
    );
    eventually("it was started again", || (lab.log().matches("spawned: 'x'").count() > 1).then_some(()));
    check(&lab);
}

#[test]
fn httpok_restarts_a_program_whose_page_fails() {
    let Some(httpok) = superlance("httpok") else { return };
    let page = web::Page::serve();
    let url = format!("http://127.0.0.1:{}/health", page.port);
    let arguments = format!("-p x -t 10 -m ops@example.com -s '/bin/sh %(here)s/sendmail' {url}");
    let lab = start(&httpok, &arguments, "TICK_5", SLEEPER);
    let pid = lab.pid_of("x");
    eventually("it asks", || (page.asked.load(Ordering::SeqCst) > 0).then_some(()));
    check(&lab);
    assert_eq!(lab.pid_of("x"), pid, "the page was good");
    page.fails.store(true, Ordering::SeqCst);
    let mail = mail_of(&lab);
    assert!(mail.starts_with(&format!("To: ops@example.com\nSubject: httpok: {url}: bad status returned\n")), "{mail}");
    assert!(mail.contains("x is in RUNNING state, restarting\nx restarted"), "{mail}");
    assert_ne!(lab.pid_of("x"), pid);
    check(&lab);
}

#[test]
fn crashmail_writes_when_a_program_ends_unexpectedly() {
    let Some(crashmail) = superlance("crashmail") else { return };
    let arguments = "-a -m ops@example.com -s '/bin/sh %(here)s/sendmail'";
    let lab = start(&crashmail, arguments, "PROCESS_STATE_EXITED", CRASHER);
    let pid = crash(&lab);
    let mail = mail_of(&lab);
    let sentence = format!("Process crasher in group crasher exited unexpectedly (pid {pid}) from state RUNNING");
    assert!(
        mail.starts_with("To: ops@example.com\nSubject:  crasher crashed at ") && mail.ends_with(&sentence),
        "{mail}"
    );
    check(&lab);
}

/// Runs a listener that writes by SMTP what it has heard between two ticks.
fn batch(name: &str, events: &str, sections: &str, act: impl FnOnce(&Lab) -> Vec<String>) {
    let Some(program) = superlance(name) else { return };
    let server = mail::Server::serve();
    let arguments =
        format!("-i 0.05 -e TICK_5 -t ops@example.com -f lab@example.com -s alert -H 127.0.0.1:{}", server.port);
    let lab = start(&program, &arguments, &format!("{events},TICK_5"), sections);
    let expected = act(&lab);
    let mail = eventually("a mail", || server.mails.try_recv().ok());
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("lab@example.com", &["ops@example.com".to_owned()][..]));
    for line in ["Subject: alert", "To: ops@example.com"].into_iter().chain(expected.iter().map(String::as_str)) {
        assert!(mail.text.contains(line), "{line} in {}", mail.text);
    }
    check(&lab);
}

#[test]
fn crashmailbatch_writes_what_has_crashed() {
    batch("crashmailbatch", "PROCESS_STATE", CRASHER, |lab| {
        vec![format!("Process crasher:crasher (pid {}) died unexpectedly", crash(lab))]
    });
}

#[test]
fn crashsms_writes_what_has_crashed() {
    batch("crashsms", "PROCESS_STATE", CRASHER, |lab| {
        vec![format!("[crasher:crasher]({}) exited unexpectedly", crash(lab))]
    });
}

#[test]
fn fatalmailbatch_writes_what_could_not_be_started() {
    batch("fatalmailbatch", "PROCESS_STATE", FATAL, |lab| {
        lab.ctl(&["start", "broken"]);
        vec!["Process broken:broken failed to start too many times".to_owned()]
    });
}
