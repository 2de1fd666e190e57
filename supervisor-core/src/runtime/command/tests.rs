//! Words as Python's `shlex.split` gives them, and the search for a program.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

#[test]
fn words_are_those_of_python() {
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        (" \t\r\n ", &[]),
        ("a b", &["a", "b"]),
        ("a  'b c'", &["a", "b c"]),
        (r#""d 'e' \"f\"""#, &[r#"d 'e' "f""#]),
        (r"g\ h", &["g h"]),
        ("''", &[""]),
        ("'' \"\"", &["", ""]),
        ("a''b", &["ab"]),
        ("$HOME * ~ && x", &["$HOME", "*", "~", "&&", "x"]),
        (r"'i\j'", &[r"i\j"]),
        (r#""k"l'm'"#, &["klm"]),
        ("#c a #b a#b", &["#c", "a", "#b", "a#b"]),
        (r#""\$x\`\n\\""#, &[r"\$x\`\n\"]),
        ("a\\\nb", &["a\nb"]),
        ("\"a\\\nb\"", &["a\\\nb"]),
        ("a\rb\tc\nd", &["a", "b", "c", "d"]),
        ("a\u{b}b \u{a0}c é", &["a\u{b}b", "\u{a0}c", "é"]),
        (r"'a'\''b' \'", &["a'b", "'"]),
    ];
    for (text, words) in table {
        assert_eq!(split_words(text).unwrap(), *words, "{text:?}");
    }
}

#[test]
fn unfinished_words_are_told_apart() {
    let table = [
        ("'", WordsError::Quotation),
        ("\"", WordsError::Quotation),
        ("a'b", WordsError::Quotation),
        ("'a\\", WordsError::Quotation),
        ("\"a", WordsError::Quotation),
        ("\\", WordsError::Escape),
        ("a\\", WordsError::Escape),
        ("\"a\\", WordsError::Escape),
        ("a\0b", WordsError::Nul),
    ];
    for (text, error) in table {
        assert_eq!(split_words(text), Err(error), "{text:?}");
    }
}

proptest! {
    #[test]
    fn shlex_agrees_where_shells_and_python_do(text in r#"([ab é'"]|\\[ab"'\\ ]){0,12}"#) {
        // Within double quotes both keep the backslash before an `a` and drop it before a quote.
        prop_assert_eq!(split_words(&text).ok(), shlex::split(&text));
    }

    #[test]
    fn what_is_quoted_comes_back(words in prop::collection::vec("[^\0]{0,8}", 0..5)) {
        let quoted: Vec<_> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        prop_assert_eq!(split_words(&quoted.join(" ")).unwrap(), words);
    }
}

/// A directory with `bin1/tool`, `bin2/tool`, `plain` (not executable) and `sub/tool`.
fn place() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in ["bin1/tool", "bin2/tool", "plain", "sub/tool"] {
        let path = directory.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        let mode = if file == "plain" { 0o644 } else { 0o755 };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    directory
}

fn with_path(command: &str, path: &str) -> spec::Process {
    let mut settings = spec::Process::new("x", command);
    settings.environment.insert("PATH".to_owned(), path.to_owned());
    settings
}

#[test]
fn programs_are_found() {
    let directory = place();
    let here = directory.path().to_str().unwrap();
    let mut rows = vec![
        (with_path("tool a", &format!("{here}/none:{here}/bin2:{here}/bin1")), format!("{here}/bin2/tool")),
        (with_path(&format!("{here}/sub/tool"), ""), format!("{here}/sub/tool")),
        (
            spec::Process::new("x", "sh"),
            std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|entry| entry.join("sh"))
                .find(|file| file.exists())
                .unwrap()
                .display()
                .to_string(),
        ),
    ];
    // What is relative is checked where it is executed.
    for (command, path, found) in
        [("sub/tool", "", "sub/tool"), ("tool", "bin1", "bin1/tool"), ("plain/../sub/tool", "", "")]
    {
        let mut settings = with_path(command, path);
        settings.directory = Some(here.into());
        if !found.is_empty() {
            rows.push((settings, found.to_owned()));
        }
    }
    let mut in_directory = with_path("tool", "");
    in_directory.directory = Some(directory.path().join("sub"));
    rows.push((in_directory, "./tool".to_owned()));
    for (settings, program) in rows {
        let resolved = resolve(&settings).unwrap();
        assert_eq!(resolved.program, Path::new(&program));
        assert_eq!(resolved.words, split_words(&settings.command).unwrap());
    }
}

#[test]
fn problems_have_the_words_of_the_specification() {
    let directory = place();
    let here = directory.path().to_str().unwrap();
    let no_file = |text: &str| SpawnError::NoFile(text.to_owned());
    let not_executable = |text: String| SpawnError::NotExecutable(text);
    let table = [
        (with_path("nosuch a", here), no_file("can't find command 'nosuch'")),
        (with_path("/no/such", here), no_file("can't find command '/no/such'")),
        (with_path("sub/tool", here), no_file("can't find command 'sub/tool'")),
        (with_path("'' a", here), no_file("can't find command ''")),
        (with_path("sub", here), not_executable(format!("command at '{here}/sub' is a directory"))),
        (with_path("plain", here), not_executable(format!("command at '{here}/plain' is not executable"))),
        (with_path("  ", here), not_executable("command is empty".to_owned())),
        (with_path("a 'b", here), not_executable("can't parse command \"a 'b\": No closing quotation".to_owned())),
        (with_path("a \\", here), not_executable("can't parse command 'a \\\\': No escaped character".to_owned())),
    ];
    for (settings, error) in table {
        assert_eq!(resolve(&settings), Err(error));
    }
}
