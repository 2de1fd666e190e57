//! Reads our own sources and holds them to the rules of the house (docs/ARCHITECTURE.md).
//!
//! Fails on: an import that points up a floor or across the rooms of floor 1; a clock, I/O, async or logging in a pure
//! room; `unsafe` outside `sys/`; a file over its limit; a module without `//!`; words of unfinished work. Test code is
//! free to import what it likes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code in a file, test modules not counted.
const LINES: usize = 450;

/// Lines in each `src/bin/*.rs`.
const PROGRAM_LINES: usize = 40;

/// Files that may be longer, each with its reason.
const LONGER: &[(&str, &str)] =
    &[("supervisor-core/src/machine/process.rs", "one table: what each state does with each input")];

/// File names that say nothing.
const NAMES: &[&str] = &["utils", "util", "misc", "common", "helpers", "imp", "manager"];

/// Rooms of `supervisor-core/src` and the floors they are on.
const FLOORS: &[(&str, u8)] = &[
    ("domain", 0),
    ("error", 0),
    ("offload", 0),
    ("event", 1),
    ("config", 1),
    ("logfile", 1),
    ("sys", 1),
    ("machine", 2),
    ("handle", 3),
    ("group", 3),
    ("process", 3),
    ("listener", 3),
    ("rpc", 3),
    ("request", 3),
    ("activity", 3),
    ("config_source", 3),
    ("program", 3),
    ("task", 3),
    ("definition", 3),
    ("runtime", 4),
    ("fuzzing", 4),
    ("benching", 4),
    ("lib", 5),
];

/// What the crate root re-exports, and where it lives.
const RE_EXPORTS: &[(&str, &str)] = &[
    ("Error", "error"),
    ("RequestError", "error"),
    ("Handle", "handle"),
    ("Supervisor", "runtime"),
    ("Builder", "runtime"),
    ("RunOutcome", "runtime"),
    ("Handover", "runtime"),
    ("ConfigSource", "config_source"),
    ("ProcessGroup", "group"),
    ("Program", "program"),
    ("Definition", "definition"),
    ("Pipes", "definition"),
    ("Task", "task"),
    ("TaskContext", "task"),
];

/// Imports that point up all the same, each with its reason.
const UP_ALLOWED: &[(&str, &str, &str)] =
    &[("logfile/open.rs", "sys", "whose links are followed is decided once, for logs and pid file alike")];

/// Rooms in which the same input gives the same result, always.
const PURE: &[&str] = &["domain", "machine", "config", "event"];

/// What is not pure.
const IMPURE: &[&str] = &[
    "Instant",
    "SystemTime",
    "async",
    "async_channel",
    "async_executor",
    "async_io",
    "async_process",
    "async_signal",
    "await",
    "blocking",
    "futures_core",
    "futures_lite",
    "libc",
    "log",
    "nix",
    "rustix",
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::thread",
];

/// Pure rooms that may name something impure all the same, each with its reason.
const IMPURE_ALLOWED: &[(&str, &str, &str)] =
    &[("domain/exit.rs", "std::os", "takes a wait status apart; asks the system nothing")];

const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "dbg!", "FIXME", "XXX", "HACK"];

struct Source {
    /// Relative to the workspace, with `/`.
    name: String,
    /// As it is.
    text: String,
    /// Without comments, the contents of literals and test modules.
    code: String,
}

impl Source {
    fn is_test(&self) -> bool {
        self.name.contains("/tests/") || self.name.ends_with("/tests.rs") || self.name.contains("/benches/")
    }

    /// The room and the path inside it, for the files of `supervisor-core/src`.
    fn room(&self) -> Option<&str> {
        let inside = self.name.strip_prefix("supervisor-core/src/")?;
        Some(inside.split('/').next()?.trim_end_matches(".rs"))
    }

    fn inside_core(&self) -> &str {
        self.name.strip_prefix("supervisor-core/src/").unwrap_or(&self.name)
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for package in ["supervisor-core", "supervisor-rpc", "supervisor-bin", "examples", "benches"] {
        collect(&workspace().join(package), package, &mut found);
    }
    assert!(found.iter().any(|source| source.name == "supervisor-core/src/lib.rs"), "the sources are where they were");
    found
}

fn collect(folder: &Path, name: &str, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let file = entry.file_name().into_string().unwrap();
        let name = format!("{name}/{file}");
        if entry.file_type().unwrap().is_dir() {
            if file != "target" {
                collect(&entry.path(), &name, found);
            }
        } else if file.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).unwrap();
            let code = without_tests(&bare(&text)).to_owned();
            found.push(Source { name, text, code });
        }
    }
}

