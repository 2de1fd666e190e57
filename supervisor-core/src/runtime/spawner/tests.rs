//! Real children: what they get, what they must not get, what is left behind.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use async_io::Async;
use futures_lite::{AsyncReadExt, future};

use super::*;
use crate::domain::exit::ExitStatus;
use crate::domain::name::ProcessName;
use crate::sys::alone;
use crate::sys::announcement::Announcement;
use crate::sys::orphan::Strangers;

mod open_files;
mod shortage;
mod traced;

fn order(settings: spec::Process) -> StartOrder {
    StartOrder {
        name: ProcessName::new("g", "x").into(),
        settings: Arc::new(settings),
        server_url: None,
        socket: None,
        announcement: None,
    }
}

fn process(command: &str) -> spec::Process {
    spec::Process::new("x", command)
}

impl RealSpawner {
    fn begin(&self, order: &StartOrder) -> Result<Started, SpawnError> {
        self.spawn(order, &self.resolve(&order.settings)?)
    }
}

fn forking() -> RealSpawner {
    forking_with(SpawnOptions::default())
}

fn forking_with(options: SpawnOptions) -> RealSpawner {
    RealSpawner { may_vfork: AtomicBool::new(false), ..RealSpawner::new(options) }
}

fn vforking() -> RealSpawner {
    RealSpawner::new(SpawnOptions::default())
}

async fn read_all(fd: Option<OwnedFd>) -> String {
    let mut text = String::new();
    if let Some(fd) = fd {
        Async::new(File::from(fd)).unwrap().read_to_string(&mut text).await.unwrap();
    }
    text
}

/// Runs a process to its end: how it ended, its stdout, its stderr.
fn run(spawner: &RealSpawner, settings: spec::Process) -> (ExitStatus, String, String) {
    let started = spawner.begin(&order(settings)).unwrap();
    let output = future::zip(read_all(started.stdout), read_all(started.stderr));
    let (status, (stdout, stderr)) = async_io::block_on(future::zip(started.exit, output));
    (status, stdout, stderr)
}

fn end(started: Started) -> ExitStatus {
    started.signaller.signal(libc::SIGKILL, true).unwrap();
    async_io::block_on(started.exit)
}

fn status_field(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    u64::from_str_radix(status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim(), 16).unwrap()
}

fn descriptors(pid: u32) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn streams_are_pipes() {
    for spawner in [forking(), vforking()] {
        let script = "/bin/sh -c 'echo out; echo err >&2; exit 3'";
        let expected = (ExitStatus::Exited(3), "out\n".to_owned(), "err\n".to_owned());
        assert_eq!(run(&spawner, process(script)), expected);
        let mut settings = process("/bin/sh -c 'echo 1; echo 2 >&2; echo 3'");
        settings.redirect_stderr = true;
        assert_eq!(run(&spawner, settings), (ExitStatus::Exited(0), "1\n2\n3\n".to_owned(), String::new()));
    }
}

#[test]
fn a_child_announces_itself() {
    for spawner in [forking(), vforking()] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let opened = Arc::new(File::options().append(true).open(file.path()).unwrap());
        let mut order = order(process("/bin/sleep 600"));
        order.announcement = Some(Arc::new(Announcement::new(opened, " is me\n".to_owned())));
        let started = spawner.begin(&order).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), format!("\n{} is me\n", started.pid.unwrap()));
        end(started);
    }
}

#[test]
fn stdin_stays_open_until_we_close_it() {
    let mut started = forking().begin(&order(process("/bin/cat"))).unwrap();
    let stdin = started.stdin.take().unwrap();
    assert!(rustix::fs::fcntl_getfl(&stdin).unwrap().contains(rustix::fs::OFlags::NONBLOCK));
    rustix::io::write(&stdin, b"hello").unwrap();
    drop(stdin);
    let (status, text) = async_io::block_on(future::zip(started.exit, read_all(started.stdout)));
    assert_eq!((status, text.as_str()), (ExitStatus::Exited(0), "hello"));
}

#[test]
fn a_shared_socket_is_stdin() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let mut order =
        order(process("/usr/bin/env python3 -c 'import socket; socket.socket(fileno=0).accept()[0].sendall(b\"hi\")'"));
    order.socket = Some(Arc::new(UnixListener::bind(&path).unwrap().into()));
    let started = forking().begin(&order).unwrap();
    assert!(started.stdin.is_none());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut UnixStream::connect(&path).unwrap(), &mut text).unwrap();
    let (status, complaints) = async_io::block_on(future::zip(started.exit, read_all(started.stderr)));
    assert_eq!((status, text.as_str(), complaints.as_str()), (ExitStatus::Exited(0), "hi", ""));
}

