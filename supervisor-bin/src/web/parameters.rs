//! What a request of a page says: parameters of its query and of its urlencoded body.
//!
//! Supervisor 4.3: the body wins over the query; of repeated ones the first in the query and the last in the body count;
//! empty ones count as missing.

/// The parameters of one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parameters {
    query: Vec<(String, String)>,
    body: Vec<(String, String)>,
}

fn read(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

impl Parameters {
    /// Reads a query and a body.
    pub(super) fn read(query: Option<&str>, body: &[u8]) -> Self {
        Self { query: query.map(|query| read(query.as_bytes())).unwrap_or_default(), body: read(body) }
    }

    /// The value that counts.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let body = self.body.iter().rev().find(|(known, _)| known == name);
        let found = body.or_else(|| self.query.iter().find(|(known, _)| known == name));
        found.map(|(_, value)| value.as_str())
    }

    /// The value in the body alone: what no link can bring along.
    pub(super) fn posted(&self, name: &str) -> Option<&str> {
        self.body.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name in the body.
    pub(super) fn all_posted<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.body.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name in the query.
    pub(super) fn all_queried<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A text as it stands in a query, with spaces as Supervisor 4.3 writes them: whoever reads an address need not know of forms.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts() {
        let table = [
            (Some("a=1&a=2"), "", Some("1")),
            (Some("a=1"), "a=2&a=3", Some("3")),
            (Some("a=1"), "a=", Some("1")),
            (Some("a="), "", None),
            (Some("a=&a=x"), "", Some("x")),
            (None, "a=g%3Aa%2Bb+c", Some("g:a+b c")),
            (Some("b=1"), "c", None),
            (Some("a=%ff"), "", Some("\u{fffd}")),
        ];
        for (query, body, expected) in table {
            assert_eq!(Parameters::read(query, body.as_bytes()).get("a"), expected, "{query:?} {body}");
        }
    }

    #[test]
    fn a_link_posts_nothing() {
        let parameters = Parameters::read(Some("t=1&g=x&g=y"), b"u=2&u=3");
        assert_eq!((parameters.posted("t"), parameters.posted("u")), (None, Some("3")));
        assert_eq!(parameters.all_posted("u").collect::<Vec<_>>(), ["2", "3"]);
        assert_eq!(parameters.all_queried("g").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(encoded("a b&c=é"), "a%20b%26c%3D%C3%A9");
    }
}
