//! A daemon and a client of one's own: `own_supervisord.rs`, `own_supervisorctl.rs` and `plugins/greeter.py` together.
#![allow(clippy::disallowed_methods, reason = "a test starts processes and looks at the clock")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use supervisor_core::rpc::{Fault, Value};
use supervisor_rpc::client::{Client, ClientError, ServerUrl};

const PATIENCE: Duration = Duration::from_secs(60);

/// An example's binary, which cargo builds before this test.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).unwrap().join("examples").join(name)
}

fn greeter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/greeter.py")
}

/// A daemon in a folder of its own.
struct Lab {
    folder: tempfile::TempDir,
    daemon: Child,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // By TERM, so that it stops its children.
        let _ = Command::new("kill").arg(self.daemon.id().to_string()).status();
        let _ = self.daemon.wait();
    }
}

fn configuration(folder: &Path, more: &str) -> PathBuf {
    let here = folder.display();
    let text = format!(
        "[supervisord]\nlogfile={here}/log\npidfile={here}/pid\nchildlogdir={here}\nloglevel=debug\n\
         [unix_http_server]\nfile={here}/sock\n\
         [supervisorctl]\nserverurl=unix://{here}/sock\n\
         [ctlplugin:janitor]\nsupervisor.ctl_factory=janitor\nseconds=0\n\
         [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
         [program:web]\ncommand=sleep 1000\nstartsecs=0\n\
         [program:database]\ncommand=sleep 1000\nstartsecs=0\n{more}"
    );
    let path = folder.join("supervisord.conf");
    fs::write(&path, text).unwrap();
    path
}

