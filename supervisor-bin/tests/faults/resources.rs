//! Floods of output, and limits of descriptors, processes and memory.

use crate::lab::{
    BUSY, Lab, MODERATE, Probe, SLEEPER, Value, Watch, descriptors, eventually, group_of, is_root, memory, works,
    zombies_of,
};

const MEGABYTE: u64 = 1 << 20;

/// Runs a program that writes much, while the daemon is asked all the time; gives how much the daemon grew, at the most.
fn flood(lab: &Lab) -> u64 {
    let (watch, probe) = (Watch::start(lab), Probe::start(lab));
    assert!(lab.call("supervisor.startProcess", &[Value::Text("x"), Value::Bool(false)]).is_ok());
    lab.wait_state("x", "EXITED");
    probe.kept(BUSY, "a flood of output");
    watch.grown()
}

fn writer(command: &str, keys: &str) -> String {
    format!("[program:x]\ncommand=/bin/sh -c '{command}'\nstartsecs=0\nautostart=false\nautorestart=false\n{keys}")
}

#[test]
fn a_flood_of_output_is_read_to_its_end_and_hinders_nobody() {
    let command = "dd if=/dev/zero bs=64k count=8000 2>/dev/null";
    let keys = "stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=50MB\nstdout_logfile_backups=1\n";
    let mut lab = Lab::running(&writer(command, keys));
    let grown = flood(&lab);
    assert!(grown < MODERATE, "{grown}");
    let sum = ["out", "out.1"].map(|name| std::fs::metadata(lab.path(name)).unwrap().len()).iter().sum::<u64>();
    // 500 MiB in files of 50 MB; two of them are kept.
    assert!((50 * MEGABYTE..=101 * MEGABYTE).contains(&sum), "{sum}");
    lab.stop_well();
}

#[test]
fn a_line_without_an_end_is_logged_byte_for_byte() {
    let keys = "stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=0\n";
    let mut lab = Lab::running(&writer("head -c 100000000 /dev/zero | tr \"\\\\0\" a", keys));
    let grown = flood(&lab);
    assert!(grown < MODERATE, "{grown}");
    let text = std::fs::read(lab.path("out")).unwrap();
    assert_eq!(text.len(), 100_000_000);
    assert!(text.iter().all(|byte| *byte == b'a'));
    lab.stop_well();
}

#[test]
fn a_capture_that_never_ends_stays_within_its_bounds() {
    let keys = "stdout_capture_maxbytes=1MB\nstdout_logfile=NONE\n";
    let command = "printf \"<!--XSUPERVISOR:BEGIN-->\"; head -c 60000000 /dev/zero";
    let mut lab = Lab::running(&writer(command, keys));
    let grown = flood(&lab);
    assert!(grown < 20 * MEGABYTE, "{grown}");
    lab.stop_well();
}

/// A daemon that may open so many files only.
fn with_few_descriptors(limit: u32, body: &str) -> Lab {
    let mut lab = Lab::with(&format!("minfds={limit}"), body);
    lab.wrapper = vec!["prlimit".to_owned(), format!("--nofile={limit}:{limit}")];
    lab.start();
    lab
}

#[test]
fn a_lack_of_descriptors_is_said_survived_and_made_up_for() {
    // With each number of descriptors that may be left over when no program more fits.
    (0..6).for_each(|more| lack_of_descriptors(64 + more + handed_on()));
}

fn lack_of_descriptors(limit: u32) {
    let body = "[program:x]\ncommand=/bin/sleep 600\nnumprocs=30\nprocess_name=%(process_num)02d\nstartsecs=0\n\
                startretries=1000\n";
    let mut lab = with_few_descriptors(limit, body);
    lab.wait_log("too many open files to spawn");
    eventually("the others wait for their turn", || (lab.count("STARTING") == 0).then_some(()));
    let running = lab.count("RUNNING");
    assert!(running > 0 && running < 30, "{running}");
    // Every descriptor that may be used is; it answers all the same, and takes up what becomes free, whoever stays
    // connected: what they hold was left for them.
    let idle: Vec<_> = (0..2).map(|_| std::os::unix::net::UnixStream::connect(lab.socket()).unwrap()).collect();
    let first: Vec<String> = (0..running / 2).map(|number| format!("x:{number:02}")).collect();
    for name in &first {
        assert!(lab.call("supervisor.stopProcess", &[Value::Text(name)]).is_ok(), "{name}");
    }
    eventually("others run in their place", || (lab.count("RUNNING") >= running).then_some(()));
    drop(idle);
    assert_eq!(zombies_of(lab.daemon()), 0);
    lab.stop_well();
}

