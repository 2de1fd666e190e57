//! Our daemon in a folder of its own.

use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

pub(super) struct Lab {
    child: Child,
    pub(super) folder: tempfile::TempDir,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // One that has ended needs no signal.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Lab {
    /// Starts the daemon with these sections; it may not answer yet.
    pub(super) fn start(sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[supervisord]\nlogfile=%(here)s/log\nlogfile_maxbytes=0\npidfile=%(here)s/pid\nchildlogdir=%(here)s\n\
             nodaemon=true\nminfds=256\nminprocs=50\nloglevel=debug\n[unix_http_server]\nfile=%(here)s/s\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://%(here)s/s\n{sections}"
        );
        fs::write(folder.path().join("conf"), text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_supervisord"))
            .arg("-c")
            .arg(folder.path().join("conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(super) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join(name)).unwrap_or_default()).into_owned()
    }

    pub(super) fn ctl(&self, words: &[&str]) -> String {
        let ctl = env!("CARGO_BIN_EXE_supervisorctl");
        let output = Command::new(ctl).arg("-c").arg(self.folder.path().join("conf")).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The pid of a program, once it has one.
    pub(super) fn pid(&self, program: &str) -> String {
        self.eventually(program, || {
            let pid = self.ctl(&["pid", program]).trim().parse::<u32>().ok()?;
            (pid != 0).then(|| pid.to_string())
        })
    }

    /// The most memory that the daemon has had, in KiB.
    pub(super) fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(super) fn wait_log(&self, words: &str) {
        self.eventually(words, || self.read("log").contains(words).then_some(()));
    }

    pub(super) fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn eventually<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < end, "never: {what}\n{}\n{}", self.read("told"), self.read("log"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
