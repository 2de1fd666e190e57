//! Takes the identity of an account: groups first, then gid, then uid, each checked.
//!
//! The groups are looked up in the parent, since no look-up is safe between fork and exec.
#![expect(unsafe_code, reason = "the calls that change identity for all threads")]

use std::ffi::CString;
use std::fmt;
use std::io;

use crate::domain::spec::User;

/// Everything that makes an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    uid: u32,
    gid: u32,
    groups: Vec<libc::gid_t>,
}

/// A change of identity that failed; the process must not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrivilegeError {
    /// Only root can become somebody else.
    #[error("Can't drop privilege as nonroot user")]
    NotRoot,
    /// A step failed, with this error number.
    #[error("{step}: {name}", name = super::errno::name(*number).unwrap_or("unknown error"))]
    Step {
        /// Which step.
        step: Step,
        /// The error number.
        number: i32,
    },
    /// The calls succeeded, but an id is not what it should be.
    #[error("the identity did not change as asked")]
    Unchanged,
}

/// A step of the change of identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Looking up the groups of the account.
    LookUp,
    /// `setgroups(2)`.
    Groups,
    /// `setgid(2)`.
    Gid,
    /// `setuid(2)`.
    Uid,
}

impl Step {
    /// What could not be done.
    pub const fn words(self) -> &'static str {
        match self {
            Self::LookUp => "could not look up the groups of the account",
            Self::Groups => "could not set groups",
            Self::Gid => "could not set group id",
            Self::Uid => "could not set user id",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl Identity {
    /// Looks up the groups of an account, its primary group first. `None` if we are that user already, so that nothing is
    /// to be done.
    ///
    /// # Errors
    /// [`PrivilegeError::NotRoot`] if this process cannot become somebody else, or why the look-up failed.
    pub fn of(user: &User) -> Result<Option<Self>, PrivilegeError> {
        let current = rustix::process::geteuid();
        if current.as_raw() == user.uid {
            return Ok(None);
        }
        if !current.is_root() {
            return Err(PrivilegeError::NotRoot);
        }
        let groups = groups_of(user).map_err(|number| PrivilegeError::Step { step: Step::LookUp, number })?;
        Ok(Some(Self { uid: user.uid, gid: user.gid, groups }))
    }

    /// Becomes this identity: real, effective and saved ids of all threads, no group and (on Linux) no capability left
    /// of before. Safe between fork and exec.
    ///
    /// # Errors
    /// The first step that failed. The identity is then neither the old nor the new one: end the process.
    pub fn take(&self) -> Result<(), PrivilegeError> {
        // SAFETY: the pointer and the length are those of a live vector that the call only reads.
        let status = unsafe { libc::setgroups(self.groups.len() as _, self.groups.as_ptr()) };
        check(status, Step::Groups)?;
        // SAFETY: takes an integer only.
        check(unsafe { libc::setgid(self.gid) }, Step::Gid)?;
        // SAFETY: takes an integer only.
        check(unsafe { libc::setuid(self.uid) }, Step::Uid)?;
        if self.uid != 0 {
            self.forget_capabilities()?;
            // SAFETY: takes an integer only; that it fails is the point.
            if unsafe { libc::setuid(0) } == 0 {
                return Err(PrivilegeError::Unchanged);
            }
        }
        if self.is_taken() { Ok(()) } else { Err(PrivilegeError::Unchanged) }
    }

    /// What is inheritable is not cleared by setuid(2), and a file capability could bring it back.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn forget_capabilities(&self) -> Result<(), PrivilegeError> {
        use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
        let none = CapabilitySet::empty();
        set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
            .map_err(|error| PrivilegeError::Step { step: Step::Uid, number: error.raw_os_error() })
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "there are none here")]
    fn forget_capabilities(&self) -> Result<(), PrivilegeError> {
        Ok(())
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "openbsd"))]
    fn is_taken(&self) -> bool {
        let (mut users, mut groups) = ([0; 3], [0; 3]);
        let ([a, b, c], [d, e, f]) = (&mut users, &mut groups);
        // SAFETY: each pointer is to a live integer of the right type.
        let asked = unsafe { (libc::getresuid(a, b, c), libc::getresgid(d, e, f)) };
        asked == (0, 0) && users == [self.uid; 3] && groups == [self.gid; 3]
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "openbsd")))]
    fn is_taken(&self) -> bool {
        use rustix::process::{getegid, geteuid, getgid, getuid};
        [getuid(), geteuid()].iter().all(|id| id.as_raw() == self.uid)
            && [getgid(), getegid()].iter().all(|id| id.as_raw() == self.gid)
    }
}

