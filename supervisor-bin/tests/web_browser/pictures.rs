//! The pictures of the guide, from programs that could be somebody's. Made only where `SUPERVISOR_SCREENSHOTS` says.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::driver::{Browser, Scripts};
use crate::lab::Lab;

/// Programs in every state that lasts.
pub(crate) const PROGRAMS: &str = "\
[program:billing]\ncommand=/bin/sh -c 'while read line; do :; done'\nstartsecs=0\n\
[program:cache]\ncommand=/bin/sh -c 'head -c 30000000 /dev/zero | tail -c 29000000 | cat >/dev/null; exec cat'\nstartsecs=0\n\
[program:mailer]\ncommand=/bin/sh -c 'exit 3'\nstartsecs=0\nautorestart=unexpected\nexitcodes=3\n\
[program:nightly-report]\ncommand=/bin/cat\nautostart=false\n\
[program:importer]\ncommand=/usr/local/bin/importer --all\nstartretries=0\n\
[program:indexer]\ncommand=/bin/sh -c 'sleep 0.2; exit 1'\nstartsecs=5\nstartretries=1000\n\
[program:search]\ncommand=/bin/cat\nstartsecs=0\n\
[group:api]\nprograms=worker,scheduler\n\
[program:worker]\ncommand=/bin/sh %(here)s/worker.sh\nprocess_name=%(program_name)s_%(process_num)02d\nnumprocs=3\nstartsecs=0\n\
stdout_logfile=%(here)s/w%(process_num)s.log\nstderr_logfile=%(here)s/w%(process_num)s.err\n\
[program:scheduler]\ncommand=/bin/cat\nstartsecs=3600\n\
[group:edge]\nprograms=proxy,tls\n\
[program:proxy]\ncommand=/bin/cat\nstartsecs=0\n\
[program:tls]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n";

/// Works by turns, and says so.
const WORKER: &str = "\
n=0
while :; do
  n=$((n+1)); i=0
  while [ $i -lt $(( (n * 7919 % 23) * 3000 )) ]; do i=$((i+1)); done
  echo \"2026-11-25 22:14:$((n % 50 + 10)) request $((n * 37 % 9973)) GET /orders/$((n * 131 % 4999)) 200 in $((n * 13 % 90 + 4)) ms\"
  [ $((n % 9)) -eq 0 ] && echo \"2026-11-25 22:14:$((n % 50 + 10)) warning: upstream answered late, attempt $((n % 3 + 1))\" >&2
  sleep 0.25
done
";

/// Waits until the programs are as they stay.
pub(crate) fn settle(site: &Lab) {
    fs::write(site.path("worker.sh"), WORKER).unwrap();
    for (name, state) in [("importer", "FATAL"), ("mailer", "EXITED"), ("api:worker_00", "RUNNING")] {
        site.wait_shown(name, state);
    }
    // So that there is something to update.
    let changed = PROGRAMS
        .replace(
            "[program:search]\ncommand=/bin/cat",
            "[program:search]\ncommand=/bin/cat -u\nstopwaitsecs=30\nenvironment=MODE=\"fast\"",
        )
        .replace("[program:nightly-report]", "[program:weekly-report]");
    site.configure(&changed);
}

#[test]
fn pictures_of_the_guide() {
    let Some(folder) = std::env::var_os("SUPERVISOR_SCREENSHOTS").map(PathBuf::from) else {
        println!("skipped: SUPERVISOR_SCREENSHOTS does not name a folder");
        return;
    };
    let Some(browser) = Browser::start(Scripts::On) else { return };
    fs::create_dir_all(&folder).unwrap();
    let site = Lab::running_on_port(PROGRAMS);
    settle(&site);
    let shoot = |name: &str| {
        let file = folder.join(format!("{name}.png"));
        browser.shoot(&file);
        // A third of the size, where the tool is there.
        let _ = Command::new("pngquant").args(["--force", "--ext", ".png", "--speed", "1", "64"]).arg(&file).status();
    };
    let live = "document.getElementById('link').dataset.link === 'live'";
    browser.resize(1360, 900);
    browser.open(&site.url());
    browser.until(live);
    // Long enough for graphs.
    std::thread::sleep(std::time::Duration::from_secs(
        std::env::var("SUPERVISOR_SCREENSHOTS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60),
    ));
    shoot("overview-light");
    browser.scheme("dark");
    shoot("overview-dark");
    browser.open(&site.page("tail.html?processname=api:worker_00"));
    browser.until(live);
    browser.click("#channels label:has([value=stderr])");
    browser
        .until("log.querySelector('.stderr') !== null && log.childElementCount > 20 && $('usage').checkVisibility()");
    shoot("log-dark");
    browser.scheme("light");
    browser.type_into("#search", "late");
    browser.until("log.querySelector('.current') !== null");
    shoot("log-light");
    browser.open(&site.page("update.html"));
    browser.click("[value=reread]");
    browser.until("document.querySelector('.differences') !== null");
    shoot("update-light");
    browser.resize(1920, 1000);
    browser.open(&site.url());
    browser.until(live);
    browser.until("document.querySelector(\"tr[data-name='search'] .memory svg\") !== null");
    shoot("overview-wide");
    browser.phone(390, 844);
    browser.open(&site.url());
    browser.until(live);
    browser.until("document.querySelector(\"tr[data-name='api:worker_00'] .memory .reading\") !== null");
    shoot("phone");
    browser.open(&site.page("tail.html?processname=api:worker_00"));
    browser.until("document.getElementById('log').childElementCount > 5");
    shoot("phone-log");
}