/// How many descriptors every program gets that this test starts: those of a make or cargo that it runs under.
fn handed_on() -> u32 {
    let is_handed_on = |number: &u32| {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
        let flags = flags.and_then(|flags| u32::from_str_radix(flags, 8).ok());
        flags.is_some_and(|flags| flags & 0o2_000_000 == 0)
    };
    u32::try_from((3..1024).filter(is_handed_on).count()).unwrap()
}

/// Each program is heard and logged, and clients are answered.
#[test]
fn few_descriptors_are_for_programs() {
    for (limit, programs) in [(48, 4), (64, 7)] {
        let body = "[program:x]\ncommand=/bin/sh -c 'echo out; echo err >&2; exec sleep 600'\nnumprocs=30\n\
                    process_name=%(process_num)02d\nstartsecs=0\nstartretries=1000\n\
                    stdout_logfile=%(here)s/%(process_num)02d.out\nstderr_logfile=%(here)s/%(process_num)02d.err\n";
        let mut lab = with_few_descriptors(limit + handed_on(), body);
        eventually("as many run as may", || (lab.count("RUNNING") >= programs).then_some(()));
        lab.wait_log("too many open files to spawn");
        assert!(lab.call("supervisor.getAllProcessInfo", &[]).body.contains("too many open files to spawn"));
        let log = lab.log();
        let running = (0..30).filter(|number| log.contains(&format!("spawned: '{number:02}' with pid")));
        for number in running {
            let name = |stream| format!("{number:02}.{stream}");
            eventually("its output is logged", || {
                (lab.read(&name("out")) == "out\n" && lab.read(&name("err")) == "err\n").then_some(())
            });
        }
        // New clients are answered, also while others have taken what was left for clients and go on holding it.
        let idle: Vec<_> = (0..10).map(|_| std::os::unix::net::UnixStream::connect(lab.socket()).unwrap()).collect();
        for _ in 0..5 {
            assert!(lab.call("supervisor.getState", &[]).is_ok());
        }
        drop(idle);
        lab.stop_well();
    }
}

#[test]
fn programs_that_fit_the_hard_limit_of_descriptors_run_and_get_the_soft_one() {
    let shown = "command=/bin/sh -c 'ulimit -Sn; ulimit -Hn; exec sleep 600'\nredirect_stderr=true\n";
    let user = if is_root("to start a program as another user") { "user=daemon\n" } else { "" };
    let body = format!(
        "[program:x]\ncommand=/bin/sleep 600\nnumprocs=200\nprocess_name=%(process_num)02d\nstartretries=0\n\
         [program:y]\n{shown}stdout_logfile=%(here)s/y\n[program:z]\n{shown}stdout_logfile=%(here)s/z\n{user}"
    );
    let mut lab = Lab::with("minfds=1024", &body);
    lab.wrapper = ["prlimit", "--nofile=256:4096"].map(str::to_owned).to_vec();
    lab.start();
    eventually("all run", || (lab.count("RUNNING") == 202).then_some(()));
    for name in ["y", "z"] {
        // As by Supervisor 4.3: what `minfds` has made of it.
        eventually("its limits", || (std::fs::read_to_string(lab.path(name)).ok()? == "1024\n4096\n").then_some(()));
    }
    // The same after a restart, which looks at no limits.
    assert!(lab.call("supervisor.restart", &[]).is_ok());
    eventually("its limits again", || {
        (std::fs::read_to_string(lab.path("z")).ok()? == "1024\n4096\n1024\n4096\n").then_some(())
    });
    lab.stop_well();
}

#[test]
fn a_full_process_table_is_said_survived_and_made_up_for() {
    if !is_root("to run as another user") {
        return;
    }
    // Of its own, so that nobody else's processes count.
    let user = (30_000 + std::process::id() % 30_000).to_string();
    let words = ["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups"];
    if !works(&[&words[..], &["/bin/true"]].concat(), "so no limit of processes applies") {
        return;
    }
    let body = "[program:x]\ncommand=/bin/sleep 600\nnumprocs=20\nprocess_name=%(process_num)02d\nstartsecs=0\n\
                startretries=1000\n";
    let mut lab = Lab::with("minprocs=1", body);
    std::os::unix::fs::chown(lab.folder.path(), Some(user.parse().unwrap()), None).unwrap();
    lab.wrapper = words.map(str::to_owned).to_vec();
    lab.wrapper.extend(["prlimit", "--nproc=10:1000"].map(str::to_owned));
    lab.start();
    lab.wait_log("Too many processes in process table to spawn");
    // What needs a thread or a process is answered, too, be it with a fault.
    let name = Value::Text("x:19");
    for (method, parameters) in [
        ("supervisor.startProcess", &[name, Value::Bool(false)][..]),
        ("supervisor.readProcessStdoutLog", &[name, Value::Int(0), Value::Int(0)]),
        ("supervisor.clearProcessLogs", &[name]),
        ("supervisor.reloadConfig", &[]),
        ("supervisor.readLog", &[Value::Int(0), Value::Int(100)]),
    ] {
        lab.call(method, parameters);
    }
    let daemon = lab.daemon().to_string();
    let lift = ["prlimit", "--pid", &daemon, "--nproc=1000:1000"];
    assert!(works(&[&words[..], &lift].concat(), "so the limit stays"));
    eventually("all run", || (lab.count("RUNNING") == 20).then_some(()));
    lab.stop_well();
}

