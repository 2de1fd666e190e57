//! The daemon itself: second starts, crashes, odd moments, ends.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{
    Lab, Pid, SLEEPER, Signal, children_of, eventually, inode, is_alive, is_root, kill_process, passing,
    states_of_threads, took, wait_gone,
};

#[test]
fn a_second_daemon_is_refused_while_the_first_one_is_frozen_and_touches_nothing() {
    let mut lab = Lab::new("[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n");
    let first = lab.start();
    let child = lab.pid_of("x");
    lab.wait_log("entered RUNNING state");
    let before = (inode(&lab.socket()), inode(&lab.path("pid")), inode(&lab.path("log")), lab.log());
    let logs = |lab: &Lab| fs::read_dir(lab.folder.path()).unwrap().count();
    let files = logs(&lab);
    lab.freeze();
    let why = lab.refused();
    assert!(why.starts_with("Error: Another program is already listening"), "{why}");
    assert!(why.lines().nth(1).unwrap().starts_with("For help, use "), "{why}");
    let after = (inode(&lab.socket()), inode(&lab.path("pid")), inode(&lab.path("log")), lab.log());
    assert_eq!(before, after);
    assert_eq!(logs(&lab), files, "no log was made or removed");
    kill_process(first, Signal::CONT).unwrap();
    assert_eq!(lab.pid_of("x"), child);
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn without_servers_the_pid_file_refuses_a_second_daemon() {
    let mut lab = Lab::new("");
    lab.configure_without_servers(SLEEPER);
    let first = lab.spawn(Stdio::null());
    lab.wait_log("entered RUNNING state");
    let why = lab.refused();
    assert!(why.contains(&format!("(pid {})", first.as_raw_nonzero())), "{why}");
    assert_eq!(fs::read_to_string(lab.path("pid")).unwrap(), format!("{}\n", first.as_raw_nonzero()));
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!lab.path("pid").exists());
}

#[test]
fn a_second_daemon_is_refused_where_the_socket_of_the_first_was_cleaned_away() {
    let mut lab = Lab::new("[program:x]\ncommand=/bin/sleep 1002.25\nstartsecs=0\n");
    let first = lab.start();
    let child = lab.pid_of("x");
    fs::remove_file(lab.socket()).unwrap();
    let before = (lab.log(), fs::read_dir(lab.folder.path()).unwrap().count());
    let why = lab.refused();
    assert!(why.contains(&format!("(pid {})", first.as_raw_nonzero())), "{why}");
    assert_eq!((lab.log(), fs::read_dir(lab.folder.path()).unwrap().count()), before, "nothing was touched");
    assert_eq!(lab.instances("/bin/sleep 1002.25"), 1);
    // A restart makes the socket anew.
    lab.signal(Signal::HUP);
    eventually("it answers again", || lab.socket().exists().then_some(()));
    assert_ne!(lab.pid_of("x"), child);
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn a_killed_daemon_leaves_nothing_that_hinders_the_next() {
    let mut lab = Lab::new("");
    let first = lab.start();
    kill_process(first, Signal::KILL).unwrap();
    lab.wait();
    assert!(lab.socket().exists() && lab.path("pid").exists());
    // The pid now belongs to somebody whom nobody may signal.
    let mut stranger = Command::new("/bin/sleep").arg("600").spawn().unwrap();
    fs::write(lab.path("pid"), format!("{}\n", stranger.id())).unwrap();
    let second = lab.start();
    let expected = format!("{}\n", second.as_raw_nonzero());
    eventually("its own pid", || (fs::read_to_string(lab.path("pid")).unwrap() == expected).then_some(()));
    assert!(stranger.try_wait().unwrap().is_none());
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!lab.socket().exists() && !lab.path("pid").exists());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_restart_keeps_the_socket_and_the_pid_file() {
    let mut lab = Lab::new(SLEEPER);
    let daemon = lab.start();
    let child = lab.pid_of("x");
    let socket = inode(&lab.socket());
    lab.configure(&SLEEPER.replace("program:x", "program:y"));
    kill_process(daemon, Signal::HUP).unwrap();
    let other = lab.pid_of("y");
    assert!(!is_alive(child) && is_alive(other));
    assert_eq!(inode(&lab.socket()), socket, "clients could wait");
    assert_eq!(fs::read_to_string(lab.path("pid")).unwrap(), format!("{}\n", daemon.as_raw_nonzero()));
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!lab.socket().exists());
}

