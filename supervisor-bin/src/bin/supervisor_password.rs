//! `supervisor_password`: makes a hash for `password` of an HTTP server's section.

use std::process::ExitCode;

fn main() -> ExitCode {
    supervisor_bin::password::main(&std::env::args().skip(1).collect::<Vec<_>>())
}
