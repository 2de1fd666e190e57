//! Tables of output and its pieces; the cut of the reads must not matter.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use proptest::prelude::*;

use super::*;

/// Pieces with adjoining plain ones joined: plain and message texts in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Joined {
    Plain(Vec<u8>),
    Captured(Vec<u8>),
}

fn join(all: &mut Vec<Joined>, piece: Piece<'_>) {
    match (piece, all.last_mut()) {
        (Piece::Plain(bytes), Some(Joined::Plain(last))) => last.extend(bytes),
        (Piece::Plain(bytes), _) => all.push(Joined::Plain(bytes.to_vec())),
        (Piece::Captured(bytes), _) => all.push(Joined::Captured(bytes)),
        (Piece::Unfinished(bytes), Some(Joined::Plain(last))) => last.extend(bytes),
        (Piece::Unfinished(bytes), _) => all.push(Joined::Plain(bytes.to_vec())),
        (Piece::Inside(_), _) => {}
    }
}

fn run<'a>(limit: usize, reads: impl IntoIterator<Item = &'a [u8]>) -> Vec<Joined> {
    let mut capture = Capture::new(limit);
    let mut all = Vec::new();
    for read in reads {
        capture.feed(read, &mut |piece| join(&mut all, piece));
    }
    capture.finish(&mut |piece| join(&mut all, piece));
    all
}

/// What the reads give: plain text bare, messages in square brackets.
fn shown(limit: usize, reads: &[&str]) -> String {
    let pieces = run(limit, reads.iter().map(|read| read.as_bytes()));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    pieces
        .into_iter()
        .map(|piece| match piece {
            Joined::Plain(bytes) => text(bytes),
            Joined::Captured(bytes) => format!("[{}]", text(bytes)),
        })
        .collect()
}

#[test]
fn output_and_its_pieces() {
    let table: &[(&[&str], &str)] = &[
        (&["plain"], "plain"),
        (&["a<!--XSUPERVISOR:BEGIN-->b<!--XSUPERVISOR:END-->c"], "a[b]c"),
        (&["<!--XSUPERVISOR:BEGIN--><!--XSUPERVISOR:END-->"], "[]"),
        (&["noise <!--XSUPERV", "ISOR:BEGIN-->fi", "rst<!--XSUPERVISOR:E", "ND-->gap"], "noise [first]gap"),
        (
            &["<!--XSUPERVISOR:BEGIN-->1<!--XSUPERVISOR:END-->-<!--XSUPERVISOR:BEGIN-->2<!--XSUPERVISOR:END-->"],
            "[1]-[2]",
        ),
        // A beginning that does not go on is output, at once when it cannot go on any more, else at the end.
        (&["<!--XSUPER", "<!--XSUPERVISOR:BEGIN-->b<!--XSUPERVISOR:END-->"], "<!--XSUPER[b]"),
        (&["<", "<", "!", "--XSUPERVISOR:BEGIN", "-->b<!--XSUPERVISOR:END-->"], "<[b]"),
        (&["a<!--XSUPERVISOR:"], "a<!--XSUPERVISOR:"),
        // An end without a beginning is output, a beginning inside a message belongs to it.
        (&["a<!--XSUPERVISOR:END-->b"], "a<!--XSUPERVISOR:END-->b"),
        (&["<!--XSUPERVISOR:BEGIN-->a<!--XSUPERVISOR:BEGIN-->b<!--XSUPERVISOR:END-->"], "[a<!--XSUPERVISOR:BEGIN-->b]"),
        // A message that never ends is output.
        (&["a<!--XSUPERVISOR:BEGIN-->b", "c<!--XSUP"], "a<!--XSUPERVISOR:BEGIN-->bc<!--XSUP"),
        (&["a<!--XSUPERVISOR:BEGIN-->"], "a<!--XSUPERVISOR:BEGIN-->"),
    ];
    for (reads, pieces) in table {
        assert_eq!(shown(100, reads), *pieces, "{reads:?}");
    }
}

