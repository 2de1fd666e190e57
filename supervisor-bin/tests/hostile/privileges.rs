//! What programs are given, and what others plant where the daemon writes.

use std::fs;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::Path;

use crate::lab::{Lab, SLEEPER, Signal, Value, eventually, install, is_alive, is_root, program, stat};

/// A program that tells of itself in a file, then stays.
fn teller(keys: &str) -> String {
    let tell = "cat /proc/self/status; ls -l /proc/self/fd; umask; pwd; env; echo pgid $(ps -o pgid= -p $$ 2>/dev/null) $$; \
                echo told; exec sleep 600";
    format!(
        "[program:x]\ncommand=/bin/sh -c '{tell}'\nstartsecs=0\nstdout_logfile=%(here)s/told\nredirect_stderr=true\n{keys}\n"
    )
}

fn told(lab: &Lab) -> String {
    eventually("it has told", || Some(lab.read("told")).filter(|text| text.contains("told\n")))
}

/// A line of `/proc/PID/status`, without its blanks.
fn status(text: &str, field: &str) -> Vec<String> {
    let line = text.lines().find(|line| line.starts_with(&format!("{field}:"))).unwrap();
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_program_of_another_user_has_nothing_of_root() {
    if !is_root("to become somebody else") {
        return;
    }
    let mut lab = Lab::on_port("");
    lab.wrapper = ["setpriv", "--groups=0,4,27"].map(str::to_owned).to_vec();
    lab.configure(&teller("user=nobody"));
    lab.start();
    let told = told(&lab);
    let nobody = ["65534"; 4].map(str::to_owned).to_vec();
    assert_eq!((status(&told, "Uid"), status(&told, "Gid")), (nobody.clone(), nobody));
    assert_eq!(status(&told, "Groups").iter().filter(|group| *group != "65534").count(), 0, "{told}");
    for capabilities in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        assert_eq!(status(&told, capabilities), ["0000000000000000"], "{capabilities}");
    }
}

#[test]
fn a_restart_goes_on_without_auto_logs_that_cannot_be_made() {
    if !is_root("to become somebody who cannot write everywhere") {
        return;
    }
    let mut lab = Lab::with("user=nobody\nchildlogdir=%(here)s/logs", SLEEPER);
    fs::create_dir(lab.path("logs")).unwrap();
    for place in ["", "logs"] {
        std::os::unix::fs::chown(lab.path(place), Some(65_534), None).unwrap();
    }
    lab.start();
    let before = lab.pid_of("x");
    assert!(lab.info("x").field("stdout_logfile").contains("/logs/x-stdout---"));
    std::os::unix::fs::chown(lab.path("logs"), Some(0), None).unwrap();
    lab.signal(Signal::HUP);
    lab.wait_log("AUTO logs are not kept: could not open");
    assert!(lab.pid_of("x") != before && !is_alive(before));
    assert_eq!(lab.info("x").field("stdout_logfile"), "");
    lab.stop_well();
}

#[test]
fn a_daemon_of_another_user_has_nothing_of_root() {
    if !is_root("to become somebody else") {
        return;
    }
    let mut lab = Lab::on_port("");
    lab.wrapper = ["setpriv", "--groups=0,4,27"].map(str::to_owned).to_vec();
    lab.keys = "user=nobody".to_owned();
    lab.configure(SLEEPER);
    std::os::unix::fs::chown(lab.path(""), Some(65_534), None).unwrap();
    lab.start();
    let text = fs::read_to_string(format!("/proc/{}/status", lab.daemon())).unwrap();
    assert_eq!(status(&text, "Uid"), vec!["65534"; 4]);
    assert_eq!(status(&text, "Gid"), vec!["65534"; 4]);
    assert!(status(&text, "Groups").iter().all(|group| group == "65534"), "{text}");
    for capabilities in ["CapEff", "CapPrm", "CapAmb"] {
        assert_eq!(status(&text, capabilities), ["0000000000000000"], "{capabilities}");
    }
    // The socket and the pid file are the user's, so that it can remove them.
    assert_eq!(fs::metadata(lab.socket()).unwrap().uid(), 65_534);
    lab.pid_of("x");
    assert_eq!(lab.stop().code(), Some(0));
    assert!(!lab.socket().exists() && !lab.path("pid").exists());
}

#[test]
fn a_program_that_cannot_become_its_user_does_not_run() {
    if !is_root("to start a daemon as somebody else") {
        return;
    }
    let mut lab = Lab::on_port("");
    let body = SLEEPER.replace("startsecs=0", "user=root\nstderr_logfile=%(here)s/err\nstartretries=0");
    lab.configure(&body);
    std::os::unix::fs::chown(lab.path(""), Some(65_534), None).unwrap();
    // The build may stand where others cannot go.
    let copy = lab.path("supervisord");
    install(&program("supervisord"), &copy);
    let run = format!("shift; exec {} \"$@\"", copy.display());
    lab.wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", &run, "sh"]
        .map(str::to_owned)
        .to_vec();
    lab.start();
    lab.wait_state("x", "FATAL");
    eventually("why is told", || {
        let log = lab.log();
        let failed = log.contains("exit status 127") || log.contains("spawnerr");
        (failed && (lab.read("err").contains("root") || log.contains("root"))).then_some(())
    });
}

