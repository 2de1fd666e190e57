//! The token that every form carries: whoever posts one has been shown our page.
//!
//! A keyed hash over the listener and the user; the key is drawn anew for each life of the daemon. So there are no
//! sessions to keep, and a page of a former life is noticed.

use std::io;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use supervisor_core::rpc::Caller;

/// Makes and checks tokens.
pub(super) struct Tokens {
    key: [u8; 32],
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// With a key of their own.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub(super) fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { key })
    }

    fn mac(&self, caller: &Caller) -> Hmac<Sha1> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.key).unwrap_or_else(|_| Hmac::new(&Default::default()));
        // The length in front keeps listener and user apart.
        mac.update(&caller.listener.len().to_be_bytes());
        mac.update(caller.listener.as_bytes());
        match &caller.user {
            None => mac.update(&[0]),
            Some(user) => {
                mac.update(&[1]);
                mac.update(user.as_bytes());
            }
        }
        mac
    }

    /// The token of whoever asks.
    pub(super) fn of(&self, caller: &Caller) -> String {
        self.mac(caller).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// True if this is the token of whoever asks; takes the same time for every wrong one.
    pub(super) fn is_of(&self, caller: &Caller, token: &str) -> bool {
        bytes(token).is_some_and(|bytes| self.mac(caller).verify_slice(&bytes).is_ok())
    }
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hexadecimal.chars().map(|digit| digit.to_digit(16)).collect();
    digits?.chunks(2).map(|pair| u8::try_from(pair.first()? * 16 + pair.get(1)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn caller(listener: &str, user: Option<&str>) -> Caller {
        Caller { listener: listener.to_owned(), user: user.map(str::to_owned), ..Caller::default() }
    }

    #[test]
    fn a_token_is_for_one_listener_one_user_and_one_life() {
        let tokens = Tokens::new().unwrap();
        let ann = caller("inet_http_server", Some("ann"));
        let token = tokens.of(&ann);
        assert!(tokens.is_of(&ann, &token) && tokens.is_of(&ann, &token.to_uppercase()));
        for other in [
            caller("inet_http_server", Some("bob")),
            caller("inet_http_server", None),
            caller("inet_http_server", Some("")),
            caller("inet_http_servera", Some("nn")),
            caller("unix_http_server", Some("ann")),
        ] {
            assert!(!tokens.is_of(&other, &token), "{other:?}");
        }
        assert!(!Tokens::new().unwrap().is_of(&ann, &token));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let (tokens, nobody) = (Tokens::new().unwrap(), caller("", None));
        let token = tokens.of(&nobody);
        for wrong in ["", "0", "zz", "é", &token[1..], &token[2..], &format!("{token}00")] {
            assert!(!tokens.is_of(&nobody, wrong), "{wrong}");
        }
    }
}
