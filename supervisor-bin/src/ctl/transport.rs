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

struct Server(Client);

impl Rpc for Server {
    fn call<'a>(&'a self, method: &'a str, params: Vec<Value>) -> Reply<'a, Value> {
        Box::pin(async move { Ok(self.0.call(method, params).await?) })
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
