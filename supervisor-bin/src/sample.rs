//! The sample configuration that `echo_supervisord_conf` prints.
//!
//! The text itself is `sample.conf`: a configuration that works as it stands and shows every section and key.

use std::io::{self, Write};
use std::process::ExitCode;

/// The sample configuration.
pub const SAMPLE: &str = include_str!("sample.conf");

/// Prints the sample on stdout. A reader that has gone away is no failure.
pub fn main() -> ExitCode {
    match io::stdout().lock().write_all(SAMPLE.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live_lines() -> Vec<&'static str> {
        SAMPLE.lines().filter(|line| !line.starts_with(';') && !line.is_empty()).collect()
    }

    #[test]
    fn holds_the_values_that_people_expect() {
        let live = live_lines();
        let expected = [
            "[unix_http_server]",
            "file=/tmp/supervisor.sock",
            "[supervisord]",
            "logfile=/tmp/supervisord.log",
            "logfile_maxbytes=50MB",
            "logfile_backups=10",
            "loglevel=info",
            "pidfile=/tmp/supervisord.pid",
            "nodaemon=false",
            "silent=false",
            "minfds=1024",
            "minprocs=200",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
            "[supervisorctl]",
            "serverurl=unix:///tmp/supervisor.sock",
        ];
        let words: Vec<_> = live.iter().map(|line| line.split_whitespace().next().unwrap_or("")).collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn every_key_of_a_program_is_shown() {
        for key in ["command", "startsecs", "stopasgroup", "killasgroup", "stdout_syslog", "serverurl", "umask"] {
            assert!(SAMPLE.contains(&format!("\n;{key}=")), "{key}");
        }
        for section in [";[inet_http_server]", ";[program:theprogramname]", ";[group:thegroupname]", ";[include]"] {
            assert!(SAMPLE.lines().any(|line| line.starts_with(section)), "{section}");
        }
    }
}
