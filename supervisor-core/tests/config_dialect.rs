//! The scanner against Python's own: random files go to both, and both must see the same.
//!
//! Skipped, with a word, where there is no `python3`.
#![allow(clippy::disallowed_methods, reason = "a test starts processes and looks at the clock")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use supervisor_core::config::ini::{Document, Section, Source};

/// Reads texts as JSON strings, a line each; answers with what `configparser` sees, or the message of its error.
const PYTHON: &str = r##"
import configparser, io, json, sys
for line in sys.stdin:
    text = json.loads(line)
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    stream = io.TextIOWrapper(io.BytesIO(text.encode("utf-8")), encoding="utf-8")
    try:
        parser.read_file(stream, "x.conf")
        sections = [[name, list(parser._sections[name].items())] for name in parser.sections()]
        print(json.dumps({"sections": sections, "defaults": list(parser.defaults().items())}))
    except configparser.Error as error:
        print(json.dumps({"error": str(error)}))
"##;

fn python(texts: &[String]) -> Option<Vec<serde_json::Value>> {
    let mut command = Command::new("python3");
    let spawned = command
        .env("PYTHONIOENCODING", "utf-8")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = spawned.ok()?;
    let mut stdin = child.stdin.take()?;
    let lines: String = texts.iter().map(|text| serde_json::to_string(text).unwrap() + "\n").collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    let answers = String::from_utf8(output.stdout).ok()?;
    let answers: Vec<serde_json::Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.success() && answers.len() == texts.len()).then_some(answers)
}

fn ours(text: &str) -> serde_json::Value {
    let source = Arc::new(Source { name: "x.conf".to_owned(), here: "/".to_owned() });
    let mut document = Document::new(&source);
    if let Err(error) = document.scan(text, &source) {
        return serde_json::json!({ "error": error.to_string() });
    }
    let options = |section: &Section| {
        section.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect::<Vec<_>>()
    };
    let sections: Vec<_> = document.sections().iter().map(|section| (section.name.clone(), options(section))).collect();
    serde_json::json!({ "sections": sections, "defaults": options(document.defaults()) })
}

fn words(words: Vec<&'static str>) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

#[test]
fn python_sees_the_same() {
    let python_is_there = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !python_is_there {
        eprintln!("skipped: there is no python3 to compare with");
        return;
    }
    let piece = prop_oneof![
        6 => "[a-cK]{1,3}",
        4 => words(vec!["=", ":", " = ", "\n", "\n", "\r\n", "\r", " ", "\t", "  ", "\n  ", "\n\n"]),
        3 => words(vec![";", "#", " ;", " #", "\t;", "\n;", "\n #", "%(here)s", "'", "\"", "\\"]),
        3 => words(vec!["\n[s]\n", "\n[t] x\n", "\n[DEFAULT]\n", "[", "]", "\n [s]\n", "\nk=v\n", "\n\tk: v\n"]),
        1 => words(vec!["\u{a0}", "\u{1c}", "\u{2028}", "\u{b}", "\u{c}", "\u{85}", "ž", "\u{200b}", "\u{0}", "\u{1b}"]),
    ];
    let text = (prop::bool::weighted(0.9), prop::collection::vec(piece, 0..30))
        .prop_map(|(header, pieces)| format!("{}{}", if header { "[s]\n" } else { "" }, pieces.concat()));
    let mut runner = TestRunner::default();
    let texts: Vec<String> = (0..4000).map(|_| text.new_tree(&mut runner).unwrap().current()).collect();
    let answers = python(&texts).expect("python3 answers");
    let good = answers.iter().filter(|answer| answer.get("error").is_none()).count();
    assert!(good > 400, "only {good} of the texts are configurations");
    for (text, theirs) in texts.iter().zip(answers) {
        assert_eq!(ours(text), theirs, "{text:?}");
    }
}
