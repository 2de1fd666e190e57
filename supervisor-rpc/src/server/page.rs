//! The short HTML pages of refusals.

use tide::http::{Response, StatusCode, Version};

/// A refusal: a short page with code and reason.
pub(super) fn refusal(status: StatusCode) -> Response {
    let mut response = Response::new(status);
    response.set_body(text(status));
    response.insert_header("content-type", "text/html");
    response
}

fn text(status: StatusCode) -> String {
    let (code, reason) = (u16::from(status), status.canonical_reason());
    format!("<html><head><title>Error response</title></head><body><h1>{code} {reason}</h1></body></html>\n")
}

/// A refusal as bytes, for a connection that no request could be read from.
pub(super) fn raw_refusal(status: StatusCode) -> String {
    let (body, code, reason) = (text(status), u16::from(status), status.canonical_reason());
    format!(
        "{} {code} {reason}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        Version::Http1_1,
        body.len()
    )
}