#[test]
fn a_full_process_table_does_not_hinder_the_end() {
    if !is_root("to run as another user") {
        return;
    }
    let user = (60_001 + std::process::id() % 5_000).to_string();
    let words = ["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups", "prlimit", "--nproc=8:8"];
    if !works(&[&words[..], &["/bin/true"]].concat(), "so no limit of processes applies") {
        return;
    }
    let body = "[program:x]\ncommand=/bin/sleep 600\nnumprocs=9\nprocess_name=%(process_num)d\n";
    let mut lab = Lab::with("minprocs=1", body);
    std::os::unix::fs::chown(lab.folder.path(), Some(user.parse().unwrap()), None).unwrap();
    lab.wrapper = words.map(str::to_owned).to_vec();
    lab.start();
    lab.wait_log("Too many processes in process table to spawn");
    lab.stop_well();
}

#[test]
fn starting_and_stopping_leaks_nothing() {
    let mut lab = Lab::running(SLEEPER);
    let cycle = |lab: &Lab| {
        lab.pid_of("x");
        assert!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).is_ok());
        assert!(lab.call("supervisor.startProcess", &[Value::Text("x")]).is_ok());
    };
    (0..5).for_each(|_| cycle(&lab));
    let before = (descriptors(lab.daemon()), memory(lab.daemon()));
    (0..30).for_each(|_| cycle(&lab));
    eventually("as many descriptors as before", || (descriptors(lab.daemon()) <= before.0).then_some(()));
    let grown = memory(lab.daemon()).saturating_sub(before.1);
    assert!(grown < 8 * MEGABYTE, "{grown}");
    assert_eq!(zombies_of(lab.daemon()), 0);
    lab.stop_well();
}

#[test]
fn adding_and_removing_leaks_nothing() {
    let mut lab = Lab::running(SLEEPER);
    lab.pid_of("x");
    let cycle = |lab: &Lab| {
        lab.configure(&format!("{SLEEPER}[program:y]\ncommand=/bin/sleep 600\nstartsecs=0\n"));
        assert!(lab.ctl(&["update"]).status.success());
        lab.pid_of("y");
        lab.configure(SLEEPER);
        assert!(lab.ctl(&["update"]).status.success());
    };
    (0..3).for_each(|_| cycle(&lab));
    let before = descriptors(lab.daemon());
    (0..15).for_each(|_| cycle(&lab));
    eventually("as many descriptors as before", || (descriptors(lab.daemon()) <= before).then_some(()));
    lab.stop_well();
}

/// A program that forks without end, and so does each that it forks; at most thirty of them may be there. `within` is what
/// of its command comes before.
pub(crate) fn bomb_of_thirty(within: &str) {
    let bomb = format!(
        "[program:bomb]\ncommand={within} /usr/bin/perl -e '1 while fork || select(undef, undef, undef, 0.01) || 1'\n\
         startsecs=0\nautorestart=false\nstopasgroup=true\nkillasgroup=true\n"
    );
    let mut lab = Lab::running(&format!("{SLEEPER}{bomb}"));
    let leader = lab.pid_of("bomb");
    eventually("there are as many as may be", || (group_of(leader).len() >= 30).then_some(()));
    let probe = Probe::start(&lab);
    for _ in 0..3 {
        assert!(lab.call("supervisor.stopProcess", &[Value::Text("x")]).is_ok());
        assert!(lab.call("supervisor.startProcess", &[Value::Text("x")]).is_ok());
    }
    assert!(group_of(leader).len() >= 30);
    probe.kept(BUSY, "a bomb of forks");
    assert!(lab.call("supervisor.stopProcess", &[Value::Text("bomb")]).is_ok());
    eventually("it is gone, and all that it forked", || group_of(leader).is_empty().then_some(()));
    lab.stop_well();
}

#[test]
fn a_bomb_of_forks_of_another_user_hinders_nobody() {
    if !is_root("to run as another user") {
        return;
    }
    // Of its own, so that nobody else's processes count.
    let user = 70_000 + std::process::id() % 30_000;
    let words = format!("setpriv --reuid {user} --regid {user} --clear-groups prlimit --nproc=30:30");
    if works(&format!("{words} /bin/true").split(' ').collect::<Vec<_>>(), "so no limit of processes applies") {
        bomb_of_thirty(&words);
    }
}
