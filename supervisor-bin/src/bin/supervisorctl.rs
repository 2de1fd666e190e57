//! supervisorctl: see `supervisor_bin::ctl`.
//!
//! A program with commands of its own registers them here: `plugins.register("name", factory)`, and names them in the
//! section `[ctlplugin:x]` of the configuration file.

use std::process::ExitCode;

use supervisor_bin::ctl::{self, Plugins};

fn main() -> ExitCode {
    let plugins = Plugins::default();
    ctl::run(&plugins, std::env::args_os())
}
