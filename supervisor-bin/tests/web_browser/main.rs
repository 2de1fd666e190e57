//! The web page in a real browser: what people do there, with scripts and without, and what it looks like.
//!
//! Needs `chromium` and `chromedriver`; without them every test says so and passes. Accessibility is checked by axe-core,
//! where `SUPERVISOR_AXE` names its `axe.min.js`. `SUPERVISOR_SCREENSHOTS` names a folder for the pictures of
//! the guide, `SUPERVISOR_FIGURES` asks for its figures.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::print_stdout, reason = "tests")]

mod access;
mod driver;
mod figures;
#[path = "../lab/mod.rs"]
mod lab;
mod log;
#[path = "../web_page/page.rs"]
#[allow(dead_code, reason = "shared with the tests that need no browser")]
mod page;
mod pictures;
mod plain;
mod processes;
mod site;
