//! A daemon that a browser can reach.

use std::net::TcpListener;

use crate::lab::Lab;

pub(crate) struct Site {
    pub(crate) lab: Lab,
    server: String,
    pub(crate) url: String,
}

impl Site {
    pub(crate) fn start(programs: &str) -> Self {
        Self::start_with("", programs)
    }

    /// With more keys for the server's section.
    pub(crate) fn start_with(keys: &str, programs: &str) -> Self {
        // Nobody else is given a port that was just used, for a while.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = format!("[inet_http_server]\nport=127.0.0.1:{port}\n{keys}");
        let lab = Lab::start(&format!("{server}{programs}"));
        Self { lab, server, url: format!("http://127.0.0.1:{port}/") }
    }

    pub(crate) fn configure(&self, programs: &str) {
        self.lab.configure(&format!("{}{programs}", self.server));
    }

    pub(crate) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}
