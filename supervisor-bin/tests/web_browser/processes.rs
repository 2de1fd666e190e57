//! The overview, live: acting, changes from elsewhere, filter and order, keyboard, a daemon that goes and comes back.

use crate::driver::{Browser, Scripts};
use crate::lab::Lab;

const PROGRAMS: &str = "[program:one]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n\
                        [program:two]\ncommand=/bin/cat\nstartsecs=0\n\
                        [program:bad]\ncommand=/no/such\nstartretries=0\n\
                        [group:web]\nprograms=a,b\n\
                        [program:a]\ncommand=/bin/cat\nstartsecs=0\n\
                        [program:b]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n";

fn row(name: &str) -> String {
    format!("tr[data-name='{name}']")
}

fn shows(name: &str, state: &str) -> String {
    format!("document.querySelector(\"{}\")?.dataset.state === '{state}'", row(name))
}

const LIVE: &str = "document.getElementById('link').dataset.link === 'live'";

/// Nothing was loaded anew since this was called.
fn mark(browser: &Browser) {
    browser.script("window.mark = true");
}

const MARKED: &str = "window.mark === true";

fn open(programs: &str) -> Option<(Lab, Browser)> {
    let browser = Browser::start(Scripts::On)?;
    let site = Lab::running_on_port(programs);
    browser.open(&site.url());
    browser.until(LIVE);
    mark(&browser);
    Some((site, browser))
}

