//! How the password of a listener is kept, and how one that a client sends is compared with it.
//!
//! A hash that is slow on purpose is computed on a thread of its own, one at a time for each listener; the password that
//! was right last is remembered as a keyed digest, so that the next request costs microseconds. A new scheme is a variant
//! of `Kept` and its prefix. Nothing here is ever logged or shown.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, try_generate_salt};
use argon2::{Argon2, Params};
use async_channel::{Receiver, Sender};
use blake2::{Blake2b512, Digest as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

const SHA: &str = "{SHA}";
const ARGON2: &str = "{ARGON2}";

/// What one comparison may cost: more memory (in KiB) or rounds than this would let strangers keep the daemon busy.
const MAX_MEMORY: u32 = 256 * 1024;
const MAX_ROUNDS: u32 = 64;

/// Why a password of a configuration cannot be used. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The text behind `{ARGON2}`.
    #[error("what follows {{ARGON2}} is not a hash of the form $argon2id$v=19$m=…,t=…,p=…$SALT$HASH")]
    NotArgon2,
    /// Its parameters.
    #[error("the Argon2 hash asks for more than {MAX_MEMORY} KiB of memory or {MAX_ROUNDS} rounds")]
    TooCostly,
    /// The system has no randomness to give.
    #[error("no random numbers are to be had")]
    NoRandomness,
}

/// Says whether `password` of a server's section can be used: a text as it is, `{SHA}` and a hash, `{ARGON2}` and a hash.
///
/// # Errors
/// [`PasswordError`]
pub fn check_password(password: &str) -> Result<(), PasswordError> {
    Password::read(password).map(drop)
}

/// The text for `password` that stands for this one: `{ARGON2}` and a hash with a random salt. Takes a good moment.
///
/// # Errors
/// [`PasswordError::NoRandomness`]
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| PasswordError::NoRandomness)?;
    Ok(format!("{ARGON2}{hash}"))
}

/// The password of one listener.
pub(super) struct Password(Kept);

enum Kept {
    /// As it is; compared by digest, so that not even its length shows.
    Plain([u8; 64]),
    /// `{SHA}`: lower-case hexadecimal SHA-1 (Supervisor 4.3).
    Sha(String),
    /// `{ARGON2}`: a hash in PHC form.
    Argon2(Arc<Slow>),
}

/// A hash that takes its time.
struct Slow {
    hash: PasswordHash,
    key: [u8; 16],
    /// The keyed digest of the right password, once somebody has given it.
    right: Mutex<Option<[u8; 64]>>,
    /// Holds one token while a hash is computed.
    gate: (Sender<()>, Receiver<()>),
}

impl Password {
    pub(super) fn read(password: &str) -> Result<Self, PasswordError> {
        Ok(Self(if let Some(hash) = password.strip_prefix(SHA) {
            Kept::Sha(hash.to_owned())
        } else if let Some(hash) = password.strip_prefix(ARGON2) {
            Kept::Argon2(Arc::new(Slow::read(hash)?))
        } else {
            Kept::Plain(digest(&[], password))
        }))
    }

    /// True if this is the password, in a time that does not depend on how much of it is right.
    pub(super) async fn matches(&self, given: &str) -> bool {
        match &self.0 {
            Kept::Plain(expected) => expected.ct_eq(&digest(&[], given)).into(),
            Kept::Sha(expected) => expected.as_bytes().ct_eq(hexadecimal(&Sha1::digest(given)).as_bytes()).into(),
            Kept::Argon2(slow) => slow.matches(given).await,
        }
    }
}

impl Slow {
    fn read(text: &str) -> Result<Self, PasswordError> {
        let hash = PasswordHash::new(text).map_err(|_| PasswordError::NotArgon2)?;
        let params = Params::try_from(&hash).map_err(|_| PasswordError::NotArgon2)?;
        let named = ["argon2id", "argon2i", "argon2d"].contains(&hash.algorithm.as_str());
        if !named || hash.salt.is_none() || hash.hash.is_none() {
            return Err(PasswordError::NotArgon2);
        }
        if params.m_cost() > MAX_MEMORY || params.t_cost() > MAX_ROUNDS {
            return Err(PasswordError::TooCostly);
        }
        let key = try_generate_salt().map_err(|_| PasswordError::NoRandomness)?;
        Ok(Self { hash, key, right: Mutex::default(), gate: async_channel::bounded(1) })
    }

