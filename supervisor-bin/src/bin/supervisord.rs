//! `supervisord`: the daemon.

use std::process::ExitCode;

use supervisor_bin::daemon::{self, Factories};

fn main() -> ExitCode {
    daemon::run(std::env::args_os(), &Factories::default())
}
