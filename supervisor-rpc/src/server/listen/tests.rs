#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixStream;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};

use super::*;

fn unix(path: &Path) -> Server {
    let address = ServerAddress::Unix { path: path.to_owned(), mode: 0o700, owner: None };
    Server::new("unix_http_server", address)
}

fn inet(host: Option<&str>, port: u16) -> Server {
    let address = ServerAddress::Inet { host: host.map(str::to_owned), port };
    Server::new("inet_http_server", address)
}

fn one(server: &Server) -> Result<(Bound, Vec<Note>), BindError> {
    let mut notes = Vec::new();
    bind(server, &mut notes).map(|bound| (bound, notes))
}

fn is_in_use<T>(result: Result<T, BindError>) -> bool {
    matches!(result, Err(BindError { cause: Cause::AddressInUse, .. }))
}

#[test]
fn a_socket_has_its_mode_and_goes_with_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    for mode in [0o700, 0o660, 0o777] {
        let mut server = unix(&path);
        server.address = ServerAddress::Unix { path: path.clone(), mode, owner: None };
        let (bound, notes) = one(&server).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
        assert_eq!((notes, fs::read_dir(folder.path()).unwrap().count()), (vec![], 1));
        assert!(UnixStream::connect(&path).is_ok());
        bound.close();
        assert!(!path.exists());
    }
}

#[test]
fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    drop(one(&unix(&path)).unwrap());
    assert!(path.exists());
    let (first, notes) = one(&unix(&path)).unwrap();
    assert_eq!(notes, [Note::StaleSocket(path.clone())]);
    assert_eq!(notes[0].to_string(), format!("Unlinking stale socket {}", path.display()));
    assert!(is_in_use(one(&unix(&path))));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(first.is_in_place());
}

#[test]
fn a_frozen_daemon_with_a_full_backlog_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let _fills_the_backlog = UnixStream::connect(&path).unwrap();
    assert!(is_in_use(one(&unix(&path))));
}

#[test]
fn somebody_elses_socket_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let (first, _) = one(&unix(&path)).unwrap();
    fs::remove_file(&path).unwrap();
    let (second, _) = one(&unix(&path)).unwrap();
    assert!(!first.is_in_place() && second.is_in_place());
    first.close();
    assert!(path.exists());
}

#[test]
fn other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    fs::write(&path, "precious").unwrap();
    let error = one(&unix(&path)).unwrap_err();
    assert!(error.to_string().contains("not a socket"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn links_of_ours_are_followed_and_links_of_others_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    symlink("target", &link).unwrap();
    let (bound, _) = one(&unix(&link)).unwrap();
    assert!(target.exists() && fs::symlink_metadata(&link).unwrap().is_symlink());
    bound.close();
    assert!(!target.exists());
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
        let error = one(&unix(&link)).unwrap_err();
        assert!(error.to_string().contains("symbolic link made by another user"), "{error}");
        assert!(!target.exists());
    }
}

#[test]
fn errors_say_what_supervisor_says_and_where_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let text = |server: &Server| one(server).map(|_| ()).unwrap_err().to_string();
    let (nowhere, long) = (folder.path().join("no/s"), folder.path().join("x".repeat(105)));
    for (path, why) in [(&nowhere, "errno.ENOENT (2)"), (&long, "AF_UNIX path too long")] {
        let place = format!("(section 'unix_http_server', key 'file': {})", path.display());
        assert_eq!(text(&unix(path)), format!("Cannot open an HTTP server: socket.error reported {why}  {place}"));
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let in_use = text(&inet(Some("127.0.0.1"), taken.local_addr().unwrap().port()));
    assert!(in_use.starts_with("Another program is already listening on a port that one of"), "{in_use}");
    assert!(in_use.contains("(section 'inet_http_server', key 'port': 127.0.0.1:"), "{in_use}");
}

#[test]
fn ports() {
    for host in [None, Some("127.0.0.1"), Some("localhost"), Some("::1"), Some("[::1]")] {
        let (bound, _) = match one(&inet(host, 0)) {
            // Not every machine has IPv6.
            Err(BindError { cause: Cause::System(_), .. }) if host.is_some_and(|host| host.contains("::")) => continue,
            other => other.unwrap(),
        };
        let address = bound.local_address().unwrap();
        assert_eq!(address.is_ipv6(), host.is_some_and(|host| host.contains("::")));
        assert_eq!(address.ip().is_unspecified(), host.is_none());
        assert!(is_in_use(one(&inet(host, address.port()))), "{host:?}");
    }
}

#[test]
fn one_that_fails_takes_the_others_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let error = bind_all(&[unix(&path), unix(&folder.path().join("no/s"))], Vec::new()).unwrap_err();
    assert!(matches!(error.cause, Cause::System(_)));
    assert!(!path.exists());
    let (kept, _) = bind_all(&[unix(&path)], Vec::new()).unwrap();
    assert!(bind_all(&[unix(&folder.path().join("no/s")), unix(&path)], kept).is_err());
    assert!(!path.exists());
}

#[test]
fn a_changed_mode_is_bound_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let (bound, _) = bind_all(&[unix(&path)], Vec::new()).unwrap();
    let mut server = unix(&path);
    server.address = ServerAddress::Unix { path: path.clone(), mode: 0o770, owner: None };
    let (bound, notes) = bind_all(&[server], bound).unwrap();
    assert_eq!((notes, fs::metadata(&path).unwrap().mode() & 0o777), (vec![], 0o770));
    assert!(bound[0].is_in_place());
}
