//! Manual pages and shell completions, written from the tables of options, commands and configuration keys.
//!
//! `cargo run -p supervisor-bin --example manual` writes them into `share/`, which has the shape of `/usr/share`; a test
//! compares. Decides how they read, and where they lie; what there is to tell stands in the tables.

mod bash;
mod entry;
mod fish;
mod page;
mod roff;
mod zsh;

pub use entry::Program;

use crate::{ctl, daemon};

/// A file under `share/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manual {
    /// Its path there.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Every file, in the order of their paths.
pub fn files() -> Vec<Manual> {
    let supervisorctl = Program { name: "supervisorctl", options: ctl::OPTIONS, commands: ctl::commands() };
    let supervisord = Program { name: "supervisord", options: daemon::args::OPTIONS, commands: Vec::new() };
    let mut files = vec![
        manual("man/man1/supervisorctl.1", page::supervisorctl(&supervisorctl)),
        manual("man/man1/echo_supervisord_conf.1", page::echo_supervisord_conf()),
        manual("man/man1/pidproxy.1", page::pidproxy()),
        manual("man/man1/supervisor_password.1", page::supervisor_password()),
        manual("man/man5/supervisord.conf.5", page::configuration()),
        manual("man/man8/supervisord.8", page::supervisord(&supervisord)),
    ];
    for program in [&supervisorctl, &supervisord] {
        let name = program.name;
        files.extend([
            manual(&format!("bash-completion/completions/{name}"), bash::completion(program)),
            manual(&format!("zsh/site-functions/_{name}"), zsh::completion(program)),
            manual(&format!("fish/vendor_completions.d/{name}.fish"), fish::completion(program)),
        ]);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn manual(path: &str, text: String) -> Manual {
    Manual { path: path.to_owned(), text }
}
