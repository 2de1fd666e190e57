//! The page of a process: its log as it grows, its states as they change.

use std::fs::{self, OpenOptions};
use std::io::Write;

use crate::driver::{Browser, Scripts};
use crate::lab::{Lab, eventually};

const PROGRAM: &str = "[program:x]\ncommand=/bin/sh -c 'echo out <i>1</i>; echo err 1 >&2; exec cat'\nstartsecs=0\n\
                       stdout_logfile=%(here)s/o.log\nstderr_logfile=%(here)s/e.log\n";

fn open() -> Option<(Lab, Browser)> {
    let browser = Browser::start(Scripts::On)?;
    let site = Lab::running_on_port(&PROGRAM.replace("<i>1</i>", "\"<i>1</i>\""));
    site.wait_read("e.log", "err");
    browser.open(&site.page("tail.html?processname=x"));
    browser.until("document.getElementById('log').textContent.includes('out <i>1</i>')");
    // Comes by another way, and takes room above the buttons.
    browser.until("!document.getElementById('usage').hidden");
    Some((site, browser))
}

fn append(site: &Lab, name: &str, text: &str) {
    OpenOptions::new().append(true).open(site.path(name)).unwrap().write_all(text.as_bytes()).unwrap();
}

const AT_END: &str = "(log.scrollHeight - log.scrollTop - log.clientHeight < 3)";

