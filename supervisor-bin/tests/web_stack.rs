//! A true nginx, a true redis and a worker that uses both, from `examples/web-stack.conf`, under our daemon.
//!
//! Starts them with the built programs, kills each, sees it come back, reads its logs, and ends everything. Skipped,
//! with a line that says so, where nginx or redis is not installed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::disallowed_methods, reason = "a test")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAMS: [&str; 3] = ["stack:nginx", "stack:redis", "stack:worker"];

/// The daemon, in a copy of the example with ports of its own.
struct Stack {
    folder: tempfile::TempDir,
    daemon: Child,
    web: u16,
    redis: u16,
}

impl Stack {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (web, redis) = free_ports();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples");
        fs::create_dir_all(folder.path().join("web-stack/run")).unwrap();
        for file in ["web-stack.conf", "web-stack/nginx.conf", "web-stack/worker.sh"] {
            let text = fs::read_to_string(examples.join(file)).unwrap();
            let text = text.replace("8089", &web.to_string()).replace("6389", &redis.to_string());
            fs::write(folder.path().join(file), text).unwrap();
        }
        let daemon = Command::new(env!("CARGO_BIN_EXE_supervisord"))
            .args(["-n", "-s", "-c"])
            .arg(folder.path().join("web-stack.conf"))
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Self { folder, daemon, web, redis }
    }

    fn run(&self, file: &str) -> PathBuf {
        self.folder.path().join("web-stack/run").join(file)
    }

    /// What supervisorctl prints.
    fn ctl(&self, words: &[&str]) -> String {
        let ctl = Path::new(env!("CARGO_BIN_EXE_supervisord")).with_file_name("supervisorctl");
        let output =
            Command::new(ctl).arg("-c").arg(self.folder.path().join("web-stack.conf")).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// The pid of a program that is RUNNING.
    fn pid(&self, program: &str) -> Option<i32> {
        let status = self.ctl(&["status", program]);
        let (_, rest) = status.split_once("RUNNING")?;
        let (_, rest) = rest.split_once("pid ")?;
        rest.split(',').next()?.parse().ok()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.run("supervisord.log")).unwrap_or_default()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // After a failed test: nothing may stay behind.
        if matches!(self.daemon.try_wait(), Ok(None)) {
            let pid = rustix::process::Pid::from_child(&self.daemon);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            drop(self.daemon.wait());
        }
    }
}

fn free_ports() -> (u16, u16) {
    let bound = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    let [web, redis] = bound.map(|listener| listener.local_addr().unwrap().port());
    (web, redis)
}

/// Waits for something to be there, and gives it.
fn eventually<T>(what: &str, stack: &Stack, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within 30 s: {what}\n{}\n{}", stack.ctl(&["status"]), stack.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a server answers to these bytes.
fn ask(port: u16, question: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(question.as_bytes()).ok()?;
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..length]).into_owned())
}

fn is_installed(program: &str) -> bool {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    path.split(':').any(|folder| Path::new(folder).join(program).exists())
}

#[test]
fn a_web_stack_survives_the_death_of_each_part() {
    if let Some(missing) = ["nginx", "redis-server", "bash"].into_iter().find(|program| !is_installed(program)) {
        eprintln!("skipped: {missing} is not installed");
        return;
    }
    let mut stack = Stack::start();
    let nginx_answers = |stack: &Stack| ask(stack.web, "GET / HTTP/1.0\r\n\r\n").filter(|text| text.contains(" 200 "));
    let redis_answers = |stack: &Stack| ask(stack.redis, "PING\r\n").filter(|text| text.starts_with("+PONG"));
    for program in PROGRAMS {
        eventually(program, &stack, || stack.pid(program));
    }
    eventually("nginx answers", &stack, || nginx_answers(&stack));
    eventually("redis answers", &stack, || redis_answers(&stack));

    for program in PROGRAMS {
        let pid = eventually(program, &stack, || stack.pid(program));
        // The whole group: the workers of nginx would keep its port after a KILL of the master.
        let group = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
        eventually("it is back", &stack, || stack.pid(program).filter(|again| *again != pid));
        let name = program.trim_start_matches("stack:");
        let exited = format!("exited: {name} (terminated by SIGKILL; not expected)");
        assert!(stack.log().contains(&exited), "{exited}\n{}", stack.log());
    }
    eventually("nginx answers again", &stack, || nginx_answers(&stack));
    eventually("redis answers again", &stack, || redis_answers(&stack));

    let pages =
        |stack: &Stack| fs::read_to_string(stack.run("worker.log")).unwrap_or_default().matches("hello").count();
    let before = pages(&stack);
    eventually("the worker goes on", &stack, || (pages(&stack) > before).then_some(()));
    assert!(stack.ctl(&["tail", "stack:worker"]).contains("hello from nginx"));
    let redis_log = fs::read_to_string(stack.run("redis.log")).unwrap();
    assert_eq!(redis_log.matches("Ready to accept connections").count(), 2, "once for each life\n{redis_log}");
    assert!(fs::read_to_string(stack.run("nginx.out")).unwrap().contains("GET / HTTP/1.0"));

    stack.ctl(&["shutdown"]);
    let end = Instant::now() + Duration::from_secs(30);
    while stack.daemon.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "the daemon does not end\n{}", stack.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(stack.daemon.wait().unwrap().success());
    assert!(TcpStream::connect(("127.0.0.1", stack.web)).is_err(), "nginx is gone");
    assert!(TcpStream::connect(("127.0.0.1", stack.redis)).is_err(), "redis is gone");
    assert!(!stack.run("supervisord.pid").exists() && !stack.run("supervisor.sock").exists());
}
