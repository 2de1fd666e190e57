//! The server behind `connection`: the client of `supervisor-rpc`. Only its errors are put in our terms here.

use supervisor_core::domain::server::Credentials;
use supervisor_core::rpc::Value;
use supervisor_rpc::client::{self, Client, ServerUrl};

use super::connection::{ClientError, Connect, LogStream, Reply, Rpc};
use super::surroundings::{self, Surroundings};

/// Servers that are reached by UNIX sockets and TCP.
#[derive(Debug)]
pub(super) struct Network;

impl Connect for Network {
    fn connect(&self, url: &str, credentials: Option<&Credentials>) -> Result<Box<dyn Rpc>, ClientError> {
        Ok(Box::new(Server(Client::new(ServerUrl::parse(url)?, credentials.cloned()))))
    }

    fn look(&self, url: &str) -> Surroundings {
        surroundings::look(url)
    }
}

/// What is asked before a command, to find out who answers.
const CHECK: &str = "supervisor.getVersion";

struct Server(Client);

impl Rpc for Server {
    fn call<'a>(&'a self, method: &'a str, params: Vec<Value>) -> Reply<'a, Value> {
        // As in Supervisor 4.3 the question that comes before each command has a connection of its own: a server that hangs up
        // after an answer without saying so must not make the command fail.
        let client = if method == CHECK { self.0.apart() } else { self.0.clone() };
        Box::pin(async move { Ok(client.call(method, params).await?) })
    }

    fn follow<'a>(&'a self, path: &'a str) -> Reply<'a, LogStream> {
        Box::pin(async move {
            let log: LogStream = Box::pin(self.0.follow(path).await?);
            Ok(log)
        })
    }
}

impl From<client::ClientError> for ClientError {
    fn from(error: client::ClientError) -> Self {
        use client::ClientError as Theirs;
        match error {
            Theirs::NoSuchSocket { .. } => Self::NoSuchSocket,
            Theirs::Refused { .. } => Self::Refused,
            Theirs::PermissionDenied { .. } => Self::PermissionDenied,
            Theirs::UnknownHost { .. } => Self::UnknownHost,
            Theirs::UnsupportedScheme { .. } => Self::UnsupportedScheme,
            Theirs::InvalidUrl { why, .. } => Self::InvalidUrl(why.to_owned()),
            Theirs::Unauthorised => Self::Unauthorised,
            Theirs::Fault(fault) => Self::Fault(fault),
            Theirs::Http { status, reason, .. } => Self::Http { status, reason },
            Theirs::NotASupervisor { why, .. } => Self::NotASupervisor(why),
            Theirs::TimedOut { after, .. } => Self::TimedOut(after),
            Theirs::Io { source, .. } => Self::Io(source),
            other => Self::Io(std::io::Error::other(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_server_that_hangs_up_after_each_answer_will_do() {
        const DOCUMENT: &str = "<methodResponse><params><param><value>3.0</value></param></params></methodResponse>";
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", DOCUMENT.len());
                let _ = stream.write_all((head + DOCUMENT).as_bytes());
                // It stays open until somebody asks again, in vain.
                let _ = stream.read(&mut request);
            }
        });
        let server = Network.connect(&format!("unix://{}/s", folder.path().display()), None).unwrap();
        for method in [CHECK, "supervisor.getAllProcessInfo"] {
            let answer = async_io::block_on(server.call(method, Vec::new()));
            assert_eq!(answer.unwrap(), Value::from("3.0"), "{method}");
        }
    }
}