#[test]
fn it_follows_and_shows_both_channels() {
    let Some((site, browser)) = open() else { return };
    browser.until("!document.querySelector('#log i') && !document.querySelector('#log .stderr')");
    append(&site, "o.log", "half of a li");
    browser.until("log.lastChild.textContent === 'half of a li'");
    append(&site, "o.log", "ne\n\u{1b}[31mred\u{1b}[0m\n");
    browser.until("log.lastChild.textContent === 'red' && log.textContent.includes('half of a line')");
    browser.click("#channels label:has([value=stderr])");
    browser.until("document.querySelector('#log .stderr')?.textContent === 'err 1'");
    browser.until("document.getElementById('loghead').textContent === 'Standard output and Standard error'");
    browser.click("#channels label:has([value=stdout])");
    browser.until("!log.textContent.includes('red') && log.textContent.includes('err 1')");
    append(&site, "e.log", "err 2\n");
    browser.until("log.lastChild.textContent === 'err 2'");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn it_keeps_the_last_lines_only_and_pauses() {
    let Some((site, browser)) = open() else { return };
    let many: String = (0..12_000).map(|number| format!("line {number}\n")).collect();
    append(&site, "o.log", &many);
    browser.until("log.lastChild.textContent === 'line 11999'");
    browser.until(&format!("log.childElementCount === 5000 && {AT_END}"));
    browser.until("document.getElementById('following').textContent === 'Following, the last 5,000 lines'");
    browser.click("#follow");
    append(&site, "o.log", "later\n");
    browser.until("document.getElementById('following').textContent === 'Paused, 1 line more since'");
    browser.until("log.lastChild.textContent === 'line 11999'");
    browser.click("#follow");
    browser.until(&format!("log.lastChild.textContent === 'later' && {AT_END}"));
    // Who scrolls up reads; who comes back to the end follows.
    browser.script("log.scrollTop -= 500");
    browser.until("document.getElementById('follow').textContent === 'Follow'");
    append(&site, "o.log", "much later\n");
    browser.until("document.getElementById('following').textContent === 'Paused, 1 line more since'");
    browser.script("log.scrollTop = log.scrollHeight");
    browser.until(&format!("log.lastChild.textContent === 'much later' && {AT_END}"));
}

#[test]
fn it_finds() {
    let Some((site, browser)) = open() else { return };
    let many: String = (0..900)
        .map(|number| format!("line {number} {}\n", if number % 100 == 7 { "Needle" } else { "hay" }))
        .collect();
    append(&site, "o.log", &many);
    browser.until("log.lastChild.textContent === 'line 899 hay'");
    browser.press("/");
    browser.press("needle");
    browser.until("document.getElementById('matches').textContent === '9 of 9'");
    browser.until("document.querySelector('#log .current').textContent === 'line 807 Needle'");
    browser.press("\u{e007}");
    browser.until("document.querySelector('#log .current').textContent === 'line 7 Needle'");
    browser.until("CSS.highlights.get('found').size === 9");
    browser.click("#previous");
    browser.click("#previous");
    browser.until("document.querySelector('#log .current').textContent === 'line 707 Needle'");
    // It stands in the middle of what is seen.
    browser.until(
        "(() => { const [a, b] = [log, document.querySelector('#log .current')].map((e) => e.getBoundingClientRect()); \
         return b.top > a.top && b.bottom < a.bottom; })()",
    );
    browser.click("label:has(#only)");
    browser.until("[...log.children].filter((line) => line.checkVisibility()).length === 9");
    browser.click("#follow");
    append(&site, "o.log", "another needle\nmore hay\n");
    browser.until("[...log.children].filter((line) => line.checkVisibility()).length === 10");
    browser.until("document.getElementById('matches').textContent === '8 of 10'");
}

#[test]
fn a_paused_log_can_be_searched_after_the_connection_was_renewed() {
    let Some((site, browser)) = open() else { return };
    append(&site, "o.log", "needle\n");
    browser.until("log.lastChild.textContent === 'needle'");
    browser.click("#follow");
    append(&site, "o.log", "needle too\n");
    browser.until("document.getElementById('following').textContent === 'Paused, 1 line more since'");
    // As when the page is seen again: the log comes from its start, and what was there is nothing new.
    browser.script("document.dispatchEvent(new Event('visibilitychange'))");
    browser.until("document.getElementById('following').textContent === 'Paused, there may be more since'");
    browser.type_into("#search", "needle");
    assert_eq!(browser.text("#matches"), "1 of 1");
    browser.click("#follow");
    browser.until("document.getElementById('matches').textContent === '2'");
    browser.until("log.childElementCount === 3 && log.lastChild.textContent === 'needle too'");
    browser.until("document.getElementById('following').textContent === 'Following, 3 lines'");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_log_that_comes_later_is_shown() {
    let Some((site, browser)) = open() else { return };
    fs::remove_file(site.path("o.log")).unwrap();
    browser.open(&site.page("tail.html?processname=x"));
    browser.until("log.textContent === 'stdout of x: no log file'");
    fs::write(site.path("o.log"), "first\n").unwrap();
    browser.until("log.lastChild.textContent === 'first'");
    append(&site, "o.log", "second\n");
    browser.until("log.lastChild.textContent === 'second'");
}

#[test]
fn a_process_that_was_removed_is_said_to_be_gone_until_it_comes_back() {
    let Some((site, browser)) = open() else { return };
    let offered = "[...document.querySelectorAll('#present [data-verb]')].filter((b) => b.checkVisibility()).length";
    browser.until(&format!("document.getElementById('link').dataset.link === 'live' && {offered} === 3"));
    let gone = format!(
        "document.querySelector('#present .text').textContent === 'x is no longer there' && {offered} === 0 \
         && !document.getElementById('present').dataset.state && document.getElementById('usage').hidden"
    );
    let update = |body: &str, change: &str| {
        site.configure(body);
        site.post("/update.html", "action=reread");
        site.post("/update.html", &format!("action=update&{change}=x"));
    };
    update("", "removed");
    browser.until(&gone);
    update("[program:x]\ncommand=/bin/cat\nstartsecs=0\n", "added");
    browser.until(&format!("document.getElementById('present').dataset.state === 'RUNNING' && {offered} === 3"));
    // And when it happened while nobody looked.
    browser.script(
        "window.hide = (hidden) => { \
           const get = () => hidden ? 'hidden' : 'visible'; \
           Object.defineProperty(document, 'visibilityState', { configurable: true, get }); \
           document.dispatchEvent(new Event('visibilitychange')); \
         }; hide(true)",
    );
    update("", "removed");
    browser.script("hide(false)");
    browser.until(&gone);
}

#[test]
fn the_head_and_the_history_follow_the_process() {
    let Some((site, browser)) = open() else { return };
    browser.until("document.querySelector('#usage .memory svg') !== null");
    site.post("/?action=stop&processname=x", "");
    browser.until("document.getElementById('present').dataset.state === 'STOPPED'");
    browser.until("document.querySelector('#history tbody tr td:nth-child(3)').dataset.state === 'STOPPED'");
    browser.until("/terminated by SIGTERM/.test(document.querySelector('#history tbody').textContent)");
    browser.click("[data-verb=start]");
    browser.until("document.getElementById('present').dataset.state === 'RUNNING'");
    browser.until("document.querySelector('#history tbody tr td:nth-child(3)').dataset.state === 'RUNNING'");
    eventually("the new life has written", || (site.read("o.log").matches("out").count() == 2).then_some(()));
    browser.click("[data-verb=clear]");
    browser.until("document.getElementById('messages').textContent.includes('Log for x cleared')");
    assert_eq!(fs::read_to_string(site.path("o.log")).unwrap(), "");
}

#[test]
fn the_main_log_and_a_process_without_a_log() {
    let Some((mut site, browser)) = open() else { return };
    browser.open(&site.page("mainlog.html"));
    browser.until("/supervisord started with pid/.test(log.textContent)");
    site.post("/?action=stop&processname=x", "");
    browser.until("/stopped: x/.test(log.lastChild.textContent)");
    site.stop();
    browser.until("/Cut off/.test(document.getElementById('following').textContent)");
    site.configure("[program:n]\ncommand=/bin/cat\nstartsecs=0\nstdout_logfile=NONE\n");
    site.start();
    browser.until("/^Following/.test(document.getElementById('following').textContent)");
    browser.until("/spawned: 'n'/.test(log.textContent)");
    browser.open(&site.page("tail.html?processname=n"));
    browser.until("log.textContent === 'stdout of n: no log file'");
}
