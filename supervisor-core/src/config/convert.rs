//! Texts to values: every type of value that the sections know, with Supervisor's words for what does not fit.
//!
//! Works on expanded texts. What has to be looked up (accounts, directories) is asked of the [`Host`].

use std::path::{Component, Path, PathBuf};

use crate::domain::host::Host;
use crate::domain::level::Level;
use crate::domain::signal::Signal;
use crate::domain::spec::{Autorestart, BufferOverflow, Owner, SocketAddress, User};

use super::python::{integer as int, is_space, repr, strip};

/// Why a text is no value of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says it")]
pub enum ValueError {
    #[error("invalid literal for int() with base 10: {}", repr(.0))]
    Integer(String),
    #[error("not a valid boolean value: {}", repr(.0))]
    Boolean(String),
    #[error("{0} can not be converted to an octal type")]
    Octal(String),
    #[error("{0} is not an existing directory")]
    Directory(String),
    #[error("The directory named as part of the path {0} does not exist")]
    Parent(String),
    #[error("bad logging level name {}", repr(.0))]
    Level(String),
    #[error("value {} is not a valid signal name", repr(.0))]
    SignalName(String),
    #[error("value {} is not a valid signal number", repr(.0))]
    SignalNumber(String),
    #[error("not a valid list of exit codes: {}", repr(.0))]
    ExitCodes(String),
    #[error("invalid 'autorestart' value {}", repr(.0))]
    Autorestart(String),
    #[error("Invalid user name {0}")]
    UserName(String),
    #[error("Invalid user id {0}")]
    UserId(String),
    /// An owner; `what` is `sockchown`, `chmod`, `socket_owner`, `socket_mode` or `socket_backlog`.
    #[error("Invalid {what} value {value}")]
    Socket { what: &'static str, value: String },
    #[error("Invalid name: {} because of character: {}", repr(value), repr(&character.to_string()))]
    Name { value: String, character: char },
    #[error("not a valid port number: {} ", repr(.0))]
    Port(String),
    #[error("no port number specified in {}", repr(.0))]
    NoPort(String),
    #[error("{0} is below lower bound (1)")]
    PortTooLow(i64),
    #[error("{0} is above upper bound (65535)")]
    PortTooHigh(i64),
    #[error("Bad socket format {}", repr(.0))]
    SocketFormat(String),
    #[error("Unix socket path {0} is not an absolute path")]
    SocketPath(String),
    #[error("No closing quotation")]
    Quotation,
    #[error("Unexpected end of key/value pairs in value '{0}'")]
    Pairs(String),
    #[error("value {} is not a URL", repr(.0))]
    Url(String),
    /// One of a few words was wanted.
    #[error("invalid {} value {}: {allowed} is wanted", repr(key), repr(value))]
    Choice { key: &'static str, value: String, allowed: &'static str },
}

type Result<T> = std::result::Result<T, ValueError>;

/// A whole number.
pub(crate) fn integer(text: &str) -> Result<i64> {
    int(text, 10).ok_or_else(|| ValueError::Integer(text.to_owned()))
}

/// `yes true on 1` or `no false off 0`, in any case.
pub(crate) fn boolean(text: &str) -> Result<bool> {
    boolean_word(text).ok_or_else(|| ValueError::Boolean(text.to_owned()))
}

fn boolean_word(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Some(true),
        "no" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A number of bytes, possibly with `KB`, `MB` or `GB`.
pub(crate) fn byte_size(text: &str) -> Result<i64> {
    let lower = text.to_lowercase();
    let suffixes = [("kb", 1_i64 << 10), ("mb", 1 << 20), ("gb", 1 << 30)];
    let suffix = suffixes.iter().find_map(|(suffix, factor)| Some((lower.strip_suffix(suffix)?, *factor)));
    let (number, factor) = suffix.unwrap_or((&lower, 1));
    Ok(integer(number)?.saturating_mul(factor))
}

/// A umask in octal digits, as `umask(2)` takes an int: the lowest nine bits count, and -1 masks everything. So does what no
/// int can hold.
pub(crate) fn mask(text: &str) -> Result<u32> {
    let value = int(text, 8).ok_or_else(|| ValueError::Octal(text.to_owned()))?;
    let bits = i32::try_from(value).ok().and_then(|value| u32::try_from(value & 0o777).ok());
    Ok(bits.unwrap_or(0o777))
}

/// A mode in octal digits.
pub(crate) fn octal(text: &str) -> Result<u32> {
    let value = int(text, 8).and_then(|value| u32::try_from(value).ok());
    value.ok_or_else(|| ValueError::Octal(text.to_owned()))
}

/// `~` and `~user` at the beginning replaced, where there is such an account.
pub(crate) fn expand_user(text: &str, host: &dyn Host) -> PathBuf {
    let Some(rest) = text.strip_prefix('~') else { return PathBuf::from(text) };
    let (user, path) = rest.split_once('/').unwrap_or((rest, ""));
    match host.home((!user.is_empty()).then_some(user)) {
        Some(home) => home.join(path.trim_start_matches('/')),
        None => PathBuf::from(text),
    }
}

/// Absolute, with `.` and `..` resolved as text: links are not looked at.
pub(crate) fn absolute(path: &Path, host: &dyn Host) -> PathBuf {
    let mut out = PathBuf::from("/");
    for component in host.current_directory().join(path).components() {
        match component {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    out
}

/// A directory that exists.
pub(crate) fn existing_directory(text: &str, host: &dyn Host) -> Result<PathBuf> {
    let path = expand_user(text, host);
    if host.is_directory(&path) { Ok(path) } else { Err(ValueError::Directory(text.to_owned())) }
}

/// A path whose parent exists; a bare name is taken as it is.
pub(crate) fn path_with_parent(text: &str, host: &dyn Host) -> Result<PathBuf> {
    let path = expand_user(text, host);
    // By the last slash, as `dirname` does: `/x/y/` names something in `/x/y`.
    let parent = path.to_str().and_then(|path| path.rsplit_once('/')).map(|(parent, _)| parent.to_owned());
    match parent.as_deref() {
        None => Ok(path),
        Some("") => Ok(path),
        Some(parent) if host.is_directory(Path::new(parent)) => Ok(path),
        Some(_) => Err(ValueError::Parent(text.to_owned())),
    }
}

/// A level of the activity log.
pub(crate) fn level(text: &str) -> Result<Level> {
    Level::from_name(text).ok_or_else(|| ValueError::Level(text.to_owned()))
}

/// A signal by name or number.
pub(crate) fn signal(text: &str) -> Result<Signal> {
    let found = match int(text, 10) {
        Some(number) => i32::try_from(number).ok().and_then(Signal::from_number),
        None => Signal::parse(text),
    };
    found.ok_or_else(|| match int(text, 10) {
        Some(_) => ValueError::SignalNumber(text.to_owned()),
        None => ValueError::SignalName(text.to_owned()),
    })
}

/// A list split at commas, each part stripped; an empty text is an empty list.
pub(crate) fn list(text: &str) -> Vec<&str> {
    if text.is_empty() { Vec::new() } else { text.split(',').map(strip).collect() }
}

/// Exit statuses from 0 to 255.
pub(crate) fn exit_codes(text: &str) -> Result<Vec<i32>> {
    let code = |part: &str| int(part, 10).and_then(|code| u8::try_from(code).ok()).map(i32::from);
    let codes: Option<Vec<i32>> = list(text).into_iter().map(code).collect();
    codes.ok_or_else(|| ValueError::ExitCodes(text.to_owned()))
}

/// A boolean, or `unexpected`.
pub(crate) fn autorestart(text: &str) -> Result<Autorestart> {
    let lower = text.to_lowercase();
    match boolean_word(&lower) {
        Some(true) => Ok(Autorestart::Always),
        Some(false) => Ok(Autorestart::Never),
        None if lower == "unexpected" => Ok(Autorestart::Unexpected),
        None => Err(ValueError::Autorestart(lower)),
    }
}

/// An account by name or id.
pub(crate) fn user(text: &str, host: &dyn Host) -> Result<User> {
    match int(text, 10) {
        Some(uid) => u32::try_from(uid)
            .ok()
            .and_then(|uid| host.user_by_id(uid))
            .ok_or_else(|| ValueError::UserId(strip(text).to_owned())),
        None => host.user_by_name(text).ok_or_else(|| ValueError::UserName(text.to_owned())),
    }
}

/// `user` or `user:group`; `what` names the key in the message.
pub(crate) fn owner(text: &str, what: &'static str, host: &dyn Host) -> Result<Owner> {
    let found = || {
        let (name, group) = match text.split_once(':') {
            Some((name, group)) => (name, Some(group)),
            None => (text, None),
        };
        let uid = user(name, host).ok()?.uid;
        let gid = match group {
            None => None,
            Some(group) => Some(match int(group, 10) {
                Some(gid) => u32::try_from(gid).ok().filter(|gid| host.group_exists(*gid))?,
                None => host.group_by_name(group)?,
            }),
        };
        Some(Owner { uid, gid })
    };
    found().ok_or_else(|| ValueError::Socket { what, value: text.to_owned() })
}

/// The name of a program, process or group.
pub(crate) fn name(text: &str) -> Result<String> {
    let stripped = strip(text);
    match [' ', ':', '/'].into_iter().find(|character| stripped.contains(*character)) {
        Some(character) => Err(ValueError::Name { value: text.to_owned(), character }),
        None => Ok(stripped.to_owned()),
    }
}

fn port(text: &str) -> Result<u16> {
    match integer(text)? {
        number @ ..1 => Err(ValueError::PortTooLow(number)),
        number => u16::try_from(number).map_err(|_| ValueError::PortTooHigh(number)),
    }
}

/// `host:port`, `*:port`, `:port` or `port`; `None` means every interface.
pub(crate) fn host_and_port(text: &str) -> Result<(Option<String>, u16)> {
    let Some((host, number)) = text.rsplit_once(':') else {
        return Ok((None, port(text).map_err(|_| ValueError::Port(text.to_owned()))?));
    };
    if number.is_empty() {
        return Err(ValueError::NoPort(number.to_owned()));
    }
    let host = (!host.is_empty() && host != "*").then(|| host.to_lowercase());
    Ok((host, port(number)?))
}

/// `tcp://host:port` or `unix:///absolute/path`, with `.` and `..` resolved as text.
pub(crate) fn socket_address(text: &str, host: &dyn Host) -> Result<SocketAddress> {
    let bad = || ValueError::SocketFormat(text.to_owned());
    if let Some(path) = text.strip_prefix("unix://") {
        return if path.starts_with('/') {
            Ok(SocketAddress::Unix(absolute(Path::new(path), host)))
        } else {
            Err(ValueError::SocketPath(path.to_owned()))
        };
    }
    let (name, number) = text.strip_prefix("tcp://").and_then(|rest| rest.split_once(':')).ok_or_else(bad)?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if name.is_empty() || name.contains(is_space) || !digits {
        return Err(bad());
    }
    Ok(SocketAddress::Tcp { host: name.to_lowercase(), port: port(number)? })
}

/// A backlog from 1 to 65535.
pub(crate) fn backlog(text: &str) -> Result<u16> {
    let number = integer(text)?;
    let in_range = u16::try_from(number).ok().filter(|number| *number > 0);
    in_range.ok_or_else(|| ValueError::Socket { what: "socket_backlog", value: text.to_owned() })
}

/// The mode of a socket file; `what` names the key in the message.
pub(crate) fn socket_mode(text: &str, what: &'static str) -> Result<u32> {
    octal(text).map_err(|_| ValueError::Socket { what, value: text.to_owned() })
}

/// What `stdout_logfile` or `stderr_logfile` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogTarget {
    Auto,
    None,
    Empty,
    Syslog,
    Path(PathBuf),
}

/// The value of a program's log file key.
pub(crate) fn log_target(text: &str, host: &dyn Host) -> Result<LogTarget> {
    match text.to_lowercase().as_str() {
        "auto" => Ok(LogTarget::Auto),
        "none" | "off" => Ok(LogTarget::None),
        "" => Ok(LogTarget::Empty),
        "syslog" => Ok(LogTarget::Syslog),
        _ => path_with_parent(text, host).map(LogTarget::Path),
    }
}

/// The URL of a server, as it may stand on the client's command line.
pub(crate) fn server_url(text: &str) -> Result<String> {
    if is_url(text) { Ok(text.to_owned()) } else { Err(ValueError::Url(text.to_owned())) }
}

/// True for `SCHEME:` with something behind it; whether anybody can connect there shows later.
pub fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_is_good = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    scheme_is_good && !rest.is_empty() && !rest.starts_with(['?', '#'])
}

/// The URL with the path of `unix://` made absolute; others as they are.
pub(crate) fn unix_url(text: &str, host: &dyn Host) -> String {
    match text.strip_prefix("unix://") {
        Some(path) => format!("unix://{}", absolute(&expand_user(strip(path), host), host).display()),
        None => text.to_owned(),
    }
}

/// What happens to an event when the buffer of its pool is full.
pub(crate) fn buffer_overflow(text: &str) -> Result<BufferOverflow> {
    let lower = text.to_lowercase();
    let grown = lower.strip_prefix("grow:").and_then(|limit| int(limit, 10));
    match (lower.as_str(), grown) {
        ("drop_oldest", _) => Ok(BufferOverflow::DropOldest),
        ("drop_newest", _) => Ok(BufferOverflow::DropNewest),
        (_, Some(limit @ 1..)) if usize::try_from(limit).is_ok() => {
            Ok(BufferOverflow::Grow(usize::try_from(limit).unwrap_or(usize::MAX)))
        }
        _ => {
            let allowed = "drop_oldest, drop_newest or grow:N with N of at least 1";
            Err(ValueError::Choice { key: "buffer_overflow", value: text.to_owned(), allowed })
        }
    }
}

/// Origins such as `https://example.org:8080`, in lower case.
pub(crate) fn origins(text: &str) -> Result<Vec<String>> {
    let origin = |part: &&str| {
        let lower = part.to_lowercase();
        let host = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
        host.is_some_and(is_host).then_some(lower)
    };
    parts(text, origin, "allowed_origins", "a list of http://host[:port] or https://host[:port]")
}

/// Host names, possibly with a port, in lower case.
pub(crate) fn hosts(text: &str) -> Result<Vec<String>> {
    let host = |part: &&str| is_host(part).then(|| part.to_lowercase());
    parts(text, host, "allowed_hosts", "a list of host[:port]")
}

fn parts(
    text: &str,
    convert: impl Fn(&&str) -> Option<String>,
    key: &'static str,
    allowed: &'static str,
) -> Result<Vec<String>> {
    let one = |part: &str| convert(&part).ok_or_else(|| ValueError::Choice { key, value: part.to_owned(), allowed });
    // A comma at the end is not taken for an empty name.
    list(text).into_iter().filter(|part| !part.is_empty()).map(one).collect()
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'))
}

#[cfg(test)]
mod tests;
