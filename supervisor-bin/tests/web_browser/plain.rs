//! Everything without scripts; and the pages that need none.

use crate::driver::{Browser, Scripts};
use crate::lab::Lab;

const PROGRAMS: &str = "[program:one]\ncommand=/bin/sh -c 'echo hello; exec cat'\nautostart=false\nstartsecs=0\n\
                        stdout_logfile=%(here)s/o.log\n\
                        [program:two]\ncommand=/bin/cat\nstartsecs=0\n\
                        [group:web]\nprograms=a,b\n\
                        [program:a]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n\
                        [program:b]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n";

#[test]
fn everything_works_without_scripts() {
    let Some(browser) = Browser::start(Scripts::Off) else { return };
    let site = Lab::running_on_port(PROGRAMS);
    browser.open(&site.url());
    // Nothing that only scripts bring to life is shown.
    for nothing in ["Connecting", "Filter", "Sort by", "Keyboard", "CPU"] {
        assert!(!browser.text("body").contains(nothing), "{nothing}: {}", browser.text("body"));
    }
    browser.click("tr[data-name=one] [data-verb=start]");
    browser.reads("#messages", "Process one started");
    assert!(browser.text("tr[data-name=one]").to_lowercase().contains("running"));
    browser.click("tr[data-name=two] [data-verb=stop]");
    browser.reads("#messages", "Process two stopped");
    browser.click("tr.group [formaction*=startgroup]");
    browser.reads("#messages", "Group web started");
    site.wait_read("o.log", "hello");
    browser.click("tr[data-name=one] th a");
    browser.reads("#log", "hello");
    browser.click("[data-verb=clear]");
    browser.reads("#messages", "Log for one cleared");
    assert_eq!(browser.text("#log"), "");
    assert!(browser.text("#history").to_lowercase().contains("starting"));
    browser.click("nav a[href='mainlog.html']");
    browser.reads("h1", "Main log");
    assert!(browser.text("#log").contains("success: one entered RUNNING state"));
    browser.click("nav a[href='./']");
    browser.click("tr[data-name=one] summary");
    browser.click("tr[data-name=one] [data-verb=clear]");
    browser.reads("#messages", "Log for one cleared");
    browser.click("[href='?action=refresh']");
    browser.reads("#messages", "Page refreshed at ");
    // An old link that acted asks now.
    browser.open(&site.page("?action=stop&processname=one"));
    browser.reads("h1", "Stop one?");
    assert_eq!(site.shown("one"), "RUNNING");
    browser.click("main button");
    browser.reads("#messages", "Process one stopped");
    browser.click("[formaction*=stopall]");
    browser.reads("#messages", "All stopped at ");
}

#[test]
fn differences_are_shown_before_they_are_applied() {
    for scripts in [Scripts::On, Scripts::Off] {
        let Some(browser) = Browser::start(scripts) else { return };
        let site = Lab::running_on_port(PROGRAMS);
        site.configure(&PROGRAMS.replace("/bin/cat", "/bin/cat -u").replace("[program:two]", "[program:three]"));
        browser.open(&site.page("update.html"));
        browser.click("[value=reread]");
        browser.reads(".differences", "");
        let shown = browser.text(".differences");
        for text in ["three added", "two removed", "web changed", "command", "/bin/cat -u"] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        site.wait_shown("two", "RUNNING");
        browser.click("[name=changed]");
        browser.click("[value=update]");
        browser.reads("#messages", "Updated: two removed, three added");
        assert!(browser.text("#table").contains("three"));
    }
}

#[test]
fn names_and_output_run_nothing() {
    let Some(browser) = Browser::start(Scripts::On) else { return };
    let site = Lab::running_on_port(
        "[program:<script>document.title=1<b>]\n\
         command=/bin/sh -c 'echo \"<img src=x onerror=document.title=1><script>document.title=1</script>\"; exec cat'\n\
         startsecs=0\nstdout_logfile=%(here)s/o.log\n",
    );
    site.wait_read("o.log", "img");
    browser.open(&site.page("?message=%3Cimg%20src=x%20onerror=document.title=1%3E"));
    browser.until("document.getElementById('link').dataset.link === 'live'");
    browser.click("#table [data-verb=stop]");
    browser.until("document.querySelector('#table tr[data-name]').dataset.state === 'STOPPED'");
    browser.click("#table [data-verb=start]");
    browser.until("document.querySelector('#table tr[data-name]').dataset.state === 'RUNNING'");
    browser.click("#table th a");
    browser.until("document.getElementById('log')?.textContent.includes('<script>') === true");
    browser
        .until("document.querySelectorAll('img:not(.brand img), main script').length === 0 && document.title !== '1'");
    assert_eq!(browser.complaints(), [""; 0]);
}
