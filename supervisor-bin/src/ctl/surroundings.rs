//! Why there is no server where one was looked for: what is there instead, and what a person can do about it.
//!
//! [`look`] sees, [`advice`] decides what is said of it. All of it is for standard error; what scripts read stays as it is.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use supervisor_core::domain::host::Host as _;
use supervisor_core::sys::host::SystemHost;

use super::connection::ClientError;

/// The name of the daemon's program, for those who look for it.
const DAEMON: &str = "supervisord";

/// How many daemons are named.
const NAMED: usize = 5;

/// What there is to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Surroundings {
    /// What is at the path of a `unix://` URL; `None` for other URLs.
    pub(super) socket: Option<Socket>,
    /// True if a daemon that is seen could be the one that is meant: the URL is of this machine.
    pub(super) is_local: bool,
    /// The daemons that run on this machine, with their users.
    pub(super) daemons: Vec<(u32, String)>,
    /// Who asks.
    pub(super) user: String,
}

/// What is at the path of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) path: PathBuf,
    pub(super) file: SocketFile,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SocketFile {
    /// Nothing; says whether the directory at least is there.
    Missing { directory_exists: bool },
    /// It may not even be looked at.
    Hidden,
    /// A file.
    There { owner: String, mode: u32, is_socket: bool },
}

/// Looks around, without connecting to anything.
pub(super) fn look(url: &str) -> Surroundings {
    // A path on the command line may be relative; where it leads to is to be seen.
    let path = url.strip_prefix("unix://").map(|path| std::path::absolute(path).unwrap_or_else(|_| path.into()));
    let socket = path.map(|path| look_at(&path));
    let host = url.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let is_local = socket.is_some() || ["localhost", "127.", "[::1]"].iter().any(|own| host.starts_with(own));
    let user = user_name(rustix::process::geteuid().as_raw());
    Surroundings { socket, is_local, daemons: daemons(Path::new("/proc")).unwrap_or_default(), user }
}

fn look_at(path: &Path) -> Socket {
    let file = match std::fs::metadata(path) {
        Ok(metadata) => SocketFile::There {
            owner: user_name(metadata.uid()),
            mode: metadata.mode() & 0o7777,
            is_socket: metadata.file_type().is_socket(),
        },
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => SocketFile::Hidden,
        Err(_) => SocketFile::Missing { directory_exists: path.parent().is_some_and(Path::is_dir) },
    };
    Socket { path: path.to_owned(), file }
}

fn user_name(uid: u32) -> String {
    SystemHost.user_by_id(uid).map_or_else(|| uid.to_string(), |user| user.name)
}

