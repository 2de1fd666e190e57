//! Symbolic names of error numbers (`errno(3)`), as the messages of Supervisor show them.

use std::io;

macro_rules! names {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

/// Of the numbers that have two names, the one that Supervisor 4.3 shows.
const NAMES: &[(i32, &str)] = names! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV
    ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE
    EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM EPROTO EBADMSG EOVERFLOW EILSEQ EUSERS ENOTSOCK
    EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT ENOTSUP EPFNOSUPPORT EAFNOSUPPORT
    EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN
    ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EREMOTE EDQUOT ECANCELED
    EOWNERDEAD ENOTRECOVERABLE
};

/// More numbers that a system call on files and programs can give here.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MORE_NAMES: &[(i32, &str)] = names! { ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC ENOMEDIUM EMEDIUMTYPE ENOKEY EKEYREJECTED EUCLEAN EREMOTEIO ENOLINK };
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const MORE_NAMES: &[(i32, &str)] = &[];

/// The name of an error number, such as `ENOENT`. Safe between fork and exec.
pub fn name(number: i32) -> Option<&'static str> {
    NAMES.iter().chain(MORE_NAMES).find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The name of an error where it has one, else its number, else what it says.
pub fn describe(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => name(number).map_or_else(|| format!("errno {number}"), str::to_owned),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_names_of_the_manual() {
        let table = [
            (io::Error::from_raw_os_error(libc::ENOENT), "ENOENT"),
            (io::Error::from_raw_os_error(libc::EWOULDBLOCK), "EAGAIN"),
            (io::Error::from_raw_os_error(libc::ENOTSUP), "ENOTSUP"),
            (io::Error::from_raw_os_error(99_999), "errno 99999"),
            (io::Error::other("odd"), "odd"),
        ];
        for (error, words) in table {
            assert_eq!(describe(&error), words);
        }
    }
}
