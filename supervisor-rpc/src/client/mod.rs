//! The client: calls to a supervisor and its log streams, over UNIX sockets and TCP.
//!
//! Works against Supervisor 4.3 as well. Prints nothing, asks nothing, and never repeats a call that may have arrived.
//!
//! ```no_run
//! # async fn example() -> Result<(), supervisor_rpc::client::ClientError> {
//! use supervisor_rpc::client::{Client, ServerUrl};
//!
//! let client = Client::new(ServerUrl::parse("unix:///run/supervisor.sock")?, None);
//! for process in client.supervisor().processes().await? {
//!     if process.state.is_stopped() {
//!         client.supervisor().start(&process.name.to_string(), true).await?;
//!     }
//! }
//! // A method of a namespace that is not known here:
//! let answer = client.call("cache.getCount", Vec::new()).await?;
//! # Ok(())
//! # }
//! ```

mod answers;
mod error;
mod follow;
mod link;
mod supervisor;
mod system;
mod transport;
mod url;

use std::future::Future;
use std::io;
use std::time::Duration;

use async_io::Timer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_lite::FutureExt as _;
use http_types::{StatusCode, Url};
use supervisor_core::domain::server::Credentials;
use supervisor_core::process::Stream;
use supervisor_core::rpc::{FromValue, Value};

use crate::bridge::read_whole;
use crate::xmlrpc;
pub use answers::{ChannelConfig, ConfigChanges, LogTail, ProcessConfig, ProcessInfo, ProcessResult};
pub use error::ClientError;
pub use follow::{LogStream, log_path};
pub use supervisor::Supervisor;
pub use system::System;
pub use url::ServerUrl;

use transport::Transport;

/// The largest answer that is taken, in bytes.
const LARGEST_ANSWER: u64 = 256 * 1024 * 1024;

/// How long a server may be silent before it is asked whether it lives.
const PROBE_AFTER: Duration = Duration::from_secs(10);

/// A client of one supervisor. Cheap to clone; clones share a few kept connections.
#[derive(Clone)]
pub struct Client {
    http: surf::Client,
    url: ServerUrl,
    authorization: Option<String>,
    timeout: Option<Duration>,
    probe: Option<Duration>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the supervisor at `url`. Connects when it is first used. With credentials, they are sent from the first
    /// request on.
    ///
    /// Calls may take as long as they need (`startProcess` waits), but a server that is silent for 10 s is asked on a second
    /// connection whether it lives; if there is no answer to that within another 10 s, it is frozen and the call fails with
    /// [`ClientError::TimedOut`].
    pub fn new(url: ServerUrl, credentials: Option<Credentials>) -> Self {
        let authorization = credentials.map(|Credentials { username, password }| {
            format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
        });
        let http = surf::Client::with_http_client(Transport::new(url.clone()));
        Self { http, url, authorization, timeout: None, probe: Some(PROBE_AFTER) }
    }

