//! A daemon in a folder of its own: its configuration, its start, its end, and what it leaves in the folder.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with, sockopt};
use rustix::process::{Pid, Signal, kill_process};

use super::conditions::{eventually, within};
use super::processes::{kill, pids, states_of_threads};

/// A daemon that refuses does so at once; this is for machines that do other things as well.
const REFUSAL: Duration = Duration::from_secs(10);

/// A folder with a configuration, and the daemons started on it.
pub(crate) struct Lab {
    pub(crate) folder: tempfile::TempDir,
    /// Where it listens beside its socket file, if it does.
    pub(crate) port: Option<u16>,
    /// Keeps others from being given that port.
    held: Option<TcpListener>,
    pub(crate) daemons: Vec<Child>,
    /// What is started, ours if nothing else is said.
    pub(crate) supervisord: PathBuf,
    /// Put in front of the daemon's command: words of a program that executes the rest.
    pub(crate) wrapper: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// More keys of `[supervisord]`; like the others they count from the next [`Lab::configure`] on.
    pub(crate) keys: String,
    /// More keys of each server.
    pub(crate) server: String,
    /// More keys of `[supervisorctl]`.
    pub(crate) client: String,
}

impl Lab {
    /// A lab with these sections; nothing runs yet.
    pub(crate) fn new(body: &str) -> Self {
        Self::with("", body)
    }

    /// The same with more keys of `[supervisord]`.
    pub(crate) fn with(keys: &str, body: &str) -> Self {
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
            port: None,
            held: None,
            daemons: Vec::new(),
            supervisord: program("supervisord"),
            wrapper: Vec::new(),
            environment: Vec::new(),
            keys: keys.to_owned(),
            server: String::new(),
            client: String::new(),
        };
        // Other users are to get as far as the files themselves.
        fs::set_permissions(lab.folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        lab.configure(body);
        lab
    }

    /// A lab with these sections that is to listen on a port as well; nothing runs yet.
    pub(crate) fn on_port(body: &str) -> Self {
        let mut lab = Self::new("");
        let (port, held) = free_port();
        (lab.port, lab.held) = (Some(port), Some(held));
        lab.configure(body);
        lab
    }

    /// A lab whose daemon runs already.
    pub(crate) fn running(body: &str) -> Self {
        Self::new(body).started()
    }

    /// The same with more keys of `[supervisord]`.
    pub(crate) fn running_with(keys: &str, body: &str) -> Self {
        Self::with(keys, body).started()
    }

    /// A lab whose daemon runs already, and listens on a port as well.
    pub(crate) fn running_on_port(body: &str) -> Self {
        Self::on_port(body).started()
    }

    fn started(mut self) -> Self {
        self.start();
        self
    }

    /// Writes the configuration: the usual sections, and these.
    pub(crate) fn configure(&self, body: &str) {
        let mut servers = section("unix_http_server", &[("file", "%(here)s/s")], &self.server);
        if let Some(port) = self.port {
            servers += &section("inet_http_server", &[("port", &format!("127.0.0.1:{port}"))], &self.server);
        }
        self.configure_without_servers(&(servers + body));
    }

