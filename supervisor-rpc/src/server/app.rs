//! The application: the routes of the API and of log streams, and room for pages.
//!
//! Owned by this crate; whoever has pages mounts them. Credentials, sizes and origins have been looked at before a request
//! comes here. What a call means is the dispatcher's business.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use crate::xmlrpc::{Dispatcher, Reply};
use async_trait::async_trait;
use futures_lite::Stream;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::name::Namespec;
use supervisor_core::process;
use supervisor_core::rpc::Caller;
use supervisor_core::{Handle, RequestError};
use tide::http::Mime;
use tide::{Middleware, Next, Request, Response, StatusCode};

use super::path;
use super::serve::Door;
use super::{logtail, page};

/// A future that is boxed, so that traits with async methods can be objects.
pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Answers the bodies of XML-RPC requests.
pub trait RpcDispatch: Send + Sync + 'static {
    /// Answers one request. Runs in a task of its own: a client that goes away cancels nothing.
    fn dispatch(&self, body: Vec<u8>, caller: Caller) -> Pin<Box<dyn Future<Output = RpcReply> + Send>>;
}

/// The answer to the body of an XML-RPC request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RpcReply {
    /// A document: a result or a fault.
    Xml(Vec<u8>),
    /// The body was no call; the text says why, for people. The client is told the status only.
    BadRequest(String),
    /// Something that should not happen happened, and stands in the log.
    Broken,
}

impl RpcDispatch for Dispatcher {
    fn dispatch(&self, body: Vec<u8>, caller: Caller) -> Pin<Box<dyn Future<Output = RpcReply> + Send>> {
        let dispatcher = self.clone();
        Box::pin(async move {
            match dispatcher.dispatch(&body, &caller).await {
                Reply::Xml(document) => RpcReply::Xml(document),
                Reply::BadRequest(why) => RpcReply::BadRequest(why),
                Reply::Broken => RpcReply::Broken,
            }
        })
    }
}

/// What a stream sends: chunks as they come, perhaps without end.
pub type Chunks = Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>;

/// An opened log.
pub(crate) struct OpenLog {
    /// What it holds and will hold.
    pub(crate) stream: Chunks,
    /// When the file was last changed.
    pub(crate) modified: Option<SystemTime>,
}

/// Which log to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Log {
    /// That of a process.
    Process(Namespec, process::Stream),
    /// That of the supervisor itself.
    Activity,
}

/// What the server itself needs of the supervisor.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Follows a log from its last `backlog` bytes on.
    fn follow(&self, log: Log, backlog: u64) -> Boxed<Result<OpenLog, RequestError>>;
    /// True if lines of this level are kept.
    fn enabled(&self, level: Level) -> bool;
    /// Writes a line into the activity log.
    fn log(&self, level: Level, line: &str);
}

impl Backend for Handle {
    fn follow(&self, log: Log, backlog: u64) -> Boxed<Result<OpenLog, RequestError>> {
        let handle = self.clone();
        Box::pin(async move {
            let (path, follow) = match &log {
                Log::Process(name, stream) => {
                    (handle.log_path(name, *stream).await?, handle.follow_log(name, *stream, backlog).await?)
                }
                Log::Activity => (handle.activity_log().file(), handle.follow_activity_log(backlog).await?),
            };
            let modified = supervisor_core::offload::unblock(move || path.and_then(last_modified)).await;
            Ok(OpenLog { stream: Box::pin(follow), modified })
        })
    }

    fn enabled(&self, level: Level) -> bool {
        self.activity_log().enabled(level)
    }

    fn log(&self, level: Level, line: &str) {
        Self::log(self, level, line);
    }
}

fn last_modified(path: PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|found| found.modified()).ok()
}

/// What the routes share.
#[derive(Clone)]
pub struct State {
    dispatcher: Arc<dyn RpcDispatch>,
    backend: Arc<dyn Backend>,
}

impl State {
    /// Who answers calls, for routes that speak another dialect than XML-RPC over `/RPC2`.
    pub fn dispatcher(&self) -> &Arc<dyn RpcDispatch> {
        &self.dispatcher
    }

    pub(super) fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

/// Who asks, found in the extensions of each request; pages decide with it what somebody may do.
/// Requests that came another way than through [`serve`](super::serve) have the default caller.
pub fn caller<S>(request: &Request<S>) -> Caller {
    request.ext::<Caller>().cloned().unwrap_or_default()
}

/// The application.
pub struct Application {
    pub(super) server: tide::Server<State>,
    pub(super) backend: Arc<dyn Backend>,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").finish_non_exhaustive()
    }
}

impl Application {
    /// The API (`/RPC2`), the log streams (`/logtail`, `/mainlogtail`) and the health check (`/ok.html`).
    pub fn new(dispatcher: Arc<dyn RpcDispatch>, handle: Handle) -> Self {
        Self::over(dispatcher, Arc::new(handle))
    }

    pub(crate) fn over(dispatcher: Arc<dyn RpcDispatch>, backend: Arc<dyn Backend>) -> Self {
        let mut server = tide::with_state(State { dispatcher, backend: Arc::clone(&backend) });
        server.with(TellErrors);
        server.at(path::RPC).post(rpc);
        server.at(path::LOGTAIL).get(logtail::process);
        server.at(path::MAINLOGTAIL).get(logtail::activity);
        server.at("/ok.html").get(healthy).post(healthy);
        Self { server, backend }
    }

    /// Adds routes. Their handlers find out who asks by [`caller`]. A POST runs in a task of its own; other handlers end
    /// where they are when the client goes away.
    pub fn mount(&mut self, add: impl FnOnce(&mut tide::Server<State>)) {
        add(&mut self.server);
    }
}

/// Tells the activity log why a handler failed; the client learns only that it did.
struct TellErrors;

#[async_trait]
impl Middleware<State> for TellErrors {
    async fn handle(&self, request: Request<State>, next: Next<'_, State>) -> tide::Result {
        let (backend, door) = (Arc::clone(&request.state().backend), request.ext::<Arc<Door>>().cloned());
        let response = next.run(request).await;
        if let Some(error) = response.error()
            && response.status().is_server_error()
        {
            let address = door.as_ref().map_or("", |door| &door.address);
            backend.log(Level::Error, &format!("{address}:Server Error: {error}"));
        }
        Ok(response)
    }
}

async fn rpc(mut request: Request<State>) -> tide::Result {
    let caller = caller(&request);
    let body = request.body_bytes().await?;
    if body.is_empty() {
        return Ok(page::refusal(StatusCode::BadRequest).into());
    }
    match request.state().dispatcher.dispatch(body, caller).await {
        RpcReply::Xml(document) => {
            Ok(Response::builder(StatusCode::Ok).body(document).header("content-type", "text/xml").build())
        }
        RpcReply::BadRequest(_) => Ok(page::refusal(StatusCode::BadRequest).into()),
        RpcReply::Broken => Ok(page::refusal(StatusCode::InternalServerError).into()),
    }
}

async fn healthy(_request: Request<State>) -> tide::Result {
    let plain: Mime = tide::http::mime::PLAIN;
    Ok(Response::builder(StatusCode::Ok).body("OK").content_type(plain).build())
}