/// The code in front of the first `#[cfg(test)]` module: ours stand last.
fn without_tests(code: &str) -> &str {
    let mut from = 0;
    while let Some(at) = code[from..].find("#[cfg(test)]").map(|at| from + at) {
        let rest = code[at + "#[cfg(test)]".len()..].trim_start();
        let declares = ["mod ", "pub mod ", "pub(crate) mod "].iter().any(|word| rest.starts_with(word));
        let is_block = rest.find('{').is_some_and(|open| rest[..open].find(';').is_none());
        if declares && is_block {
            return &code[..at];
        }
        from = at + 1;
    }
    code
}

/// The code with comments and the insides of literals turned into blanks; lines stay where they are.
fn bare(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => at + find(&bytes[at..], b"\n"),
            b'/' if bytes[at..].starts_with(b"/*") => at + find(&bytes[at..], b"*/") + 2,
            b'r' | b'b' if !word_before(bytes, at) && literal_start(&bytes[at..]).is_some() => {
                at + raw_literal(&bytes[at..])
            }
            b'"' => at + quoted(&bytes[at..], b'"'),
            b'\'' if character_literal(&bytes[at..]) => at + quoted(&bytes[at..], b'\''),
            _ => {
                out.push(bytes[at]);
                at += 1;
                continue;
            }
        };
        let end = end.min(bytes.len());
        out.extend(bytes[at..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap_or(bytes.len())
}

fn word_before(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

/// The number of `#` of a raw literal (`r#"`, `br"`).
fn literal_start(bytes: &[u8]) -> Option<usize> {
    let after = bytes.iter().skip_while(|byte| **byte == b'b').skip(1).position(|byte| *byte != b'#')?;
    let prefix = if bytes.starts_with(b"br") { 2 } else { 1 };
    (bytes.get(prefix - 1) == Some(&b'r') && bytes.get(prefix + after) == Some(&b'"')).then_some(after)
}

fn raw_literal(bytes: &[u8]) -> usize {
    let hashes = literal_start(bytes).unwrap_or(0);
    let open = find(bytes, b"\"") + 1;
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    open + find(&bytes[open..], &close) + close.len()
}

fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// A character, not a lifetime.
fn character_literal(bytes: &[u8]) -> bool {
    bytes.get(1) == Some(&b'\\') || bytes.iter().skip(2).take(4).any(|byte| *byte == b'\'')
}

/// The lines on which `word` stands as a word of its own.
fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let closed = word.ends_with(|c: char| c.is_alphanumeric());
    let mut lines = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let bytes = line.as_bytes();
        let here = line.match_indices(word).any(|(at, _)| {
            let begins = !is_word(at.checked_sub(1).and_then(|before| bytes.get(before)));
            let ends = !closed || !is_word(bytes.get(at + word.len()));
            begins && ends
        });
        if here {
            lines.push(number + 1);
        }
    }
    lines
}

fn floor(room: &str) -> u8 {
    FLOORS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("give the room `{room}` a floor")).1
}

/// The rooms that a piece of code names: `crate::config::…`, `use crate::{config, sys}`.
fn rooms_named(code: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if at > 0 && word_before(code.as_bytes(), at) {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(list) => first_words(&list[..closing(list)]),
            None => vec![rest],
        };
        for name in names {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            named.push((line, name[..end].to_owned()));
        }
    }
    named.retain(|(_, name)| !name.is_empty() && name != "self");
    named
}

fn closing(list: &str) -> usize {
    let mut depth = 1;
    for (at, character) in list.char_indices() {
        depth += i32::from(character == '{') - i32::from(character == '}');
        if depth == 0 {
            return at;
        }
    }
    list.len()
}

/// The members of a braced list, each from its first word on.
fn first_words(list: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut start = 0;
    let mut members = Vec::new();
    for (at, character) in list.char_indices() {
        depth += i32::from(character == '{') - i32::from(character == '}');
        if character == ',' && depth == 0 {
            members.push(list[start..at].trim_start());
            start = at + 1;
        }
    }
    members.push(list[start..].trim_start());
    members
}

