//! The exact shape of what is written, and that nothing makes it ill-formed.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::decode_response;
use super::*;

fn xml(value: impl Into<Value>) -> String {
    let text = String::from_utf8(encode_response(&value.into())).unwrap();
    let begin = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n";
    let end = "\n</param>\n</params>\n</methodResponse>\n";
    text.strip_prefix(begin).unwrap().strip_suffix(end).unwrap().to_owned()
}

#[test]
fn scalars() {
    let table = [
        (Value::Int(-5), "<value><int>-5</int></value>"),
        (Value::Int(1 << 40), "<value><int>2147483647</int></value>"),
        (Value::Int(i64::MIN), "<value><int>-2147483648</int></value>"),
        (Value::Bool(true), "<value><boolean>1</boolean></value>"),
        (Value::Bool(false), "<value><boolean>0</boolean></value>"),
        (Value::Double(1.5), "<value><double>1.5</double></value>"),
        (Value::Nil, "<value><string></string></value>"),
        (Value::from(""), "<value><string></string></value>"),
        (Value::from("<&>\"' ]]>"), "<value><string>&lt;&amp;&gt;\"' ]]&gt;</string></value>"),
        (Value::from("\ta\nb\rc"), "<value><string>\ta\nb&#13;c</string></value>"),
        (Value::from("é日😀\u{7f}"), "<value><string>é日😀\u{7f}</string></value>"),
        (
            Value::from("\0\x1b[0m\u{fffe}x\u{ffff}ï"),
            "<value><string>\u{fffd}\u{fffd}[0m\u{fffd}x\u{fffd}ï</string></value>",
        ),
    ];
    for (value, text) in table {
        assert_eq!(xml(value.clone()), text, "{value:?}");
    }
}

#[test]
fn containers() {
    let inner = Value::Array(vec![Value::Int(1), Value::Struct(vec![("<b>".to_owned(), "x".into())])]);
    let value = Value::Struct(vec![("a".to_owned(), inner), ("c".to_owned(), true.into())]);
    let expected = "<value><struct>\n\
        <member>\n<name>a</name>\n<value><array><data>\n<value><int>1</int></value>\
        <value><struct>\n<member>\n<name>&lt;b&gt;</name>\n<value><string>x</string></value></member>\n</struct></value>\
        </data></array></value></member>\n\
        <member>\n<name>c</name>\n<value><boolean>1</boolean></value></member>\n</struct></value>";
    assert_eq!(xml(value), expected);
    assert_eq!(xml(Vec::new()), "<value><array><data>\n</data></array></value>");
}

#[test]
fn faults_are_structs_of_two() {
    let text = String::from_utf8(encode_fault(&Fault { code: 10, text: "BAD_NAME: x".to_owned() })).unwrap();
    assert_eq!(
        text,
        "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n\
         <member>\n<name>faultCode</name>\n<value><int>10</int></value></member>\n\
         <member>\n<name>faultString</name>\n<value><string>BAD_NAME: x</string></value></member>\n\
         </struct></value>\n</fault>\n</methodResponse>\n"
    );
}

proptest! {
    #[test]
    fn any_text_makes_a_well_formed_answer(text in proptest::collection::vec(any::<char>(), 0..40)) {
        let text: String = text.into_iter().collect();
        let carried: String = text
            .chars()
            .map(|c| match c {
                '\t' | '\n' | '\r' => c,
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
                _ => c,
            })
            .collect();
        prop_assert_eq!(decode_response(&encode_response(&Value::from(text))), Ok(Ok(Value::from(carried))));
    }

    #[test]
    fn any_integer_is_within_32_bits(value: i64) {
        let clamped = value.clamp(i32::MIN.into(), i32::MAX.into());
        prop_assert_eq!(decode_response(&encode_response(&Value::Int(value))), Ok(Ok(Value::Int(clamped))));
    }
}