#[test]
fn buttons_act_in_place_and_say_what_was_done() {
    let Some((site, browser)) = open(PROGRAMS) else { return };
    browser.click(&format!("{} [data-verb=start]", row("one")));
    browser.until(&shows("one", "RUNNING"));
    browser.until("document.getElementById('messages').textContent.includes('Process one started')");
    // The button that had the focus has gone; the next one has it.
    browser.until("document.activeElement.closest('tr')?.dataset.name === 'one'");
    let pid = browser.script("return document.querySelector(\"tr[data-name='one']\").dataset.pid");
    browser.click(&format!("{} [data-verb=restart]", row("one")));
    browser.until(&format!(
        "{} && document.querySelector(\"{}\").dataset.pid !== {pid}",
        shows("one", "RUNNING"),
        row("one")
    ));
    browser.click(&format!("{} [data-verb=stop]", row("one")));
    browser.until(&shows("one", "STOPPED"));
    browser.click(&format!("{} [data-verb=start]", row("bad")));
    browser.until("document.querySelector('#messages .failure')?.textContent.includes('bad: no such file') === true");
    // What concerns many is asked for first.
    browser.click("tr.group [formaction*=stopgroup]");
    browser.until("document.getElementById('sure').open");
    browser.click("#sure [value=no]");
    browser.click("tr.group [formaction*=startgroup]");
    browser.until(&shows("web:b", "RUNNING"));
    browser.until("document.querySelector('tr.group .up').textContent === '2'");
    browser.click("[formaction*=stopall]");
    browser.click("#sure [value=yes]");
    browser.until(&format!("{} && {}", shows("two", "STOPPED"), shows("web:a", "STOPPED")));
    browser.until(MARKED);
    assert_eq!(site.shown("two"), "STOPPED");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn changes_from_elsewhere_touch_their_row_alone() {
    let Some((site, browser)) = open(PROGRAMS) else { return };
    browser.until(&shows("two", "RUNNING"));
    browser.script(
        "window.changes = 0; window.two = document.querySelector(\"tr[data-name='two'] .state\"); \
         new MutationObserver((list) => { window.changes += list.length; }) \
           .observe(two, { subtree: true, childList: true, characterData: true, attributes: true });",
    );
    site.post("/?action=start&processname=one", "");
    browser.until(&shows("one", "RUNNING"));
    browser.until(
        "/^pid \\d+, uptime 0:00:\\d\\d$/.test(document.querySelector(\"tr[data-name='one'] .text\").textContent)",
    );
    browser.until("two.isConnected && changes === 0");
    // CPU and memory come by themselves.
    browser.until("/MiB|KiB/.test(document.querySelector(\"tr[data-name='two'] .memory\").textContent)");
    browser.until("document.querySelector(\"tr[data-name='two'] .memory .curve\").getAttribute('d').startsWith('M')");
    // Groups and processes that come and go.
    site.configure(&PROGRAMS.replace("[program:one]", "[program:neu<i>]"));
    site.post("/update.html", "action=reread");
    site.post("/update.html", "action=update&removed=one&added=neu%3Ci%3E");
    browser.until("!document.querySelector(\"tr[data-name='one']\")");
    browser.until(&shows("neu<i>", "STOPPED"));
    let names =
        "return [...document.querySelectorAll('#table tr[data-name]')].map((row) => row.dataset.name).join(' ')";
    assert_eq!(browser.script(names), "bad neu<i> two web:a web:b");
    browser.click(&format!("{} [data-verb=start]", row("neu<i>")));
    browser.until(&shows("neu<i>", "RUNNING"));
    assert_eq!(site.shown("neu&#60;i&#62;"), "RUNNING");
    browser.until(MARKED);
    assert_eq!(browser.complaints(), [""; 0]);
}

const SHOWN: &str = "return [...document.querySelectorAll('#table tr[data-name]')].filter((row) => row.checkVisibility()).map((row) => row.dataset.name).join(' ')";

#[test]
fn a_filter_and_an_order_stay_in_the_address() {
    let Some((site, browser)) = open(PROGRAMS) else { return };
    browser.until(&shows("bad", "FATAL"));
    assert!(browser.title().starts_with("(1 fatal) "), "{}", browser.title());
    browser.type_into("#find", "WEB");
    assert_eq!(browser.script(SHOWN), "web:a web:b");
    assert_eq!(browser.text("#shown"), "2 of 5 shown");
    browser.type_into("#find", "x");
    browser.until("document.getElementById('nomatch').checkVisibility()");
    browser.press("\u{e00c}");
    browser.until("document.getElementById('find').value === ''");
    browser.click("#states [data-state=STOPPED]");
    assert_eq!(browser.script(SHOWN), "one web:b");
    // What changes its state leaves.
    site.post("/?action=start&processname=one", "");
    browser.until("!document.querySelector(\"tr[data-name='one']\").checkVisibility()");
    browser.click("#states [data-state=STOPPED]");
    browser.click("thead [data-order=state] button");
    assert_eq!(browser.script(SHOWN), "bad one two web:a web:b");
    assert_eq!(browser.script("return document.querySelector('[aria-sort]').dataset.order"), "state");
    let url = browser.script("return location.href");
    browser.open("about:blank");
    browser.open(url.as_str().unwrap());
    browser.until(LIVE);
    browser.until("document.querySelector('[aria-sort]').dataset.order === 'state'");
    assert_eq!(browser.script(SHOWN), "bad one two web:a web:b");
    browser.click("thead [data-order=state] button");
    browser.until("location.hash === '' && document.querySelector('tr.group').checkVisibility()");
    assert_eq!(browser.script(SHOWN), "bad one two web:a web:b");
}

#[test]
fn enter_in_a_filter_asks_for_nothing() {
    let Some((site, browser)) = open(PROGRAMS) else { return };
    browser.script("window.asked = 0; document.addEventListener('submit', () => { asked += 1; }, true)");
    browser.press("/one");
    browser.press("\u{e007}\u{e007}");
    assert_eq!(browser.script("return document.activeElement.id"), "find");
    browser.script("document.querySelector('#states [value=STOPPED]').focus()");
    browser.press("\u{e007}\u{e007}");
    assert_eq!(browser.script("return [asked, document.getElementById('sure').open]"), serde_json::json!([0, false]));
    assert_eq!(site.shown("one"), "STOPPED");
    browser.until(MARKED);
}

#[test]
fn filter_and_order_need_no_connection() {
    let Some(browser) = Browser::start(Scripts::On) else { return };
    let site = Lab::running_on_port(PROGRAMS);
    site.wait_shown("two", "RUNNING");
    site.wait_shown("web:a", "RUNNING");
    // Nothing ever comes, as when a proxy does not pass it on.
    let silence = "delete window.SharedWorker; window.EventSource = class { addEventListener() {} close() {} };";
    browser.command("Page.addScriptToEvaluateOnNewDocument", &serde_json::json!({ "source": silence }));
    browser.open(&site.page("#state=RUNNING"));
    browser.until("document.documentElement.classList.contains('live')");
    assert_eq!(browser.script(SHOWN), "two web:a");
    browser.until("document.querySelector('#states [data-state=RUNNING] b').textContent === '2'");
    browser.click("#states [data-state=RUNNING]");
    browser.type_into("#find", "web");
    assert_eq!(browser.script(SHOWN), "web:a web:b");
    browser.press("\u{e00c}");
    browser.click("thead [data-order=uptime] button");
    let shown = browser.script(SHOWN);
    // A process that does not run has been up for no time at all.
    assert!(shown == "two web:a bad one web:b" || shown == "web:a two bad one web:b", "{shown}");
    browser.until("/^pid [0-9]+, uptime 0:0/.test(document.querySelector(\"tr[data-name='two'] .text\").textContent)");
}

#[test]
fn a_page_without_programs_offers_everything_once_there_are_some() {
    let Some((site, browser)) = open("") else { return };
    let offered = "document.querySelector('[formaction*=startall]')?.checkVisibility() === true";
    browser.until(&format!("!({offered}) && document.getElementById('none').checkVisibility()"));
    site.configure("[program:one]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n");
    site.post("/update.html", "action=reread");
    site.post("/update.html", "action=update&added=one");
    browser.until(&shows("one", "STOPPED"));
    browser.until(offered);
    browser.click("[formaction*=startall]");
    browser.click("#sure [value=yes]");
    browser.until(&shows("one", "RUNNING"));
    browser.until(MARKED);
}

#[test]
fn the_keyboard_is_enough() {
    let Some((site, browser)) = open(PROGRAMS) else { return };
    browser.press("jjj");
    assert_eq!(browser.script("return document.activeElement.textContent"), "two");
    browser.press("k");
    assert_eq!(browser.script("return document.activeElement.textContent"), "one");
    browser.press("s");
    browser.until(&shows("one", "RUNNING"));
    browser.press("x");
    browser.until(&shows("one", "STOPPED"));
    browser.press("/");
    browser.press("two");
    browser.until("document.getElementById('find').value === 'two'");
    assert_eq!(site.shown("two"), "RUNNING");
    browser.press("\u{e00c}");
    browser.press("?");
    browser.until("document.getElementById('keys').open");
    browser.click("#single");
    browser.press("\u{e00c}");
    browser.until("!document.getElementById('keys').open");
    browser.press("/x");
    assert_ne!(browser.script("return document.activeElement.id"), "find");
    browser.press("?");
    assert_eq!(browser.script("return document.getElementById('keys').open"), false);
    browser.click("#help");
    browser.click("#single");
    browser.press("\u{e00c}");
    browser.press("jjj\u{e007}");
    browser.until("document.body.dataset.page === 'tail'");
    browser.press("x");
    browser.until("document.getElementById('present').dataset.state === 'STOPPED'");
    browser.press("g");
    browser.until("document.body.dataset.page === 'overview'");
}

#[test]
fn a_page_survives_the_daemon() {
    let Some((mut site, browser)) = open(PROGRAMS) else { return };
    let pid = "document.querySelector(\"tr[data-name='two']\").dataset.pid";
    // Only what runs can be stopped, and it says so first.
    browser.until(&shows("two", "RUNNING"));
    browser.script(&format!("window.old = {pid}"));
    site.stop();
    browser.until("document.getElementById('link').dataset.link === 'cut'");
    browser.until("/Cut off/.test(document.getElementById('link').textContent)");
    // Of a process that was stopped before: what the page has heard of the end of others, nobody knows.
    browser.click(&format!("{} [data-verb=start]", row("one")));
    browser.until("document.querySelector('#messages .failure')?.textContent.includes('did not answer') === true");
    site.start();
    browser.until(LIVE);
    browser.until(&format!("{pid} !== window.old && {}", shows("two", "RUNNING")));
    // With the token of the new life.
    browser.click(&format!("{} [data-verb=stop]", row("two")));
    browser.until(&shows("two", "STOPPED"));
    browser.until(MARKED);
}

#[test]
fn a_phone_shows_everything_without_scrolling_sideways() {
    let Some((site, browser)) = open(PROGRAMS) else { return };
    browser.phone(360, 740);
    for path in ["", "tail.html?processname=two", "mainlog.html", "update.html", "?action=stopall"] {
        browser.open(&site.page(path));
        browser.until("document.documentElement.classList.contains('live')");
        browser.until("document.documentElement.scrollWidth <= innerWidth");
    }
    browser.open(&site.url());
    browser.until(LIVE);
    // WCAG 2.2: targets of at least 24 by 24 pixels.
    browser.until(
        "[...document.querySelectorAll('button, .button, summary, select, nav a, th a')].filter((e) => e.checkVisibility()) \
         .every((e) => e.matches('th a') || (e.offsetHeight >= 24 && e.offsetWidth >= 24))",
    );
    browser.click(&format!("{} [data-verb=start]", row("one")));
    browser.until(&shows("one", "RUNNING"));
    // What it uses takes a line of its own, above the buttons.
    browser.until(&format!("document.querySelector(\"{} .memory\").firstChild !== null", row("one")));
    browser.click(&format!("{} summary", row("one")));
    browser.until(&format!("document.querySelector(\"{} [data-verb=clear]\").checkVisibility()", row("one")));
    browser.until("document.documentElement.scrollWidth <= innerWidth");
}

#[test]
fn a_password_in_the_address_is_no_hindrance() {
    let Some(browser) = Browser::start(Scripts::On) else { return };
    let mut site = Lab::on_port("");
    site.server = "username=ann\npassword=a:b".to_owned();
    site.configure(PROGRAMS);
    site.start_listening();
    browser.open(&site.url().replace("//", "//ann:a%3Ab@"));
    browser.until(LIVE);
    browser.click(&format!("{} [data-verb=start]", row("one")));
    browser.until(&shows("one", "RUNNING"));
    browser.click(&format!("{} th a", row("one")));
    browser.until("/^Following/.test(document.getElementById('following')?.textContent)");
    browser.click("[data-verb=stop]");
    browser.until("document.querySelector('#history tbody td:nth-child(3)').dataset.state === 'STOPPED'");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn pages_of_one_browser_hear_the_same() {
    let Some((site, browser)) = open(PROGRAMS) else { return };
    browser.script("window.other = open(location.href, 'other', 'popup')");
    browser.until("other.document.getElementById('link')?.dataset.link === 'live'");
    site.post("/?action=start&processname=one", "");
    browser.until(&shows("one", "RUNNING"));
    browser.until(&format!("other.{}", shows("one", "RUNNING")));
    browser.script("other.close()");
    site.post("/?action=stop&processname=one", "");
    browser.until(&format!("{} && {MARKED}", shows("one", "STOPPED")));
}
