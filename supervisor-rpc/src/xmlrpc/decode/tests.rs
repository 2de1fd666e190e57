//! Tables of what Supervisor 4.3 makes of odd documents, hostile documents, and properties over any bytes.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use supervisor_core::rpc::{Fault, Value};

use super::super::{encode_call, encode_fault, encode_response};
use super::*;

fn call(params: &str) -> Result<Vec<Value>, DecodeError> {
    let body = format!("<methodCall><methodName>m</methodName><params>{params}</params></methodCall>");
    decode_call(body.as_bytes()).map(|call| call.params)
}

fn param(value: &str) -> Result<Value, DecodeError> {
    call(&format!("<param>{value}</param>")).map(|mut params| params.remove(0))
}

fn array(values: &[Value]) -> Value {
    Value::Array(values.to_vec())
}

fn structure(members: &[(&str, Value)]) -> Value {
    Value::Struct(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

#[test]
fn every_type_in_every_spelling() {
    let table = [
        ("<value><int>5</int></value>", Value::Int(5)),
        (" <value>\n<i4> 5 </i4> </value> ", Value::Int(5)),
        ("<value><i8>5</i8></value>", "5".into()),
        ("<value><boolean>1</boolean></value>", true.into()),
        ("<value><boolean> 1 </boolean></value>", false.into()),
        ("<value><boolean>true</boolean></value>", false.into()),
        ("<value><double>3.5</double></value>", 3.5.into()),
        ("<value><double>1e5</double></value>", 1e5.into()),
        ("<value><string>  a b\n</string></value>", "  a b\n".into()),
        ("<value><string></string></value>", "".into()),
        ("<value><string/></value>", "".into()),
        ("<value>  bare </value>", "  bare ".into()),
        ("<value></value>", "".into()),
        ("<value/>", "".into()),
        ("<value>\n</value>", "\n".into()),
        ("<value a='b'>x</value>", "x".into()),
        ("<value>a<!-- c -->b</value>", "ab".into()),
        ("<value><string>a<!-- c -->b</string></value>", "ab".into()),
        ("<value><![CDATA[<x>]]></value>", "<x>".into()),
        ("<value>x<![CDATA[<x>]]>y</value>", "x<x>y".into()),
        ("<value>&lt;&amp;&gt;&quot;&apos;&#233;&#x20AC;</value>", "<&>\"'é€".into()),
        ("<value>a&#13;b</value>", "a\rb".into()),
        ("<value>a\r\nb</value>", "a\nb".into()),
        ("<value>é日😀</value>", "é日😀".into()),
        ("<value><base64>b2Zm</base64></value>", "off".into()),
        ("<value><base64>\nb2\nZm\n</base64></value>", "off".into()),
        ("<value><nil/></value>", Value::Nil),
        ("<value><dateTime.iso8601>20200101T10:00:00</dateTime.iso8601></value>", Value::Nil),
        ("<value><array><data/></array></value>", array(&[])),
        ("<value><array/></value>", array(&[])),
        (
            "<value><array><data> <value>1</value> <value><int>2</int></value></data></array></value>",
            array(&["1".into(), Value::Int(2)]),
        ),
        ("<value><struct/></value>", structure(&[])),
        (
            "<value><struct><member><name>a</name><value><int>1</int></value></member>\n<member><name/><value>x</value></member></struct></value>",
            structure(&[("a", Value::Int(1)), ("", "x".into())]),
        ),
    ];
    for (text, value) in table {
        assert_eq!(param(text), Ok(value), "{text}");
    }
}

#[test]
fn odd_shapes_are_read_as_by_the_original() {
    let table = [
        ("<value><foo>a<bar>b</bar>c</foo></value>", "a".into()),
        ("<value><string>a<b/>c</string></value>", "a".into()),
        ("<value>a<int>5</int></value>", Value::Int(5)),
        ("<value><int>1</int><int>2</int></value>", Value::Int(1)),
        ("<int>5</int>", Value::Int(5)),
        ("<value>1</value><value>2</value>", "1".into()),
        ("<value><name>x</name></value>", "x".into()),
        ("<x:value xmlns:x='u'>1</x:value>", "1".into()),
        ("<value><data><value>1</value></data></value>", array(&["1".into()])),
        ("<value><array><value><int>1</int></value></array></value>", Value::Int(1)),
    ];
    for (text, value) in table {
        assert_eq!(param(text), Ok(value), "{text}");
    }
    assert_eq!(call("<value>5</value>"), Ok(vec!["5".into()]));
    assert_eq!(call("x"), Ok(vec![]));
}

#[test]
fn texts_that_do_not_convert_are_refused() {
    for (kind, text) in [
        ("int", ""),
        ("int", "five"),
        ("int", "1.5"),
        ("double", ""),
        ("double", "x"),
        ("base64", "b2Z"),
        ("base64", "/w=="),
        ("dateTime.iso8601", "2020"),
    ] {
        assert_eq!(
            param(&format!("<value><{kind}>{text}</{kind}></value>")),
            Err(DecodeError::BadValue(kind)),
            "{text:?}"
        );
    }
    for text in [
        "",
        "text",
        "<value><struct><member><name>a</name></member></struct></value>",
        "<value><struct><member><value>a</value></member></struct></value>",
        "<value><struct><x/></struct></value>",
    ] {
        assert!(matches!(param(text), Err(DecodeError::Malformed(_))), "{text:?}");
    }
}

#[test]
fn envelopes() {
    let good: [&[u8]; 12] = [
        b"<?xml version='1.0'?><methodCall><methodName>m</methodName></methodCall>",
        b"<x><methodName>m</methodName></x>",
        b"<a><b><methodName>m</methodName></b></a>",
        b"<a><methodName>n</methodName><methodName>m</methodName></a>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><a><methodName>m</methodName></a>",
        b" \n<a><methodName>m</methodName></a>",
        b" \n<?xml version='1.0'?><a><methodName>m</methodName></a>\n<!-- x -->\n",
        b"<?xml version='1.0' encoding='latin-1'?><a><methodName>m</methodName></a>",
        b"<?xml version='1.0' encoding='bogus'?><a><methodName>m</methodName></a>",
        b"<a><methodName>m</methodName><params/></a>",
        b"<methodCall xmlns='http://x'><methodName>m</methodName></methodCall>",
        b"<?foo bar?><!-- <!DOCTYPE x> --><a><methodName>m</methodName></a>",
    ];
    for body in good {
        let expected = Call { method: "m".to_owned(), params: vec![] };
        assert_eq!(decode_call(body), Ok(expected), "{}", String::from_utf8_lossy(body));
    }
    let named = decode_call("<?xml version='1.0' encoding='latin-1'?><a><methodName> é </methodName></a>".as_bytes());
    assert_eq!(named.unwrap().method, " é ");
    let reversed = decode_call(b"<a><params><param><value>1</value></param></params><methodName>m</methodName></a>");
    assert_eq!(reversed.unwrap().params, ["1".into()]);
    let hidden = decode_call(
        b"<a><methodName>m</methodName><params><param><value><methodName>x</methodName></value></param></params></a>",
    );
    assert_eq!(hidden.unwrap().method, "m");
}

#[test]
fn refusals_say_why() {
    let table: [(&[u8], DecodeError); 13] = [
        (b"", DecodeError::Empty),
        (b" \n ", DecodeError::Empty),
        (b"\xef\xbb\xbf", DecodeError::Empty),
        (b"<a>\xff</a>", DecodeError::NotUtf8),
        (b"<\0a\0", DecodeError::Malformed(String::new())),
        (b"<methodCall></methodCall>", DecodeError::NoMethodName),
        (b"<methodCall><methodName></methodName></methodCall>", DecodeError::NoMethodName),
        (b"<methodCall><params></params></methodCall>", DecodeError::NoMethodName),
        (b"<!DOCTYPE a [<!ENTITY b 'm'>]><a><methodName>&b;</methodName></a>", DecodeError::Doctype),
        (b"<?xml version='1.0'?> <!-- x --> <!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", DecodeError::Doctype),
        (b"<!doctype a><a/>", DecodeError::Doctype),
        (b"junk", DecodeError::Malformed(String::new())),
        (b"{\"jsonrpc\": \"2.0\"}", DecodeError::Malformed(String::new())),
    ];
    for (body, expected) in table {
        let error = decode_call(body).unwrap_err();
        assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&expected), "{body:?}: {error}");
    }
}