#[test]
fn a_child_has_three_descriptors_default_signals_and_a_group() {
    alone::run("runtime::spawner::tests::with_a_bad_parent", &[]);
}

/// From `/proc`: a session that began outside of our PID namespace has the number 0 there, which `getsid(2)` of rustix
/// takes for impossible.
fn group_and_session(pid: u32) -> (u32, u32) {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let mut fields = text.rsplit(") ").next().unwrap().split(' ').skip(2);
    let mut number = || fields.next().unwrap().parse().unwrap();
    (number(), number())
}

fn check_clean(spawner: &RealSpawner) {
    let mut started = spawner.begin(&order(process("cat -u"))).unwrap();
    let pid = started.pid.unwrap();
    // Once it answers, neither the kernel nor the loader of libraries is still at work.
    rustix::io::write(started.stdin.as_ref().unwrap(), b"ready").unwrap();
    let mut stdout = Async::new(File::from(started.stdout.take().unwrap())).unwrap();
    async_io::block_on(stdout.read_exact(&mut [0; 5])).unwrap();
    assert_eq!(descriptors(pid), ["0", "1", "2"]);
    // glibc's own two signals (32, 33) are out of reach, and ignored in whatever its posix_spawn starts, such as us.
    let internal = 3 << 31;
    let sets = ["SigBlk:", "SigIgn:", "SigCgt:"].map(|name| status_field(pid, name) & !internal);
    assert_eq!(sets, [0; 3]);
    let (group, session) = group_and_session(pid);
    assert_eq!(group, pid);
    assert_eq!(session, group_and_session(std::process::id()).1);
    assert_eq!(fs::read(format!("/proc/{pid}/cmdline")).unwrap(), b"cat\x00-u\x00");
    assert_eq!(end(started), ExitStatus::Signaled { signal: libc::SIGKILL, core_dumped: false });
}

#[test]
#[ignore = "run by a_child_has_three_descriptors_default_signals_and_a_group"]
fn with_a_bad_parent() {
    crate::sys::rlimit::raise(crate::sys::rlimit::Limit::OpenFiles, 4000).unwrap();
    alone::misbehave(3000);
    check_clean(&forking());
    check_clean(&vforking());
    let each = RealSpawner { close_on_exec: CloseOnExec::Each(3100), ..forking() };
    check_clean(&each);
}

#[test]
fn umask_and_directory_are_applied() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().canonicalize().unwrap();
    alone::install("#!/bin/sh\necho here", &place.join("tool"));
    for spawner in [forking(), vforking()] {
        let mut settings = process("/bin/sh -c 'umask; pwd -P'");
        settings.directory = Some(place.clone());
        assert_eq!(run(&spawner, settings.clone()).1.lines().nth(1).unwrap(), place.to_str().unwrap());
        settings.umask = Some(0o137);
        assert_eq!(run(&spawner, settings.clone()).1, format!("0137\n{}\n", place.display()));
        settings.command = "./tool".to_owned();
        settings.umask = None;
        assert_eq!(run(&spawner, settings).1, "here\n");
    }
}

#[test]
fn the_environment_is_the_one_that_was_built() {
    for spawner in [forking(), vforking()] {
        let mut settings = process("/usr/bin/env");
        settings.environment.insert("A".to_owned(), "b c=d".to_owned());
        let text = run(&spawner, settings).1;
        for line in ["A=b c=d", "SUPERVISOR_ENABLED=1", "SUPERVISOR_PROCESS_NAME=x", "SUPERVISOR_GROUP_NAME=g"] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        assert!(!text.contains("SUPERVISOR_SERVER_URL"));
    }
}

