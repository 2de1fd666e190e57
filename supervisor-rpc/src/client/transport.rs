//! surf's way to the server: hyper over UNIX sockets and TCP, with a small pool of kept connections.
//!
//! A request is sent again by itself only if not a byte of it has gone out. A connection is kept once its answer has been
//! read to the end. Knows nothing of XML-RPC.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_io::Timer;
use async_std::net::{TcpStream, ToSocketAddrs};
use async_std::os::unix::net::UnixStream;
use async_trait::async_trait;
use futures_lite::FutureExt as _;
use http_client::{Config, HttpClient};
use http_types::{Body, Error, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::header::{HOST, HeaderValue};

use super::link::{Answer, Link};
use super::url::Address;
use super::{ClientError, ServerUrl};
use crate::bridge::{OutBody, Stream, copy_headers, export_headers, io_error};

/// How long to wait for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How many connections are kept.
const KEPT: usize = 4;

/// Sends requests to one server, whatever host their URL names.
#[derive(Clone)]
pub(super) struct Transport {
    inner: Arc<Inner>,
}

struct Inner {
    url: ServerUrl,
    config: Config,
    kept: Mutex<Vec<Link>>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("url", &self.inner.url).finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        // surf hands errors through untouched; the client takes ours out again.
        self.exchange(request).await.map_err(|error| Error::new(StatusCode::BadGateway, error))
    }

    fn config(&self) -> &Config {
        &self.inner.config
    }
}

impl Transport {
    pub(super) fn new(url: ServerUrl) -> Self {
        let config = Config::new().set_timeout(None).set_tcp_no_delay(true);
        Self { inner: Arc::new(Inner { url, config, kept: Mutex::default() }) }
    }

    async fn exchange(&self, request: Request) -> Result<Response, ClientError> {
        let url = self.inner.url.as_str();
        let mut outgoing = to_hyper(request, &self.inner.url)?;
        let (mut link, mut is_kept) = match self.take_kept().await {
            Some(link) => (link, true),
            None => (self.connect().await?, false),
        };
        let incoming = loop {
            match link.send(outgoing).await {
                Ok(incoming) => break incoming,
                Err(mut error) => match error.take_message() {
                    // Handed back: the server had closed the kept connection before a byte was sent.
                    Some(message) if is_kept => {
                        outgoing = message;
                        link = self.connect().await?;
                        is_kept = false;
                    }
                    _ => return Err(broken(url, error.into_error())),
                },
            }
        };
        Ok(self.to_surf(incoming, link))
    }

    /// A kept connection that is still good.
    async fn take_kept(&self) -> Option<Link> {
        loop {
            let mut link = self.inner.kept().pop()?;
            if link.is_free().await {
                return Some(link);
            }
        }
    }

    async fn connect(&self) -> Result<Link, ClientError> {
        let url = self.inner.url.as_str();
        let late = async {
            Timer::after(CONNECT_TIME).await;
            Err(ClientError::TimedOut { url: url.to_owned(), after: CONNECT_TIME })
        };
        let stream = self.open().or(late).await?;
        Link::new(stream).await.map_err(|error| broken(url, error))
    }

    fn to_surf(&self, incoming: hyper::Response<Incoming>, link: Link) -> Response {
        let (parts, body) = incoming.into_parts();
        // A status that http-types has no name for becomes the plain one of its class.
        let status = parts.status.as_u16();
        let status = StatusCode::try_from(status).or_else(|_| StatusCode::try_from(status / 100 * 100));
        let mut response = Response::new(status.unwrap_or(StatusCode::InternalServerError));
        let length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
        let inner = Arc::clone(&self.inner);
        response.set_body(Body::from_reader(Answer::new(body, link, move |link| inner.keep(link)), length));
        response.remove_header("content-type");
        copy_headers(&parts.headers, |name, value| response.append_header(name, value));
        response
    }

    async fn open(&self) -> Result<Stream, ClientError> {
        let url = self.inner.url.as_str();
        match self.inner.url.address() {
            Address::Unix(path) => {
                loop {
                    match UnixStream::connect(path).await {
                        Ok(stream) => return Ok(Stream::Unix(stream)),
                        // With a full backlog the system says "again" and connects nothing.
                        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                            Timer::after(Duration::from_millis(20)).await;
                        }
                        Err(error) => return Err(ClientError::from_connect(url, error)),
                    }
                }
            }
            Address::Inet(host, port) => {
                let unknown = |_| ClientError::UnknownHost { url: url.to_owned(), host: host.clone() };
                let addresses: Vec<_> = (host.as_str(), *port).to_socket_addrs().await.map_err(unknown)?.collect();
                let stream = TcpStream::connect(&*addresses).await.map_err(|e| ClientError::from_connect(url, e))?;
                // Head and body are one write, but a body may be larger than that.
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
        }
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Vec<Link>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, link: Link) {
        let mut kept = self.kept();
        if kept.len() < KEPT {
            kept.push(link);
        }
    }
}

/// What an error of hyper means after the connection stood.
fn broken(url: &str, error: hyper::Error) -> ClientError {
    let url = url.to_owned();
    if error.is_parse() {
        return ClientError::NotASupervisor { url, why: error.to_string() };
    }
    let source = if error.is_incomplete_message() {
        io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed before the answer")
    } else {
        io_error(error)
    };
    ClientError::Io { url, source }
}

fn to_hyper(mut request: Request, url: &ServerUrl) -> Result<hyper::Request<OutBody>, ClientError> {
    let body = request.take_body();
    let mut outgoing = hyper::Request::new(OutBody(body));
    let invalid = |why| ClientError::InvalidUrl { url: url.to_string(), why };
    let target = &request.url()[http_types::url::Position::BeforePath..http_types::url::Position::AfterQuery];
    *outgoing.uri_mut() = target.parse().map_err(|_| invalid("the path of the request is no path"))?;
    *outgoing.method_mut() = request.method().as_ref().parse().map_err(|_| invalid("no such method"))?;
    export_headers(request.iter(), outgoing.headers_mut());
    let host = HeaderValue::from_str(&url.host()).map_err(|_| invalid("the host is no host"))?;
    outgoing.headers_mut().insert(HOST, host);
    Ok(outgoing)
}