#[test]
fn the_newest_bytes_of_a_message_are_kept() {
    let table: &[(usize, &[&str], &str)] = &[
        (4, &["123456789"], "[6789]"),
        (4, &["12", "3", "45"], "[345]"),
        (
            60,
            &["1111111111222222222233333333334444444444", "5555555555666666666677777777778888888888"],
            "[5555555555666666666677777777778888888888]",
        ),
        (4, &["1234"], "[1234]"),
        (0, &["1234"], "[]"),
        // Half a character at the front goes, too.
        (3, &["žž"], "[ž]"),
        (4, &["žž"], "[žž]"),
    ];
    for (limit, parts, kept) in table {
        let reads = [&["<!--XSUPERVISOR:BEGIN-->"], *parts, &["<!--XSUPERVISOR:END-->"]].concat();
        assert_eq!(shown(*limit, &reads), *kept, "{limit} {parts:?}");
    }
}

#[test]
fn only_what_can_become_a_token_is_held_back() {
    let table = [
        ("text", "text"),
        ("text<", "text"),
        ("text<!--X", "text"),
        ("text<!-X", "text<!-X"),
        ("a<!--XS\n", "a<!--XS\n"),
    ];
    for (read, given) in table {
        let mut capture = Capture::new(10);
        let mut seen = Vec::new();
        capture.feed(read.as_bytes(), &mut |piece| join(&mut seen, piece));
        assert_eq!(seen, [Joined::Plain(given.as_bytes().to_vec())], "{read:?}");
    }
}

#[test]
fn after_the_end_it_can_be_used_anew() {
    let mut capture = Capture::new(10);
    capture.feed(b"<!--XSUPERVISOR:BEGIN-->half<!--", &mut |_| ());
    capture.finish(&mut |_| ());
    let mut seen = Vec::new();
    capture.feed(b"fresh", &mut |piece| join(&mut seen, piece));
    assert_eq!(seen, [Joined::Plain(b"fresh".to_vec())]);
}

#[test]
fn what_is_inside_a_message_is_given_out_as_it_comes() {
    let mut capture = Capture::new(4);
    let mut inside = |read: &[u8]| {
        let mut seen = Vec::new();
        capture.feed(read, &mut |piece| {
            if let Piece::Inside(bytes) = piece {
                seen.extend(bytes);
            }
        });
        String::from_utf8(seen).unwrap()
    };
    assert_eq!(inside(b"a<!--XSUPERVISOR:BEGIN-->123456<!--X"), "123456");
    assert_eq!(inside(b"Y7"), "<!--XY7");
    assert_eq!(inside(b"8<!--XSUPERVISOR:END-->b"), "8");
}

/// Output made of tokens, parts of tokens and other bytes.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(BEGIN.to_vec()),
        Just(END.to_vec()),
        (0..BEGIN.len()).prop_map(|n| BEGIN[..n].to_vec()),
        (0..END.len()).prop_map(|n| END[n..].to_vec()),
        proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_cut_does_not_matter(bytes in output(), size in 1..9usize) {
        prop_assert_eq!(run(usize::MAX, [bytes.as_slice()]), run(usize::MAX, bytes.chunks(size)));
    }

    #[test]
    fn what_is_kept_is_the_end_of_the_message(bytes in output(), size in 1..40usize, limit in 0..40usize) {
        let messages = |limit| run(limit, bytes.chunks(size)).into_iter().filter_map(|piece| match piece {
            Joined::Captured(message) => Some(message),
            Joined::Plain(_) => None,
        });
        for (kept, whole) in messages(limit).zip(messages(usize::MAX)) {
            prop_assert!(kept.len() <= limit && whole.ends_with(&kept));
        }
    }

    #[test]
    fn nothing_is_lost_but_tokens(bytes in output(), size in 1..40usize) {
        let mut again = Vec::new();
        for piece in run(usize::MAX, bytes.chunks(size)) {
            match piece {
                Joined::Plain(plain) => again.extend(plain),
                Joined::Captured(message) => again.extend([BEGIN, &message, END].concat()),
            }
        }
        prop_assert_eq!(again, bytes);
    }
}