fn report(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problem(s):\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn imports_point_down() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let Some(room) = source.room() else { continue };
        for (line, name) in rooms_named(&source.code) {
            let named = RE_EXPORTS.iter().find(|(export, _)| *export == name).map_or(name.as_str(), |(_, room)| room);
            if UP_ALLOWED.iter().any(|(file, up, _)| *file == source.inside_core() && *up == named) {
                continue;
            }
            if named.starts_with(|c: char| c.is_uppercase()) {
                problems.push(format!("{}:{line}: say where `{named}` lives in RE_EXPORTS", source.name));
            } else if floor(named) > floor(room) {
                problems.push(format!("{}:{line}: `{named}` is on a floor above `{room}`", source.name));
            } else if floor(named) == 1 && floor(room) == 1 && named != room {
                problems.push(format!("{}:{line}: `{room}` and `{named}` are rooms of one floor", source.name));
            }
        }
    }
    report(problems);
}

#[test]
fn pure_rooms_are_pure() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        if !source.room().is_some_and(|room| PURE.contains(&room)) {
            continue;
        }
        for word in IMPURE {
            if IMPURE_ALLOWED.iter().any(|(file, allowed, _)| *file == source.inside_core() && allowed == word) {
                continue;
            }
            problems
                .extend(lines_with(&source.code, word).iter().map(|line| format!("{}:{line}: {word}", source.name)));
        }
    }
    report(problems);
}

#[test]
fn unsafe_code_is_in_sys_only() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.name.starts_with("supervisor-core/src/sys/")) {
        let lines = lines_with(&bare(&source.text), "unsafe");
        problems.extend(lines.iter().map(|line| format!("{}:{line}: unsafe", source.name)));
    }
    report(problems);
}

#[test]
fn files_are_short() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let lines = source.code.lines().count();
        let limit = if source.name.contains("/src/bin/") { PROGRAM_LINES } else { LINES };
        if lines > limit && !LONGER.iter().any(|(file, _)| *file == source.name) {
            problems.push(format!("{}: {lines} lines of code, {limit} are allowed", source.name));
        }
    }
    report(problems);
}

#[test]
fn modules_say_what_they_do() {
    let missing = |source: &&Source| !source.is_test() && !source.text.starts_with("//!");
    report(sources().iter().filter(missing).map(|source| format!("{}: begins without //!", source.name)).collect());
}

#[test]
fn names_say_something() {
    let empty = |source: &&Source| {
        let stem = source.name.trim_end_matches(".rs").trim_end_matches("/mod");
        NAMES.contains(&stem.rsplit('/').next().unwrap_or(stem))
    };
    report(sources().iter().filter(empty).map(|source| source.name.clone()).collect());
}

#[test]
fn nothing_is_left_unfinished() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.name.ends_with("tests/tidy.rs")) {
        for word in UNFINISHED {
            problems
                .extend(lines_with(&source.text, word).iter().map(|line| format!("{}:{line}: {word}", source.name)));
        }
    }
    report(problems);
}

#[test]
fn crates_depend_in_one_direction() {
    let manifest = |package: &str| fs::read_to_string(workspace().join(package).join("Cargo.toml")).unwrap();
    let names = |text: &str, crates: &[&str]| -> Vec<String> {
        let named = |line: &&str| {
            crates.iter().any(|name| line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} ")))
        };
        text.lines().filter(named).map(str::to_owned).collect()
    };
    let core = manifest("supervisor-core");
    report(names(&core, &["supervisor-rpc", "supervisor-bin", "tide", "surf", "http-types", "http-client", "hyper"]));
    report(names(&manifest("supervisor-rpc"), &["supervisor-bin"]));
}

#[test]
fn the_reader_of_this_test_reads_rightly() {
    let code =
        bare("let a = \"unsafe // x\"; // unsafe\nlet b = 'u'; fn f<'a>() {} r#\"un\"safe\"#; /* unsafe */ done");
    assert!(lines_with(&code, "unsafe").is_empty(), "{code}");
    assert_eq!(lines_with(&code, "done"), [2]);
    assert_eq!(lines_with("unsafe_code(); unsafe {", "unsafe"), [1]);
    assert!(lines_with("unsafe_code()", "unsafe").is_empty());
    let rooms = rooms_named("use crate::{config::{a, b}, sys};\ncrate::domain::x()");
    assert_eq!(rooms, [(1, "config".to_owned()), (1, "sys".to_owned()), (2, "domain".to_owned())]);
}
