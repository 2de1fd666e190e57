//! One request: what is refused at once and in which order, and the way through the application.
//!
//! Order of refusal: credentials, method, host, origin, length, size; only then is the body read. Whatever can change
//! something is done to its end, though hyper drops this future when the client goes away. A large body waits until there
//! is room for it ([`Room`](super::room::Room)), once it has brought as much as a small one may have: announcing one keeps
//! nobody waiting.

use std::convert::Infallible;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use async_channel::Receiver;
use async_io::Timer;
use futures_lite::{FutureExt as _, Stream as _};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use supervisor_core::domain::level::Level;
use supervisor_core::rpc::{Caller, Peer};
use tide::http::{self, StatusCode, Url};

use super::access;
use super::connection::LINGER_BYTES;
use super::logtail::Follows;
use super::page;
use super::path::{self, Route};
use super::room::{FREE, Taken};
use super::serve::{Door, House};
use super::table::{Seat, StreamSeat};
use super::wire::{Ticket, Wire};
use crate::bridge::{InBody, OutBody, Stream, copy_headers, export_headers, read_on, trusted};

/// The decoded path of a request, among its extensions.
pub(super) struct Target(pub(super) String);

/// What the requests of one connection share.
pub(super) struct Context {
    pub(super) house: Arc<House>,
    pub(super) door: Arc<Door>,
    pub(super) wire: Arc<Wire>,
    pub(super) peer: Peer,
    pub(super) stream: Stream,
    /// The last one, so that the socket is closed when it is given back.
    pub(super) seat: Arc<Seat>,
}

/// Answers one request.
pub(super) async fn answer(
    request: hyper::Request<Incoming>,
    context: Arc<Context>,
) -> Result<hyper::Response<Answered>, Infallible> {
    let mut ticket = context.wire.begin();
    let (parts, body) = request.into_parts();
    let line = format!("{} {} {:?}", parts.method, parts.uri, parts.version);
    let admitted = match authenticate(&parts.headers, &context).await {
        Ok(user) => admit(&parts, &body, user, &context),
        Err(status) => Err(status),
    };
    let read = match admitted {
        Ok((method, caller)) => read_body(body, &context).await.map(|(body, room)| (method, caller, body, room)),
        Err(status) => Err(status),
    };
    ticket.has_request();
    let (response, stream) = match read {
        Ok((method, caller, body, room)) => {
            let request = to_tide(&parts, method, body, caller, &context.door);
            answer_whole(request, room, &line, &context).await
        }
        Err(status) => (refuse(status, &context), None),
    };
    ticket.record(access::Request { line, status: response.status().into() });
    let endless = stream.is_some().then(|| Endless {
        stop: Box::pin(context.house.stop.clone()),
        client: context.stream.clone(),
        patience: LINGER_BYTES,
    });
    Ok(to_hyper(response, Held { _ticket: ticket, _stream: stream }, endless))
}

/// The answer to a whole request. One without end needs a seat of its own kind: streams must leave room for calls.
async fn answer_whole(
    request: http::Request,
    room: Taken,
    line: &str,
    context: &Context,
) -> (http::Response, Option<StreamSeat>) {
    let table = &context.house.table;
    let no_seat = || (refuse(StatusCode::ServiceUnavailable, context), None);
    // Before the log is opened: many who are refused must not take descriptors together.
    let early = path::is_log(request.url().path()).then(|| table.admit_stream(1));
    if matches!(early, Some(None)) {
        return no_seat();
    }
    let response = respond(request, room, line, context).await;
    if response.len().is_some() {
        return (response, None);
    }
    let logs = response.ext().get().map_or(1, |Follows(logs)| *logs);
    match early.flatten().or_else(|| table.admit_stream(logs)) {
        Some(seat) => (response, Some(seat)),
        None => no_seat(),
    }
}

fn refuse(status: StatusCode, context: &Context) -> http::Response {
    context.wire.linger();
    let mut response = page::refusal(status);
    response.insert_header("connection", "close");
    if status == StatusCode::Unauthorized {
        response.insert_header("www-authenticate", "Basic realm=\"default\"");
    }
    response
}

/// Who asks, on a listener that wants to know it.
async fn authenticate(headers: &HeaderMap, context: &Context) -> Result<Option<String>, StatusCode> {
    let Some(guard) = &context.door.guard else { return Ok(None) };
    let user = guard.admit(only(headers, "authorization")?).await.ok_or(StatusCode::Unauthorized)?;
    Ok(Some(user.to_owned()))
}

