//! The page about limits against the sources: a bound that changes without it is a surprise for somebody.

use std::fs;
use std::path::Path;

#[test]
fn the_page_about_limits_says_what_the_sources_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/LIMITS.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains("` in "));
    let mut count = 0;
    for row in rows {
        let columns: Vec<&str> = row.split(" | ").collect();
        assert_eq!(columns.len(), 4, "{row}");
        let (words, file) = columns[2].split_once("` in ").unwrap();
        let source = fs::read_to_string(root.join(file.trim())).unwrap_or_else(|error| panic!("{file}: {error}"));
        // However the source is laid out.
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(source.contains(words.trim_start_matches('`')), "{file} does not say {words}");
        count += 1;
    }
    assert!(count > 30, "{count} rows were found");
}
