//! A daemon, and supervisorctl on a pseudo-terminal before which a person sits.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon in a folder of its own.
pub(super) struct Lab {
    daemon: Child,
    pub(super) folder: tempfile::TempDir,
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        self.signal(Signal::TERM);
        let _ = self.daemon.wait();
    }
}

impl Lab {
    /// Starts a daemon with these sections; `guard` goes into the section of its server only.
    pub(super) fn new(guard: &str, sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        let configuration = format!(
            "[supervisord]\nlogfile={here}/d.log\npidfile={here}/d.pid\nchildlogdir={here}\nnodaemon=true\n\
             [unix_http_server]\nfile={here}/s\n{guard}\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://{here}/s\nhistory_file={here}/history\n{sections}"
        );
        std::fs::write(folder.path().join("c.conf"), configuration).unwrap();
        let daemon = Command::new(env!("CARGO_BIN_EXE_supervisord"))
            .arg("-c")
            .arg(folder.path().join("c.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lab = Self { daemon, folder };
        let end = Instant::now() + PATIENCE;
        while std::os::unix::net::UnixStream::connect(lab.folder.path().join("s")).is_err() {
            assert!(Instant::now() < end, "the daemon does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        lab
    }

    pub(super) fn signal(&self, signal: Signal) {
        // A daemon that is gone already needs no signal.
        let _ = kill_process(Pid::from_child(&self.daemon), signal);
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("c.conf")
    }

    /// supervisorctl with these words, with nobody before it.
    pub(super) fn ctl(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisorctl"));
        command.arg("-c").arg(self.configuration()).args(words.split_whitespace()).stdin(Stdio::null());
        command
    }

    /// supervisorctl with these words on a terminal of this kind.
    pub(super) fn terminal(&self, words: &str, environment: &[(&str, &str)]) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let side = || File::options().read(true).write(true).open(&name).unwrap();
        // setsid(1) makes it the terminal that Ctrl-C comes from.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(env!("CARGO_BIN_EXE_supervisorctl")).arg("-c").arg(self.configuration());
        command.args(words.split_whitespace()).env_remove("NO_COLOR").env("TERM", "xterm");
        command.envs(environment.iter().copied()).stdin(side()).stdout(side()).stderr(side());
        let child = command.spawn().unwrap();
        Terminal::new(child, master)
    }
}

/// A program and the master's side of its terminal.
pub(super) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// What came and has not been looked for yet.
    pending: String,
    /// Everything that came.
    pub(super) seen: String,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    fn new(child: Child, master: OwnedFd) -> Self {
        let keyboard = File::from(master);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            // The end of a terminal is an error.
            while let Ok(count) = reader.read(&mut chunk) {
                if count == 0 || sender.send(chunk[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keyboard, screen, pending: String::new(), seen: String::new() }
    }

    pub(super) fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is on the screen; what stands before it is done with.
    pub(super) fn expect(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.pending.find(text) {
                self.pending.drain(..at + text.len());
                return;
            }
            match self.screen.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(chunk) => {
                    let chunk = String::from_utf8_lossy(&chunk);
                    self.pending += &chunk;
                    self.seen += &chunk;
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} is not on the screen: {:?}", self.seen)
                }
            }
        }
    }

    /// Waits for the end of the program.
    pub(super) fn end(&mut self) -> ExitStatus {
        while let Ok(chunk) = self.screen.recv_timeout(PATIENCE) {
            self.seen += &String::from_utf8_lossy(&chunk);
        }
        self.child.wait().unwrap()
    }
}
