//! Carries hyper's HTTP/1 under tide (server) and surf (client): streams, bodies and headers, both ways.
//!
//! Holds no grammar of HTTP and decides nothing about requests; that is hyper's and the server's business. hyper brings
//! the crate tokio with its `sync` feature alone; sockets, timers and tasks are async-std's.

mod body;
mod io;
mod stream;

pub(crate) use body::{InBody, OutBody, io_error, poll_copy, read_on, read_whole, trusted};
pub(crate) use io::{Io, Pace};
pub(crate) use stream::Stream;

use http_types::headers::HeaderValue;
use hyper::header::HeaderMap;

/// Copies headers from hyper to the types of tide and surf. Values that are not ASCII are left out: those types cannot
/// hold them.
pub(crate) fn copy_headers(from: &HeaderMap, mut to: impl FnMut(&str, HeaderValue)) {
    for (name, value) in from {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes().to_vec()) {
            to(name.as_str(), value);
        }
    }
}

/// Copies headers to hyper, except those that describe the framing, which hyper writes itself.
pub(crate) fn export_headers<'a>(
    from: impl Iterator<Item = (&'a http_types::headers::HeaderName, &'a http_types::headers::HeaderValues)>,
    to: &mut HeaderMap,
) {
    for (name, values) in from {
        let Ok(name) = hyper::header::HeaderName::from_bytes(name.as_str().as_bytes()) else { continue };
        if name == hyper::header::TRANSFER_ENCODING || name == hyper::header::CONTENT_LENGTH {
            continue;
        }
        for value in values {
            if let Ok(value) = hyper::header::HeaderValue::from_str(value.as_str()) {
                to.append(name.clone(), value);
            }
        }
    }
}
