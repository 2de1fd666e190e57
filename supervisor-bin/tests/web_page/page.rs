//! The page of a lab's daemon as a browser without scripts uses it, and its streams.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use crate::lab::{Answer, LIMIT, Lab, eventually};

impl Answer {
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
    /// Posts a form as it is.
    pub(crate) fn form(&self, target: &str, headers: &str, body: &str) -> Answer {
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
        self.ask("POST", target, &headers, body.as_bytes())
    }

    /// Posts a form with a valid token.
    pub(crate) fn post(&self, target: &str, body: &str) -> Answer {
        let token = self.get("/update.html").token();
        self.form(target, "", &format!("token={token}&{body}"))
    }

    /// The state that the page shows of a process.
    pub(crate) fn shown(&self, name: &str) -> String {
        let page = self.get("/").body;
        let (_, row) =
            page.split_once(&format!("<tr data-name=\"{name}\"")).unwrap_or_else(|| panic!("{name}: {page}"));
        let (_, rest) = row.split_once("data-state=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Waits until the page shows a process in this state.
    pub(crate) fn wait_shown(&self, name: &str, state: &str) {
        eventually(&format!("{name} is {state}"), || (self.shown(name) == state).then_some(()));
    }

    /// Server-sent events.
    pub(crate) fn listen(&self, target: &str) -> Listener {
        let mut stream = self.unix();
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
        let end = Instant::now() + LIMIT;
        let mut last = String::new();
        loop {
            // Beats come without end, whatever else does not.
            assert!(Instant::now() < end, "not in time: {name} {text}");
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