#[test]
fn ill_formed_documents_are_refused() {
    for body in [
        "<methodCall>",
        "<methodCall><methodName>m</methodName>",
        "<a><methodName>m</methodName></b>",
        "<a><methodName>m</methodName></a>x",
        "<a><methodName>m</methodName></a><b/>",
        "<a><methodName>m</methodName></a><!DOCTYPE x>",
        "<a><!DOCTYPE x><methodName>m</methodName></a>",
        "<a><methodName>m&unknown;</methodName></a>",
        "<a><methodName>m&#0;</methodName></a>",
        "<a><methodName>m\u{1b}</methodName></a>",
        "<a><methodName>m&#27;</methodName></a>",
        "<a><methodName>m</methodName><x",
        "<a b=c><methodName>m</methodName></a>",
        "</a>",
        "<!-- unfinished",
        "<?unfinished",
        "<",
    ] {
        assert!(matches!(decode_call(body.as_bytes()), Err(DecodeError::Malformed(_))), "{body}");
    }
}

#[test]
fn nesting_is_bounded_wherever_it_is() {
    for (open, close) in [("<value><array><data>", "</data></array></value>"), ("<x>", "</x>"), ("<value>", "</value>")]
    {
        let deep = format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(call(&format!("<param>{deep}</param>")), Err(DecodeError::TooDeep));
        assert_eq!(decode_call(deep.as_bytes()), Err(DecodeError::TooDeep));
    }
    let nested = (0..16).fold(Value::from("x"), |value, _| Value::Array(vec![value]));
    assert_eq!(decode_call(&encode_call("m", std::slice::from_ref(&nested))).unwrap().params, [nested]);
}

