//! Which route a path leads to.
//!
//! Supervisor 4.3 finds its doors by the beginning of the decoded path (`/RPC2foo` is `/RPC2`) and collapses leading
//! slashes for pages only; tide routes by whole segments. So each path is brought into one canonical form first.

/// The route of XML-RPC.
pub(super) const RPC: &str = "/RPC2";
/// The route of process logs.
pub(super) const LOGTAIL: &str = "/logtail";
/// The route of the activity log.
pub(super) const MAINLOGTAIL: &str = "/mainlogtail";
/// Where no route begins.
const NOWHERE: &str = "/-";

/// A path brought into form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// What tide routes by: percent-encoded where needed, no query.
    pub(super) path: String,
    /// The whole path, decoded.
    pub(super) decoded: String,
}

impl Route {
    /// Reads the path of a request target.
    pub(super) fn of(path: &str) -> Self {
        let decoded = String::from_utf8_lossy(&percent_decode(path)).into_owned();
        for door in [RPC, LOGTAIL, MAINLOGTAIL] {
            if decoded.starts_with(door) {
                return Self { path: door.to_owned(), decoded };
            }
        }
        let page = format!("/{}", decoded.trim_start_matches('/'));
        // A URL would follow these, past whoever lets nobody through to a door; nothing here needs them.
        if page.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Self { path: NOWHERE.to_owned(), decoded };
        }
        // What has more than one slash in front of a door leads there, too.
        let nowhere = [RPC, LOGTAIL, MAINLOGTAIL].iter().any(|door| page.starts_with(door));
        let path = if nowhere { NOWHERE.to_owned() + &encode(&page) } else { encode(&page) };
        Self { path, decoded }
    }
}

/// True if a route is that of a log stream.
pub(super) fn is_log(route: &str) -> bool {
    matches!(route, LOGTAIL | MAINLOGTAIL)
}

/// Process and channel of a path that begins with `/logtail`: `/logtail/NAME[/CHANNEL]`.
pub(super) fn logtail_target(decoded: &str) -> Option<(&str, &str)> {
    let (_, rest) = decoded.trim_start_matches('/').split_once('/')?;
    Some(rest.split_once('/').unwrap_or((rest, "stdout")))
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            Some(hex) => {
                decoded.push(u8::from_str_radix(hex, 16).unwrap_or(b'%'));
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            b'/' | b'-' | b'.' | b'_' | b'~' | b':' | b'@' | b'!' | b'$' | b'&' | b'(' | b')' | b'*' | b'+' | b','
            | b';' | b'=' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes() {
        for (path, expected) in [
            ("/RPC2", "/RPC2"),
            ("/RPC2/", "/RPC2"),
            ("/RPC2foo", "/RPC2"),
            ("/%52PC2", "/RPC2"),
            ("//RPC2", "/-/RPC2"),
            ("/rpc2", "/rpc2"),
            ("/RPC", "/RPC"),
            ("/xRPC2", "/xRPC2"),
            ("/logtail/cat%3Acat", "/logtail"),
            ("//logtail/cat", "/-/logtail/cat"),
            ("/mainlogtail", "/mainlogtail"),
            ("/x/../RPC2", "/-"),
            ("/./RPC2", "/-"),
            ("/x/%2e%2E/mainlogtail", "/-"),
            ("//..", "/-"),
            ("/RPC2/../x", "/RPC2"),
            ("/a..b/.x", "/a..b/.x"),
            ("/%6Fk.html", "/ok.html"),
            ("//ok.html", "/ok.html"),
            ("/", "/"),
            ("", "/"),
            ("*", "/*"),
            ("/a%", "/a%25"),
            ("/a%4", "/a%254"),
            ("/a%zz%2541?", "/a%25zz%2541%3F"),
            ("/%ff", "/%EF%BF%BD"),
            ("/é", "/%C3%A9"),
            ("/%é", "/%25%C3%A9"),
        ] {
            assert_eq!(Route::of(path).path, expected, "{path}");
        }
    }

    #[test]
    fn targets() {
        for (path, expected) in [
            ("/logtail/cat", Some(("cat", "stdout"))),
            ("/logtail/g:p/stderr", Some(("g:p", "stderr"))),
            ("/logtail/cat/stdout/x", Some(("cat", "stdout/x"))),
            ("/logtail/", Some(("", "stdout"))),
            ("/logtail", None),
        ] {
            assert_eq!(logtail_target(path), expected, "{path}");
        }
    }
}
