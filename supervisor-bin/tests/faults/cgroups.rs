//! What the kernel does to those in a control group that has used up its share: processes that are refused, and a daemon
//! that is killed for its memory.
//!
//! Needs root, and a controller in which groups can be made (version 1 or 2 of control groups).

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::lab::{Lab, Signal, Value, eventually, is_alive, is_root, kill};
use crate::resources::bomb_of_thirty;

/// The same in both versions.
const PROCESSES: &str = "pids.max";

const LIMIT: [&str; 2] = ["memory.limit_in_bytes", "memory.max"];
const USAGE: [&str; 2] = ["memory.usage_in_bytes", "memory.current"];
const EVENTS: [&str; 2] = ["memory.oom_control", "memory.events"];

/// A control group of a test. Emptied and removed at the end.
struct Group(PathBuf);

impl Group {
    /// Of this controller; `None`, with the reason, where there can be none.
    fn new(controller: &str, name: &str) -> Option<Self> {
        if !is_root("to make a control group") {
            return None;
        }
        let mounted = PathBuf::from("/sys/fs/cgroup");
        // Each controller has a tree of its own (version 1), or there is one tree for all of them.
        let first = mounted.join(controller);
        let parent = if first.join("cgroup.procs").exists() { first } else { mounted };
        if parent.join("cgroup.subtree_control").exists() {
            // Refused where processes are in the way; then the file that is looked for is missing below.
            let _ = fs::write(parent.join("cgroup.subtree_control"), format!("+{controller}"));
        }
        let group = Self(parent.join(format!("supervisor-test-{}-{name}", std::process::id())));
        let made = fs::create_dir(&group.0);
        let usable = made.is_ok()
            && fs::read_dir(&group.0).unwrap().flatten().any(|file| {
                let name = file.file_name().into_string().unwrap();
                name.starts_with(controller) && (LIMIT.contains(&name.as_str()) || name == PROCESSES)
            });
        if !usable {
            eprintln!("skipped: no control group of '{controller}' can be made here: {made:?}");
        }
        usable.then_some(group)
    }

    /// The one of two files that is there, in this version or that, and what it says.
    fn either(&self, names: [&'static str; 2]) -> (&'static str, String) {
        let there = names.into_iter().find_map(|name| Some((name, fs::read_to_string(self.0.join(name)).ok()?)));
        there.unwrap_or_else(|| panic!("none of {names:?}"))
    }

    fn write(&self, name: &str, text: &str) -> std::io::Result<()> {
        fs::write(self.0.join(name), text)
    }

    /// For a shell: goes into this group and executes its parameters.
    fn script(&self) -> String {
        format!("echo $$ >{} && exec \"$@\"", self.0.join("cgroup.procs").display())
    }

    fn members(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A bomb goes on while it is swept up, but then there is room for no more; and the last ones take their time.
        let end = Instant::now() + Duration::from_secs(20);
        while self.0.exists() && fs::remove_dir(&self.0).is_err() && Instant::now() < end {
            self.members().into_iter().for_each(|pid| kill(pid, Signal::KILL));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_bomb_of_forks_in_a_group_hinders_nobody() {
    let Some(group) = Group::new("pids", "bomb") else { return };
    group.write(PROCESSES, "30").unwrap();
    bomb_of_thirty(&format!("/bin/sh -c '{}' sh", group.script()));
}

#[test]
fn what_a_daemon_leaves_that_was_killed_for_its_memory_is_stopped_before_it_starts_again() {
    let Some(group) = Group::new("memory", "memory") else { return };
    // Takes its time to stop.
    let script = "trap \"sleep 1; exit 0\" TERM; echo ready; while :; do sleep 0.1; done";
    let mut lab =
        Lab::new(&format!("[program:x]\ncommand=/bin/sh -c '{script}'\nstartsecs=0\nstdout_logfile=%(here)s/out\n"));
    lab.wrapper = ["/bin/sh", "-c", &group.script(), "sh"].map(str::to_owned).to_vec();
    lab.start();
    let old = lab.pid_of("x");
    lab.wait_read("out", "ready");
    assert!([lab.daemon(), old].iter().all(|pid| group.members().contains(pid)));
    // A little more than there is now. A large request needs more than that, and the daemon is chosen for it before all others.
    fs::write(format!("/proc/{}/oom_score_adj", lab.daemon()), "1000").unwrap();
    let _ = (group.write("memory.swappiness", "0"), group.write("memory.swap.max", "0"));
    let usage: u64 = group.either(USAGE).1.trim().parse().unwrap();
    group.write(group.either(LIMIT).0, &(usage + (1 << 20)).to_string()).unwrap();
    let text = "x".repeat(4_000_000);
    eventually("the daemon is killed for its memory", || {
        let _ = lab.try_call("supervisor.sendProcessStdin", &[Value::Text("x"), Value::Text(&text)]);
        group.either(EVENTS).1.lines().any(|line| line.starts_with("oom_kill ") && line != "oom_kill 0").then_some(())
    });
    assert_eq!(lab.wait().signal(), Some(Signal::KILL.as_raw()));
    assert!(is_alive(old), "it outlives the daemon");
    lab.wrapper.clear();
    lab.start();
    let new = lab.pid_of("x");
    assert!(new != old && !is_alive(old), "not before the old one is gone");
    lab.wait_log(&format!("stopping 'x' (pid {old}) with SIGTERM"));
    lab.stop_well();
}