#[test]
fn the_number_of_elements_is_bounded() {
    let many = "<i/>".repeat(MAX_CALL_ELEMENTS + 1);
    assert_eq!(decode_call(format!("<a>{many}</a>").as_bytes()), Err(DecodeError::TooManyElements(MAX_CALL_ELEMENTS)));
}

#[test]
fn answers_and_faults() {
    let fault = Fault { code: 10, text: "BAD_NAME: <é>".to_owned() };
    assert_eq!(decode_response(&encode_fault(&fault)), Ok(Err(fault)));
    assert_eq!(decode_response(&encode_response(&Value::from("3.0"))), Ok(Ok("3.0".into())));
    for body in [
        "<methodResponse/>",
        "<methodResponse><params/></methodResponse>",
        "<methodResponse><fault><value>x</value></fault></methodResponse>",
    ] {
        assert_eq!(decode_response(body.as_bytes()), Err(DecodeError::NoAnswer), "{body}");
    }
}

fn both(text: &str) -> (Result<Found, DecodeError>, Result<Found, DecodeError>) {
    let limits = Limits { elements: MAX_RESPONSE_ELEMENTS };
    (read(text, limits), fast::read(text, limits))
}

#[test]
fn the_fast_reader_refuses_what_would_be_misread() {
    for text in [
        "",
        "junk",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>x",
        "<a>&unknown;</a>",
        "<a>&#27;</a>",
        "<a>\u{1b}</a>",
        "<a><int>x</int></a>",
        "<!DOCTYPE a><a/>",
        "<a",
    ] {
        assert!(both(text).1.is_err(), "{text}");
    }
    let limits = Limits { elements: 3 };
    assert_eq!(fast::read("<a><b/><b/><b/><b/></a>", limits).unwrap_err(), DecodeError::TooManyElements(3));
    assert!(fast::read("<a><b/><b/><b/></a>", limits).is_ok());
    let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    for depth in [MAX_DEPTH, MAX_DEPTH + 1, 100_000] {
        let (slow, fast) = both(&deep(depth));
        assert_eq!((slow.is_ok(), fast.is_ok()), (depth == MAX_DEPTH, depth == MAX_DEPTH));
    }
}

