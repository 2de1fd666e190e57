//! Asking the daemon of a lab: calls of good clients over its socket file, requests of any kind over its port, and
//! supervisorctl.
//!
//! What is sent goes out as it is, and nothing is tried again.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Output;

use super::calls::{Answer, Value, body, call};
use super::conditions::{LIMIT, eventually};
use super::daemon::Lab;

/// A connection, by whatever way.
pub(crate) trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl Lab {
    /// One call; `None` if there is no answer.
    pub(crate) fn try_call(&self, method: &str, parameters: &[Value]) -> Option<Answer> {
        call(&self.socket(), method, parameters)
    }

    /// One call that must be answered.
    pub(crate) fn call(&self, method: &str, parameters: &[Value]) -> Answer {
        self.try_call(method, parameters).unwrap_or_else(|| panic!("{method} is not answered"))
    }

    pub(crate) fn wait_up(&self) {
        eventually("the daemon answers", || {
            self.try_call("supervisor.getState", &[])?.body.contains("RUNNING").then_some(())
        });
    }

    /// The daemon lives and answers, the same as before.
    pub(crate) fn is_well(&mut self, after: &str) {
        assert!(self.daemons.last_mut().unwrap().try_wait().unwrap().is_none(), "it died of {after}");
        let answer = self.rpc("supervisor.getState", &[]);
        assert!(answer.body.contains("RUNNING"), "after {after}: {answer:?}");
    }

    /// What is told of a process.
    pub(crate) fn info(&self, name: &str) -> Answer {
        self.call("supervisor.getProcessInfo", &[Value::Text(name)])
    }

    /// The state of a process, if there is such a process.
    pub(crate) fn state(&self, name: &str) -> String {
        let answer = self.info(name);
        if answer.is_ok() { answer.field("statename") } else { "no such process".to_owned() }
    }

    /// The pid of a process; 0 if it has none.
    pub(crate) fn pid(&self, name: &str) -> i32 {
        self.info(name).field("pid").parse().unwrap()
    }

    pub(crate) fn wait_state(&self, name: &str, state: &str) {
        eventually(&format!("{name} is {state}"), || (self.state(name) == state).then_some(()));
    }

    /// The pid of a program that is RUNNING. Both from one answer: in the next one it may have ended.
    pub(crate) fn pid_of(&self, name: &str) -> i32 {
        eventually(&format!("{name} is RUNNING"), || {
            // Not answered while a life of the daemon ends and the next begins.
            let info = self.try_call("supervisor.getProcessInfo", &[Value::Text(name)])?;
            (info.is_ok() && info.field("statename") == "RUNNING").then(|| info.field("pid").parse().unwrap())
        })
    }

    /// How many processes are in this state.
    pub(crate) fn count(&self, state: &str) -> usize {
        let answer = self.call("supervisor.getAllProcessInfo", &[]);
        answer.body.matches(&format!("<string>{state}</string>")).count()
    }

    /// What a run of supervisorctl comes to.
    pub(crate) fn ctl(&self, words: &[&str]) -> Output {
        self.ctl_command(words).output().unwrap()
    }

    /// What supervisorctl prints.
    pub(crate) fn says(&self, words: &[&str]) -> String {
        String::from_utf8_lossy(&self.ctl(words).stdout).into_owned()
    }

    /// A connection to its socket file.
    pub(crate) fn unix(&self) -> UnixStream {
        let stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// A connection to its port.
    pub(crate) fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port.unwrap())).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// The name that a browser would use for it.
    pub(crate) fn host(&self) -> String {
        self.port.map_or("box".to_owned(), |port| format!("127.0.0.1:{port}"))
    }

    /// Sends bytes, over its port if it has one, and reads until the server closes.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        let stream: Box<dyn Stream> = if self.port.is_some() { Box::new(self.tcp()) } else { Box::new(self.unix()) };
        Answer::of(stream, request)
    }

    /// A request with these headers, each with its line end.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Answer {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}", self.host());
        if method == "POST" || !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.raw(&[head.as_bytes(), b"\r\n", body].concat())
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "", b"")
    }

    /// A call, right or wrong, whatever is answered.
    pub(crate) fn rpc(&self, method: &str, parameters: &[Value]) -> Answer {
        self.ask("POST", "/RPC2", "Content-Type: text/xml\r\n", body(method, parameters).as_bytes())
    }
}