#[test]
fn what_cannot_be_executed_says_so_itself() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        alone::install(text, &path);
        path.to_str().unwrap().to_owned()
    };
    let (garbage, odd) = (file("garbage", "garbage\n"), file("odd", "#!/no/such/interpreter\n"));
    let mut elsewhere = process("/bin/pwd");
    elsewhere.directory = Some("/no/such/dir".into());
    let mut redirected = elsewhere.clone();
    redirected.redirect_stderr = true;
    let table = [
        (process(&format!("{garbage} a b")), format!("couldn't exec {garbage}: ENOEXEC"), false),
        (process(&odd), format!("couldn't exec {odd}: ENOENT"), false),
        (elsewhere, "couldn't chdir to /no/such/dir: ENOENT".to_owned(), false),
        (redirected, "couldn't chdir to /no/such/dir: ENOENT".to_owned(), true),
    ];
    for spawner in [forking(), vforking()] {
        for (settings, reason, in_stdout) in &table {
            let text = format!("supervisor: {reason}\nsupervisor: child process was not spawned\n");
            let (stdout, stderr) = if *in_stdout { (text, String::new()) } else { (String::new(), text) };
            assert_eq!(run(&spawner, settings.clone()), (ExitStatus::Exited(127), stdout, stderr));
        }
    }
}

#[test]
fn a_nul_byte_is_an_error() {
    let mut settings = process("/bin/true");
    settings.environment.insert("A".to_owned(), "b\0c".to_owned());
    for spawner in [forking(), vforking()] {
        let error = spawner.begin(&order(settings.clone())).map(drop).unwrap_err();
        assert_eq!(error.to_string(), "NUL character in a path or the environment of 'x'");
    }
}

fn account(name: &str) -> spec::User {
    let user = nix::unistd::User::from_name(name).unwrap().unwrap();
    spec::User { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }
}

#[test]
fn a_user_is_taken() {
    if !alone::is_root() {
        return;
    }
    let nobody = account("nobody");
    for spawner in [forking(), vforking()] {
        let mut settings = process("/bin/sh -c 'id -u; id -g; id -G'");
        settings.user = Some(nobody.clone());
        let (status, stdout, stderr) = run(&spawner, settings);
        assert_eq!((status, stderr.as_str()), (ExitStatus::Exited(0), ""));
        let lines: Vec<_> = stdout.lines().collect();
        assert_eq!(lines[..2], [nobody.uid.to_string(), nobody.gid.to_string()]);
        assert!(!lines[2].split(' ').any(|group| group == "0"), "{stdout}");
    }
}

#[test]
fn without_root_nobody_else_can_be_taken() {
    if alone::is_root() {
        alone::run("runtime::spawner::tests::as_nobody", &[]);
    }
}

#[test]
#[ignore = "run by without_root_nobody_else_can_be_taken"]
fn as_nobody() {
    crate::sys::privilege::drop_to(&account("nobody")).unwrap();
    let mut settings = process("/bin/echo");
    settings.user = Some(account("root"));
    let text = "supervisor: couldn't setuid to 0: Can't drop privilege as nonroot user\n\
                supervisor: child process was not spawned\n";
    assert_eq!(run(&forking(), settings.clone()), (ExitStatus::Exited(127), String::new(), text.to_owned()));
    settings.user = Some(account("nobody"));
    assert_eq!(run(&forking(), settings).0, ExitStatus::Exited(0));
}

#[test]
fn nobody_is_signalled_after_the_end() {
    for spawner in [forking(), vforking()] {
        let started = spawner.begin(&order(process("/bin/sleep 600"))).unwrap();
        let signaller = Arc::clone(&started.signaller);
        signaller.signal(0, true).unwrap();
        signaller.signal(libc::SIGTERM, false).unwrap();
        // A zombie can be signalled; the pid is still its own.
        while fs::read_to_string(format!("/proc/{}/stat", started.pid.unwrap())).unwrap().split(' ').nth(2) != Some("Z")
        {
            std::thread::yield_now();
        }
        signaller.signal(libc::SIGTERM, true).unwrap();
        assert_eq!(async_io::block_on(started.exit).to_string(), "terminated by SIGTERM");
        for whole_group in [false, true] {
            assert_eq!(signaller.signal(0, whole_group).unwrap_err().raw_os_error(), Some(libc::ESRCH));
        }
    }
}

#[test]
fn nobody_is_signalled_after_the_exit_is_dropped() {
    let started = forking().begin(&order(process("/bin/sleep 600"))).unwrap();
    drop(started.exit);
    assert_eq!(started.signaller.signal(0, false).unwrap_err().raw_os_error(), Some(libc::ESRCH));
    crate::sys::process::send_signal(started.pid.unwrap(), libc::SIGKILL, false).unwrap();
}

