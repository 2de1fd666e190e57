//! Whether a request that changes something was made by a page of another site, in somebody's browser.
//!
//! Browsers say where a request comes from; programs do not, and are not asked. `Sec-Fetch-Site` decides where it is
//! present, else `Origin`, else `Referer`, must be of the host that the request was sent to, or one that the operator
//! allows. A header that comes twice must be right twice.

use hyper::header::HeaderMap;

/// What a listener allows from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origins {
    /// Origins besides our own, such as `https://panel.example`.
    pub(super) allowed: Vec<String>,
    /// Names under which we may be addressed, with the port where it is not 80; empty allows every name.
    pub(super) hosts: Vec<String>,
}

impl Origins {
    /// True if a page of another site made this request.
    pub(super) fn is_foreign(&self, headers: &HeaderMap) -> bool {
        let texts = |name: &str| -> Vec<&str> {
            headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect()
        };
        let (origins, sites, host) = (texts("origin"), texts("sec-fetch-site"), texts("host"));
        let is_allowed = |origin: &&str| self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin));
        if !origins.is_empty() && origins.iter().all(is_allowed) {
            return false;
        }
        if !sites.is_empty() {
            return !sites.iter().all(|site| matches!(*site, "same-origin" | "none"));
        }
        let sources = if origins.is_empty() { texts("referer") } else { origins };
        let is_ours = |source: &&str| {
            let origin = origin_of(source);
            let ours = authority(origin).zip(host.first()).is_some_and(|(one, host)| same_authority(one, host));
            ours || is_allowed(&origin)
        };
        !sources.iter().all(is_ours)
    }

    /// True if we may be addressed by this name.
    pub(super) fn knows_host(&self, host: Option<&str>) -> bool {
        self.hosts.is_empty() || host.is_some_and(|host| self.hosts.iter().any(|known| same_authority(known, host)))
    }
}

/// Scheme and authority of a URL, without its path.
fn origin_of(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(begin..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| begin + at);
    url.get(..end).unwrap_or(url)
}

fn authority(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| authority)
}

fn same_authority(one: &str, other: &str) -> bool {
    fn without_default_port(text: &str) -> &str {
        text.strip_suffix(":80").unwrap_or(text)
    }
    without_default_port(one).eq_ignore_ascii_case(without_default_port(other))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn who_is_foreign() {
        let origins = Origins { allowed: vec!["https://panel.example".to_owned()], hosts: Vec::new() };
        let table: [(&[(&str, &str)], bool); 20] = [
            (&[("host", "a:9001")], false),
            (&[("host", "a:9001"), ("origin", "http://a:9001")], false),
            (&[("host", "a"), ("origin", "http://A:80")], false),
            (&[("host", "a:9001"), ("origin", "http://a")], true),
            (&[("host", "a:9001"), ("origin", "http://evil")], true),
            (&[("host", "a:9001"), ("origin", "null")], true),
            (&[("origin", "http://a")], true),
            (&[("host", "a"), ("origin", "https://panel.example")], false),
            (&[("host", "a"), ("origin", "https://panel.example"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "cross-site")], true),
            (&[("host", "a"), ("sec-fetch-site", "same-site")], true),
            (&[("host", "a"), ("origin", "https://a"), ("sec-fetch-site", "same-origin")], false),
            (&[("host", "a"), ("origin", "http://a"), ("origin", "http://evil")], true),
            (&[("host", "a"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], true),
            (&[("host", "a"), ("referer", "http://evil/x")], true),
            (&[("host", "a"), ("referer", "http://evil/http://a/")], true),
            (&[("host", "a"), ("referer", "http://a/index.html?x=http://evil/")], false),
            (&[("host", "a"), ("referer", "https://panel.example/some/page")], false),
            (&[("host", "a"), ("referer", "http://evil/"), ("origin", "http://a")], false),
            (&[("host", "a"), ("referer", "about:blank")], true),
        ];
        for (headers, expected) in table {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                map.append(name, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(origins.is_foreign(&map), expected, "{headers:?}");
        }
    }

    #[test]
    fn hosts() {
        let origins = Origins { allowed: Vec::new(), hosts: vec!["box.example:9001".to_owned()] };
        assert!(origins.knows_host(Some("BOX.example:9001")));
        assert!(!origins.knows_host(Some("evil.example:9001")) && !origins.knows_host(None));
        assert!(Origins::default().knows_host(None));
    }
}
