//! A daemon of its own in a folder of its own, and a client that shows every byte.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Lab {
    folder: tempfile::TempDir,
    daemon: Option<Child>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The token in the forms of the page.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"token\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// The message that a redirect brings along, or that a page shows.
    pub(crate) fn message(&self) -> String {
        match self.header("location").and_then(|place| place.split_once("message=")) {
            Some((_, message)) => {
                form_urlencoded::parse(format!("m={message}").as_bytes()).next().unwrap().1.into_owned()
            }
            None => self.body.split_once("class=\"message").map_or("", |(_, rest)| rest).to_owned(),
        }
    }
}

impl Lab {
    pub(crate) fn start(programs: &str) -> Self {
        let mut lab = Self { folder: tempfile::tempdir().unwrap(), daemon: None };
        lab.configure(programs);
        lab.run();
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn configure(&self, programs: &str) {
        let text = format!(
            "[supervisord]\nlogfile=%(here)s/main.log\npidfile=%(here)s/pid\nchildlogdir=%(here)s\n\
             [unix_http_server]\nfile=%(here)s/sock\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             {programs}"
        );
        fs::write(self.path("s.conf"), text).unwrap();
    }

    pub(crate) fn run(&mut self) {
        let daemon = Command::new(env!("CARGO_BIN_EXE_supervisord"))
            .args(["-n", "-s", "-c"])
            .arg(self.path("s.conf"))
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        self.daemon = Some(daemon);
        self.until("the daemon answers", || UnixStream::connect(self.path("sock")).ok());
    }

    pub(crate) fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        if matches!(daemon.try_wait(), Ok(None)) {
            let _ =
                rustix::process::kill_process(rustix::process::Pid::from_child(&daemon), rustix::process::Signal::TERM);
            drop(daemon.wait());
        }
    }

    /// Waits for something to be there, and gives it.
    pub(crate) fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            let log = fs::read_to_string(self.path("main.log")).unwrap_or_default();
            assert!(Instant::now() < end, "not in time: {what}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.path("sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn ask(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        let mut stream = self.connect();
        let length = if method == "POST" {
            format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len())
        } else {
            String::new()
        };
        let request =
            format!("{method} {target} HTTP/1.1\r\nHost: box\r\nConnection: close\r\n{headers}{length}\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "", "")
    }

    /// Posts a form with a valid token.
    pub(crate) fn post(&self, target: &str, body: &str) -> Answer {
        let token = self.get("/update.html").token();
        self.ask("POST", target, "", &format!("token={token}&{body}"))
    }

    /// The state that the page shows of a process.
    pub(crate) fn state(&self, name: &str) -> String {
        let page = self.get("/").body;
        let (_, row) =
            page.split_once(&format!("<tr data-name=\"{name}\"")).unwrap_or_else(|| panic!("{name}: {page}"));
        let (_, rest) = row.split_once("data-state=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) fn reaches(&self, name: &str, state: &str) {
        self.until(&format!("{name} is {state}"), || (self.state(name) == state).then_some(()));
    }

    /// Server-sent events.
    pub(crate) fn listen(&self, target: &str) -> Listener {
        let mut stream = self.connect();
        stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        Listener { lines: BufReader::new(stream) }
    }
}

pub(crate) struct Listener {
    lines: BufReader<UnixStream>,
}

impl Listener {
    /// The next event with this name that holds this text.
    pub(crate) fn event(&mut self, name: &str, text: &str) -> String {
        let mut last = String::new();
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the stream ended before {name} {text}");
            if last.trim_end() == format!("event: {name}") && line.contains(text) {
                return line["data: ".len()..].to_owned();
            }
            last = line;
        }
    }

    /// True if the stream ends.
    pub(crate) fn ends(mut self) -> bool {
        let mut rest = Vec::new();
        self.lines.read_to_end(&mut rest).is_ok()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop();
    }
}
