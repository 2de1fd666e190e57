//! `echo_supervisord_conf`: prints a sample configuration.

use std::process::ExitCode;

fn main() -> ExitCode {
    supervisor_bin::sample::main()
}
