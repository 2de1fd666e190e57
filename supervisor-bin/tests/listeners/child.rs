//! A quick listener: this very program, started by the daemon.

use std::fs::File;
use std::io::Write;

use supervisor_core::listener::Verdict;
use supervisor_rpc::program::Listener;

/// The variable that names the file in which it writes down what it hears.
const DIARY: &str = "LISTENER_DIARY";

/// The section of a pool with one such listener; the events come down in `diary`, a line each.
pub(super) fn section(events: &str, buffer_size: usize) -> String {
    let own = std::env::current_exe().unwrap();
    // What the harness prints must not be taken for the protocol, which has a descriptor of its own.
    format!(
        "[eventlistener:l]\ncommand=/bin/sh -c 'exec 3>&1 >/dev/null; exec {} child::listens --exact --nocapture'\n\
         events={events}\nbuffer_size={buffer_size}\nenvironment={DIARY}=\"%(here)s/diary\"\nstderr_logfile=%(here)s/told\n",
        own.display()
    )
}

#[test]
fn listens() {
    let Some(diary) = std::env::var_os(DIARY) else { return };
    let mut diary = File::options().create(true).append(true).open(diary).unwrap();
    let protocol = File::options().write(true).open("/dev/fd/3").unwrap();
    let hear = |event: &supervisor_rpc::program::Event| {
        let length = event.payload.split_once('\n').map_or(0, |(_, data)| data.len());
        let head = event.payload.lines().next().unwrap_or_default();
        writeln!(diary, "{} {} {head} {length}", event.header.pool_serial, event.header.event_name).unwrap();
        Verdict::Processed
    };
    Listener::new(std::io::stdin().lock(), protocol).run(hear).unwrap();
}