#[test]
fn a_program_has_three_descriptors_and_a_clean_start() {
    let mut lab = Lab::on_port("");
    let inherit = "exec 5</dev/null 77</dev/null 3000</dev/null; \
                   exec env --block-signal=USR1 --block-signal=CHLD --ignore-signal=PIPE --ignore-signal=HUP \"$@\"";
    lab.wrapper = ["bash", "-c", inherit, "bash"].map(str::to_owned).to_vec();
    lab.environment = [
        ("NOTIFY_SOCKET", "/run/notify"),
        ("LISTEN_FDS", "1"),
        ("LISTEN_PID", "1"),
        ("LISTEN_FDNAMES", "x"),
        ("WATCHDOG_USEC", "1"),
        ("WATCHDOG_PID", "1"),
        ("KEPT", "kept"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    for (keys, plain) in
        [("", true), ("umask=027\ndirectory=/usr\nenvironment=A=\"given\",NOTIFY_SOCKET=\"own\"", false)]
    {
        let _ = fs::remove_file(lab.path("told"));
        lab.configure(&format!("{}[program:other]\ncommand=/bin/sleep 600\n", teller(keys)));
        lab.start();
        let told = told(&lab);
        let mut numbers: Vec<&str> = told
            .lines()
            .filter_map(|line| line.split_once(" -> "))
            .filter_map(|(left, _)| left.rsplit(' ').next())
            .collect();
        numbers.sort_unstable();
        // The fourth is the folder that ls reads.
        assert_eq!(numbers, ["0", "1", "2", "3"], "{told}");
        for field in ["SigBlk", "SigIgn"] {
            // Not 32 and 33, which belong to the C library and which its posix_spawn ignores.
            let set = u64::from_str_radix(&status(&told, field)[0], 16).unwrap() & !(0b11 << 31);
            assert_eq!(set, 0, "{field}");
        }
        for name in ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            assert!(!told.contains(&format!("\n{name}=")), "{name}: {told}");
        }
        assert!(told.contains("\nKEPT=kept\n") && !told.contains("=/run/notify"), "{told}");
        if !plain {
            assert!(told.contains("\nA=given\n") && told.contains("\nNOTIFY_SOCKET=own\n"), "{told}");
            assert!(told.contains("\n0027\n/usr\n"), "{told}");
        }
        let pid = lab.pid_of("x");
        assert_eq!(stat(pid).unwrap()[2], pid.to_string(), "a process group of its own");
        lab.stop();
    }
}

/// Plants a link of another user at a place. In one step, for the daemon may be about to make its own file there.
fn plant(lab: &Lab, name: &str) {
    let link = lab.path("planted");
    fs::write(lab.path("precious"), "precious").unwrap();
    symlink(lab.path("precious"), &link).unwrap();
    lchown(&link, Some(65_534), Some(65_534)).unwrap();
    fs::rename(link, lab.path(name)).unwrap();
}

fn is_untouched(lab: &Lab, what: &str) {
    assert_eq!(lab.read("precious"), "precious", "{what}");
    let found = fs::metadata(lab.path("precious")).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o7777), (0, 0o644), "{what}");
}

const LOGGER: &str = "[program:x]\ncommand=/bin/sh -c 'while read line; do echo $line; done'\nstartsecs=0\nstartretries=0\n\
                      stdout_logfile=%(here)s/x.log\nstdout_logfile_maxbytes=100\nstdout_logfile_backups=2\n";

#[test]
fn links_of_others_are_not_followed_at_the_start() {
    if !is_root("to plant a link of another user") {
        return;
    }
    for (name, why) in [("s", "symbolic link"), ("log", "log")] {
        let lab = Lab::on_port(SLEEPER);
        plant(&lab, name);
        assert!(lab.refused().contains(why), "{name}");
        is_untouched(&lab, name);
    }
    for name in ["pid", "x.log"] {
        let mut lab = Lab::on_port(LOGGER);
        plant(&lab, name);
        lab.start();
        if name == "pid" {
            lab.wait_log("could not write pidfile");
        } else {
            lab.wait_state("x", "FATAL");
        }
        is_untouched(&lab, name);
        lab.is_well(name);
        lab.stop();
        is_untouched(&lab, name);
    }
}