#[test]
fn a_signal_at_any_moment_of_the_start_ends_it_without_leaving_a_program() {
    let programs: String = (0..20)
        .map(|number| format!("[program:p{number}]\ncommand=/bin/sleep 6{number:02}.5\nstartsecs=0\n"))
        .collect();
    let mut lab = Lab::new(&programs);
    // At once, then after every step that can be seen from outside.
    let spawned = |count| move |lab: &Lab| lab.log().matches("spawned: ").count() >= count;
    let moments: [&dyn Fn(&Lab) -> bool; 10] = [
        &|_| true,
        &|lab| states_of_threads(lab.daemon()).len() > 1,
        &|lab| lab.path("log").exists(),
        &|lab| lab.log().contains("supervisord started"),
        &|lab| lab.socket().exists(),
        &|lab| lab.path("pid").exists(),
        &spawned(1),
        &spawned(7),
        &spawned(14),
        &spawned(20),
    ];
    for moment in [moments, moments].concat() {
        let _ = fs::remove_file(lab.path("log"));
        let daemon = lab.spawn(Stdio::null());
        passing("the moment", || moment(&lab).then_some(()));
        kill_process(daemon, Signal::TERM).unwrap();
        let status = lab.wait();
        // By the signal itself only before the daemon's first steps.
        assert!(status.code() == Some(0) || status.signal() == Some(15), "{status:?}");
        for pid in pids_in(&lab.log()) {
            assert!(!is_alive(pid) || !is_ours(pid), "{pid} was left behind");
        }
    }
    lab.start();
    assert_eq!(lab.stop().code(), Some(0));
}

/// The pids of all programs that the log tells of.
fn pids_in(log: &str) -> Vec<i32> {
    log.lines().filter_map(|line| line.split_once("' with pid ")?.1.parse().ok()).collect()
}

/// True if this is still the program, and not somebody who got its pid.
fn is_ours(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words.starts_with("/bin/sleep\x006"))
}

#[test]
fn in_the_background_errors_are_still_seen_by_whoever_started_it() {
    let mut lab = Lab::with("nodaemon=false\ndirectory=/", SLEEPER);
    let output = lab.command().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    lab.wait_up();
    let pid: i32 = eventually("the pid file", || fs::read_to_string(lab.path("pid")).ok()?.trim().parse().ok());
    let child = lab.pid_of("x");
    assert!(lab.refused().starts_with("Error: Another program"));
    lab.wait_log("INFO daemonizing the supervisord process");
    lab.wait_log("directory: '/'");
    assert!(lab.ctl(&["reload"]).status.success());
    eventually("a new life", || (lab.pid_of("x") != child).then_some(()));
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    eventually("the daemon ends", || (!is_alive(pid)).then_some(()));
    assert!(!lab.path("pid").exists() && !lab.socket().exists());
    drop(lab.daemons.drain(..));
}