/// Looks at the head of a request: its method and who asks, or why it is refused.
fn admit(
    parts: &Parts,
    body: &Incoming,
    user: Option<String>,
    context: &Context,
) -> Result<(http::Method, Caller), StatusCode> {
    let headers = &parts.headers;
    let method = match parts.method.as_str() {
        "GET" => http::Method::Get,
        "HEAD" => http::Method::Head,
        "POST" => http::Method::Post,
        // Also one that nobody knows: 501 would say that the fault is ours.
        _ => return Err(StatusCode::MethodNotAllowed),
    };
    check_host(headers, context)?;
    if method == http::Method::Post && context.door.origins.is_foreign(headers) {
        return Err(StatusCode::Forbidden);
    }
    check_length(parts, body, context.house.limits.body)?;
    let caller = Caller { peer: context.peer.clone(), user, listener: context.door.section.clone() };
    Ok((method, caller))
}

/// The value of a header that may come once. Credentials that come twice are no credentials.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, StatusCode> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(header::HeaderValue::as_bytes);
    if values.next().is_some() { Err(StatusCode::Unauthorized) } else { Ok(first) }
}

/// Clients of Supervisor may leave `Host` out; two of them, or one that is no host, are refused.
fn check_host(headers: &HeaderMap, context: &Context) -> Result<(), StatusCode> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return Err(StatusCode::BadRequest),
        (host, None) => host.map(|host| host.to_str().map_err(|_| StatusCode::BadRequest)).transpose()?,
    };
    // A client on the same machine calls a UNIX socket `localhost` or nothing at all; one that knows nothing of such sockets
    // but the path sends that as the name of the host. No name of the network leads there, and no browser does this.
    if !matches!(context.peer, Peer::Tcp(_)) && host.is_none_or(|host| host == "localhost" || host.contains('/')) {
        return Ok(());
    }
    if host.is_some_and(|host| host.contains(|c: char| c.is_whitespace() || "/\\@?#<>\"".contains(c))) {
        return Err(StatusCode::BadRequest);
    }
    if context.door.origins.knows_host(host) { Ok(()) } else { Err(StatusCode::Forbidden) }
}

fn check_length(parts: &Parts, body: &Incoming, limit: u64) -> Result<(), StatusCode> {
    let headers = &parts.headers;
    let (length, coding) = (headers.get(header::CONTENT_LENGTH), headers.get(header::TRANSFER_ENCODING));
    let is_rpc = parts.uri.path().starts_with(path::RPC) || Route::of(parts.uri.path()).path == path::RPC;
    match (length, coding) {
        (Some(_), Some(_)) => return Err(StatusCode::BadRequest),
        (None, Some(_)) if is_rpc => return Err(StatusCode::LengthRequired),
        (None, Some(coding)) if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            return Err(StatusCode::BadRequest);
        }
        (None, None) if parts.method == hyper::Method::POST => return Err(StatusCode::LengthRequired),
        _ => {}
    }
    if body.size_hint().lower() > limit { Err(StatusCode::PayloadTooLarge) } else { Ok(()) }
}

/// The whole body, within its size and time, and the room that it takes.
async fn read_body(body: Incoming, context: &Context) -> Result<(Vec<u8>, Taken), StatusCode> {
    if body.is_end_stream() {
        return Ok((Vec::new(), Taken::default()));
    }
    let (limits, room) = (&context.house.limits, &context.house.room);
    let read = async {
        // One that does not say how long it is may become as long as allowed.
        let length = body.size_hint().exact();
        let mut body = InBody::new(body, limits.body);
        let mut bytes = Vec::new();
        if !read_on(&mut bytes, &mut body, FREE).await.map_err(unreadable)? {
            return Ok((bytes, Taken::default()));
        }
        let room = room.take(length.unwrap_or(limits.body)).await;
        // Room is taken, so it may take at once what it was said to be.
        let length = trusted(length.and_then(|length| usize::try_from(length).ok()));
        bytes.reserve_exact(length.saturating_sub(bytes.len()));
        read_on(&mut bytes, &mut body, usize::MAX).await.map_err(unreadable)?;
        Ok((bytes, room))
    };
    let late = async {
        Timer::after(limits.body_time).await;
        Err(StatusCode::RequestTimeout)
    };
    read.or(late).await
}

fn unreadable(error: io::Error) -> StatusCode {
    match error.kind() {
        io::ErrorKind::FileTooLarge => StatusCode::PayloadTooLarge,
        _ => StatusCode::BadRequest,
    }
}

