//! The examples that end by themselves, run.
#![allow(clippy::disallowed_methods, reason = "a test starts processes")]

use std::process::Command;

fn output(example: &str) -> String {
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own.ancestors().nth(2).unwrap().join("examples").join(example)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_program_of_async_std() {
    let said = output("embed");
    assert!(
        said.contains("PROCESS_STATE_RUNNING processname:clock") && said.contains("clock is RUNNING as pid"),
        "{said}"
    );
}

#[test]
fn a_program_of_smol() {
    let said = output("smol");
    assert!(said.contains("sleeper is RUNNING (Program, pid Some("), "{said}");
    assert!(said.contains("counter is RUNNING (Task, pid None)\n"), "{said}");
    assert!(said.ends_with("counter has tidied up\n"), "{said}");
}
