//! Stdin in, logs out.

use supervisor_core::RequestError;
use supervisor_core::domain::name::Namespec;
use supervisor_core::domain::spec::Autorestart;
use supervisor_core::process::Stream;

use super::*;

fn spec(process: &str) -> Namespec {
    Namespec::from(&name(process))
}

#[test]
fn stdin_reaches_the_process_and_its_answer_the_log() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", "exec cat")]), async |handle| {
        reaches(&handle, "x", ProcessState::Running).await;
        handle.send_stdin(&name("x"), "first\n").await.unwrap();
        handle.send_stdin(&name("x"), "second\n").await.unwrap();
        file_has(&lab.path("x.log"), "first\nsecond\n").await;
        assert_eq!(handle.read_log(&spec("x"), Stream::Stdout, -7, 0).await.unwrap(), b"second\n");
        handle.stop(&name("x")).await.unwrap();
        assert_eq!(handle.send_stdin(&name("x"), "late").await, Err(RequestError::NotRunning(name("x"))));
    });
}

#[test]
fn a_process_that_never_reads_blocks_nobody_and_is_refused_in_the_end() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", "exec sleep 1000")]), async |handle| {
        reaches(&handle, "x", ProcessState::Running).await;
        let megabyte = vec![b'x'; 1 << 20];
        for _ in 0..8 {
            handle.send_stdin(&name("x"), megabyte.clone()).await.unwrap();
        }
        let refused = handle.send_stdin(&name("x"), megabyte).await;
        assert_eq!(refused, Err(RequestError::Failed("x stdin queue full".into())));
    });
}

#[test]
fn what_is_written_last_is_in_the_log_when_the_end_is_told() {
    let lab = Lab::new();
    let script = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done";
    let program = lab.program("x", script).autostart(false).autorestart(Autorestart::Never);
    lab.run(supervisor([program]), async |handle| {
        handle.start(&name("x")).await.unwrap();
        reaches(&handle, "x", ProcessState::Exited).await;
        let log = std::fs::read_to_string(lab.path("x.log")).unwrap();
        assert_eq!(log.lines().count(), 2000);
        assert!(log.ends_with("line 1999\n"));
    });
}

#[test]
fn output_of_the_stop_handler_is_kept() {
    let lab = Lab::new();
    let script = "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    lab.run(supervisor([lab.program("x", script)]), async |handle| {
        file_has(&lab.path("x.log"), "ready").await;
        handle.stop(&name("x")).await.unwrap();
        assert_eq!(std::fs::read_to_string(lab.path("x.log")).unwrap(), "ready\ngoodbye\n");
    });
}

#[test]
fn an_end_is_noticed_though_a_grandchild_keeps_the_pipe() {
    let lab = Lab::new();
    let script = "sleep 1000 & echo child $!; exit 0";
    let program = lab.program("x", script).autostart(false).autorestart(Autorestart::Never);
    lab.run(supervisor([program]), async |handle| {
        handle.start(&name("x")).await.unwrap();
        reaches(&handle, "x", ProcessState::Exited).await;
        let log = std::fs::read_to_string(lab.path("x.log")).unwrap();
        let child = log.trim().strip_prefix("child ").unwrap().parse().unwrap();
        assert!(is_alive(child));
        kill(child, rustix::process::Signal::KILL);
    });
}

#[test]
fn cleared_logs_are_empty_and_go_on() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", "exec cat")]), async |handle| {
        reaches(&handle, "x", ProcessState::Running).await;
        handle.send_stdin(&name("x"), "before\n").await.unwrap();
        file_has(&lab.path("x.log"), "before").await;
        handle.clear_logs(&name("x")).await.unwrap();
        assert_eq!(std::fs::read(lab.path("x.log")).unwrap(), b"");
        handle.send_stdin(&name("x"), "after\n").await.unwrap();
        assert_eq!(file_has(&lab.path("x.log"), "after").await, "after\n");
    });
}

#[test]
fn a_log_that_cannot_be_opened_is_a_spawn_error_of_that_program() {
    let lab = Lab::new();
    let program = lab.program("x", "exec sleep 1000").autostart(false).stdout_logfile("/proc/nowhere/x.log");
    assert!(supervisor([program]).build().is_err(), "a directory that is not there is known at once");
    let directory = lab.path("logs");
    std::fs::create_dir(&directory).unwrap();
    let program = lab
        .program("x", "exec sleep 1000")
        .autostart(false)
        .startretries(0)
        .stdout_logfile(directory.join("x.log").display().to_string());
    lab.run(supervisor([program, lab.program("y", "exec sleep 1000")]), async |handle| {
        std::fs::remove_dir(&directory).unwrap();
        let refused = handle.start(&name("x")).await;
        assert_eq!(refused, Err(RequestError::SpawnError(name("x"))));
        let info = reaches(&handle, "x", ProcessState::Fatal).await;
        assert_eq!(info.spawn_error, "unknown error making dispatchers for 'x': ENOENT");
        reaches(&handle, "y", ProcessState::Running).await;
    });
}