#[test]
fn paths_that_were_typed_stay_what_they_were() {
    let lab = Lab::with("nodaemon=false", SLEEPER);
    for name in ["logs", "elsewhere"] {
        fs::create_dir(lab.path(name)).unwrap();
    }
    let mut command = lab.command();
    command.args(["-d", "elsewhere", "-l", "logs/main", "-j", "logs/pid", "-q", "logs"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    lab.wait_up();
    let pid: i32 = eventually("the pid file", || lab.read("logs/pid").trim().parse().ok());
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), lab.path("elsewhere").canonicalize().unwrap());
    let child = lab.pid_of("x");
    lab.configure(&(SLEEPER.to_owned() + "[program:y]\ncommand=/bin/sleep 600\n"));
    // Its directory is not entered again, so that it may go.
    fs::remove_dir(lab.path("elsewhere")).unwrap();
    let update = lab.ctl(&["update"]);
    assert!(update.status.success(), "{update:?}");
    lab.wait_state("y", "RUNNING");
    assert_eq!(lab.pid_of("x"), child);
    fs::create_dir(lab.path("elsewhere")).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::HUP).unwrap();
    eventually("a new life", || (lab.read("logs/main").matches("started with pid").count() == 2).then_some(()));
    assert!(!lab.read("logs/main").contains("former configuration"), "{}", lab.read("logs/main"));
    lab.wait_state("y", "RUNNING");
    assert_eq!(lab.read("logs/pid").trim(), pid.to_string());
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    eventually("the daemon ends", || (!is_alive(pid)).then_some(()));
    assert!(!lab.path("logs/pid").exists());
}

#[test]
fn relative_paths_mean_the_same_in_every_life_wherever_the_daemon_goes() {
    let keys = "nodaemon=false\ndirectory=elsewhere\nchildlogdir=logs\nlogfile=log\npidfile=pid";
    let more = "[program:y]\ncommand=/bin/sleep 600\nstdout_logfile=logs/y.log\nstartsecs=0\n";
    let mut lab = Lab::with(keys, "");
    lab.server = "file=s".to_owned();
    lab.configure(&format!("{SLEEPER}{more}"));
    // A program's own log belongs to the directory that the daemon is in.
    ["logs", "elsewhere", "elsewhere/logs"].iter().for_each(|name| fs::create_dir(lab.path(name)).unwrap());
    let output = lab.command().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut before = 0;
    let mut daemon = 0;
    for turn in ["the first life", "the second", "the third"] {
        lab.wait_up();
        let child = eventually(turn, || Some(lab.pid_of("x")).filter(|pid| *pid != before));
        lab.pid_of("y");
        let pid: i32 = lab.read("pid").trim().parse().unwrap();
        assert!(daemon == 0 || pid == daemon, "{turn}");
        let log = lab.info("x").field("stdout_logfile");
        let logs = lab.path("logs").canonicalize().unwrap();
        assert_eq!(Path::new(&log).parent().and_then(|path| path.canonicalize().ok()), Some(logs), "{turn}: {log}");
        assert!(Path::new(&log).exists() && lab.path("elsewhere/logs/y.log").exists(), "{turn}: {log}");
        assert_eq!(fs::read_dir(lab.path("elsewhere")).unwrap().count(), 1, "nothing else goes there");
        (before, daemon) = (child, pid);
        lab.ctl(&["reload"]);
    }
    eventually("the last life", || Some(lab.pid_of("x")).filter(|pid| *pid != before));
    kill_process(Pid::from_raw(daemon).unwrap(), Signal::TERM).unwrap();
    eventually("the daemon ends", || (!is_alive(daemon)).then_some(()));
    assert!(!lab.path("pid").exists() && !lab.socket().exists());
}

#[test]
fn a_pid_file_behind_a_link_of_our_own_is_written() {
    let mut lab = Lab::new("");
    symlink(lab.path("real.pid"), lab.path("pid")).unwrap();
    let daemon = lab.start();
    let expected = format!("{}\n", daemon.as_raw_nonzero());
    eventually("the pid", || (fs::read_to_string(lab.path("real.pid")).ok()? == expected).then_some(()));
    assert_eq!(lab.stop().code(), Some(0));
}

#[test]
fn the_end_is_in_good_order_also_with_programs_that_do_not_want_to_end() {
    let body = "[program:x]\ncommand=/bin/sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1; done'\nnumprocs=5\n\
                process_name=%(process_num)d\nstopwaitsecs=2\nkillasgroup=true\nstartsecs=0\n\
                stdout_logfile=%(here)s/out%(process_num)d\n";
    let mut lab = Lab::running(body);
    let programs: Vec<i32> = (0..5).map(|number| lab.pid_of(&format!("x:{number}"))).collect();
    (0..5).for_each(|number| lab.wait_read(&format!("out{number}"), "ready"));
    let began = Instant::now();
    lab.stop_well();
    took(began, Duration::from_secs(2), "all of them together");
    assert!(programs.into_iter().all(|pid| !is_alive(pid)));
}

