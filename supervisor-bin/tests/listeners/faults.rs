//! Listeners that do what no listener should, or what only some dare.

use std::process::Stdio;

use super::lab::{Lab, SLEEPER, eventually, peak};
use super::{KEYS, start};

/// A listener of this script; `hear` waits for an event.
fn listener(lab_events: &str, script: &str) -> String {
    let hear = "hear() { read -r line || exit; dd bs=1 count=$${line##*len:} >/dev/null 2>&1; }".replace("$$", "$");
    let script = format!("{hear}; printf \"READY\\n\"; {script}").replace('%', "%%");
    format!(
        "[eventlistener:l]\ncommand=/bin/sh -c '{script}'\nevents={lab_events}\nbuffer_size=100\nautorestart=false\n"
    )
}

#[test]
fn an_answer_of_64_mb_without_an_end_costs_neither_memory_nor_answers() {
    let script = "hear; head -c 67108864 /dev/zero; echo done >&2; exec sleep 600";
    let lab = start(&format!("{SLEEPER}{}stderr_logfile=%(here)s/told\n", listener("TICK_5", script)));
    lab.pid_of("x");
    let before = peak(lab.daemon());
    lab.wait_log("l: has entered the UNKNOWN state");
    lab.wait_read("told", "done");
    assert!(lab.says(&["status"]).contains("RUNNING"));
    let grown = peak(lab.daemon()) - before;
    assert!(grown < 32 << 20, "{grown}");
    assert!(lab.says(&["stop", "l"]).contains("l: stopped"));
}

#[test]
fn a_listener_may_call_back_while_it_has_an_event() {
    let script = "while :; do hear; supervisorctl restart x >&2; printf \"RESULT 2\\nOKREADY\\n\"; done";
    let ctl = env!("CARGO_BIN_EXE_supervisorctl");
    let script = script.replace("supervisorctl", &format!("{ctl} -s $SUPERVISOR_SERVER_URL"));
    let crasher = "[program:y]\ncommand=/bin/false\nstartsecs=0\nautorestart=false\nautostart=false\n";
    let events = "PROCESS_STATE_EXITED,REMOTE_COMMUNICATION";
    let lab = start(&format!("{SLEEPER}{crasher}{}stderr_logfile=%(here)s/told\n", listener(events, &script)));
    lab.wait_log("l: ACKNOWLEDGED -> READY");
    let pid = lab.pid_of("x");
    for calls in 1..=2 {
        lab.ctl(&["start", "y"]);
        eventually("it calls", || (lab.read("told").matches("x: started").count() == calls).then_some(()));
    }
    assert_ne!(lab.pid_of("x"), pid);
    eventually("both are done", || (lab.log().matches("l: event was processed").count() == 2).then_some(()));
}

#[test]
fn a_listener_may_end_the_daemon_while_it_has_an_event() {
    let ctl = env!("CARGO_BIN_EXE_supervisorctl");
    let script = format!("hear; {ctl} -s $SUPERVISOR_SERVER_URL shutdown >&2; exec sleep 600");
    let mut lab = Lab::with(KEYS, &format!("{SLEEPER}{}", listener("TICK_5", &script)));
    // It may be over before anybody could ask.
    lab.spawn(Stdio::null());
    assert_eq!(lab.wait().code(), Some(0));
    assert!(lab.log().contains("stopped: l "));
}

#[test]
fn output_is_shown_on_stdout_by_the_handler_of_supervisor_stdout() {
    // Answers each event with the event.
    let script = "while :; do printf \"READY\\n\"; read -r line || exit; \
                  printf \"RESULT ${line##*len:}\\n\"; dd bs=1 count=${line##*len:} 2>/dev/null; done";
    let sections = format!(
        "[program:x]\ncommand=/bin/sh -c 'echo one; echo two; echo three >&2; exec sleep 600'\nstdout_events_enabled=true\n\
         stderr_events_enabled=true\n[eventlistener:show]\ncommand=/bin/sh -c '{}'\nevents=PROCESS_LOG\nbuffer_size=100\n\
         result_handler=supervisor_stdout:event_handler\n",
        script.replace('%', "%%")
    );
    let mut lab = Lab::with("silent=true", &sections);
    let shown = std::fs::File::create(lab.path("shown")).unwrap();
    lab.spawn(shown.into());
    for line in ["x stdout | one\n", "x stdout | two\n", "x stderr | three\n"] {
        lab.wait_read("shown", line);
    }
    lab.stop_well();
}
