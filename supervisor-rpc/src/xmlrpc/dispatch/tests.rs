//! From bytes to bytes, and the lines about it.
#![allow(clippy::unwrap_used)]

use futures_lite::future::block_on;
use supervisor_core::rpc::Value;

use super::super::{decode_response, encode_call};
use super::*;
use crate::testing::{Lines, registry};

fn dispatch(body: &[u8]) -> (Reply, Vec<String>) {
    let log = Arc::new(Lines::default());
    let dispatcher = Dispatcher::with_log(registry(), log.clone());
    let reply = block_on(dispatcher.dispatch(body, &Caller { listener: "unix".to_owned(), ..Caller::default() }));
    (reply, log.take())
}

fn answer(reply: &Reply) -> Result<Value, Fault> {
    match reply {
        Reply::Xml(xml) => decode_response(xml).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_is_answered_and_told() {
    let (reply, lines) = dispatch(&encode_call("fake.echo", &["é<".into()]));
    assert_eq!(answer(&reply), Ok("é<".into()));
    assert_eq!(
        lines,
        ["TRAC XML-RPC method called: fake.echo()", "TRAC XML-RPC method fake.echo() returned successfully"]
    );
    let (reply, lines) = dispatch(&encode_call("fake.refuse", &["x\ny".into()]));
    assert_eq!(answer(&reply), Err(Fault { code: 10, text: "BAD_NAME: x\ny".to_owned() }));
    assert_eq!(
        lines,
        [
            "TRAC XML-RPC method called: fake.refuse()",
            "TRAC XML-RPC method fake.refuse() returned fault: [10] BAD_NAME: x\\ny"
        ]
    );
}

#[test]
fn what_is_no_call_is_a_bad_request() {
    let (reply, lines) = dispatch(b"junk");
    assert!(matches!(reply, Reply::BadRequest(_)));
    assert_eq!(lines, ["ERRO XML-RPC request data 'junk' is invalid: unmarshallable"]);
    let (reply, lines) = dispatch(b"<a>\n</a>");
    assert_eq!(reply, Reply::BadRequest("no method name".to_owned()));
    assert_eq!(lines, ["ERRO XML-RPC request data '<a>\\n</a>' is invalid: no method name"]);
}

#[test]
fn names_that_reach_for_more_are_unknown() {
    for name in
        ["", "fake", "fake.", ".echo", "fake.echo.x", " fake.echo", "fake.Echo", "fake._echo", "fake.__class__", "x.y"]
    {
        let (reply, _) = dispatch(&encode_call(name, &[]));
        match name {
            "" => assert!(matches!(reply, Reply::BadRequest(_))),
            _ => assert_eq!(answer(&reply), Err(Fault::unknown_method()), "{name}"),
        }
    }
    let (reply, _) = dispatch(&encode_call("fake.echo", &[]));
    assert_eq!(answer(&reply), Err(Fault::incorrect_parameters()));
}

#[test]
fn a_panic_is_told_and_costs_one_call() {
    let (reply, lines) = dispatch(&encode_call("fake.panic", &[]));
    assert_eq!(reply, Reply::Broken);
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with("CRIT Handling XML-RPC request with data '<?xml"), "{}", lines[1]);
    assert!(lines[1].ends_with(" raised an unexpected exception: oh no, unix"), "{}", lines[1]);
}

#[test]
fn large_bodies_are_answered_too() {
    let text = "x".repeat(LARGE_BODY);
    let (reply, _) = dispatch(&encode_call("fake.echo", &[text.as_str().into()]));
    assert_eq!(answer(&reply), Ok(text.as_str().into()));
    assert!(matches!(dispatch(&vec![b'<'; LARGE_BODY + 1]).0, Reply::BadRequest(_)));
}

#[test]
fn lines_are_bounded() {
    let line = &dispatch("é\u{1b}".repeat(10_000).as_bytes()).1[0];
    assert!(line.chars().count() < 1500 && line.contains("…' is invalid"), "{line}");
    assert_eq!(shown("a\r\n\u{1b}b"), "a\\r\\n\\u{1b}b");
}
