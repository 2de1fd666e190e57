//! The answers of the pages, with the headers that keep them safe.

use askama::Template;
use serde::Serialize;
use tide::{Response, StatusCode};

use super::parameters::encoded;

/// Only our own style sheet, script, pictures and connections; no frames, no foreign forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For everything that shows the present. `nosniff` is on every answer of the server.
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-frame-options", "DENY"),
    ("cache-control", "no-store, no-cache"),
    ("pragma", "no-cache"),
    ("expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
    // Not `no-referrer`: the browser would then say `Origin: null` of our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Adds the headers of pages.
pub(super) fn dress(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.insert_header(*name, *value);
    }
    response
}

/// A page.
pub(super) fn page(status: StatusCode, template: &impl Template) -> tide::Result {
    let text = template.render().map_err(|error| tide::Error::new(StatusCode::InternalServerError, error))?;
    Ok(dress(Response::builder(status).body(text).header("content-type", "text/html;charset=utf-8").build()))
}

/// Data for the script.
pub(super) fn json(status: StatusCode, data: &impl Serialize) -> tide::Result {
    let text = serde_json::to_string(data)?;
    Ok(dress(Response::builder(status).body(text).header("content-type", "application/json").build()))
}

/// The longest message, in characters: it travels in an address, which browsers and servers bound.
const LONGEST: usize = 1000;

/// On to a page, relative to the one that was asked for, which says a message: a reload repeats nothing.
pub(super) fn see(page: &str, message: &str) -> Response {
    let join = if page.contains('?') { '&' } else { '?' };
    let mut message = message.to_owned();
    if let Some((end, _)) = message.char_indices().nth(LONGEST) {
        message.truncate(end);
        message.push('…');
    }
    let place = format!("{page}{join}message={}", encoded(&message));
    dress(Response::builder(StatusCode::SeeOther).header("location", place).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_fits_an_address() {
        let place = |message: &str| see("./", message).header("location").map(|place| place.as_str().to_owned());
        assert_eq!(place("two words+").as_deref(), Some("./?message=two%20words%2B"));
        let long = place(&"é".repeat(20_000)).unwrap_or_default();
        assert!(long.len() < 8_000 && long.ends_with("%E2%80%A6"), "{}", long.len());
    }
}
