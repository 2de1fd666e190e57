//! A supervisorctl with a command more. It is there when the configuration file asks for it:
//!
//! ```ini
//! [ctlplugin:janitor]
//! supervisor.ctl_factory = janitor
//! seconds = 3600
//! ```

use std::process::ExitCode;

use supervisor_bin::ctl::{self, Arguments, Command, ExitStatus, Outcome, Plugins, Session, Usage};
use supervisor_core::rpc::Value;

/// `restart_old [seconds]`
struct RestartOld {
    seconds: i64,
}

static USAGE: [Usage; 1] = [Usage::new("restart_old [seconds]", "Restart what has been up for longer")];

impl Command for RestartOld {
    fn name(&self) -> &str {
        "restart_old"
    }

    fn usage(&self) -> &[Usage] {
        &USAGE
    }

    fn run(&self, session: &mut Session, arguments: &Arguments<'_>) -> Outcome {
        let seconds = match arguments.words.as_slice() {
            [] => self.seconds,
            [word] if word.parse::<i64>().is_ok() => word.parse().unwrap_or(self.seconds),
            _ => return session.misuse(self, "Error: restart_old takes a number of seconds", ExitStatus::USAGE),
        };
        match session.call("janitor.restartOlderThan", vec![seconds.into()])? {
            Value::Array(names) => names.iter().filter_map(Value::as_str).try_for_each(|name| session.line(name)),
            _ => session.fail("ERROR: not an answer of the janitor", ExitStatus::FAILED),
        }
    }
}

fn main() -> ExitCode {
    let mut plugins = Plugins::default();
    plugins.register("janitor", |section| {
        let seconds = section.options.get("seconds").map_or(Ok(3600), |text| text.parse());
        let seconds = seconds.map_err(|error| format!("seconds: {error}"))?;
        Ok(vec![Box::new(RestartOld { seconds }) as Box<dyn Command>])
    });
    ctl::run(&plugins, std::env::args_os())
}
