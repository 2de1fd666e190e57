//! Control by many at once, and while things change.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::lab::{Answer, Lab, SLEEPER, Value, eventually, is_alive, leave_stale, request, works};

#[test]
fn fifty_clients_never_make_two_of_one() {
    // Holds a lock while it lives, and ends at once if somebody else does.
    let script = "[program:x]\ncommand=flock -n -E 99 -F %(here)s/lock /bin/sh -c 'echo x >>%(here)s/runs; \
                  exec /bin/sleep 1002.25'\nstartsecs=0\n";
    if !works(&["flock", "--version"], "so there is nothing to see two instances with") {
        return;
    }
    let mut lab = Lab::running_on_port(script);
    // In the crowd one may be stopped before it has said that it runs; this one has.
    eventually("the first one runs", || (lab.instances("/bin/sleep 1002.25") == 1).then_some(()));
    let allowed = ["<boolean>1", "ALREADY_STARTED", "NOT_RUNNING", "ABNORMAL_TERMINATION"];
    std::thread::scope(|scope| {
        for client in 0..50_usize {
            let lab = &lab;
            scope.spawn(move || {
                for turn in 0..6 {
                    let start = (client + turn * (client % 3 + 1)) % 2 == 0;
                    let method = if start { "supervisor.startProcess" } else { "supervisor.stopProcess" };
                    let answer = lab.rpc(method, &[Value::Text("x")]).body;
                    assert!(allowed.iter().any(|part| answer.contains(part)), "{method}: {answer}");
                }
            });
        }
    });
    for (method, state, instances) in [("start", "RUNNING", 1), ("stop", "STOPPED", 0)] {
        lab.rpc(&format!("supervisor.{method}Process"), &[Value::Text("x")]);
        assert_eq!(lab.state("x"), state);
        // It executes its last command a little later.
        eventually("what runs is what is shown", || (lab.instances("/bin/sleep 1002.25") == instances).then_some(()));
    }
    assert!(!lab.log().contains("exit status 99"), "two lived at once");
    assert!(lab.read("runs").lines().count() > 1);
    lab.is_well("fifty clients");
}

#[test]
fn an_update_while_it_starts_leaves_the_new_one_only() {
    let old = "[program:x]\ncommand=/bin/sleep 1003.25\nstartsecs=5\n";
    let lab = Lab::running_on_port(old);
    lab.wait_state("x", "STARTING");
    lab.configure(&old.replace("1003.25", "1004.25"));
    let output = lab.ctl(&["update"]);
    assert!(output.status.success(), "{output:?}");
    eventually("the new one", || (lab.instances("/bin/sleep 1004.25") == 1).then_some(()));
    assert_eq!(lab.instances("/bin/sleep 1003.25"), 0);
    lab.wait_state("x", "RUNNING");
    assert_eq!(lab.instances("/bin/sleep 1004.25"), 1);
}

#[test]
fn an_update_waits_for_a_slow_stop() {
    // Takes its time to stop, and marks when it is gone.
    let slow = "[program:x]\ncommand=/bin/sh -c 'trap \"sleep 5; touch %(here)s/gone; exit 0\" TERM; touch %(here)s/up; while :; do sleep 0.1; done'\n\
                startsecs=0\nstopwaitsecs=20\n";
    let new = "[program:x]\ncommand=/bin/sh -c 'test -e %(here)s/gone || touch %(here)s/early; exec sleep 600'\nstartsecs=0\n";
    for by_rpc in [true, false] {
        let lab = Lab::running_on_port(slow);
        let old = lab.pid_of("x");
        eventually("it has its handler", || lab.path("up").exists().then_some(()));
        let stopped = lab.call("supervisor.stopProcess", &[Value::Text("x"), Value::Bool(false)]);
        assert!(stopped.body.contains("<boolean>1</boolean>"), "{stopped:?}");
        lab.configure(new);
        if by_rpc {
            lab.rpc("supervisor.reloadConfig", &[]);
            let removed = lab.rpc("supervisor.removeProcessGroup", &[Value::Text("x")]);
            assert!(removed.body.contains("STILL_RUNNING"), "{removed:?}");
            eventually("it can be removed", || {
                let removed = lab.rpc("supervisor.removeProcessGroup", &[Value::Text("x")]).body;
                removed.contains("<boolean>1</boolean>").then_some(())
            });
            assert!(!is_alive(old), "it is gone before its group is");
            assert!(lab.rpc("supervisor.addProcessGroup", &[Value::Text("x")]).body.contains("<boolean>1</boolean>"));
        } else {
            let output = lab.ctl(&["update"]);
            assert!(output.status.success(), "{output:?}");
        }
        let pid = lab.pid_of("x");
        assert!(pid != old && !is_alive(old) && lab.path("gone").exists() && !lab.path("early").exists());
    }
}

