//! Server-sent events: data that is pushed over one answer without end.

use serde::Serialize;
use supervisor_rpc::server::{Chunks, Follows, stream_body};
use tide::{Response, StatusCode};

use super::answer::dress;

/// Keeps proxies from closing a quiet connection, and tells the script that we are there.
pub(super) const BEAT: &[u8] = b"event: beat\ndata: 0\n\n";

/// One event. The data is JSON, which has no line breaks of its own.
pub(super) fn event(name: &str, data: &impl Serialize) -> Vec<u8> {
    // Only maps with odd keys and failing serializers cannot be written; ours are neither.
    let data = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    format!("event: {name}\ndata: {data}\n\n").into_bytes()
}

/// The answer that sends these, from so many logs.
pub(super) fn answer(events: Chunks, logs: usize) -> Response {
    let mut response = Response::new(StatusCode::Ok);
    response.insert_ext(Follows(logs));
    response.set_body(stream_body(events));
    response.insert_header("content-type", "text/event-stream");
    // A proxy must not hold events back.
    response.insert_header("x-accel-buffering", "no");
    dress(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_of_data_whatever_is_in_it() {
        assert_eq!(event("x", &"a\nb\r\nc"), b"event: x\ndata: \"a\\nb\\r\\nc\"\n\n");
    }
}
