//! Documents of the `ini` crate, both ways.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use std::path::Path;

use crate::config::table_host::TableHost;
use crate::config::{Loader, Settings};

fn source() -> Arc<Source> {
    Arc::new(Source { name: "x.conf".to_owned(), here: "/etc".to_owned() })
}

fn document(text: &str) -> Document {
    let source = source();
    let mut document = Document::new(&source);
    document.scan(text, &source).unwrap();
    document
}

#[test]
fn a_supervisor_can_be_built_from_an_ini() {
    let mut ini = Ini::new();
    ini.with_section(Some("supervisord")).set("Identifier", "me");
    ini.with_section(Some("program:x")).set("command", "/bin/echo a ; b");
    let document = Document::from_ini(&ini, &source()).unwrap();
    let settings: Settings = Loader::new(&TableHost::new()).document(document, Path::new("x.conf")).unwrap();
    assert_eq!(settings.daemon.identifier, "me");
    assert_eq!(settings.groups[0].processes[0].command, "/bin/echo a ; b");
}

#[test]
fn options_need_a_section() {
    let mut ini = Ini::new();
    ini.with_section(None::<String>).set("password", "hunter2");
    let error = Document::from_ini(&ini, &source()).unwrap_err().to_string();
    assert!(error.starts_with("File contains no section headers.") && !error.contains("hunter2"), "{error}");
}

#[test]
fn secrets_are_not_written() {
    let text = "[DEFAULT]\nautostart=false\n[unix_http_server]\nfile=/x\nusername=u\npassword=hunter2\n[program:x]\n\
                command=a\n  b\nenvironment=A=\"hunter2\",B=1\n[rpcinterface:p]\nsupervisor.rpcinterface_factory=f\ntoken=hunter2\n";
    let written = super::text(&document(text).to_ini());
    assert!(!written.contains("hunter2"), "{written}");
    let again = document(&written);
    let get =
        |section: &str, key: &str| again.section(section).and_then(|s| s.get(key)).map(|entry| entry.value.clone());
    assert_eq!(get("program:x", "command").as_deref(), Some("a\nb"));
    assert_eq!(get("program:x", "autostart").as_deref(), Some("false"));
    assert_eq!(get("program:x", "environment").as_deref(), Some("A=\"***\",B=\"***\""));
    assert_eq!(get("unix_http_server", "autostart"), None);
    assert_eq!(get("rpcinterface:p", "supervisor.rpcinterface_factory").as_deref(), Some("f"));
}
