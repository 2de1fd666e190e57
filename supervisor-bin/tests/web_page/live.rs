//! What open pages are told.

use std::fs;
use std::io::Write;

use crate::lab::Lab;

#[test]
fn an_open_page_hears_of_every_change() {
    let lab = Lab::running(
        "[program:one]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n\
         [program:two]\ncommand=/bin/sh -c 'read line; exit 3'\nautorestart=false\nstartsecs=0\n",
    );
    lab.wait_shown("two", "RUNNING");
    let mut page = lab.listen("/live");
    let hello = page.event("hello", "\"one\"");
    assert!(
        hello.contains("\"state\":\"STOPPED\"") && hello.contains(&format!("\"token\":\"{}\"", lab.get("/").token())),
        "{hello}"
    );
    page.event("usage", "\"two\":[");
    lab.post("/?action=start&processname=one", "");
    // The first may say that it is STARTING.
    loop {
        let change = page.event("change", "\"one\"");
        assert!(!change.contains("\"two\""), "{change}");
        if change.contains("\"state\":\"RUNNING\"") {
            break;
        }
    }
    lab.post("/?action=stop&processname=two", "");
    page.event("change", "\"two\"");
    let mut second = lab.listen("/live");
    let hello = second.event("hello", "\"one\"");
    assert!(hello.contains("\"two\""), "{hello}");
    // Both hear of what comes next.
    lab.post("/?action=stop&processname=one", "");
    page.event("change", "\"STOPPED\"");
    second.event("change", "\"STOPPED\"");
}

#[test]
fn the_end_of_the_daemon_ends_the_streams() {
    let mut lab = Lab::running("[program:one]\ncommand=/bin/cat\nstartsecs=0\n");
    let mut page = lab.listen("/live");
    page.event("hello", "\"one\"");
    lab.stop();
    assert!(page.ends());
}

#[test]
fn one_stream_carries_several_logs() {
    let lab = Lab::running(
        "[program:one]\ncommand=/bin/sh -c 'echo to out; echo to err >&2; exec cat'\nstartsecs=0\n\
         stdout_logfile=%(here)s/o.log\nstderr_logfile=%(here)s/e.log\n",
    );
    lab.wait_read("e.log", "err");
    let mut view = lab.listen("/live/logs?log=stdout:one&log=stderr:one&log=stdout:none&log=main");
    view.event("hello", "logs");
    let mut seen = [false; 4];
    while seen != [true; 4] {
        let piece = view.event("log", "");
        seen[0] |= piece.contains("\"stdout:one\"") && piece.contains("to out\\n");
        seen[1] |= piece.contains("\"stderr:one\"") && piece.contains("to err\\n");
        seen[2] |= piece.contains("\"stdout:none\"") && piece.contains("problem");
        seen[3] |= piece.contains("\"main\"") && piece.contains("supervisord started");
    }
    fs::OpenOptions::new().append(true).open(lab.path("o.log")).unwrap().write_all("é</script>\n".as_bytes()).unwrap();
    view.event("log", "é</script>\\n");
}

#[test]
fn a_log_without_a_file_is_missed_once_and_comes_when_it_is_there() {
    let lab = Lab::running("[program:one]\ncommand=/bin/cat\nstartsecs=0\nstdout_logfile=%(here)s/o.log\n");
    lab.wait_shown("one", "RUNNING");
    fs::remove_file(lab.path("o.log")).unwrap();
    let mut view = lab.listen("/live/logs?log=stdout:one&log=stdout:none");
    let mut problems = [view.event("log", "problem"), view.event("log", "problem")];
    problems.sort();
    assert!(problems[0].contains("stdout:none") && problems[1].contains("no log file"), "{problems:?}");
    fs::write(lab.path("o.log"), "late\n").unwrap();
    let next = view.event("log", "");
    assert!(next.contains("\"stdout:one\"") && next.contains("late\\n"), "{next}");
}

#[test]
fn the_page_of_a_log_tells_the_last_changes() {
    let lab =
        Lab::running("[program:bad]\ncommand=/bin/sh -c 'exit 3'\nautorestart=false\nstartsecs=60\nstartretries=0\n");
    lab.wait_shown("bad", "FATAL");
    let page = lab.get("/tail.html?processname=bad").body;
    for text in ["exit status 3, too early", "too many start retries too quickly", "data-state=\"BACKOFF\""] {
        assert!(page.contains(text), "{text}\n{page}");
    }
}