    /// The same with connections of its own: what a server does to one after an answer harms no other call.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { http: surf::Client::with_http_client(Transport::new(self.url.clone())), ..self.clone() }
    }

    /// Bounds each call as a whole, and the time until a stream begins. Default none.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// After how long a silent server is asked whether it lives, and how long it has to say so; `None` never asks.
    /// Default 10 s.
    #[must_use]
    pub fn with_probe(mut self, probe: Option<Duration>) -> Self {
        self.probe = probe;
        self
    }

    /// Where the supervisor is.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Calls a method, such as `supervisor.getState`.
    ///
    /// # Errors
    /// [`ClientError::Fault`] for what the supervisor refuses, and every other [`ClientError`].
    pub async fn call(&self, method: &str, params: Vec<Value>) -> Result<Value, ClientError> {
        let body = xmlrpc::encode_call(method, &params);
        let request = self.request(surf::http::Method::Post, "/RPC2").body_bytes(body).content_type("text/xml").build();
        let answer = async {
            let response = self.send(request).await?;
            self.read(response).await
        };
        let document = self.patiently(answer).await?;
        match xmlrpc::decode_response(&document) {
            Ok(result) => Ok(result?),
            Err(error) => Err(ClientError::NotASupervisor { url: self.url.to_string(), why: error.to_string() }),
        }
    }

    /// Calls a method whose answer is of a known type.
    ///
    /// # Errors
    /// As [`Client::call`], and [`ClientError::NotASupervisor`] for an answer of another type.
    pub async fn ask<T: FromValue>(&self, method: &str, params: Vec<Value>) -> Result<T, ClientError> {
        let answer = self.call(method, params).await?;
        T::from_value(&answer).ok_or_else(|| self.odd_answer(method))
    }

    fn odd_answer(&self, method: &str) -> ClientError {
        ClientError::NotASupervisor { url: self.url.to_string(), why: format!("{method} did not answer as documented") }
    }

    /// Follows a log of a process as it grows (Supervisor 4.3: `/logtail/NAME/CHANNEL`). Begins with its last 1024 bytes.
    ///
    /// ```no_run
    /// # async fn example(client: supervisor_rpc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_lite::StreamExt as _;
    /// use supervisor_core::process::Stream;
    ///
    /// let mut log = client.follow_process("web", Stream::Stderr).await?;
    /// while let Some(bytes) = log.next().await {
    ///     print!("{}", String::from_utf8_lossy(&bytes?));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::follow`].
    pub async fn follow_process(&self, name: &str, stream: Stream) -> Result<LogStream, ClientError> {
        self.follow(&log_path(name, stream)).await
    }

    /// Follows the server's own log as it grows (Supervisor 4.3: `/mainlogtail`). Begins with its last 1024 bytes.
    ///
    /// # Errors
    /// As [`Client::follow`].
    pub async fn follow_main_log(&self) -> Result<LogStream, ClientError> {
        self.follow(follow::MAIN_LOG).await
    }

    /// Follows a log: `path` is `/logtail/NAME`, `/logtail/NAME/stderr` or `/mainlogtail`, with what is special in a name
    /// percent-encoded.
    ///
    /// # Errors
    /// [`ClientError::Http`] with status 404 if there is no such log, and every other [`ClientError`].
    pub async fn follow(&self, path: &str) -> Result<LogStream, ClientError> {
        let request = self.request(surf::http::Method::Get, path).build();
        let mut response = self.patiently(self.send(request)).await?;
        Ok(LogStream::new(response.take_body()))
    }

    fn request(&self, method: surf::http::Method, path: &str) -> surf::RequestBuilder {
        // The transport goes to its own server and says so in `Host`; the URL matters for its path.
        let mut url = Url::parse("http://localhost/").expect("a constant URL is a URL");
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        let request = surf::RequestBuilder::new(method, url);
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization.as_str()),
            None => request,
        }
    }

    /// Sends a request; the answer has status 200.
    async fn send(&self, request: surf::Request) -> Result<surf::Response, ClientError> {
        let response = self.http.send(request).await.map_err(|error| self.client_error(error))?;
        match response.status() {
            StatusCode::Ok => Ok(response),
            StatusCode::Unauthorized => Err(ClientError::Unauthorised),
            status => Err(ClientError::Http {
                url: self.url.to_string(),
                status: status.into(),
                reason: status.canonical_reason().to_owned(),
            }),
        }
    }

    fn client_error(&self, error: surf::Error) -> ClientError {
        let url = self.url.to_string();
        error
            .into_inner()
            .downcast()
            .unwrap_or_else(|other| ClientError::Io { url, source: io::Error::other(other.to_string()) })
    }

    async fn read(&self, mut response: surf::Response) -> Result<Vec<u8>, ClientError> {
        let body = response.take_body();
        let length = body.len();
        let io = |source| ClientError::Io { url: self.url.to_string(), source };
        read_whole(body, length, LARGEST_ANSWER).await.map_err(io)
    }

    /// Waits for `work`, but neither longer than the timeout nor for a server that has ceased to answer.
    async fn patiently<T>(&self, work: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
        let bounded = async {
            match self.timeout {
                Some(timeout) => Err(self.late(timeout).await),
                None => std::future::pending().await,
            }
        };
        let frozen = async {
            let Some(probe) = self.probe else { return std::future::pending().await };
            loop {
                Timer::after(probe).await;
                let answered = async {
                    // Any answer will do, and so will a refusal: then the call itself hears of it.
                    let _ = self.http.send(self.request(surf::http::Method::Get, "/ok.html").build()).await;
                    Ok(())
                };
                answered.or(async { Err(self.late(probe).await) }).await?;
            }
        };
        work.or(bounded).or(frozen).await
    }

    async fn late(&self, after: Duration) -> ClientError {
        Timer::after(after).await;
        ClientError::TimedOut { url: self.url.to_string(), after }
    }
}

#[cfg(test)]
mod tests;
