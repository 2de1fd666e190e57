//! Whether everybody can use the pages: axe-core's rules for WCAG 2.2 AA, on each page, light and dark, wide and narrow.

use std::fs;

use serde_json::Value;

use crate::driver::{Browser, Scripts};
use crate::lab::Lab;
use crate::pictures::{PROGRAMS, settle};

const RUN: &str = "const done = arguments[arguments.length - 1]; \
    axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then( \
      (found) => done(found.violations.map((rule) => rule.id + ': ' + rule.nodes.map((node) => node.failureSummary + ' ' + node.html).join(' | '))), \
      (error) => done(['axe-core failed: ' + error]))";

#[test]
fn the_pages_keep_the_rules_of_accessibility() {
    let Some(axe) = std::env::var_os("SUPERVISOR_AXE") else {
        println!("skipped: SUPERVISOR_AXE does not name axe.min.js of axe-core");
        return;
    };
    let axe = fs::read_to_string(axe).unwrap();
    let Some(browser) = Browser::start(Scripts::On) else { return };
    let site = Lab::running_on_port(PROGRAMS);
    settle(&site);
    let mut broken = Vec::new();
    let mut check = |place: &str| {
        browser.script(&axe);
        let Value::Array(found) = browser.script_later(RUN) else { panic!("{place}") };
        broken.extend(found.iter().map(|rule| format!("{place}: {rule}")));
    };
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        for (width, path) in [
            (1400, ""),
            (1400, "?message=ERROR:%20no"),
            (1400, "?action=stopall"),
            (1400, "tail.html?processname=api:worker_00"),
            (1400, "mainlog.html"),
            (420, ""),
            (420, "tail.html?processname=api:worker_00"),
        ] {
            browser.resize(width, 900);
            browser.open(&site.page(path));
            browser.until("document.getElementById('link').dataset.link === 'live'");
            check(&format!("{scheme} {width} /{path}"));
        }
        browser.resize(1400, 900);
        browser.open(&site.url());
        browser.until("document.getElementById('link').dataset.link === 'live'");
        browser.click("#help");
        check(&format!("{scheme} keys"));
        browser.open(&site.page("update.html"));
        browser.click("[value=reread]");
        browser.until("document.querySelector('.differences') !== null");
        check(&format!("{scheme} differences"));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
