//! The programs use what every embedding program can use, and each of them only its own part of that.
//!
//! Crates cannot reach into each other's private parts; this test sees to it that no public part exists for the programs
//! alone, and that none of them takes a way of its own: supervisorctl asks the server, the page and the RPC methods
//! ask the [`Handle`](supervisor_core::Handle).
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Where the files are, and what of the crates below they may name. An empty word allows the whole crate.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "supervisor-bin/src/ctl",
        &[
            "supervisor_core::config",
            "supervisor_core::domain",
            "supervisor_core::process::Stream",
            "supervisor_core::rpc",
            "supervisor_core::sys::host",
            "supervisor_rpc::client",
        ],
    ),
    (
        "supervisor-bin/src/web",
        &[
            "supervisor_core::Handle",
            "supervisor_core::RequestError",
            "supervisor_core::domain",
            "supervisor_core::listener",
            "supervisor_core::process",
            "supervisor_core::rpc",
            "supervisor_core::sys::time",
            "supervisor_rpc::namespace",
            "supervisor_rpc::server",
        ],
    ),
    (
        "supervisor-rpc/src/namespace",
        &[
            "supervisor_core::Handle",
            "supervisor_core::RequestError",
            "supervisor_core::activity",
            "supervisor_core::config::PluginSection",
            "supervisor_core::domain",
            "supervisor_core::logfile::read",
            "supervisor_core::offload",
            "supervisor_core::process",
            "supervisor_core::rpc",
            "supervisor_core::sys::time",
        ],
    ),
];

/// Signs of a door that is not for everybody.
const BACK_DOORS: &[&str] = &["doc(hidden)", "fuzzing::", "#[path", "include!("];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && !["tests.rs", "testing.rs"].contains(&name.as_str()) {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.push((path, lines.collect::<Vec<_>>().join("\n")));
        }
    }
    found
}

/// The paths into the crates below that a text names, with the members of `{…}` spelled out.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for crate_name in ["supervisor_core::", "supervisor_rpc::"] {
        for (at, _) in code.match_indices(crate_name) {
            let rest = &code[at + crate_name.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
            let path = &rest[..end];
            if let (Some(prefix), true) =
                (path.strip_suffix("::").or(path.is_empty().then_some("")), rest[end..].starts_with('{'))
            {
                let list = &rest[end + 1..];
                let mut depth = 0;
                let mut member = String::new();
                for character in list.chars() {
                    match character {
                        '}' if depth == 0 => break,
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            found.push(format!("{crate_name}{}", join(prefix, &std::mem::take(&mut member))))
                        }
                        _ if depth == 0 => member.push(character),
                        _ => {}
                    }
                }
                found.push(format!("{crate_name}{}", join(prefix, &member)));
            } else {
                found.push(format!("{crate_name}{path}"));
            }
        }
    }
    found.retain(|path| !path.ends_with("::"));
    found
}

fn join(prefix: &str, member: &str) -> String {
    let member = member.split(" as ").next().unwrap_or_default().trim().trim_end_matches(':');
    if prefix.is_empty() || member.is_empty() { format!("{prefix}{member}") } else { format!("{prefix}::{member}") }
}

fn allows(allowed: &[&str], path: &str) -> bool {
    allowed.iter().any(|one| path == *one || path.strip_prefix(one).is_some_and(|rest| rest.starts_with("::")))
}

#[test]
fn each_program_uses_its_part_of_the_public_api() {
    let mut problems = Vec::new();
    for (room, allowed) in ALLOWED {
        let sources = sources(&workspace().join(room));
        assert!(sources.len() > 5, "{room} is where it was");
        for (file, code) in sources {
            let wrong = paths(&code).into_iter().filter(|path| !allows(allowed, path));
            problems.extend(wrong.map(|path| format!("{}: {path}", file.display())));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn there_are_no_back_doors() {
    let mut problems = Vec::new();
    for room in ["supervisor-core/src", "supervisor-rpc/src", "supervisor-bin/src"] {
        for (file, code) in sources(&workspace().join(room)) {
            let name = file.display().to_string();
            let found = BACK_DOORS.iter().filter(|sign| code.contains(**sign) && !name.ends_with("fuzzing.rs"));
            problems.extend(found.map(|sign| format!("{name}: {sign}")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_reader_of_this_test_reads_rightly() {
    let code = "use supervisor_core::{Handle, config::{a, b}, domain as d};\nuse supervisor_rpc::client::{Client, x::Y};\n\
                fn f() -> supervisor_core::Error {}";
    let mut found = paths(code);
    found.sort();
    let wanted = [
        "supervisor_core::Error",
        "supervisor_core::Handle",
        "supervisor_core::config",
        "supervisor_core::domain",
        "supervisor_rpc::client::Client",
        "supervisor_rpc::client::x::Y",
    ];
    assert_eq!(found, wanted);
    assert!(allows(&["supervisor_core::config"], "supervisor_core::config::Loader"));
    assert!(!allows(&["supervisor_core::config"], "supervisor_core::configuration"));
}
