//! A true nginx, a true redis and a worker that uses both, from `examples/web-stack.conf`, under our daemon.
//!
//! Starts them with the built programs, kills each, sees it come back, reads its logs, and ends everything. Skipped,
//! with a line that says so, where nginx or redis is not installed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::disallowed_methods, reason = "a test")]

mod lab;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use lab::{Lab, eventually, free_port};

const PROGRAMS: [&str; 3] = ["stack:nginx", "stack:redis", "stack:worker"];

/// The daemon, on a copy of the example with ports of its own.
struct Stack {
    lab: Lab,
    web: u16,
    redis: u16,
    /// Nobody else is given these ports.
    _held: [TcpListener; 2],
}

impl Stack {
    fn start() -> Self {
        let mut lab = Lab::new("");
        // One is put in place of 8089, the other then of 6389.
        let (web, web_held) =
            std::iter::repeat_with(free_port).find(|(port, _)| !port.to_string().contains("6389")).unwrap();
        let (redis, redis_held) = free_port();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples");
        fs::create_dir_all(lab.path("web-stack/run")).unwrap();
        for (file, copy) in [
            ("web-stack.conf", "conf"),
            ("web-stack/nginx.conf", "web-stack/nginx.conf"),
            ("web-stack/worker.sh", "web-stack/worker.sh"),
        ] {
            let text = fs::read_to_string(examples.join(file)).unwrap();
            let text = text.replace("8089", &web.to_string()).replace("6389", &redis.to_string());
            fs::write(lab.path(copy), text.replace("[supervisord]\n", "[supervisord]\nnodaemon=true\n")).unwrap();
        }
        // Where a lab has its log.
        symlink("web-stack/run/supervisord.log", lab.path("log")).unwrap();
        lab.spawn(Stdio::null());
        Self { lab, web, redis, _held: [web_held, redis_held] }
    }

    fn run(&self, file: &str) -> PathBuf {
        self.lab.path("web-stack/run").join(file)
    }

    /// The pid of a program that is RUNNING.
    fn pid(&self, program: &str) -> Option<i32> {
        let status = self.lab.says(&["status", program]);
        let (_, rest) = status.split_once("RUNNING")?;
        let (_, rest) = rest.split_once("pid ")?;
        rest.split(',').next()?.parse().ok()
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
        eventually(program, || stack.pid(program));
    }
    eventually("nginx answers", || nginx_answers(&stack));
    eventually("redis answers", || redis_answers(&stack));

    for program in PROGRAMS {
        // The whole group: the workers of nginx would keep its port after a KILL of the master. In one go: it may end by
        // itself, since another part has.
        let pid = eventually(program, || {
            let pid = stack.pid(program)?;
            let group = rustix::process::Pid::from_raw(pid).unwrap();
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok().map(|()| pid)
        });
        eventually("it is back", || stack.pid(program).filter(|again| *again != pid));
        let name = program.trim_start_matches("stack:");
        let exited = format!("exited: {name} (terminated by SIGKILL; not expected)");
        assert!(stack.lab.log().contains(&exited), "{exited}\n{}", stack.lab.log());
    }
    eventually("nginx answers again", || nginx_answers(&stack));
    eventually("redis answers again", || redis_answers(&stack));

    let pages =
        |stack: &Stack| fs::read_to_string(stack.run("worker.log")).unwrap_or_default().matches("hello").count();
    let before = pages(&stack);
    eventually("the worker goes on", || (pages(&stack) > before).then_some(()));
    assert!(stack.lab.says(&["tail", "stack:worker"]).contains("hello from nginx"));
    let redis_log = fs::read_to_string(stack.run("redis.log")).unwrap();
    assert_eq!(redis_log.matches("Ready to accept connections").count(), 2, "once for each life\n{redis_log}");
    assert!(fs::read_to_string(stack.run("nginx.out")).unwrap().contains("GET / HTTP/1.0"));

    stack.lab.ctl(&["shutdown"]);
    assert!(stack.lab.wait().success());
    assert!(TcpStream::connect(("127.0.0.1", stack.web)).is_err(), "nginx is gone");
    assert!(TcpStream::connect(("127.0.0.1", stack.redis)).is_err(), "redis is gone");
    assert!(!stack.run("supervisord.pid").exists() && !stack.run("supervisor.sock").exists());
}
