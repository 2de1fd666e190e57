//! supervisorctl on a pseudo-terminal before which a person sits.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::lab::{Lab, program};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

impl Lab {
    /// A lab with these sections whose daemon listens; `guard` goes into the section of its server only.
    pub(super) fn with_history(guard: &str, sections: &str) -> Self {
        let mut lab = Self::new("");
        (lab.server, lab.client) = (guard.to_owned(), "history_file=%(here)s/history".to_owned());
        lab.configure(sections);
        lab.start_listening();
        lab
    }

    /// supervisorctl with these words on a terminal of this kind.
    pub(super) fn terminal(&self, words: &[&str], environment: &[(&str, &str)]) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let side = || File::options().read(true).write(true).open(&name).unwrap();
        // setsid(1) makes it the terminal that Ctrl-C comes from.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program("supervisorctl")).arg("-c").arg(self.path("conf"));
        command.args(words).env_remove("NO_COLOR").env("TERM", "xterm");
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

    pub(super) fn send(&mut self, keys: impl AsRef<[u8]>) {
        self.keyboard.write_all(keys.as_ref()).unwrap();
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
