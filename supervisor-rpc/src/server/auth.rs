//! Who may come in: HTTP Basic credentials of one listener.
//!
//! Malformed credentials are simply wrong. Nothing here is ever logged or shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use subtle::{Choice, ConstantTimeEq as _};
use supervisor_core::domain::server::Credentials;

/// Compares the credentials of requests with those of one listener, in a time that does not depend on what is right.
pub struct Guard {
    username: String,
    secret: Secret,
}

/// How the password is kept. A new scheme is a variant and its prefix.
enum Secret {
    /// As it is; compared by digest, so that not even its length shows.
    Plain([u8; 20]),
    /// `{SHA}`: lower-case hexadecimal SHA-1.
    Sha(String),
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

impl Secret {
    fn read(password: &str) -> Self {
        match password.strip_prefix("{SHA}") {
            Some(hash) => Self::Sha(hash.to_owned()),
            None => Self::Plain(Sha1::digest(password).into()),
        }
    }

    fn matches(&self, password: &str) -> Choice {
        let digest: [u8; 20] = Sha1::digest(password).into();
        match self {
            Self::Plain(expected) => expected.ct_eq(&digest),
            Self::Sha(expected) => expected.as_bytes().ct_eq(hexadecimal(&digest).as_bytes()),
        }
    }
}

impl Guard {
    /// A guard for these credentials; `None` if they ask for nothing (no user name).
    pub fn new(credentials: &Credentials) -> Option<Self> {
        let username = credentials.username.clone();
        (!username.is_empty()).then(|| Self { username, secret: Secret::read(&credentials.password) })
    }

    /// The user who sent this `Authorization` header, if it is the right one with the right password.
    pub fn admit(&self, authorization: Option<&[u8]>) -> Option<&str> {
        let (username, password) = read_basic(authorization?)?;
        let user: Choice = digest(&username).ct_eq(&digest(&self.username));
        bool::from(user & self.secret.matches(&password)).then_some(&*self.username)
    }
}

fn digest(text: &str) -> [u8; 20] {
    Sha1::digest(text).into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// User and password of a `Basic` header: the scheme in any case, split at the first colon.
fn read_basic(header: &[u8]) -> Option<(String, String)> {
    let (scheme, rest) = header.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case(b"basic") || !rest.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest.trim_ascii()).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn guard(username: &str, password: &str) -> Option<Guard> {
        Guard::new(&Credentials { username: username.to_owned(), password: password.to_owned() })
    }

    fn basic(pair: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(pair)).into_bytes()
    }

    #[test]
    fn right_and_wrong() {
        let sha = hexadecimal(&digest("geheim"));
        let sha_password = format!("{{SHA}}{sha}");
        let table = [
            ("pa:ss", "user:pa:ss", true),
            ("pa:ss", "user:pa", false),
            ("pa:ss", "User:pa:ss", false),
            ("pa:ss", "user:PA:SS", false),
            ("pa:ss", "user:pa:ss ", false),
            ("pa:ss", ":", false),
            ("pa:ss", "user:", false),
            ("pässword", "user:pässword", true),
            (&sha_password, "user:geheim", true),
            (&sha_password, "user:Geheim", false),
            (&sha_password, &format!("user:{sha}"), false),
            (&sha_password, &format!("user:{sha_password}"), false),
            ("", "user:", true),
            ("", "user:x", false),
        ];
        for (password, pair, expected) in table {
            let guard = guard("user", password).unwrap();
            assert_eq!(guard.admit(Some(&basic(pair))).is_some(), expected, "{password} {pair}");
        }
    }

    #[test]
    fn malformed_is_wrong() {
        let guard = guard("user", "pass").unwrap();
        let token = STANDARD.encode("user:pass");
        for (header, expected) in [
            (format!("Basic {token}"), true),
            (format!("BASIC   {token} "), true),
            (format!("basic\t{token}"), true),
            (format!("Basic{token}"), false),
            (format!("Digest {token}"), false),
            (format!("Bearer {token}"), false),
            ("Basic".to_owned(), false),
            ("Basic ".to_owned(), false),
            ("Basic ####".to_owned(), false),
            ("Basic dXNlcg==".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(guard.admit(Some(header.as_bytes())).is_some(), expected, "{header}");
        }
        assert!(guard.admit(None).is_none());
        assert!(guard.admit(Some(b"Basic \xff\xfe")).is_none());
        assert!(guard.admit(Some(format!("Basic {}", STANDARD.encode(b"\xff:\xfe")).as_bytes())).is_none());
    }

    #[test]
    fn no_user_name_asks_for_nothing_and_nothing_is_shown() {
        assert!(guard("", "x").is_none());
        assert!(!format!("{:?}", guard("user", "secret").unwrap()).contains("secret"));
    }
}
