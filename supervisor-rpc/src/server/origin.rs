//! Whether a request that changes something was made by a page of another site, in somebody's browser.
//!
//! Browsers say where a request comes from; programs do not, and are not asked. `Sec-Fetch-Site` decides where it is
//! present, else `Origin` must be the host that the request was sent to, or one that the operator allows.

use hyper::header::HeaderMap;

/// What is allowed from elsewhere.
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
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let origin = text("origin");
        if origin.is_some_and(|origin| self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))) {
            return false;
        }
        if let Some(site) = text("sec-fetch-site") {
            return !matches!(site, "same-origin" | "none");
        }
        let Some(origin) = origin else { return false };
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        match (authority, text("host")) {
            (Some(authority), Some(host)) => !same_authority(authority, host),
            _ => true,
        }
    }

    /// True if we may be addressed by this name.
    pub(super) fn knows_host(&self, host: Option<&str>) -> bool {
        self.hosts.is_empty() || host.is_some_and(|host| self.hosts.iter().any(|known| same_authority(known, host)))
    }
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
        let table: [(&[(&str, &str)], bool); 12] = [
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
        ];
        for (headers, expected) in table {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
                })
                .collect();
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
