//! Binding: fresh, stale, busy, foreign, too long; modes and owners.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::{FileTypeExt, lchown, symlink};
use std::os::unix::net::UnixStream;

use super::*;
use crate::sys::alone;

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o7777
}

/// A socket that nobody listens at. Nobody ever did: a child of another test could do so for us until its exec.
fn leave_stale(path: &Path) {
    let socket = stream(AddressFamily::UNIX).unwrap();
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
}

#[test]
fn a_fresh_socket_has_its_mode_and_listens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    for wanted in [0o700, 0o766, 0o777, 0o600] {
        let bound = bind_unix(&path, wanted, None).unwrap();
        assert_eq!((mode(&path), bound.replaced_stale), (wanted, false));
        assert_eq!(names(directory.path()), ["s"]);
        UnixStream::connect(&path).unwrap();
        bound.listener.accept().unwrap();
        assert!(bound.file.is_there());
        bound.file.remove().unwrap();
    }
}

#[test]
fn a_socket_in_use_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let first = bind_unix(&path, 0o700, None).unwrap();
    assert!(matches!(bind_unix(&path, 0o700, None), Err(BindError::AddressInUse)));
    assert!(first.file.is_there());
    assert_eq!(names(directory.path()), ["s"]);
}

#[test]
fn a_daemon_that_does_not_answer_lives() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listener = stream(AddressFamily::UNIX).unwrap();
    rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    loop {
        let client = stream(AddressFamily::UNIX).unwrap();
        rustix::io::ioctl_fionbio(&client, true).unwrap();
        match rustix::net::connect(&client, &SocketAddrUnix::new(&path).unwrap()) {
            Ok(()) => waiting.push(client),
            Err(error) => break assert_eq!(error, Errno::AGAIN),
        }
    }
    assert!(matches!(bind_unix(&path, 0o700, None), Err(BindError::AddressInUse)));
}

#[test]
fn a_stale_socket_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    leave_stale(&path);
    let bound = bind_unix(&path, 0o700, None).unwrap();
    assert!(bound.replaced_stale);
    assert_eq!(names(directory.path()), ["s"]);
    UnixStream::connect(&path).unwrap();
}

const RIVALS: usize = 4;

#[test]
fn of_many_that_bind_at_once_one_wins() {
    for _ in 0..50 {
        let directory = tempfile::tempdir().unwrap();
        leave_stale(&directory.path().join("s"));
        let place = directory.path().to_str().unwrap();
        let outputs: Vec<String> = std::thread::scope(|scope| {
            let run = || alone::run("sys::socket::tests::a_rival_binds", &[("RIVALS_MEET_AT", place)]);
            let rivals: Vec<_> = (0..RIVALS).map(|_| scope.spawn(run)).collect();
            rivals.into_iter().map(|rival| rival.join().unwrap()).collect()
        });
        let winners = outputs.iter().filter(|output| output.contains("it is mine")).count();
        assert_eq!(winners, 1, "{outputs:?}");
        UnixStream::connect(directory.path().join("s")).expect_err("the winner has ended");
    }
}

#[test]
#[ignore = "run by of_many_that_bind_at_once_one_wins"]
fn a_rival_binds() {
    let directory = PathBuf::from(std::env::var_os("RIVALS_MEET_AT").unwrap());
    let meet = |sign: &str| {
        std::fs::write(directory.join(format!("{sign}{}", std::process::id())), "").unwrap();
        while names(&directory).iter().filter(|name| name.starts_with(sign)).count() < RIVALS {
            std::thread::yield_now();
        }
    };
    meet("ready");
    let bound = bind_unix(&directory.join("s"), 0o700, None);
    alone::say(if bound.is_ok() { "it is mine" } else { "it is taken" });
    meet("done");
}

