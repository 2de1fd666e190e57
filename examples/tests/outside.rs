//! Packages outside the workspace, as users write them: built and run. Slow, so only when asked for:
//! `cargo test -p supervisor-examples --test outside -- --ignored`.
#![allow(clippy::disallowed_methods, reason = "a test starts processes and looks at the clock")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Builds a package with the versions of the workspace, in its target folder, and returns the binary.
fn build(manifest: &Path, arguments: &[&str], binary: &str) -> PathBuf {
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .args(arguments)
        .env_remove("CARGO_MANIFEST_DIR")
        .status()
        .unwrap();
    assert!(status.success(), "{} does not build", manifest.display());
    target.join("debug").join(binary)
}

fn outside(name: &str, binary: &str) -> PathBuf {
    let folder = workspace().join("examples/outside").join(name);
    // The same versions of all crates: what is built already is used.
    let lock = folder.join("Cargo.lock");
    fs::copy(workspace().join("Cargo.lock"), &lock).unwrap();
    let built = build(&folder.join("Cargo.toml"), &[], binary);
    let _ = fs::remove_file(lock);
    built
}

#[test]
#[ignore = "builds a package"]
fn a_program_of_tokio() {
    let output = Command::new(outside("tokio", "tokio-program")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("sleeper is RUNNING (Program, pid Some("), "{said}");
    assert!(said.contains("counter is RUNNING (Task, pid None)\n"), "{said}");
    assert!(said.ends_with("counter has tidied up\nShutdown\n"), "{said}");
}

#[test]
#[ignore = "builds a package"]
fn sixty_lines_from_the_documentation() {
    let source = fs::read_to_string(workspace().join("examples/outside/sixty/src/main.rs")).unwrap();
    assert!(source.lines().count() < 60, "{} lines", source.lines().count());
    let program = outside("sixty", "sixty");
    let ctl =
        build(&workspace().join("Cargo.toml"), &["-p", "supervisor-bin", "--bin", "supervisorctl"], "supervisorctl");
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let mut running = Command::new(program).arg(&socket).stdout(Stdio::piped()).spawn().unwrap();
    let say = |words: &[&str]| {
        let output = Command::new(&ctl).arg("-s").arg(format!("unix://{}", socket.display())).args(words).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let end = Instant::now() + Duration::from_secs(60);
    let status = loop {
        let status = say(&["status"]);
        if status.matches("RUNNING").count() == 5 {
            break status;
        }
        assert!(Instant::now() < end, "{status}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.lines().any(|line| line.starts_with("heartbeat") && line.contains("task, uptime")), "{status}");
    assert_eq!(say(&["stop", "heartbeat"]), "heartbeat: stopped\n");
    assert_eq!(say(&["start", "heartbeat"]), "heartbeat: started\n");
    assert!(say(&["tail", "heartbeat"]).contains("still here\n"));
    assert_eq!(say(&["pid", "heartbeat"]), "0\n");
    assert_eq!(hello(&socket), "hello from inside");
    assert_eq!(say(&["shutdown"]), "Shut down\n");
    let output = running.wait_with_output_of();
    assert!(
        output.contains("PROCESS_STATE_RUNNING processname:heartbeat groupname:heartbeat from_state:STARTING pid:0")
    );
    assert!(!socket.exists(), "it leaves no socket behind");
}

/// Asks the method that the program has added.
fn hello(socket: &Path) -> String {
    use supervisor_rpc::client::{Client, ServerUrl};
    let client = Client::new(ServerUrl::parse(&format!("unix://{}", socket.display())).unwrap(), None);
    let answer = smol::block_on(client.call("my.hello", Vec::new())).unwrap();
    answer.as_str().unwrap().to_owned()
}

/// Waits for the end of a program that has to come by itself, and returns what it said.
trait WaitForOutput {
    fn wait_with_output_of(&mut self) -> String;
}

impl WaitForOutput for std::process::Child {
    fn wait_with_output_of(&mut self) -> String {
        let mut said = String::new();
        std::io::Read::read_to_string(self.stdout.as_mut().unwrap(), &mut said).unwrap();
        assert!(self.wait().unwrap().success());
        said
    }
}
