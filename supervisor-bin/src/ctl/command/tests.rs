//! Every command against a server that answers from a script: what is asked, what is printed, the exit status.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use supervisor_core::domain::state::ProcessState::{Exited, Running, Starting, Stopped, Stopping};
use supervisor_core::rpc::{FaultCode as F, Value};

use super::super::connection::ClientError;
use super::super::plugin::Plugins;
use super::super::settings::PluginSection;
use super::super::testing::{Run, changes, configured, entry, info};
use super::*;

fn lines(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn status_shows_errors_first_and_prefers_three() {
    let all = || vec![info("cat", "cat", Running, 7), info("g", "a", Stopped, 0), info("g", "b", Starting, 8)];
    let (cat, a) = (format!("{:33}RUNNING   why", "cat"), format!("{:33}STOPPED   why", "g:a"));
    let b = format!("{:33}STARTING  why", "g:b");
    let (cat, a, b) = (cat.as_str(), a.as_str(), b.as_str());
    for (line, want, status) in [
        ("status", vec![cat, a, b], 3),
        ("status cat g:b", vec![cat, b], 0),
        ("status g: cat", vec![a, b, cat], 3),
        ("status g:b g:b", vec![b, b], 0),
        ("status zz cat", vec!["zz: ERROR (no such process)", cat], 4),
        ("status cat zz:* g:*", vec!["zz: ERROR (no such group)", cat, a, b], 3),
        ("status zz all", vec![cat, a, b], 3),
        ("status g g:zz", vec!["g: ERROR (no such process)", "g:zz: ERROR (no such process)"], 4),
        ("status zz:zz", vec!["zz:zz: ERROR (no such process)"], 4),
    ] {
        let mut run = Run::new().checked().on("getAllProcessInfo()", all());
        assert_eq!(run.run(line), (lines(&want), status), "{line}");
    }
    assert_eq!(Run::new().checked().on("getAllProcessInfo()", vec![]).run("status"), (String::new(), 0));
}

#[test]
fn each_refusal_of_a_verb_has_its_line() {
    for (line, call, code, want, status) in [
        ("start x", "startProcess(x)", F::BadName, "x: ERROR (no such process)", 1),
        ("start x", "startProcess(x)", F::NoFile, "x: ERROR (no such file)", 1),
        ("start x", "startProcess(x)", F::NotExecutable, "x: ERROR (file is not executable)", 1),
        ("start x", "startProcess(x)", F::AlreadyStarted, "x: ERROR (already started)", 0),
        ("start x", "startProcess(x)", F::SpawnError, "x: ERROR (spawn error)", 7),
        ("start x", "startProcess(x)", F::AbnormalTermination, "x: ERROR (abnormal termination)", 7),
        ("start x", "startProcess(x)", F::Failed, "x: ERROR (FAILED: detail)", 1),
        ("start x:x", "startProcess(x:x)", F::BadName, "x: ERROR (no such process)", 1),
        ("start g:*", "startProcessGroup(g)", F::BadName, "g: ERROR (no such group)", 2),
        ("stop x", "stopProcess(x)", F::BadName, "x: ERROR (no such process)", 1),
        ("stop x", "stopProcess(x)", F::NotRunning, "x: ERROR (not running)", 0),
        ("stop x", "stopProcess(x)", F::Failed, "FAILED: detail", 1),
        ("stop g:", "stopProcessGroup(g)", F::BadName, "g: ERROR (no such group)", 1),
        ("signal HUP x", "signalProcess(x, HUP)", F::BadName, "x: ERROR (no such process)", 1),
        ("signal HUP x", "signalProcess(x, HUP)", F::BadSignal, "x: ERROR (bad signal name)", 1),
        ("signal HUP x", "signalProcess(x, HUP)", F::NotRunning, "x: ERROR (not running)", 7),
        ("signal HUP x", "signalProcess(x, HUP)", F::Failed, "FAILED: detail", 1),
        ("signal HUP g:*", "signalProcessGroup(g, HUP)", F::BadName, "g: ERROR (no such group)", 1),
        ("clear x", "clearProcessLogs(x)", F::BadName, "x: ERROR (no such process)", 1),
        ("clear x", "clearProcessLogs(x)", F::Failed, "x: ERROR (failed)", 1),
        ("clear g:*", "clearProcessLogs(g:*)", F::BadName, "g:*: ERROR (no such process)", 1),
    ] {
        assert_eq!(Run::new().checked().on(call, code).run(line), (lines(&[want]), status), "{line} {code:?}");
    }
}

#[test]
fn verbs_go_on_and_keep_the_last_bad_status() {
    let mut run = Run::new()
        .checked()
        .on("startProcess(a)", true)
        .on("startProcess(b)", F::Failed)
        .on("startProcess(c)", F::SpawnError)
        .on("startProcess(d)", F::AlreadyStarted);
    let want = ["a: started", "b: ERROR (FAILED: detail)", "c: ERROR (spawn error)", "d: ERROR (already started)"];
    assert_eq!(run.run("start a b c d"), (lines(&want), 7));

    let members = || vec![entry("g", "a", F::Success), entry("x", "x", F::NoFile)];
    let want = lines(&["g:a: started", "x: ERROR (no such file)"]);
    assert_eq!(Run::new().checked().on("startAllProcesses()", members()).run("start zz all"), (want, 1));
    let mut run = Run::new().checked().on("startProcessGroup(g)", vec![entry("g", "a", F::Success)]);
    assert_eq!(run.run("start g:"), (lines(&["g:a: started"]), 0));
    let mut run = Run::new().checked().on("signalAllProcesses(18)", vec![entry("g", "a", F::Success)]);
    assert_eq!(run.run("signal 18 all"), (lines(&["g:a: signalled"]), 0));
    let mut run = Run::new().checked().on("clearAllProcessLogs()", members());
    assert_eq!(run.run("clear all"), (lines(&["g:a: cleared", "x: ERROR (NO_FILE: x)"]), 1));
    let mut run = Run::new()
        .checked()
        .on("stopProcess(a)", true)
        .on("stopProcess(b)", F::NotRunning)
        .on("startProcess(a)", true)
        .on("startProcess(b)", true);
    let want = ["a: stopped", "b: ERROR (not running)", "a: started", "b: started"];
    assert_eq!(run.run("restart a b"), (lines(&want), 0));
}

#[test]
fn misuse_is_told_with_help() {
    for (line, checked, want, status) in [
        ("start", true, "Error: start requires a process name", 2),
        ("stop", true, "Error: stop requires a process name", 1),
        ("restart", true, "Error: restart requires a process name", 1),
        ("signal", true, "Error: signal requires a signal name and a process name", 1),
        ("signal HUP", true, "Error: signal requires a signal name and a process name", 1),
        ("clear", true, "Error: clear requires a process name", 1),
        ("tail", true, "Error: too few arguments", 1),
        ("tail a b c d", true, "Error: too many arguments", 1),
        ("maintail a b", true, "Error: too many arguments", 1),
        ("fg", true, "ERROR: no process name supplied", 1),
        ("avail x", false, "Error: avail accepts no arguments", 1),
        ("reread x", false, "Error: reread accepts no arguments", 1),
        ("shutdown x", false, "Error: shutdown accepts no arguments", 1),
        ("reload x", false, "Error: reload accepts no arguments", 1),
        ("version x", false, "Error: version accepts no arguments", 1),
    ] {
        let run = Run::new();
        let (output, got) = if checked { run.checked() } else { run }.run(line);
        let (first, help) = output.split_once('\n').unwrap();
        assert_eq!((first, got), (want, status), "{line}");
        assert!(help.starts_with(line.split(' ').next().unwrap()) && help.contains('\t'), "{line}: {help}");
    }
}

#[test]
fn pids() {
    assert_eq!(Run::new().checked().on("getPID()", 5).run("pid"), (lines(&["5"]), 0));
    let mut run = Run::new()
        .checked()
        .on("getProcessInfo(a)", info("a", "a", Exited, 0))
        .on("getProcessInfo(g:b)", info("g", "b", Running, 9))
        .on("getProcessInfo(g:*)", F::BadName);
    assert_eq!(run.run("pid a g:b g:*"), (lines(&["0", "9", "No such process g:*"]), 1));
    let all = vec![info("a", "a", Exited, 0), info("g", "b", Running, 9)];
    assert_eq!(Run::new().checked().on("getAllProcessInfo()", all).run("pid all"), (lines(&["0", "9"]), 0));
    let mut run = Run::new().checked().on("getProcessInfo(a)", info("a", "a", Exited, 0));
    assert_eq!(run.run("pid a"), (lines(&["0"]), 7));
}

#[test]
fn ends_of_logs() {
    for (line, call) in [
        ("tail x", "readProcessStdoutLog(x, -1600, 0)"),
        ("tail -5 x STDERR", "readProcessStderrLog(x, -5, 0)"),
        ("tail -0 x", "readProcessStdoutLog(x, 0, 8388608)"),
        ("maintail", "readLog(-1600, 0)"),
        ("tail --5 x", "readProcessStdoutLog(x, 5, 8388608)"),
        ("maintail -10", "readLog(-10, 0)"),
        ("maintail --10", "readLog(10, 8388608)"),
    ] {
        assert_eq!(Run::new().checked().on(call, "text").run(line), (lines(&["text"]), 0), "{line}");
    }
    for (line, call, code, want) in [
        ("tail x", "readProcessStdoutLog(x, -1600, 0)", F::NoFile, "x: ERROR (no log file)"),
        ("tail x", "readProcessStdoutLog(x, -1600, 0)", F::Failed, "x: ERROR (unknown error reading log)"),
        ("tail x:x", "readProcessStdoutLog(x:x, -1600, 0)", F::NoFile, "x:x: ERROR (no log file)"),
        ("tail x:*", "readProcessStdoutLog(x:*, -1600, 0)", F::BadName, "x:*: ERROR (no such process name)"),
        ("maintail", "readLog(-1600, 0)", F::NoFile, "supervisord: ERROR (no log file)"),
        ("maintail", "readLog(-1600, 0)", F::Failed, "supervisord: ERROR (unknown error reading log)"),
    ] {
        assert_eq!(Run::new().checked().on(call, code).run(line), (lines(&[want]), 1), "{line} {code:?}");
    }
    assert_eq!(Run::new().checked().run("maintail foo"), (lines(&["Error: bad argument foo"]), 1));
}

#[test]
fn logs_of_several_answers_are_shown_whole() {
    let begin = 8 << 20;
    let mut plain = vec![b'x'; begin + 7];
    plain.extend(b"the end");
    // Bytes that are no text make the text longer than the log.
    let mut odd = plain.clone();
    (odd[10], odd[begin - 1], odd[begin]) = (0xff, 0xff, 0xff);
    let mut cut = plain.clone();
    cut.splice(begin - 2..begin + 1, "\u{20ac}".bytes());
    let mut short = odd.clone();
    short.truncate(begin - 3);
    for log in [&plain, &odd, &cut, &short] {
        for skipped in [0, 5] {
            let text = String::from_utf8_lossy(&log[skipped..]).into_owned();
            let mut run = Run::new().checked().with_log(log);
            let option = if skipped == 0 { "-0".to_owned() } else { format!("--{skipped}") };
            let (shown, status) = run.run(&format!("tail {option} x"));
            assert!(shown == format!("{text}\n") && status == 0, "{option} of {}", log.len());
        }
        let wanted = begin + 9;
        let text = String::from_utf8_lossy(&log[log.len().saturating_sub(wanted)..]).into_owned();
        let (shown, status) = Run::new().checked().with_log(log).run(&format!("tail -{wanted} x"));
        assert!(shown == format!("{text}\n") && status == 0, "{wanted} of {}", log.len());
    }
    // Supervisor 4.3 cannot give what begins or ends within a character, but everything at once.
    let refused = || ClientError::Http { status: 500, reason: String::new() };
    let mut run = Run::new().checked().on("readLog(0, 8388608)", refused()).on("readLog(0, 0)", "all");
    assert_eq!(run.run("maintail -0"), (lines(&["all"]), 0));
    let mut run = Run::new().checked().on("readLog(8388608, 1)", refused()).on("readLog(-9000000, 0)", "much");
    assert_eq!(run.run("maintail -9000000"), (lines(&["much"]), 0));
}

#[test]
fn streams_of_logs() {
    let header = "==> Press Ctrl-C to exit <==\n";
    let chunks = || vec![Value::from("one\ntw"), Value::from("o\n")];
    let mut run = Run::new().checked().on("GET /logtail/g:a/stderr", chunks());
    assert_eq!(run.run("tail -f g:a stderr"), (format!("{header}one\ntwo\n"), 0));
    assert_eq!(Run::new().checked().on("GET /mainlogtail", chunks()).run("maintail -f").1, 0);

    let missing = ClientError::Http { status: 404, reason: "Not Found".to_owned() };
    let mut run = Run::new().checked().on("GET /logtail/z%2Fz/stdout", missing);
    assert_eq!(run.run("tail -f z/z"), (header.to_owned(), 1));
    assert_eq!(run.errors(), "unix:///x/logtail/z%2Fz/stdout Cannot read, status code 404\n");
    let mut run = Run::new().checked().on("GET /mainlogtail", ClientError::Refused);
    assert_eq!(run.run("maintail -f"), (header.to_owned(), 1));
    let want = "unix:///x/mainlogtail Cannot connect, error: cannot connect to unix:///x: Connection refused\n";
    assert_eq!(run.errors(), want);
    let mut run = Run::new().checked().on("GET /mainlogtail", vec![Value::from("one\n"), Value::Nil]);
    assert_eq!(run.run("maintail -f"), (format!("{header}one\n"), 1));
    assert!(run.errors().starts_with("unix:///x/mainlogtail Cannot read, error: "));
}

#[test]
fn the_ends_of_many_logs() {
    let all = || vec![info("cat", "cat", Running, 7), info("g", "a", Stopped, 0)];
    let mut run = Run::new()
        .checked()
        .on("getAllProcessInfo()", all())
        .on("readProcessStdoutLog(cat:cat, -4096, 0)", "one\ntwo\nthree\n")
        .on("readProcessStderrLog(cat:cat, -4096, 0)", F::NoFile)
        .on("readProcessStdoutLog(g:a, -4096, 0)", "no newline")
        .on("readProcessStderrLog(g:a, -4096, 0)", F::Failed);
    let want = ["cat out | two", "cat out | three", "g:a out | no newline", "g:a: ERROR (unknown error reading log)"];
    assert_eq!(run.run("logs -n 2"), (lines(&want), 1));
    // Long lines: more is read.
    let long = "x".repeat(5000);
    let mut run = Run::new()
        .checked()
        .on("getAllProcessInfo()", all())
        .on("readProcessStdoutLog(cat:cat, -4096, 0)", &*long)
        .on("readProcessStdoutLog(cat:cat, -32768, 0)", &*format!("one\n{long}"))
        .on("readProcessStderrLog(cat:cat, -4096, 0)", "");
    let want = ["zz: ERROR (no such process)".to_owned(), format!("cat out | {long}")];
    assert_eq!(run.run("logs -n1 zz cat"), (lines(&want.each_ref().map(String::as_str)), 1));
    let mut run = Run::new().checked();
    assert!(run.run("logs -x").0.starts_with("Error: option -x not recognized\nlogs\t"));
}

#[test]
fn many_logs_are_followed_as_one() {
    let size = |size: i64| vec!["".into(), Value::Int(size), false.into()];
    let stream = |chunks: &[&str]| chunks.iter().map(|chunk| Value::from(*chunk)).collect::<Vec<_>>();
    let missing = ClientError::Http { status: 404, reason: "Not Found".to_owned() };
    let mut run = Run::new()
        .checked()
        .on("getAllProcessInfo()", vec![info("cat", "cat", Running, 7), info("g", "a", Stopped, 0)])
        // Nothing is written meanwhile: the past is read, and left out of the stream.
        .on("tailProcessStdoutLog(cat:cat, 0, 0)", size(8))
        .on("GET /logtail/cat:cat/stdout", stream(&["one\ntwo\n", "thr", "ee\nend"]))
        .on("tailProcessStdoutLog(cat:cat, 0, 0)", size(8))
        .on("readProcessStdoutLog(cat:cat, 0, 8)", "one\ntwo\n")
        .on("tailProcessStderrLog(cat:cat, 0, 0)", size(0))
        .on("GET /logtail/cat:cat/stderr", missing)
        // Something is: the past is as much of it as the stream begins with.
        .on("tailProcessStdoutLog(g:a, 0, 0)", size(2000))
        .on("GET /logtail/g:a/stdout", stream(&["cut\nA\n", "B\n"]))
        .on("tailProcessStdoutLog(g:a, 0, 0)", size(2002))
        .on("tailProcessStderrLog(g:a, 0, 0)", size(0))
        .on("GET /logtail/g:a/stderr", stream(&["E\n"]))
        .on("tailProcessStderrLog(g:a, 0, 0)", size(0));
    let (output, status) = run.run("logs -f -n 1 all");
    let mut sorted: Vec<_> = output.lines().collect();
    assert_eq!((sorted.remove(0), status), ("cat out | two", 1), "{output}");
    sorted.sort_unstable();
    assert_eq!(sorted, ["cat out | end", "cat out | three", "g:a err | E", "g:a out | A", "g:a out | B"]);
    assert_eq!(run.errors(), "unix:///x/logtail/cat:cat/stderr Cannot read, status code 404\n");
}

#[test]
fn foreground() {
    for (line, want) in [
        ("fg a b", "ERROR: too many process names supplied"),
        ("fg zz", "ERROR: bad process name supplied"),
        ("fg off", "ERROR: process not running"),
    ] {
        let run = Run::new().checked();
        let mut run = match line {
            "fg zz" => run.on("getProcessInfo(zz)", F::BadName),
            "fg off" => run.on("getProcessInfo(off)", info("off", "off", Stopped, 0)),
            _ => run,
        };
        assert_eq!(run.run(line), (lines(&[want]), 1));
    }
    let header = "==> Press Ctrl-C to exit <==";
    let begun = |typed: &[&str]| Run::interactive(typed).checked().on("getProcessInfo(x)", info("x", "x", Running, 3));
    // Typed lines come first here, since nothing has to be waited for.
    let mut run =
        begun(&["hello"]).on("sendProcessStdin(x, hello)", true).on("getProcessInfo(x)", info("x", "x", Running, 3));
    assert_eq!(run.run("fg x"), (lines(&[header, "Exiting foreground"]), 0));
    let mut run = begun(&["a", "b"]).on("sendProcessStdin(x, a)", F::NotRunning);
    assert_eq!(run.run("fg x"), (lines(&[header, "Process got killed", "Exiting foreground"]), 0));
    let mut run = begun(&["a"]).on("sendProcessStdin(x, a)", true).on("getProcessInfo(x)", info("x", "x", Exited, 0));
    assert_eq!(run.run("fg x"), (lines(&[header, "Process got killed", "Exiting foreground"]), 0));
    let mut run = begun(&["a"]).on("sendProcessStdin(x, a)", F::NoFile);
    let want = [header, "ERROR: <Fault 20: 'NO_FILE: detail'>", "Exiting foreground"];
    assert_eq!(run.run("fg x"), (lines(&want), 0));
    let gone = "ERROR: cannot connect to unix:///x: Connection refused";
    let mut run = begun(&["a"]).on("sendProcessStdin(x, a)", ClientError::Refused);
    assert_eq!(run.run("fg x"), (lines(&[header, gone, "Exiting foreground"]), 1));
}

#[test]
fn configured_processes() {
    let mut run = Run::new().on("getAllConfigInfo()", vec![configured("g", "a", true), configured("g", "a", false)]);
    let want = [
        "g:a                              in use    manual    5:999",
        "g:a                              avail     auto      5:999",
    ];
    assert_eq!(run.run("avail"), (lines(&want), 0));
    // Old daemons tell no more than this.
    let Value::Struct(mut members) = configured("g", "a", true) else { return };
    members.retain(|(name, _)| {
        ["group", "name", "inuse", "autostart", "group_prio", "process_prio"].contains(&name.as_str())
    });
    let mut run = Run::new().on("getAllConfigInfo()", vec![Value::Struct(members)]);
    assert_eq!(run.run("avail"), (lines(&want[..1]), 0));
    let mut run = Run::new().on("getAllConfigInfo()", F::ShutdownState);
    assert_eq!(run.run("avail"), (lines(&["ERROR: supervisor shutting down"]), 1));
}

#[test]
fn rereads() {
    let mut run = Run::new().on("reloadConfig()", changes(&["g", "b"], &["cat"], &["off"]));
    let want = ["b: available", "cat: changed", "g: available", "off: disappeared"];
    assert_eq!(run.run("reread"), (lines(&want), 0));
    let mut run = Run::new().on("reloadConfig()", changes(&[], &[], &[]));
    assert_eq!(run.run("reread"), (lines(&["No config updates to processes"]), 0));
    let mut run = Run::new().on("reloadConfig()", F::CantReread);
    assert_eq!(run.run("reread"), (lines(&["ERROR: CANT_REREAD: detail"]), 1));
    let mut run = Run::new().on("reloadConfig()", F::ShutdownState);
    assert_eq!(run.run("reread"), (lines(&["ERROR: supervisor shutting down"]), 1));
}

#[test]
fn updates() {
    let mut run = Run::new()
        .on("reloadConfig()", changes(&["new"], &["changed"], &["gone"]))
        .on("stopProcessGroup(gone)", vec![entry("gone", "gone", F::Success)])
        .on("removeProcessGroup(gone)", true)
        .on("stopProcessGroup(changed)", vec![])
        .on("removeProcessGroup(changed)", true)
        .on("addProcessGroup(changed)", true)
        .on("addProcessGroup(new)", true);
    let want = [
        "gone: stopped",
        "gone: removed process group",
        "changed: stopped",
        "changed: updated process group",
        "new: added process group",
    ];
    assert_eq!(run.run("update all"), (lines(&want), 0));
    assert_eq!(Run::new().on("reloadConfig()", changes(&[], &[], &[])).run("update"), (String::new(), 0));
    let mut run = Run::new().on("reloadConfig()", F::ShutdownState);
    assert_eq!(run.run("update"), (lines(&["ERROR: already shutting down"]), 1));
    let mut run = Run::new().on("reloadConfig()", F::CantReread);
    assert_eq!(run.run("update"), (lines(&["error: <Fault 92: 'CANT_REREAD: detail'>"]), 1));
}

#[test]
fn what_is_begun_is_finished_though_nobody_listens() {
    let mut run = Run::new()
        .heard_until(4)
        .on("reloadConfig()", changes(&["new"], &[], &["gone"]))
        .on("stopProcessGroup(gone)", vec![entry("gone", "gone", F::Success)])
        .on("removeProcessGroup(gone)", true)
        .on("addProcessGroup(new)", true);
    assert_eq!(run.run_unheard("update"), "gone");
    let mut run = Run::new()
        .heard_until(0)
        .checked()
        .on("stopProcess(a)", true)
        .on("stopProcess(b)", F::NotRunning)
        .on("startProcess(a)", true)
        .on("startProcess(b)", true);
    assert_eq!(run.run_unheard("restart a b"), "");
    let mut run = Run::new().heard_until(0).checked().on("startProcess(a)", true);
    assert_eq!(run.run_unheard("start --json a"), "");
    // What is followed is of no use to nobody.
    assert_eq!(Run::new().heard_until(0).checked().run_unheard("tail -f x"), "");
    let talk = || vec![Value::from("one\n"), Value::from("two\n")];
    let mut run = Run::new().heard_until(33).checked().on("GET /mainlogtail", talk());
    assert_eq!(run.run_unheard("maintail -f"), "==> Press Ctrl-C to exit <==\none\n");
}

#[test]
fn updates_of_named_groups_leave_the_others() {
    let mut run = Run::new()
        .on("reloadConfig()", changes(&["a", "b"], &[], &["c"]))
        .on("getAllProcessInfo()", vec![info("c", "c", Running, 2), info("d", "d", Running, 3)])
        .on("addProcessGroup(b)", true);
    assert_eq!(run.run("update zz b d"), (lines(&["ERROR: no such group: zz", "b: added process group"]), 1));
}

#[test]
fn an_update_survives_groups_with_problems() {
    let mut run = Run::new()
        .on("reloadConfig()", changes(&["new", "more"], &[], &["bad", "slow"]))
        .on("stopProcessGroup(bad)", vec![entry("bad", "bad", F::Failed)])
        .on("stopProcessGroup(slow)", vec![])
        .on("removeProcessGroup(slow)", F::StillRunning)
        .on("getAllProcessInfo()", vec![info("slow", "x", Stopping, 4)])
        .on("removeProcessGroup(slow)", F::StillRunning)
        .on("getAllProcessInfo()", vec![info("slow", "x", Running, 5)])
        .on("stopProcessGroup(slow)", vec![entry("slow", "x", F::Success)])
        .on("removeProcessGroup(slow)", true)
        .on("addProcessGroup(new)", F::Failed)
        .on("addProcessGroup(more)", true);
    let want = [
        "bad: stopped",
        "bad: has problems; not removing",
        "slow: stopped",
        "slow: removed process group",
        "error: new: <Fault 30: 'FAILED: detail'>",
        "more: added process group",
    ];
    assert_eq!(run.run("update"), (lines(&want), 1));
}

#[test]
fn groups_are_added_and_removed() {
    let mut run = Run::new()
        .on("addProcessGroup(a)", true)
        .on("addProcessGroup(b)", F::AlreadyAdded)
        .on("addProcessGroup(c)", F::BadName);
    let want = ["a: added process group", "ERROR: process group already active", "ERROR: no such process/group: c"];
    assert_eq!(run.run("add a b c"), (lines(&want), 1));
    let mut run = Run::new()
        .on("removeProcessGroup(a)", F::StillRunning)
        .on("removeProcessGroup(b)", F::BadName)
        .on("removeProcessGroup(c)", true);
    let want = ["ERROR: process/group still running: a", "ERROR: no such process/group: b", "c: removed process group"];
    assert_eq!(run.run("remove a b c"), (lines(&want), 1));
    let mut run = Run::new().on("addProcessGroup(a)", F::ShutdownState);
    assert_eq!(run.run("add a"), (lines(&["ERROR: shutting down"]), 1));
    assert_eq!(Run::new().run("add"), (String::new(), 0));
}

#[test]
fn the_end_of_the_daemon() {
    assert_eq!(Run::new().on("shutdown()", true).run("shutdown"), (lines(&["Shut down"]), 0));
    let mut run = Run::new().on("shutdown()", F::ShutdownState);
    assert_eq!(run.run("shutdown"), (lines(&["ERROR: already shutting down"]), 0));
    for (error, want) in [
        (ClientError::Refused, "ERROR: unix:///x refused connection (already shut down?)"),
        (ClientError::NoSuchSocket, "ERROR: unix:///x no such file (already shut down?)"),
    ] {
        assert_eq!(Run::new().on("shutdown()", error).run("shutdown"), (lines(&[want]), 1));
    }
    assert_eq!(Run::new().on("restart()", true).run("reload"), (lines(&["Restarted supervisord"]), 0));
    let mut run = Run::new().on("restart()", F::ShutdownState);
    assert_eq!(run.run("reload"), (lines(&["ERROR: already shutting down"]), 1));
}

#[test]
fn the_shell_asks_before_the_end() {
    let shutdown = "Really shut the remote supervisord process down y/N? ";
    let reload = "Really restart the remote supervisord process y/N? ";
    // Nobody answers in the end.
    for (answers, status) in [(&["n"][..], 0), (&[""], 0), (&["x"], 0), (&[], 1)] {
        assert_eq!(Run::interactive(answers).run("shutdown"), (shutdown.to_owned(), status));
        assert_eq!(Run::interactive(answers).run("reload"), (reload.to_owned(), status));
    }
    let mut run = Run::interactive(&["Yes"]).on("shutdown()", true);
    assert_eq!(run.run("shutdown"), (format!("{shutdown}Shut down\n"), 0));
}

#[test]
fn versions_and_other_servers() {
    let mut run = Run::new().checked().on("getSupervisorVersion()", "4.3.0");
    assert_eq!(run.run("version"), (lines(&["4.3.0"]), 0));
    let want = lines(&["ERROR: url must be http:// or unix://"]);
    for url in ["open", "open foo", "open https://h", "open ftp://h"] {
        assert_eq!(Run::new().run(url), (want.clone(), 1), "{url}");
    }
    let mut run = Run::new().checked().on("getAllProcessInfo()", vec![info("x", "x", Stopped, 0)]);
    assert_eq!(run.run("open http://h:1"), (format!("{:33}STOPPED   why\n", "x"), 0));
    let mut run = Run::new().on("getVersion()", ClientError::NoSuchSocket);
    assert_eq!(run.run("open unix:///no"), (lines(&["unix:///no no such file"]), 0));
}

#[test]
fn leaving() {
    for line in ["quit", "exit now", "EOF"] {
        let mut run = Run::new();
        assert_eq!(run.run(line), (lines(&[""]), 0));
        assert!(run.ended());
    }
}

#[test]
fn help_has_something_for_every_command() {
    let want = "\ndefault commands (type help <topic>):\n=====================================\n\
                add    exit      open  reload  restart   start   tail   \n\
                avail  fg        pid   remove  shutdown  status  update \n\
                clear  maintail  quit  reread  signal    stop    version\n\n";
    assert_eq!(Run::new().run("help"), (want.to_owned(), 0));
    assert_eq!(Run::new().run("?"), (want.to_owned(), 0));
    for name in Table::default().all_names() {
        let (output, status) = Run::new().run(&format!("help {name}"));
        assert_eq!(status, 0);
        for line in output.lines() {
            let (form, text) = line.split_once('\t').unwrap();
            assert!(form.starts_with(name) && text.trim_start_matches('\t').len() > 3, "{line}");
        }
    }
    assert_eq!(Run::new().run("help zz"), (lines(&["*** No help on zz"]), 0));
}

struct Hello(&'static str);

static HELLO: &[Usage] = &[Usage::new("hello", "Say hello")];

impl Command for Hello {
    fn name(&self) -> &str {
        self.0
    }

    fn usage(&self) -> &[Usage] {
        HELLO
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        session.line(format_args!("hello {}", arguments.text))
    }
}

#[test]
fn plugins_add_commands_and_never_hinder_the_others() {
    let section = |name: &str, factory: &str| PluginSection {
        name: name.to_owned(),
        factory: factory.to_owned(),
        options: BTreeMap::new(),
    };
    let mut plugins = Plugins::default();
    plugins.register("greeter", |_| Ok(vec![Box::new(Hello("hello")), Box::new(Hello("version"))]));
    plugins.register("broken", |section| Err(format!("{} has no option x", section.factory)));
    let sections = [section("p", "some.python:make"), section("polite", "greeter"), section("b", "broken")];
    let mut run = Run::with(&plugins, &sections, &[]);
    assert_eq!(
        run.errors(),
        "Warning: some.python:make cannot be resolved within [ctlplugin:p]: this supervisorctl cannot load Python code; \
         its commands are not available.\n\
         Warning: [ctlplugin:b]: broken has no option x; its commands are not available.\n"
    );
    assert_eq!(run.run("hello  you "), (lines(&["hello you"]), 0));
    assert_eq!(run.run("help hello").0, "hello\t\t\tSay hello\n");
    let (help, _) = run.run("help");
    assert!(
        help.ends_with(
            "\npolite commands (type help <topic>):\n====================================\nhello  version\n\n"
        )
    );
    let mut run = run.checked().on("getSupervisorVersion()", "4.3.0");
    assert_eq!(run.run("version"), (lines(&["4.3.0"]), 0), "built-in commands win");
}