fn daemon(path: &Path) -> Command {
    let mut command = Command::new(example("own_supervisord"));
    command.arg("-n").arg("-c").arg(path).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

impl Lab {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = configuration(folder.path(), more);
        let daemon = daemon(&path).stderr(Stdio::null()).spawn().unwrap();
        Self { folder, daemon }
    }

    fn ctl(&self, words: &[&str]) -> Output {
        let mut command = Command::new(example("own_supervisorctl"));
        command.arg("-c").arg(self.folder.path().join("supervisord.conf")).args(words).output().unwrap()
    }

    fn say(&self, words: &[&str]) -> String {
        String::from_utf8(self.ctl(words).stdout).unwrap()
    }

    fn call(&self, method: &str, params: Vec<Value>) -> Result<Value, Fault> {
        let url = format!("unix://{}", self.folder.path().join("sock").display());
        let client = Client::new(ServerUrl::parse(&url).unwrap(), None);
        match smol::block_on(client.call(method, params)) {
            Ok(value) => Ok(value),
            Err(ClientError::Fault(fault)) => Err(fault),
            Err(other) => panic!("{method}: {other}"),
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until `check` gives something.
    fn eventually<T>(&self, what: &str, mut check: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = check() {
                return value;
            }
            assert!(Instant::now() < end, "never: {what}\n{}\n{}", self.say(&["status"]), self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_there(&self) {
        let runs = |status: &str, name| status.lines().any(|line| line.starts_with(name) && line.contains("RUNNING"));
        self.eventually("the daemon answers", || {
            let status = self.say(&["status"]);
            (runs(&status, "web") && runs(&status, "database")).then_some(())
        });
    }

    fn has_methods_of(&self, namespace: &str) -> Vec<String> {
        let Ok(Value::Array(methods)) = self.call("system.listMethods", vec![]) else { panic!("no list") };
        let names = methods.iter().filter_map(Value::as_str);
        names.filter(|name| name.starts_with(namespace)).map(str::to_owned).collect()
    }
}

fn text(value: &str) -> Value {
    value.into()
}

#[test]
fn a_namespace_of_another_crate_is_chosen_by_its_section_with_its_settings() {
    let lab = Lab::new("[rpcinterface:janitor]\nsupervisor.rpcinterface_factory=janitor\nspare=database\n");
    lab.is_there();
    assert_eq!(lab.has_methods_of("janitor"), ["janitor.restartOlderThan"]);
    let signature = lab.call("system.methodSignature", vec![text("janitor.restartOlderThan")]).unwrap();
    assert_eq!(signature, Value::Array(vec![text("array"), text("int")]));
    let help = lab.call("system.methodHelp", vec![text("janitor.restartOlderThan")]).unwrap();
    assert!(help.as_str().unwrap().starts_with("Restart every process that has been up for longer."));
    assert_eq!(lab.call("janitor.restartOlderThan", vec![]), Err(Fault::incorrect_parameters()));
    // The command of the client calls it: the database is spared.
    let output = lab.ctl(&["restart_old"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "web\n", "{output:?}");
    assert!(lab.say(&["help"]).contains("restart_old"), "{}", lab.say(&["help"]));
    let wrong = lab.ctl(&["restart_old", "soon"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(lab.log().contains("RPC interface 'janitor' initialized"));
}

#[test]
fn settings_that_a_factory_refuses_end_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let janitor = "[rpcinterface:janitor]\nsupervisor.rpcinterface_factory=janitor\nspan=1\n";
    let output = daemon(&configuration(folder.path(), janitor)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("Error: the janitor does not know 'span'"), "{told}");
}

#[test]
fn settings_that_a_factory_refuses_leave_a_restart_with_those_that_were() {
    let section = "[rpcinterface:janitor]\nsupervisor.rpcinterface_factory=janitor\n";
    let lab = Lab::new(section);
    lab.is_there();
    configuration(lab.folder.path(), &format!("{section}span=1\n"));
    lab.say(&["reload"]);
    lab.eventually("it says so", || {
        let log = lab.log();
        let told = log.contains("the RPC interfaces stay as they were: the janitor does not know 'span'");
        (told && log.matches("supervisord started with pid").count() == 2).then_some(())
    });
    lab.is_there();
    assert_eq!(lab.has_methods_of("janitor"), ["janitor.restartOlderThan"]);
}

/// False, and said so, where there is no Python.
fn has_python() -> bool {
    let there = Command::new("python3").arg("-V").output().is_ok();
    if !there {
        eprintln!("skipped: there is no python3");
    }
    there
}

fn greeter_section(more: &str) -> String {
    format!("[rpcinterface:greeter]\nsupervisor.rpcinterface_factory=exec:{}\n{more}", greeter().display())
}

fn call_of(method: &str, params: Vec<Value>) -> Value {
    Value::Struct(vec![("methodName".to_owned(), text(method)), ("params".to_owned(), Value::Array(params))])
}

#[test]
fn a_program_in_another_language_is_a_namespace() {
    if !has_python() {
        return;
    }
    let lab = Lab::new(&greeter_section("greeting=Good 100%% morning\nsupervisor.call_timeout=5\n"));
    lab.is_there();
    let methods = lab.eventually("described", || Some(lab.has_methods_of("greeter")).filter(|names| !names.is_empty()));
    assert_eq!(methods, ["greeter.greet", "greeter.sleep"]);
    let greet = |who: &str| lab.call("greeter.greet", vec![text(who)]);
    assert_eq!(greet("Žofie\n<&>"), Ok(text("Good 100% morning, Žofie\n<&>!")));
    assert_eq!(greet(""), Err(Fault { code: 1001, text: "NOBODY: whom to greet?".into() }));
    assert_eq!(lab.call("greeter.greet", vec![]), Err(Fault::incorrect_parameters()));
    assert_eq!(lab.call("greeter.dance", vec![]), Err(Fault::unknown_method()));
    let broken = lab.call("greeter.sleep", vec![text("long")]).unwrap_err();
    assert!(broken.code == 30 && broken.text.starts_with("FAILED: TypeError"), "{broken}");
    let calls = vec![call_of("greeter.greet", vec![text("a")]), call_of("greeter.greet", vec![text("")])];
    let Ok(Value::Array(results)) = lab.call("system.multicall", vec![Value::Array(calls)]) else { panic!("no array") };
    assert_eq!(results[0], text("Good 100% morning, a!"));
    assert_eq!(results[1].get("faultCode"), Some(&1001.into()));
    // Calls are answered side by side, and one that takes too long is given up.
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| lab.call("greeter.sleep", vec![Value::Double(1000.0)]));
        assert!(greet("quick").is_ok() && !slow.is_finished());
        let late = slow.join().unwrap().unwrap_err();
        assert_eq!(late.to_string(), "[30] FAILED: the program of 'greeter' gives no answer in time");
    });
    assert!(lab.say(&["status"]).contains("rpcinterface-greeter"), "it is a process like others");
}

#[test]
fn a_plugin_that_dies_answers_failed_and_comes_back() {
    if !has_python() {
        return;
    }
    let lab = Lab::new(&greeter_section(""));
    lab.is_there();
    let greet = || lab.call("greeter.greet", vec![text("you")]);
    let not_running = "[30] FAILED: the program of 'greeter' is not running";
    let pid = || lab.say(&["pid", "rpcinterface-greeter"]).trim().to_owned();
    lab.eventually("it answers", || greet().ok());
    let before = pid();
    // A call that waits for an answer when it dies is answered, too.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lab.call("greeter.sleep", vec![Value::Double(1000.0)]));
        assert!(!waiting.is_finished());
        lab.eventually("it answers beside", || greet().ok());
        lab.say(&["signal", "KILL", "rpcinterface-greeter"]);
        assert_eq!(waiting.join().unwrap().unwrap_err().to_string(), not_running);
    });
    lab.eventually("it is back", || greet().ok().filter(|_| pid() != before));
    lab.say(&["stop", "rpcinterface-greeter"]);
    assert_eq!(greet().unwrap_err().to_string(), not_running);
    assert_eq!(lab.has_methods_of("greeter").len(), 2, "its methods stay known");
    lab.say(&["start", "rpcinterface-greeter"]);
    lab.eventually("it answers again", || greet().ok());
}

#[test]
fn a_plugin_that_talks_nonsense_is_ended_and_never_believed() {
    let lab = Lab::new("[rpcinterface:mad]\nsupervisor.rpcinterface_factory=exec:sh -c 'echo hello; cat'\n");
    lab.is_there();
    lab.eventually("it is told of", || {
        lab.log().contains("RPC interface 'mad': a line that is no JSON-RPC").then_some(())
    });
    let refused = lab.call("mad.anything", vec![]).unwrap_err();
    assert_eq!(refused.to_string(), "[30] FAILED: the program of 'mad' is not running");
    lab.eventually("it is given up", || lab.say(&["status"]).contains("FATAL").then_some(()));
}

#[test]
fn a_line_without_end_is_not_kept() {
    let lab = Lab::new("[rpcinterface:long]\nsupervisor.rpcinterface_factory=exec:sh -c 'yes | tr -d \"\\n\"'\n");
    lab.is_there();
    lab.eventually("it is told of", || {
        lab.log().contains("RPC interface 'long': a line of more than 1048576 bytes").then_some(())
    });
}