    pub(crate) fn configure_without_servers(&self, body: &str) {
        let supervisord = [
            ("logfile", "%(here)s/log"),
            ("pidfile", "%(here)s/pid"),
            ("childlogdir", "%(here)s"),
            ("nodaemon", "true"),
            ("minfds", "256"),
            ("minprocs", "50"),
        ];
        let factory = ("supervisor.rpcinterface_factory", "supervisor.rpcinterface:make_main_rpcinterface");
        let text = section("supervisord", &supervisord, &self.keys)
            + &section("rpcinterface:supervisor", &[factory], "")
            + &section("supervisorctl", &[("serverurl", "unix://%(here)s/s")], &self.client)
            + body;
        fs::write(self.path("conf"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The socket file of its server.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("s")
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// Waits until these words are in a file.
    pub(crate) fn wait_read(&self, name: &str, words: &str) {
        eventually(&format!("'{words}' in {name}"), || self.read(name).contains(words).then_some(()));
    }

    pub(crate) fn log(&self) -> String {
        self.read("log")
    }

    pub(crate) fn wait_log(&self, words: &str) {
        self.wait_read("log", words);
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.supervisord);
                command
            }
            None => Command::new(&self.supervisord),
        };
        command.arg("-c").arg(self.path("conf")).current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.environment.iter().cloned());
        command
    }

    /// supervisorctl with these words, with nobody before it.
    pub(crate) fn ctl_command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program("supervisorctl"));
        command.arg("-c").arg(self.path("conf")).args(words).stdin(Stdio::null());
        command
    }

    pub(crate) fn spawn(&mut self, stdout: Stdio) -> Pid {
        let child = self.command().stdout(stdout).stderr(Stdio::null()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        self.daemons.push(child);
        pid
    }

    /// Starts the daemon and waits until it answers.
    pub(crate) fn start(&mut self) -> Pid {
        let pid = self.spawn(Stdio::null());
        self.wait_up();
        pid
    }

    /// Starts the daemon and waits until it listens; its answers may not be for us.
    pub(crate) fn start_listening(&mut self) {
        self.spawn(Stdio::null());
        eventually("the daemon listens", || UnixStream::connect(self.socket()).ok());
        if let Some(port) = self.port {
            eventually("its port listens", || TcpStream::connect(("127.0.0.1", port)).ok());
        }
    }

    /// Starts a daemon that must refuse; gives its stderr.
    pub(crate) fn refused(&self) -> String {
        let (status, said) = run(self.command());
        assert_eq!(status, Some(2), "{said}");
        said
    }

    /// Stops the daemon as SIGSTOP does, which reaches one thread after the other; SIGCONT lets it go on.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        let stands_still = || states_of_threads(self.daemon()).iter().all(|state| state == "T").then_some(());
        eventually("it stands still", stands_still);
    }

    /// The pid of the last daemon that was started.
    pub(crate) fn daemon(&self) -> i32 {
        self.daemons.last().unwrap().id().try_into().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.daemon(), signal);
    }

    /// Ends the last daemon and waits for it.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Ends the last daemon, which must go in good order.
    pub(crate) fn stop_well(&mut self) {
        assert_eq!(self.stop().code(), Some(0));
        for name in ["s", "pid", "pid.state"] {
            assert!(!self.path(name).exists(), "{name} is left");
        }
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut daemon = self.daemons.pop().unwrap();
        eventually("the daemon ends", || daemon.try_wait().unwrap())
    }

    /// True if a process works in the folder of this lab.
    pub(crate) fn is_home_of(&self, pid: i32) -> bool {
        let here = self.folder.path().canonicalize().unwrap();
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(here))
    }

    /// How many processes of this lab run this command line, its words joined by blanks.
    pub(crate) fn instances(&self, command: &str) -> usize {
        let ours = pids().into_iter().filter(|pid| self.is_home_of(*pid));
        let lines = ours.filter_map(|pid| fs::read(format!("/proc/{pid}/cmdline")).ok());
        lines.filter(|line| String::from_utf8_lossy(line).replace('\0', " ").trim() == command).count()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["log", "told"] {
                eprintln!("-- {name} --\n{}", self.read(name));
            }
        }
        for daemon in &mut self.daemons {
            let pid = Pid::from_child(daemon);
            let _ = kill_process(pid, Signal::CONT);
            let _ = kill_process(pid, Signal::TERM);
            let end = Instant::now() + Duration::from_secs(20);
            while daemon.try_wait().unwrap().is_none() {
                if Instant::now() > end {
                    let _ = daemon.kill();
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // What is left after a failed test: everything that works in the folder.
        for pid in pids() {
            if self.is_home_of(pid) {
                kill(pid, Signal::KILL);
            }
        }
    }
}

/// A section with these keys, and with those of the usual ones that are not among them.
fn section(name: &str, usual: &[(&str, &str)], keys: &str) -> String {
    let is_given = |key: &str| keys.lines().any(|line| line.split('=').next() == Some(key));
    let usual = usual.iter().filter(|(key, _)| !is_given(key));
    let usual: String = usual.map(|(key, value)| format!("{key}={value}\n")).collect();
    format!("[{name}]\n{usual}{keys}\n")
}

/// Runs a program that must end by itself, and soon; its status and what it says on stderr.
pub(crate) fn run(mut command: Command) -> (Option<i32>, String) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let status = within(REFUSAL, "it ends", || child.try_wait().unwrap());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code(), said)
}

/// A program under test.
pub(crate) fn program(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_supervisord")).parent().unwrap().to_owned();
    std::env::var_os("SUPERVISOR_PROGRAMS").map_or(built, PathBuf::from).join(name)
}

/// A port for a server that is to come. As long as the other is held, which does not listen and takes nothing from a server
/// with SO_REUSEADDR, nobody else is given the same one.
pub(crate) fn free_port() -> (u16, TcpListener) {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    sockopt::set_socket_reuseaddr(&socket, true).unwrap();
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let held = TcpListener::from(socket);
    (held.local_addr().unwrap().port(), held)
}

/// A socket that nobody listens at. Nobody ever did: a child of another test could do so for us until its exec.
pub(crate) fn leave_stale(path: &Path) {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
}