fn check(status: libc::c_int, step: Step) -> Result<(), PrivilegeError> {
    if status == 0 {
        return Ok(());
    }
    let number = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    Err(PrivilegeError::Step { step, number })
}

#[cfg(not(target_vendor = "apple"))]
fn groups_of(user: &User) -> Result<Vec<libc::gid_t>, i32> {
    let name = CString::new(user.name.as_str()).map_err(|_| libc::EINVAL)?;
    let groups =
        nix::unistd::getgrouplist(&name, nix::unistd::Gid::from_raw(user.gid)).map_err(|errno| errno as i32)?;
    Ok(primary_first(user.gid, groups.iter().map(|group| group.as_raw())))
}

#[cfg(target_vendor = "apple")]
fn groups_of(user: &User) -> Result<Vec<libc::gid_t>, i32> {
    const MOST: usize = 16;
    let name = CString::new(user.name.as_str()).map_err(|_| libc::EINVAL)?;
    let mut groups = [0; MOST];
    let mut count = MOST as libc::c_int;
    // SAFETY: the array has room for `count` entries, and the call writes no more; what does not fit is cut off.
    unsafe { libc::getgrouplist(name.as_ptr(), user.gid as _, groups.as_mut_ptr(), &raw mut count) };
    let count = usize::try_from(count).unwrap_or(0).min(MOST);
    Ok(primary_first(user.gid, groups[..count].iter().map(|group| *group as libc::gid_t)))
}

fn primary_first(primary: u32, groups: impl Iterator<Item = libc::gid_t>) -> Vec<libc::gid_t> {
    std::iter::once(primary).chain(groups.filter(|group| *group != primary)).collect()
}

/// Makes this process that user, for good (Supervisor 4.3: `user` of `[supervisord]`). True if anything was to be done.
///
/// # Errors
/// See [`Identity::of`] and [`Identity::take`].
pub fn drop_to(user: &User) -> Result<bool, PrivilegeError> {
    match Identity::of(user)? {
        None => Ok(false),
        Some(identity) => identity.take().map(|()| true),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::sys::alone;

    fn account(name: &str) -> User {
        let user = nix::unistd::User::from_name(name).unwrap().unwrap();
        User { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }
    }

    #[test]
    fn nothing_of_root_is_left() {
        if alone::is_root() {
            alone::run("sys::privilege::tests::in_a_process", &[]);
        }
    }

    #[test]
    #[ignore = "run by nothing_of_root_is_left"]
    fn in_a_process() {
        let (nobody, root) = (account("nobody"), account("root"));
        assert!(!drop_to(&root).unwrap());
        assert!(drop_to(&nobody).unwrap());
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        let four = |id: u32| [id.to_string().as_str(); 4].join("\t");
        assert_eq!((field("Uid:"), field("Gid:")), (four(nobody.uid), four(nobody.gid)));
        assert!(field("Groups:").split_whitespace().all(|group| group != "0"), "{}", field("Groups:"));
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(field(set), "0000000000000000", "{set}");
        }
        assert_eq!(drop_to(&root), Err(PrivilegeError::NotRoot));
        assert_eq!(drop_to(&root).unwrap_err().to_string(), "Can't drop privilege as nonroot user");
    }
}