#[test]
fn links_of_others_are_not_followed_later() {
    if !is_root("to plant a link of another user") {
        return;
    }
    let mut lab = Lab::running_on_port(LOGGER);
    lab.pid_of("x");
    let say = |lab: &Lab, words: &str| {
        let answer = lab.rpc("supervisor.sendProcessStdin", &[Value::Text("x"), Value::Text(&format!("{words}\n"))]);
        assert!(answer.body.contains("<boolean>1</boolean>"), "{answer:?}");
    };
    say(&lab, "first");
    eventually("it is written", || lab.read("x.log").contains("first").then_some(()));
    // In place of a backup: it is replaced, not written through.
    plant(&lab, "x.log.1");
    for number in 0..20 {
        say(&lab, &format!("line {number} {}", "x".repeat(50)));
    }
    eventually("it was rotated", || lab.path("x.log.2").exists().then_some(()));
    is_untouched(&lab, "a backup");
    // In place of the log: at a reopening, at clearing, and at the next rotation.
    fs::remove_file(lab.path("precious")).unwrap();
    plant(&lab, "x.log");
    lab.signal(Signal::USR2);
    for number in 0..20 {
        say(&lab, &format!("more {number} {}", "x".repeat(50)));
    }
    lab.rpc("supervisor.clearProcessLogs", &[Value::Text("x")]);
    lab.rpc("supervisor.clearLog", &[]);
    say(&lab, "last");
    lab.ctl(&["restart", "x"]);
    is_untouched(&lab, "the log");
    lab.is_well("links");
    // The main log and its backup.
    fs::remove_file(lab.path("precious")).unwrap();
    plant(&lab, "log");
    lab.signal(Signal::USR2);
    lab.ctl(&["restart", "x"]);
    lab.rpc("supervisor.clearLog", &[]);
    is_untouched(&lab, "the activity log");
    lab.is_well("links");
}

#[test]
fn pipes_that_nobody_reads_are_not_waited_for() {
    let fifo =
        |path: &Path| rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o622.into(), 0).unwrap();
    let lab = Lab::on_port(SLEEPER);
    fifo(&lab.path("log"));
    let said = lab.refused();
    assert!(said.contains("could not open the log file"), "{said}");
    for name in ["pid", "x.log"] {
        let mut lab = Lab::on_port(&format!("{LOGGER}[program:y]\ncommand=/bin/sleep 600\nstartsecs=0\n"));
        fifo(&lab.path(name));
        lab.start();
        lab.pid_of("y");
        if name == "x.log" {
            lab.wait_state("x", "FATAL");
        }
        lab.is_well(name);
        assert_eq!(lab.stop().code(), Some(0));
    }
}

#[test]
fn a_program_cannot_write_lines_of_the_activity_log() {
    let fake = "2026-01-01 00:00:00,000 CRIT fake";
    let command =
        format!("printf \"one\\n{fake}\\n\\033[2J\\033]0;x\\007two\\r{fake}\\n{fake}\\b\\177\\n\"; exec sleep 600");
    let script = tempfile::NamedTempFile::new().unwrap();
    fs::write(script.path(), command).unwrap();
    let body = format!("[program:x]\ncommand=/bin/sh {}\nstartsecs=0\n", script.path().display());
    let lab = Lab::running_with("loglevel=debug", &body);
    lab.wait_log("fake\\x08\\x7f");
    let log = lab.log();
    assert!(log.contains("'x' stdout output:\none\n"), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("2026-01-01 00:00:00,000 CRIT")), "{log}");
    assert!(!log.contains(|c: char| c.is_control() && c != '\n'), "{log:?}");
    assert!(is_alive(lab.pid_of("x")));
}

#[test]
fn a_client_cannot_write_lines_of_the_activity_log() {
    let lab = Lab::running_with("loglevel=blather", SLEEPER);
    let fake = "x&#10;2026-01-01 00:00:00,000 CRIT fake&#13;&#27;";
    let name = format!("<string>{fake}</string>");
    let name = Value::Xml(&name);
    for method in [
        "supervisor.startProcess",
        "supervisor.getProcessInfo",
        "supervisor.tailProcessStdoutLog",
        "supervisor.addProcessGroup",
    ] {
        lab.rpc(method, &[name]);
        lab.rpc(method, &[name, Value::Int(0), Value::Int(0)]);
    }
    lab.rpc("supervisor.signalProcess", &[Value::Text("x"), name]);
    lab.rpc(fake, &[]);
    lab.get("/x%0a2026-01-01%2000:00:00,000%20CRIT%20fake?y");
    lab.ask("POST", "/RPC2", "", b"x\n2026-01-01 00:00:00,000 CRIT fake\r\n\x1b");
    lab.wait_log("is invalid");
    let log = lab.log();
    assert!(!log.lines().any(|line| line.starts_with("2026-01-01 00:00:00,000")), "{log}");
    assert!(!log.contains(|c: char| c.is_control() && c != '\n'), "{log:?}");
}
