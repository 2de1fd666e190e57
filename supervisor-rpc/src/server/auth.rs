//! Who may come in: HTTP Basic credentials of one listener.
//!
//! Malformed credentials are simply wrong. Nothing here is ever logged or shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;
use supervisor_core::domain::server::Credentials;

use super::password::{Password, digest};

/// Compares the credentials of requests with those of one listener, in a time that does not depend on what is right.
pub struct Guard {
    username: String,
    /// `None`: a hash that cannot be read, which no password matches.
    password: Option<Password>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

impl Guard {
    /// A guard for these credentials; `None` if they ask for nothing (no user name). A password that
    /// [`check_password`](super::check_password) refuses lets nobody in.
    pub fn new(credentials: &Credentials) -> Option<Self> {
        let username = credentials.username.clone();
        (!username.is_empty()).then(|| Self { username, password: Password::read(&credentials.password).ok() })
    }

    /// The user who sent this `Authorization` header, if it is the right one with the right password. A strong hash is
    /// computed for the first request only, on a thread that may take its time.
    pub async fn admit(&self, authorization: Option<&[u8]>) -> Option<&str> {
        let (username, given) = read_basic(authorization?)?;
        let user = digest(&[], &username).ct_eq(&digest(&[], &self.username));
        let password = match &self.password {
            Some(password) => password.matches(&given).await,
            None => false,
        };
        (bool::from(user) && password).then_some(&*self.username)
    }
}

/// User and password of a `Basic` header: the scheme in any case, split at the first colon.
pub(super) fn read_basic(header: &[u8]) -> Option<(String, String)> {
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

    use super::super::password::hash_password;
    use super::*;

    fn guard(username: &str, password: &str) -> Option<Guard> {
        Guard::new(&Credentials { username: username.to_owned(), password: password.to_owned() })
    }

    fn admits(guard: &Guard, header: Option<&[u8]>) -> bool {
        async_std::task::block_on(guard.admit(header)).is_some()
    }

    fn basic(pair: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(pair)).into_bytes()
    }

    #[test]
    fn right_and_wrong() {
        let sha = "906072001efddf3e11e6d2b5782f4777fe038739";
        let strong = hash_password("geheim").unwrap();
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
            (&strong, "user:geheim", true),
            (&strong, "User:geheim", false),
            (&strong, "user:Geheim", false),
            (&strong, &format!("user:{strong}"), false),
            ("{ARGON2}broken", "user:{ARGON2}broken", false),
            ("{ARGON2}broken", "user:broken", false),
        ];
        for (password, pair, expected) in table {
            let guard = guard("user", password).unwrap();
            assert_eq!(admits(&guard, Some(&basic(pair))), expected, "{password} {pair}");
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
            assert_eq!(admits(&guard, Some(header.as_bytes())), expected, "{header}");
        }
        assert!(!admits(&guard, None));
        assert!(!admits(&guard, Some(b"Basic \xff\xfe")));
        assert!(!admits(&guard, Some(format!("Basic {}", STANDARD.encode(b"\xff:\xfe")).as_bytes())));
    }

    #[test]
    fn no_user_name_asks_for_nothing_and_nothing_is_shown() {
        assert!(guard("", "x").is_none());
        assert!(!format!("{:?}", guard("user", "secret").unwrap()).contains("secret"));
    }
}