    async fn matches(self: &Arc<Self>, given: &str) -> bool {
        let digest = digest(&self.key, given);
        if self.remembers(&digest) {
            return true;
        }
        // We hold both ends, so that the gate is never closed.
        let _ = self.gate.0.send(()).await;
        let (this, given) = (Arc::clone(self), given.to_owned());
        // Runs to its end, and opens the gate, also when the client goes away meanwhile.
        supervisor_core::offload::unblock(move || {
            // Somebody before us may have shown it.
            let right =
                this.remembers(&digest) || Argon2::default().verify_password(given.as_bytes(), &this.hash).is_ok();
            if right {
                *this.right.lock().unwrap_or_else(PoisonError::into_inner) = Some(digest);
            }
            let _ = this.gate.1.try_recv();
            right
        })
        .await
    }

    fn remembers(&self, digest: &[u8; 64]) -> bool {
        let right = *self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.is_some_and(|right| right.ct_eq(digest).into())
    }
}

/// The digest of a text, which nobody can compare with others who does not know the key.
pub(super) fn digest(key: &[u8], text: &str) -> [u8; 64] {
    Blake2b512::new().chain_update(key).chain_update(text).finalize().into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Instant;

    use async_std::task;

    use super::*;

    #[test]
    fn a_strong_hash_is_slow_once() {
        let text = hash_password("geheim").unwrap();
        assert!(text.starts_with("{ARGON2}$argon2id$v=19$"), "{text}");
        assert_ne!(text, hash_password("geheim").unwrap(), "the salt is random");
        let password = Password::read(&text).unwrap();
        let timed = |given| {
            let began = Instant::now();
            (task::block_on(password.matches(given)), began.elapsed())
        };
        let (right, first) = timed("geheim");
        assert!(right);
        let quickest = (0..5).map(|_| timed("geheim")).inspect(|(right, _)| assert!(right)).map(|(_, time)| time).min();
        assert!(quickest.unwrap() * 10 < first, "{quickest:?} {first:?}");
        for wrong in ["", "Geheim", "geheim ", &text] {
            assert!(!timed(wrong).0, "{wrong}");
        }
        assert!(timed("geheim").0, "wrong ones change nothing");
    }

    #[test]
    fn many_at_once_wait_for_one_another() {
        let password = Password::read(&hash_password("geheim").unwrap()).unwrap();
        let all = (0..12).map(|number| password.matches(if number % 3 == 0 { "geheim" } else { "wrong" }));
        let right: Vec<bool> = task::block_on(async {
            let mut right = Vec::new();
            for one in all.collect::<Vec<_>>() {
                right.push(one.await);
            }
            right
        });
        assert_eq!(right.iter().filter(|right| **right).count(), 4);
    }

    #[test]
    fn a_client_that_goes_away_leaves_the_gate_open() {
        let password = Password::read(&hash_password("geheim").unwrap()).unwrap();
        task::block_on(async {
            for _ in 0..3 {
                // Begins, and is dropped before the end.
                assert_eq!(futures_lite::future::poll_once(Box::pin(password.matches("wrong"))).await, None);
            }
            assert!(password.matches("geheim").await);
        });
    }

    #[test]
    fn hashes_that_are_none_are_refused() {
        let good = hash_password("x").unwrap();
        let table = [
            ("plain", Ok(())),
            ("", Ok(())),
            ("{SHA}whatever", Ok(())),
            ("{OTHER}whatever", Ok(())),
            (&*good, Ok(())),
            ("{ARGON2}", Err(PasswordError::NotArgon2)),
            ("{ARGON2}geheim", Err(PasswordError::NotArgon2)),
            ("{ARGON2}$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ", Err(PasswordError::NotArgon2)),
            ("{ARGON2}$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", Err(PasswordError::NotArgon2)),
            ("{ARGON2}$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", Err(PasswordError::TooCostly)),
        ];
        for (text, expected) in table {
            assert_eq!(check_password(text), expected, "{text}");
        }
        assert_eq!(check_password(good.trim_end_matches(|c| c != '$')), Err(PasswordError::NotArgon2));
    }
}