#[test]
fn a_restart_does_not_call_off_a_shutdown() {
    let body = "[program:x]\ncommand=/bin/sh -c 'trap \"until test -e %(here)s/go; do sleep 0.1; done; exit 0\" TERM; echo ready; \
                while :; do sleep 0.1; done'\nstdout_logfile=%(here)s/out\nstartsecs=0\n";
    let mut lab = Lab::running(body);
    let pid = lab.pid_of("x");
    lab.wait_read("out", "ready");
    lab.signal(Signal::TERM);
    lab.wait_log("waiting for x to die");
    lab.signal(Signal::HUP);
    lab.wait_log("ignored SIGHUP indicating restart request (shutdown in progress)");
    fs::write(lab.path("go"), "").unwrap();
    assert_eq!(lab.wait().code(), Some(0));
    wait_gone(pid);
    assert!(!lab.socket().exists() && !lab.path("pid").exists());
}

#[test]
fn nobody_is_asked_for_names() {
    if !is_root("for a resolver that does not answer") {
        return;
    }
    let mut lab = Lab::on_port(SLEEPER);
    // Of this test alone, as everything in 127/8 is for whoever takes it.
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = format!("127.77.{high}.{low}");
    let Ok(resolver) = UdpSocket::bind((address.as_str(), 53)) else {
        eprintln!("skipped: nobody may listen on the port of names here");
        return;
    };
    fs::write(lab.path("resolver"), format!("nameserver {address}\n")).unwrap();
    fs::write(lab.path("hosts"), "").unwrap();
    let script = "mount --bind resolver /etc/resolv.conf && mount --bind hosts /etc/hosts && exec \"$@\"";
    lab.wrapper = ["unshare", "--mount", "/bin/sh", "-c", script, "sh"].map(str::to_owned).to_vec();
    let mut asks = Command::new(&lab.wrapper[0]);
    asks.args(&lab.wrapper[1..]).args(["timeout", "1", "getent", "hosts", "192.0.2.1"]).current_dir(lab.folder.path());
    drop(asks.output());
    resolver.set_nonblocking(true).unwrap();
    let questions = || std::iter::from_fn(|| resolver.recv(&mut [0; 512]).ok()).count();
    if questions() == 0 {
        eprintln!("skipped: whoever asks for names does not come to our resolver");
        return;
    }
    lab.start();
    lab.pid_of("x");
    assert_eq!(lab.get("/").status, 200);
    assert!(lab.rpc("supervisor.getAllProcessInfo", &[]).is_ok());
    lab.stop_well();
    assert_eq!(questions(), 0);
}

#[test]
fn children_from_before_the_exec_are_reaped() {
    let mut lab = Lab::new(SLEEPER);
    let script = "(exit 3) & (until test -e go; do sleep 0.1; done; exit 4) & exec \"$0\" \"$@\"";
    lab.wrapper = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    lab.start();
    lab.pid_of("x");
    let has_reaped = |status: u32| {
        let line = format!(" (exit status {status})");
        eventually("it is reaped", || {
            let log = lab.log();
            log.lines().any(|text| text.contains("INFO reaped unknown pid ") && text.ends_with(&line)).then_some(())
        });
    };
    has_reaped(3);
    std::fs::write(lab.path("go"), "").unwrap();
    has_reaped(4);
    assert_eq!(children_of(lab.daemon()).len(), 1);
    assert_eq!(lab.state("x"), "RUNNING");
    // The next life knows who is a stranger, and its own.
    assert!(lab.call("supervisor.restart", &[]).is_ok());
    eventually("it runs again", || (lab.log().matches("spawned: 'x'").count() == 2).then_some(()));
    lab.stop_well();
}