/// The processes that are called as the daemon is (`proc(5)`: `comm`); none where there is no such file system.
fn daemons(proc: &Path) -> io::Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(proc)?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if name.trim_end() == DAEMON {
            let uid = entry.metadata().as_ref().map_or(0, Metadata::uid);
            found.push((pid, user_name(uid)));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The lines about an error; none for one that has nothing to do with where the server was looked for.
pub(super) fn advice(error: &ClientError, url: &str, file: Option<&Path>, found: &Surroundings) -> Vec<String> {
    let what_to_do = match error {
        ClientError::NoSuchSocket | ClientError::Refused => start_or_name(file, found),
        ClientError::PermissionDenied => as_the_owner(file, found),
        ClientError::Unauthorised => {
            let command = command("supervisorctl", file);
            format!("Try: {command} -u NAME -p PASSWORD, or set username and password in [supervisorctl].")
        }
        ClientError::UnsupportedScheme => return vec!["A serverurl begins with http:// or unix://.".to_owned()],
        ClientError::InvalidUrl(_) => return vec!["Check the serverurl of [supervisorctl] or -s.".to_owned()],
        ClientError::NotASupervisor(_) | ClientError::UnknownHost => {
            "Check the serverurl of [supervisorctl] or -s.".to_owned()
        }
        ClientError::TimedOut(_) => {
            "supervisord may be stopped or overloaded: look at its process and its log.".to_owned()
        }
        ClientError::Fault(_) | ClientError::Http { .. } | ClientError::Io(_) => return Vec::new(),
    };
    let configuration = match file {
        Some(file) => format!("Configuration file: {}", file.display()),
        None => "Configuration file: none was found, so the defaults hold; name one with -c FILE".to_owned(),
    };
    let mut lines = vec![configuration, place(error, url, found)];
    if found.is_local && !matches!(error, ClientError::Unauthorised) {
        lines.push(running(&found.daemons));
    }
    lines.push(what_to_do);
    lines
}

/// What was tried, and what is there.
fn place(error: &ClientError, url: &str, found: &Surroundings) -> String {
    let Some(Socket { path, file }) = &found.socket else {
        let there = match error {
            ClientError::Refused => ": nobody listens there",
            _ => "",
        };
        return format!("Server: {url}{there}");
    };
    let path = path.display();
    match file {
        SocketFile::Missing { directory_exists: true } => format!("Socket: {path} does not exist"),
        SocketFile::Missing { directory_exists: false } => {
            format!("Socket: {path} does not exist, nor does its directory")
        }
        SocketFile::Hidden => format!("Socket: {path} cannot be looked at by user {}", found.user),
        SocketFile::There { owner, is_socket: false, .. } => format!("Socket: {path} is no socket (owner {owner})"),
        SocketFile::There { owner, mode, .. } => {
            let listener = match error {
                ClientError::Refused => ", but nobody listens on it: it was left behind",
                _ => "",
            };
            format!("Socket: {path} exists (owner {owner}, mode {mode:04o}){listener}")
        }
    }
}

fn running(daemons: &[(u32, String)]) -> String {
    if daemons.is_empty() {
        return "supervisord: no process of this name is running".to_owned();
    }
    let named = daemons.iter().take(NAMED).map(|(pid, user)| format!("{pid} (user {user})"));
    let more = if daemons.len() > NAMED { " and others" } else { "" };
    format!("supervisord: running as process {}{more}", named.collect::<Vec<_>>().join(", "))
}

fn start_or_name(file: Option<&Path>, found: &Surroundings) -> String {
    if !found.is_local {
        return "Is supervisord running there, and does its [inet_http_server] listen on that address?".to_owned();
    }
    if found.daemons.is_empty() {
        return format!("Try: {}", command(DAEMON, file));
    }
    let start = command(DAEMON, file);
    format!("Try: supervisorctl -c FILE or -s URL for the one that runs, or {start} to start this one.")
}

fn as_the_owner(file: Option<&Path>, found: &Surroundings) -> String {
    let command = command("supervisorctl", file);
    match found.socket.as_ref().map(|socket| &socket.file) {
        Some(SocketFile::There { owner, .. }) => format!(
            "Try: sudo -u {owner} {command}, or let user {} in with chown and chmod of [unix_http_server].",
            found.user
        ),
        _ => format!("Try: sudo {command}"),
    }
}

fn command(program: &str, file: Option<&Path>) -> String {
    match file {
        Some(file) => format!("{program} -c {}", file.display()),
        None => program.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn around(file: SocketFile, daemons: &[u32]) -> Surroundings {
        Surroundings {
            socket: Some(Socket { path: "/run/s".into(), file }),
            is_local: true,
            daemons: daemons.iter().map(|pid| (*pid, "root".to_owned())).collect(),
            user: "me".to_owned(),
        }
    }

    fn socket() -> SocketFile {
        SocketFile::There { owner: "root".to_owned(), mode: 0o700, is_socket: true }
    }

    #[test]
    fn what_is_there_and_what_helps() {
        let missing = || SocketFile::Missing { directory_exists: true };
        let file = Some(Path::new("/etc/supervisord.conf"));
        for (error, found, want) in [
            (
                ClientError::NoSuchSocket,
                around(missing(), &[]),
                "Configuration file: /etc/supervisord.conf\n\
                 Socket: /run/s does not exist\n\
                 supervisord: no process of this name is running\n\
                 Try: supervisord -c /etc/supervisord.conf",
            ),
            (
                ClientError::NoSuchSocket,
                around(SocketFile::Missing { directory_exists: false }, &[4, 5]),
                "Configuration file: /etc/supervisord.conf\n\
                 Socket: /run/s does not exist, nor does its directory\n\
                 supervisord: running as process 4 (user root), 5 (user root)\n\
                 Try: supervisorctl -c FILE or -s URL for the one that runs, or supervisord -c /etc/supervisord.conf to start \
                 this one.",
            ),
            (
                ClientError::Refused,
                around(socket(), &[]),
                "Configuration file: /etc/supervisord.conf\n\
                 Socket: /run/s exists (owner root, mode 0700), but nobody listens on it: it was left behind\n\
                 supervisord: no process of this name is running\n\
                 Try: supervisord -c /etc/supervisord.conf",
            ),
            (
                ClientError::PermissionDenied,
                around(socket(), &[4]),
                "Configuration file: /etc/supervisord.conf\n\
                 Socket: /run/s exists (owner root, mode 0700)\n\
                 supervisord: running as process 4 (user root)\n\
                 Try: sudo -u root supervisorctl -c /etc/supervisord.conf, or let user me in with chown and chmod of \
                 [unix_http_server].",
            ),
        ] {
            assert_eq!(advice(&error, "unix:///run/s", file, &found).join("\n"), want);
        }
        let far = advice(&ClientError::Refused, "http://far:1", None, &Surroundings::default());
        assert_eq!(far[0], "Configuration file: none was found, so the defaults hold; name one with -c FILE");
        assert_eq!(far[1..2], ["Server: http://far:1: nobody listens there"]);
        let fault = ClientError::Http { status: 500, reason: String::new() };
        assert!(advice(&fault, "unix:///run/s", file, &around(socket(), &[])).is_empty());
    }

    #[test]
    fn a_look_around() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let look = |path: &Path| look(&format!("unix://{}", path.display())).socket.unwrap().file;
        assert_eq!(look(&path), SocketFile::Missing { directory_exists: true });
        assert_eq!(look(&folder.path().join("no/s")), SocketFile::Missing { directory_exists: false });
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(matches!(look(&path), SocketFile::There { is_socket: true, .. }));
        let relative = super::look("unix://no-such-socket").socket.unwrap();
        assert!(relative.path.is_absolute(), "{}", relative.path.display());
        assert_eq!(relative.file, SocketFile::Missing { directory_exists: true });
        assert!(super::look("http://u@localhost:1").is_local && !super::look("http://far:1").is_local);
        for (pid, name) in [("7", "supervisord\n"), ("8", "bash\n"), ("self", "supervisord\n")] {
            std::fs::create_dir(folder.path().join(pid)).unwrap();
            std::fs::write(folder.path().join(pid).join("comm"), name).unwrap();
        }
        let found = daemons(folder.path()).unwrap();
        assert_eq!(found.iter().map(|(pid, _)| *pid).collect::<Vec<_>>(), [7]);
    }
}
