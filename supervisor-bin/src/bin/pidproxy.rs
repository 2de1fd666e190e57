//! `pidproxy`: stands in for a program that goes into the background and leaves a pid file.

use std::process::ExitCode;

fn main() -> ExitCode {
    supervisor_bin::pidproxy::main(std::env::args_os().skip(1).collect())
}