fn to_tide(parts: &Parts, method: http::Method, body: Vec<u8>, caller: Caller, door: &Arc<Door>) -> http::Request {
    let route = Route::of(parts.uri.path());
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut request = match Url::parse(&format!("http://{host}/")) {
        Ok(url) => http::Request::new(method, url),
        // Whatever the client calls us, we have a name.
        Err(_) => http::Request::new(method, "http://localhost/"),
    };
    request.url_mut().set_path(&route.path);
    request.url_mut().set_query(parts.uri.query());
    request.set_version(Some(match parts.version {
        hyper::Version::HTTP_10 => http::Version::Http1_0,
        _ => http::Version::Http1_1,
    }));
    copy_headers(&parts.headers, |name, value| request.append_header(name, value));
    if let Peer::Tcp(address) = caller.peer {
        request.set_peer_addr(Some(address));
    }
    // The body's own idea of its type must not replace what the client said.
    let content_type = request.remove_header("content-type");
    request.set_body(body);
    match content_type {
        Some(content_type) => drop(request.insert_header("content-type", &content_type)),
        None => drop(request.remove_header("content-type")),
    }
    request.ext_mut().insert(Arc::clone(door));
    request.ext_mut().insert(caller);
    request.ext_mut().insert(Target(route.decoded));
    request
}

/// Through the application; a handler that panics harms its own request only.
async fn respond(request: http::Request, room: Taken, line: &str, context: &Context) -> http::Response {
    let house = Arc::clone(&context.house);
    let changes = request.method() == http::Method::Post;
    let seat = Arc::clone(&context.seat);
    let run = async move {
        // Work that goes on without its client still counts as a connection.
        let _kept = (seat, room);
        AssertUnwindSafe(house.app.respond::<_, http::Response>(request)).catch_unwind().await
    };
    let result = if changes { Unstoppable(Some(Box::pin(run))).await } else { run.await };
    let why = match result {
        Ok(Ok(response)) => return dress(response),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the handler of \"{line}\" panicked"),
    };
    context.house.backend.log(Level::Error, &format!("{}:Server Error: {why}", context.door.address));
    page::refusal(StatusCode::InternalServerError)
}

/// Work that is done to its end, also when nobody waits for it any more: a client that hangs up cancels nothing.
struct Unstoppable<F>(Option<Pin<Box<F>>>)
where
    F: Future<Output: Send> + Send + 'static;

impl<F> Future for Unstoppable<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<F::Output> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<F> Drop for Unstoppable<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            // Its handle is let go, which leaves the task alone.
            drop(async_std::task::spawn(work));
        }
    }
}

/// Gives a refusal without a body its page.
fn dress(mut response: http::Response) -> http::Response {
    if response.is_empty() == Some(true) {
        if response.status().is_client_error() || response.status().is_server_error() {
            let page = page::refusal(response.status()).take_body();
            response.set_body(page);
            response.insert_header("content-type", "text/html");
        } else {
            // http-types gives nothing at all the type of anything at all.
            response.remove_header("content-type");
        }
    }
    response
}

/// What ends an answer that has no end of its own.
struct Endless {
    /// The server stops.
    stop: Pin<Box<Receiver<Infallible>>>,
    /// The client goes. hyper does not read from it as long as there is an answer.
    client: Stream,
    /// How many bytes more it may send, though it is not listened to.
    patience: u64,
}

fn to_hyper(mut response: http::Response, held: Held, endless: Option<Endless>) -> hyper::Response<Answered> {
    let has_type = response.header("content-type").is_some();
    let body = response.take_body();
    if !has_type {
        // http-types gives an answer whose body is taken the type of anything at all.
        response.remove_header("content-type");
    }
    let mut answer = hyper::Response::new(Answered { body: OutBody(body), endless, _held: held });
    let status = hyper::StatusCode::from_u16(response.status().into());
    *answer.status_mut() = status.unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    export_headers(response.iter(), headers);
    headers.insert(header::SERVER, header::HeaderValue::from_static("supervisor"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    answer
}

/// The body of an answer; says when it has ended.
pub(super) struct Answered {
    body: OutBody,
    endless: Option<Endless>,
    _held: Held,
}

/// What is given back when the body has ended.
struct Held {
    _ticket: Ticket,
    _stream: Option<StreamSeat>,
}

impl Body for Answered {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(endless) = &mut self.endless
            && endless.stop.as_mut().poll_next(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        // What is there is given first, so that who only closed its sending side gets what there was.
        if frame.is_pending()
            && let Some(endless) = &mut self.endless
        {
            return endless.client.poll_end(cx, &mut endless.patience).map(|()| None);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