#[test]
fn what_is_no_socket_is_not_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    std::fs::write(&path, "kept").unwrap();
    let error = bind_unix(&path, 0o700, None).unwrap_err();
    assert!(matches!(&error, BindError::System(source) if source.raw_os_error() == Some(libc::EEXIST)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    // What is left of a socket in an image.
    std::fs::write(&path, "").unwrap();
    let bound = bind_unix(&path, 0o700, None).unwrap();
    assert!(bound.replaced_stale && std::os::unix::net::UnixStream::connect(&path).is_ok());
}

#[test]
fn a_socket_whose_file_was_taken_away_is_known() {
    let line = b"0000000000000000: 00000002 00000000 00010000 0001 01 123 /run/s.77";
    assert!(is_bound_aside(line, b"/run/s"));
    for other in ["/run/s.7", "/run/s.77", "/run", "/run/S", "run/s"] {
        assert!(!is_bound_aside(line, other.as_bytes()), "{other}");
    }
    let connected = b"0000000000000000: 00000003 00000000 00000000 0001 03 123 /run/s.77";
    assert!(!is_bound_aside(connected, b"/run/s") && !is_bound_aside(b"Num RefCount", b""));
    if cfg!(target_os = "linux") {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let bound = bind_unix(&path, 0o700, None).unwrap();
        assert!(!has_lost_its_file(&path), "it is there");
        std::fs::remove_file(&path).unwrap();
        assert!(has_lost_its_file(&path));
        drop(bound);
        // A child that another test is about to start has a copy until it executes.
        let pause = std::time::Duration::from_millis(10);
        let is_gone = (0..1000).any(|_| {
            std::thread::sleep(pause);
            !has_lost_its_file(&path)
        });
        assert!(is_gone);
    }
}

#[test]
fn links_are_judged_by_their_owner() {
    let directory = tempfile::tempdir().unwrap();
    let (link, target) = (directory.path().join("link"), directory.path().join("target"));
    symlink("target", &link).unwrap();
    let bound = bind_unix(&link, 0o700, None).unwrap();
    assert_eq!(bound.file.path(), target);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    bound.file.remove().unwrap();
    if alone::is_root() {
        lchown(&link, Some(65_534), None).unwrap();
        assert!(matches!(bind_unix(&link, 0o700, None), Err(BindError::ForeignLink(_))));
        assert!(!target.exists());
    }
}

#[test]
fn errors_are_told_apart() {
    let error = bind_unix(Path::new("/no/such/dir/s"), 0o700, None).unwrap_err();
    assert_eq!(error.to_string(), "ENOENT");
    let directory = tempfile::tempdir().unwrap();
    let room = 107 - directory.path().as_os_str().len() - 1 - format!(".{}", std::process::id()).len();
    if cfg!(target_os = "linux") {
        drop(bind_unix(&directory.path().join("x".repeat(room)), 0o700, None).unwrap());
    }
    let error = bind_unix(&directory.path().join("x".repeat(room + 1)), 0o700, None).unwrap_err();
    assert_eq!(error.to_string(), "AF_UNIX path too long");
    // One that just fits is replaced like any other.
    if cfg!(target_os = "linux") {
        let path = directory.path().join("y".repeat(room));
        leave_stale(&path);
        assert!(bind_unix(&path, 0o700, None).unwrap().replaced_stale);
    }
    let error = BindError::NotPermittedToChown { path: "/s".into(), uid: 1, gid: None };
    assert_eq!(error.to_string(), "Not permitted to chown /s to uid/gid 1/-1");
}

#[test]
fn the_owner_is_set() {
    if !alone::is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let _bound = bind_unix(&path, 0o640, Some(Owner { uid: 65_534, gid: Some(12) })).unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), mode(&path)), (65_534, 12, 0o640));
}

#[test]
fn a_tcp_port_is_bound_once() {
    let first = bind_tcp(Some("127.0.0.1"), 0).unwrap();
    let port = first.local_addr().unwrap().port();
    assert!(matches!(bind_tcp(Some("127.0.0.1"), port), Err(BindError::AddressInUse)));
    assert!(matches!(bind_tcp(None, port), Err(BindError::AddressInUse)));
    assert!(bind_tcp(None, 0).unwrap().local_addr().unwrap().is_ipv4());
    assert!(bind_tcp(Some("localhost"), 0).unwrap().local_addr().unwrap().is_ipv4());
}

fn fastcgi(address: SocketAddress) -> FastCgiSocket {
    FastCgiSocket { address, backlog: None, owner: None, mode: 0o700 }
}

#[test]
fn a_fastcgi_socket_takes_the_place_of_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f.sock");
    let wanted = fastcgi(SocketAddress::Unix(path.clone()));
    std::fs::write(&path, "stale").unwrap();
    let bound = bind_fastcgi(&wanted, None).unwrap();
    assert!(std::fs::metadata(&path).unwrap().file_type().is_socket());
    assert_eq!((mode(&path), names(directory.path())), (0o700, vec!["f.sock".to_owned()]));
    UnixStream::connect(&path).unwrap();
    // Created again elsewhere: the old one does not remove the new one.
    let again = bind_fastcgi(&wanted, None).unwrap();
    bound.file.unwrap().remove().unwrap();
    assert!(path.exists());
    again.file.unwrap().remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_fastcgi_socket_belongs_to_the_user_of_its_program() {
    if !alone::is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f.sock");
    let user = User { name: "nobody".to_owned(), uid: 65_534, gid: 65_533 };
    let mut wanted = fastcgi(SocketAddress::Unix(path.clone()));
    let owner = |wanted: &FastCgiSocket| {
        let _bound = bind_fastcgi(wanted, Some(&user)).unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        (metadata.uid(), metadata.gid())
    };
    assert_eq!(owner(&wanted), (65_534, 65_533));
    wanted.owner = Some(Owner { uid: 1, gid: Some(12) });
    assert_eq!(owner(&wanted), (1, 12));
}

#[test]
fn a_fastcgi_socket_may_have_the_longest_path_of_an_address() {
    if cfg!(not(target_os = "linux")) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let room = 107 - home.path().as_os_str().len() - 1;
    // A long name, and a short one in a directory that leaves no room for another one.
    for (directory, name) in [(home.path().to_owned(), room), (home.path().join("d".repeat(room - 2)), 1)] {
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("f".repeat(name));
        assert_eq!(path.as_os_str().len(), 107);
        let wanted = fastcgi(SocketAddress::Unix(path.clone()));
        let bound = bind_fastcgi(&wanted, None).unwrap();
        assert_eq!((mode(&path), names(&directory)), (0o700, vec!["f".repeat(name)]));
        UnixStream::connect(&path).unwrap();
        bound.file.unwrap().remove().unwrap();
        assert!(names(&directory).is_empty());
        let mut longer = path.into_os_string();
        longer.push("f");
        let error = bind_fastcgi(&fastcgi(SocketAddress::Unix(longer.into())), None).unwrap_err();
        assert_eq!((error.to_string().as_str(), names(&directory)), ("AF_UNIX path too long", Vec::new()));
    }
}

#[test]
fn a_fastcgi_socket_can_be_a_port() {
    let bound = bind_fastcgi(&fastcgi(SocketAddress::Tcp { host: "127.0.0.1".to_owned(), port: 0 }), None).unwrap();
    assert!(bound.file.is_none());
    assert!(TcpListener::from(bound.socket).local_addr().is_ok());
}