#[test]
fn full_restarts_under_load_always_come_back_and_refuse_nobody() {
    let mut lab = Lab::running_on_port("[program:x]\ncommand=/bin/sleep 1005.25\nstartsecs=0\n");
    let over = AtomicBool::new(false);
    let (answers, others) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for client in 0..6 {
            let (lab, over, answers, others) = (&lab, &over, &answers, &others);
            scope.spawn(move || {
                // Ends by itself if the test fails.
                let began = Instant::now();
                while !over.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(100) {
                    let connecting = Instant::now();
                    let (answer, said) = if client % 2 == 0 {
                        get_state(UnixStream::connect(lab.socket()).expect("not refused"))
                    } else {
                        get_state(TcpStream::connect(("127.0.0.1", lab.port.unwrap())).expect("not refused"))
                    };
                    // Everybody is told something: the state, or that the daemon is about to start anew.
                    if answer.body.contains("RUNNING") || answer.body.contains("SHUTDOWN_STATE") {
                        answers.fetch_add(1, Ordering::Relaxed);
                    } else if said - connecting < FIRST_REQUEST {
                        others.lock().unwrap().push(answer);
                    }
                }
            });
        }
        for turn in 1..=4 {
            let before = (lab.pid_of("x"), answers.load(Ordering::Relaxed));
            eventually("there is load", || (answers.load(Ordering::Relaxed) > before.1 + 50).then_some(()));
            let output = lab.ctl(&["reload"]);
            assert!(output.status.success(), "{output:?}");
            eventually("a new life", || {
                let lives = lab.log().matches("supervisord started with pid").count();
                (lives > turn && !is_alive(before.0)).then_some(())
            });
            assert_ne!(lab.pid_of("x"), before.0);
            // Not more, and not before it has executed.
            eventually("one instance", || (lab.instances("/bin/sleep 1005.25") == 1).then_some(()));
        }
        over.store(true, Ordering::Relaxed);
    });
    let others = others.into_inner().unwrap();
    assert!(others.is_empty(), "beside {answers:?}: {others:?}");
    lab.is_well("restarts");
}

/// How long a server that stops waits for who has connected and not said anything yet.
const FIRST_REQUEST: Duration = Duration::from_millis(250);

/// The answer, and when the question was asked.
fn get_state(mut stream: impl Read + Write) -> (Answer, Instant) {
    // Who is cut off sees it when it reads.
    let _ = stream.write_all(request("supervisor.getState", &[]).as_bytes());
    let said = Instant::now();
    (Answer::from(stream), said)
}

#[test]
fn many_slow_stops_go_on_at_once() {
    let slow: String = (0..100)
        .map(|number| format!("[program:p{number}]\ncommand=/bin/sh -c 'trap \"sleep 1; exit 0\" TERM; echo up; while :; do sleep 0.2; done'\nstartsecs=0\n"))
        .collect();
    let lab = Lab::running_on_port(&slow);
    (0..100).for_each(|number| assert!(is_alive(lab.pid_of(&format!("p{number}")))));
    let began = Instant::now();
    let answer = lab.rpc("supervisor.stopAllProcesses", &[]);
    let time = began.elapsed();
    assert_eq!(answer.body.matches("<int>80</int>").count(), 100, "{answer:?}");
    // One after the other would take a hundred seconds.
    assert!(time < Duration::from_secs(8), "{time:?}");
    assert!((0..100).all(|number| lab.pid(&format!("p{number}")) == 0));
}

#[test]
fn without_a_daemon_supervisorctl_says_so_at_once() {
    let lab = Lab::on_port(SLEEPER);
    let ask = |what: &str, words: &str| {
        let began = Instant::now();
        let output = lab.ctl(&["status"]);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success() && said.contains(words), "{what}: {said}");
        assert!(began.elapsed() < Duration::from_secs(5), "{what}");
        assert!(!said.contains("panicked") && !said.contains("Traceback"), "{said}");
    };
    ask("no socket", "no such file");
    leave_stale(&lab.socket());
    ask("a stale socket", "refused connection");
    fs::remove_file(lab.socket()).unwrap();
    fs::write(lab.socket(), "").unwrap();
    ask("a file that is none", "s");
}

#[test]
fn a_frozen_daemon_is_given_up() {
    let lab = Lab::running_on_port(SLEEPER);
    lab.pid_of("x");
    lab.freeze();
    std::thread::scope(|scope| {
        for words in [&["status"][..], &["pid"], &["start", "x"], &["version"]] {
            let lab = &lab;
            scope.spawn(move || {
                let began = Instant::now();
                let output = lab.ctl(words);
                let time = began.elapsed();
                assert!(time < Duration::from_secs(30), "{words:?} took {time:?}");
                assert_eq!(output.status.code(), Some(1), "{words:?} {output:?}");
                let (told, advice) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                assert!(told.starts_with("error: unix://") && told.contains(" gave no answer within "), "{told}");
                assert!(
                    advice.contains("supervisord: running as process ") && advice.contains("may be stopped"),
                    "{advice}"
                );
            });
        }
    });
}