#[test]
fn failures_have_the_words_of_the_specification() {
    let error = io::Error::from_raw_os_error;
    let table = [
        (Failure::Pipes(error(libc::EMFILE)), "too many open files to spawn 'x'"),
        (Failure::Pipes(error(libc::EACCES)), "unknown error making dispatchers for 'x': EACCES"),
        (Failure::Fork(error(libc::ENFILE)), "too many open files to spawn 'x'"),
        (Failure::Fork(error(libc::EAGAIN)), "Too many processes in process table to spawn 'x'"),
        (Failure::Fork(error(libc::ENOMEM)), "unknown error during fork for 'x': ENOMEM"),
    ];
    for (failure, text) in table {
        assert_eq!(failure.told_of("x").to_string(), text);
    }
}

#[test]
fn strangers_do_not_cost_a_status() {
    alone::run("runtime::spawner::tests::as_a_subreaper", &[]);
}

#[test]
#[ignore = "run by strangers_do_not_cost_a_status"]
fn as_a_subreaper() {
    const FAMILIES: usize = 60;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    for may_vfork in [false, true] {
        let children = KnownChildren::new();
        let options = SpawnOptions { children: Some(Arc::clone(&children)), ..SpawnOptions::default() };
        let spawner = if may_vfork { RealSpawner::new(options) } else { forking_with(options) };
        let mut strangers = Strangers::new(children).unwrap();
        let (tell, told) = async_channel::unbounded();
        let lane = std::thread::spawn(move || {
            for _ in 0..FAMILIES {
                tell.try_send(spawner.begin(&order(process("/bin/sh -c '(exit 3) & exit 7'"))).unwrap()).unwrap();
            }
        });
        let ours = async {
            while let Ok(started) = told.recv().await {
                assert_eq!(started.exit.await, ExitStatus::Exited(7));
            }
        };
        let theirs = async {
            for _ in 0..FAMILIES {
                assert_eq!(strangers.next().await.status, ExitStatus::Exited(3));
            }
        };
        async_io::block_on(future::zip(ours, theirs));
        lane.join().unwrap();
    }
}

#[test]
fn children_are_not_spared_when_memory_runs_out() {
    if alone::is_root() {
        alone::run("runtime::spawner::tests::spared_ourselves", &[]);
    }
}

#[test]
#[ignore = "run by children_are_not_spared_when_memory_runs_out"]
fn spared_ourselves() {
    let lowered = fs::write("/proc/self/oom_score_adj", "-100").is_ok();
    if !lowered {
        // Nobody may do that here: a raised one has to do.
        fs::write("/proc/self/oom_score_adj", "100").unwrap();
    }
    for spawner in [forking(), vforking()] {
        assert_eq!(spawner.reset_oom_score, lowered);
        let spawner = RealSpawner { reset_oom_score: true, ..spawner };
        for user in [None, Some(account("nobody"))] {
            let mut settings = process("/bin/sleep 600");
            settings.user = user;
            let started = spawner.begin(&order(settings)).unwrap();
            assert_eq!(fs::read_to_string(format!("/proc/{}/oom_score_adj", started.pid.unwrap())).unwrap(), "0\n");
            end(started);
        }
    }
}

#[test]
fn a_child_does_not_copy_what_we_have_open() {
    alone::run("runtime::spawner::tests::with_many_descriptors", &[]);
}

#[test]
#[ignore = "run by a_child_does_not_copy_what_we_have_open"]
fn with_many_descriptors() {
    let spawner = vforking();
    // The slots come before the many.
    end(spawner.begin(&order(process("/bin/sleep 600"))).unwrap());
    crate::sys::rlimit::raise(crate::sys::rlimit::Limit::OpenFiles, 4000).unwrap();
    let _many: Vec<_> = (0..3000).map(|_| File::open("/dev/null").unwrap()).collect();
    let started = spawner.begin(&order(process("/bin/sleep 600"))).unwrap();
    // The table of a child that had a copy of ours would be large enough for it.
    let status = fs::read_to_string(format!("/proc/{}/status", started.pid.unwrap())).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap();
    assert!(size.trim().parse::<usize>().unwrap() < 1024, "{size}");
    assert!(spawner.may_vfork.load(Ordering::Relaxed));
    end(started);
}

#[test]
fn a_vforked_child_that_nobody_awaits_is_reaped() {
    let started = vforking().begin(&order(process("/bin/true"))).unwrap();
    let pid = started.pid.unwrap();
    drop(started.exit);
    while Path::new(&format!("/proc/{pid}")).exists() {
        std::thread::yield_now();
    }
}
