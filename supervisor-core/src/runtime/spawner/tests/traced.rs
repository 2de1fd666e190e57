//! A child that has ended belongs to its tracer until that one lets go of it.

use std::future::poll_fn;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::time::Duration;

use super::*;

/// Traces a process until its stdin is closed, and never waits for it (PTRACE_SEIZE).
const TRACER: &str = "
import ctypes, sys
print(ctypes.CDLL(None).ptrace(0x4206, int(sys.argv[1]), 0, 0), flush=True)
sys.stdin.read()
";

/// A tracer of this process; `None` where none is allowed.
fn trace(pid: u32) -> Option<Child> {
    let pid = pid.to_string();
    #[expect(clippy::disallowed_methods, reason = "not a child of a supervisor")]
    let mut command = Command::new("python3");
    let mut tracer = command.args(["-c", TRACER, &pid]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut answer = String::new();
    BufReader::new(tracer.stdout.take().unwrap()).read_line(&mut answer).unwrap();
    if answer == "0\n" {
        return Some(tracer);
    }
    tracer.kill().unwrap();
    tracer.wait().unwrap();
    None
}

#[test]
fn a_dead_child_that_a_tracer_holds_is_not_asked_for_without_end() {
    for spawner in [forking(), vforking()] {
        let mut started = spawner.begin(&order(process("/bin/sleep 600"))).unwrap();
        let pid = started.pid.unwrap();
        let Some(mut tracer) = trace(pid) else {
            alone::say("skipped: nobody may trace here");
            end(started);
            continue;
        };
        started.signaller.signal(libc::SIGKILL, false).unwrap();
        let mut polls = 0;
        let exit = poll_fn(|context| {
            polls += 1;
            started.exit.as_mut().poll(context)
        });
        let release = async {
            // For so long it could be asked for in vain; no expectation hangs on how long that is.
            async_io::Timer::after(Duration::from_millis(500)).await;
            drop(tracer.stdin.take());
        };
        let (status, ()) = async_io::block_on(future::zip(exit, release));
        assert_eq!(status, ExitStatus::Signaled { signal: libc::SIGKILL, core_dumped: false });
        assert!(polls < 20, "{polls}");
        tracer.wait().unwrap();
    }
}