#[test]
fn large_answers_are_read_too() {
    let value = Value::Array(vec![structure(&[("a<", "é\r\n".into()), ("b", 5.into())]); 1_000]);
    assert_eq!(decode_response(&encode_response(&value)), Ok(Ok(value)));
}

/// Any text that XML can carry.
fn any_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            4 => any::<char>().prop_filter("XML carries it", |c| {
                !matches!(c, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r')
            }),
            1 => prop_oneof![Just('<'), Just('&'), Just('>'), Just(']'), Just('\r'), Just(' '), Just('\n')],
        ],
        0..12,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

/// Any value that comes back as it was sent.
pub(in crate::xmlrpc) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((any_text(), inner), 0..6).prop_map(Value::Struct),
        ]
    })
}

/// Pieces from which nearly well-formed documents are made.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec![
            "<value>", "</value>", "<array>", "</array>", "<data>", "</data>", "<struct>", "</struct>", "<member>", "</member>",
            "<name>", "</name>", "<int>", "</int>", "<param>", "</param>", "<params>", "</params>", "<methodCall>",
            "</methodCall>", "<methodName>", "</methodName>", "<x a='1'>", "</x>", "<nil/>", "<fault>", "</fault>", "<!--", "-->",
            "<![CDATA[", "]]>", "<?", "?>", "<!DOCTYPE", "&amp;", "&#", ";", "<base64>", "</base64>", "1", " ",
        ]).prop_map(str::to_owned),
        1 => any_text(),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(method in "[a-zA-Z.]{1,20}", params in proptest::collection::vec(value(), 0..4)) {
        let call = decode_call(&encode_call(&method, &params));
        prop_assert_eq!(call, Ok(Call { method, params: params.clone() }));
        for value in params {
            prop_assert_eq!(decode_response(&encode_response(&value)), Ok(Ok(value)));
        }
    }

    #[test]
    fn both_readers_agree_on_what_we_write(value in value()) {
        let xml = encode_response(&value);
        let (slow, fast) = both(text(&xml).unwrap());
        let (slow, fast) = (slow.unwrap(), fast.unwrap());
        prop_assert_eq!(&slow.params, &Some(vec![value]));
        prop_assert_eq!((slow.method, slow.params, slow.fault), (fast.method, fast.params, fast.fault));
    }

    #[test]
    fn both_readers_agree_on_what_is_well_formed(pieces in proptest::collection::vec(piece(), 0..12)) {
        let body = format!("<r>{}</r>", pieces.concat());
        if let (Ok(slow), fast) = both(&body) {
            let fast = fast.unwrap();
            prop_assert_eq!((slow.method, slow.params, slow.fault), (fast.method, fast.params, fast.fault));
        }
    }

    #[test]
    fn no_bytes_harm_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_call(&bytes);
        let _ = decode_response(&bytes);
    }

    #[test]
    fn no_jumble_of_tags_harms_the_decoder(pieces in proptest::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        let _ = decode_call(text.as_bytes());
        let _ = decode_response(format!("<r>{text}</r>").as_bytes());
        let _ = both(&text);
    }

    #[test]
    fn no_damage_to_a_call_harms_the_decoder(params in proptest::collection::vec(value(), 1..3), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = encode_call("supervisor.x", &params);
        let at = at.index(body.len());
        body[at] = byte;
        let _ = decode_call(&body);
        let _ = decode_call(&body[..at]);
    }
}
