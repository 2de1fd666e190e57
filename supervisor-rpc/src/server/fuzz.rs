//! The parts of a request's head that we read ourselves, for `fuzz/`: the path, credentials, where the request comes from.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::auth::read_basic;
use super::origin::Origins;
use super::path::{Route, logtail_target};

/// The first line is a path, the others are headers.
pub fn fuzz_head(head: &[u8]) {
    let mut lines = head.split(|byte| *byte == b'\n');
    if let Some(path) = lines.next().and_then(|line| std::str::from_utf8(line).ok()) {
        let route = Route::of(path);
        assert!(route.path.starts_with('/') && route.path.is_ascii());
        let _ = logtail_target(&route.decoded);
    }
    let mut headers = HeaderMap::new();
    for line in lines.take(100) {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':').unwrap_or(line.len()));
        let value = HeaderValue::from_bytes(value.get(1..).unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
            headers.append(name, value);
        }
    }
    if let Some(authorization) = headers.get("authorization") {
        let _ = read_basic(authorization.as_bytes());
    }
    let origins = Origins { allowed: vec!["https://panel.example".to_owned()], hosts: vec!["example".to_owned()] };
    let _ = (origins.is_foreign(&headers), origins.knows_host(headers.get("host").and_then(|host| host.to_str().ok())));
}
