//! Tables for every rule of the dialect. The differential test against Python is in `tests/config_dialect.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;

fn source() -> Arc<Source> {
    Arc::new(Source { name: "x.conf".to_owned(), here: "/etc".to_owned() })
}

fn scan(text: &str) -> Result<Document, ConfigError> {
    let source = source();
    let mut document = Document::new(&source);
    document.scan(text, &source)?;
    Ok(document)
}

/// The value of `k` in `[s]`.
fn value(body: &str) -> String {
    let document = scan(&format!("[s]\n{body}")).unwrap();
    document.section("s").and_then(|section| section.get("k")).map(|entry| entry.value.clone()).unwrap()
}

#[test]
fn values() {
    let table = [
        ("k=v", "v"),
        ("k = v \t", "v"),
        ("k: a=b", "a=b"),
        ("k=a:b", "a:b"),
        ("K=v", "v"),
        ("k=", ""),
        ("k=a ; b", "a"),
        ("k=a # b", "a"),
        ("k=a\t;b", "a"),
        ("k=a;b#c", "a;b#c"),
        ("k=\"a ; b\"", "\"a"),
        ("k=a;b ;c #d", "a;b ;c"),
        ("k=;b", ";b"),
        ("k= ;b", ""),
        ("k=a\n  b\n\tc", "a\nb\nc"),
        ("k=\n  a", "\na"),
        ("k=a\n\n  b\n\n\n", "a\n\nb"),
        ("k=a\n; c\n  # c\n  b ; d", "a\nb"),
        ("  k=a\n  x=1\n    y=2", "a"),
        ("  k=a\n   b", "a\nb"),
        ("k=a\n  k2=b", "a\nk2=b"),
        ("k=1\nk=2", "2"),
        ("k=a\r\n  b\r\n", "a\nb"),
        ("k=a\r  b", "a\nb"),
        ("k=a\u{1c}", "a"),
        ("k=a\n\u{a0}b", "a\nb"),
    ];
    for (body, wanted) in table {
        assert_eq!(value(body), wanted, "{body:?}");
    }
}

#[test]
fn headers() {
    let table = [
        ("[a]", "a"),
        ("[a] x", "a"),
        ("[a]b]", "a]b"),
        ("[ a ]", " a "),
        ("  [a]", "a"),
        ("[a;b]", "a;b"),
        ("[]]", "]"),
        ("[Program:X]", "Program:X"),
    ];
    for (text, name) in table {
        let document = scan(text).unwrap();
        assert_eq!(document.sections()[0].name, name, "{text:?}");
    }
    // Not headers, but options.
    let document = scan("[s]\n[]=1\n[x:2\n").unwrap();
    let keys: Vec<&str> = document.sections()[0].entries().iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["[]", "[x"]);
}

#[test]
fn sections_merge_and_defaults_stand_aside() {
    let document = scan("[a]\nk=1\nj=1\n[b]\n[DEFAULT]\nd=0\n[a]\nk=2\n  more\n").unwrap();
    let names: Vec<&str> = document.sections().iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let a = document.section("a").unwrap();
    assert_eq!(document.get(a, "k").unwrap().value, "2\nmore");
    assert_eq!(document.get(a, "k").unwrap().place.line, Some(8));
    assert_eq!(document.get(a, "j").unwrap().place.line, Some(3));
    assert_eq!(document.get(a, "d").unwrap().value, "0");
    assert!(a.get("d").is_none() && document.section("DEFAULT").is_none());
    assert_eq!((a.place.line, a.repeats[0].line, a.repeated_keys.len()), (Some(1), Some(7), 0));
}

#[test]
fn a_key_given_twice_under_one_header_is_noted() {
    let document = scan("[a]\nk=1\nk=2\n").unwrap();
    let (key, first, second) = &document.sections()[0].repeated_keys[0];
    assert_eq!((key.as_str(), first.line, second.line), ("k", Some(2), Some(3)));
}

#[test]
fn faults_are_collected() {
    let error = scan("[s]\nfirst\nk=1\n=2\n  'x'\n").unwrap_err();
    let wanted = "Source contains parsing errors: 'x.conf'\n\t[line  2]: 'first\\n'\n\t[line  4]: '=2\\n'\n\t[line  5]: \
                  \"  'x'\\n\"";
    assert_eq!(error.to_string(), wanted);
    let error = scan("; c\n\nk=1").unwrap_err();
    assert_eq!(error.to_string(), "File contains no section headers.\nfile: 'x.conf', line: 3\n'k=1'");
}

proptest! {
    #[test]
    fn no_text_makes_the_scanner_panic(text in "\\PC*|([\\[\\]=:;# \t\r\nakµ]|DEFAULT){0,80}") {
        let _ = scan(&text);
    }

    #[test]
    fn what_is_scanned_is_there(key in "[a-z]{1,8}", text in "[!-~]{0,20}") {
        prop_assume!(!text.starts_with([';', '#']));
        let document = scan(&format!("[s]\n{key}={text}\n")).unwrap();
        prop_assert_eq!(&document.section("s").unwrap().get(&key).unwrap().value, &text);
    }
}
