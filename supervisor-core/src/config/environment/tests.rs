//! Tables for the grammar of `environment=`.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;

#[test]
fn pairs() {
    let table: [(&str, &[(&str, &str)]); 14] = [
        ("", &[]),
        (" \n", &[]),
        ("A=1", &[("A", "1")]),
        ("A=1,B=two,", &[("A", "1"), ("B", "two")]),
        ("A=\"1,2\", B='x y' ,\n C=/usr/bin:/b-(c).+", &[("A", "1,2"), ("B", "x y"), ("C", "/usr/bin:/b-(c).+")]),
        ("A=\"\"", &[("A", "")]),
        ("A=\"it's\"", &[("A", "it's")]),
        ("A='a#b=c\nd'", &[("A", "a#b=c\nd")]),
        ("A=b#c\nd", &[("A", "bd")]),
        ("A=#x\n2", &[("A", "2")]),
        ("A=1;B=2", &[("A", "1"), ("B", "2")]),
        ("A=1 ", &[("A", "1")]),
        ("A=1,A=2", &[("A", "2")]),
        ("A=\"žluť\"", &[("A", "žluť")]),
    ];
    for (text, wanted) in table {
        let variables = parse(text).unwrap();
        let pairs: Vec<(&str, &str)> = variables.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, wanted, "{text:?}");
    }
}

#[test]
fn faults() {
    for text in ["A", "A=", "A=a@b", "A=1 B=2", "A=a b,", "A=1,B", ",", "A=1,,", "A=1,B=", "=,="] {
        let error = parse(text).unwrap_err().to_string();
        let unclosed = error == "No closing quotation";
        assert!(unclosed || error.starts_with("Unexpected end of key/value pairs in value "), "{text:?}: {error}");
    }
    assert_eq!(parse("A=\"b").unwrap_err().to_string(), "No closing quotation");
    assert_eq!(parse("A=").unwrap_err().to_string(), "Unexpected end of key/value pairs in value 'A='");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*|([A-Z=,'\"# \n\\\\]){0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn quoted_values_come_back(key in "[A-Z_]{1,8}", value in "[^'\"]{0,20}") {
        let variables = parse(&format!("{key}=\"{value}\"")).unwrap();
        prop_assert_eq!(&variables[&key], &value);
    }

    #[test]
    fn masked_texts_keep_the_names_only(keys in proptest::collection::btree_set("[A-Z_]{1,8}", 0..5)) {
        let variables: BTreeMap<String, String> = keys.into_iter().map(|key| (key, "hunter2".to_owned())).collect();
        let text = masked(&variables);
        prop_assert!(!text.contains("hunter2"));
        prop_assert!(parse(&text).unwrap().keys().eq(variables.keys()));
    }
}

#[test]
fn the_separator_is_any_token() {
    for (text, key, value) in [("A=a b", "A", "a"), ("A==1", "A", "="), ("A=,B", "A", ","), ("===", "=", "=")] {
        assert_eq!(parse(text).unwrap(), BTreeMap::from([(key.to_owned(), value.to_owned())]), "{text:?}");
    }
    assert_eq!(parse("A=\"a\\\"b\"").unwrap()["A"], "a\\");
}
