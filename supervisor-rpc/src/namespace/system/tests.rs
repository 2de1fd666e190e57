//! Introspection and multicall, beside a namespace that answers, refuses and panics.
#![allow(clippy::unwrap_used)]

use futures_lite::future::block_on;

use super::super::rendered;
use super::*;
use crate::testing::{Lines, registry};

fn ask(method: &str, params: &[Value]) -> Result<Value, Fault> {
    ask_logged(method, params).0
}

fn ask_logged(method: &str, params: &[Value]) -> (Result<Value, Fault>, Vec<String>) {
    let log = Arc::new(Lines::default());
    let mut all = registry();
    all.add("system", Arc::new(SystemNamespace::new(registry(), log.clone())));
    let answered = block_on(all.call(method, Params(params.to_vec()), &Caller::default()));
    (answered.map(|answer| rendered(answer.as_ref())), log.take())
}

fn structure(members: &[(&str, Value)]) -> Value {
    Value::Struct(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn call(name: &str, params: &[Value]) -> Value {
    structure(&[("methodName", name.into()), ("params", Value::Array(params.to_vec()))])
}

fn fault(code: i32, text: &str) -> Value {
    structure(&[("faultCode", code.into()), ("faultString", text.into())])
}

fn multicall(calls: &[Value]) -> Vec<Value> {
    match ask(MULTICALL, &[Value::Array(calls.to_vec())]) {
        Ok(Value::Array(results)) => results,
        other => panic!("{other:?}"),
    }
}

#[test]
fn methods_are_listed_sorted_with_their_own() {
    let Ok(Value::Array(names)) = ask("system.listMethods", &[]) else { panic!("an array") };
    let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
    let expected = [
        "fake.big",
        "fake.echo",
        "fake.panic",
        "fake.refuse",
        "system.listMethods",
        "system.methodHelp",
        "system.methodSignature",
        "system.multicall",
    ];
    assert_eq!(names, expected);
}

#[test]
fn methods_are_described() {
    assert_eq!(
        ask("system.methodSignature", &["fake.echo".into()]),
        Ok(Value::Array(vec!["string".into(), "string".into()]))
    );
    assert_eq!(
        ask("system.methodSignature", &["system.multicall".into()]),
        Ok(Value::Array(vec!["array".into(), "array".into()]))
    );
    let help = ask("system.methodHelp", &["fake.echo".into()]).unwrap();
    assert_eq!(
        help.as_str().unwrap(),
        "Answer the parameter.\n\n@param string value  anything\n@return string value  the same"
    );
    for name in ["fake.nope", "nope", "system.nope", "system", "system.", ""] {
        for method in ["system.methodHelp", "system.methodSignature"] {
            assert_eq!(ask(method, &[name.into()]), Err(Fault::new(FaultCode::SignatureUnsupported)), "{name}");
        }
    }
    assert_eq!(ask("system.methodHelp", &[5.into()]), Err(Fault::incorrect_parameters()));
    assert_eq!(ask("system.methodHelp", &[]), Err(Fault::incorrect_parameters()));
}

#[test]
fn many_calls_are_answered_one_by_one() {
    let results = multicall(&[
        call("fake.echo", &["x".into()]),
        call("fake.refuse", &["y".into()]),
        structure(&[("methodName", "fake.echo".into())]),
        structure(&[("params", Value::Array(vec![]))]),
        structure(&[("methodName", "".into())]),
        structure(&[("methodName", 5.into())]),
        structure(&[("methodName", "fake.echo".into()), ("params", "x".into())]),
        call(MULTICALL, &[Value::Array(vec![])]),
        call("fake.nope", &[]),
        call("system._x", &[]),
        call("system.methodSignature", &["fake.big".into()]),
        call("system.methodSignature", &[]),
        call("fake.echo", &[Value::Array(vec![7.into()])]),
    ]);
    let incorrect = || fault(2, "INCORRECT_PARAMETERS");
    let unnamed = || fault(2, "INCORRECT_PARAMETERS: No methodName");
    let expected = [
        "x".into(),
        fault(10, "BAD_NAME: y"),
        incorrect(),
        unnamed(),
        fault(1, "UNKNOWN_METHOD"),
        incorrect(),
        incorrect(),
        fault(2, "INCORRECT_PARAMETERS: Recursive system.multicall forbidden"),
        fault(1, "UNKNOWN_METHOD"),
        fault(1, "UNKNOWN_METHOD"),
        Value::Array(vec!["string".into()]),
        incorrect(),
        Value::Array(vec![7.into()]),
    ];
    assert_eq!(results, expected);
    assert_eq!(multicall(&[]), []);
}

#[test]
fn what_is_no_list_of_calls_is_refused() {
    for wrong in [Value::from("x"), 5.into(), structure(&[]), Value::Array(vec!["x".into()]), Value::Nil] {
        assert_eq!(ask(MULTICALL, std::slice::from_ref(&wrong)), Err(Fault::incorrect_parameters()), "{wrong:?}");
    }
    let many = Value::Array(vec![call("fake.echo", &["x".into()]); MAX_CALLS + 1]);
    assert_eq!(ask(MULTICALL, &[many]).unwrap_err().text, "INCORRECT_PARAMETERS: more than 8192 calls");
}

#[test]
fn a_panic_costs_one_call() {
    let calls = Value::Array(vec![call("fake.panic", &[]), call("fake.echo", &["x".into()])]);
    let (results, lines) = ask_logged(MULTICALL, &[calls]);
    assert_eq!(results, Ok(Value::Array(vec![fault(30, "FAILED: unexpected error in fake.panic"), "x".into()])));
    assert_eq!(lines, ["CRIT XML-RPC method fake.panic() in a multicall raised an unexpected exception: oh no, "]);
}

#[test]
fn answers_do_not_grow_without_bound() {
    let results = multicall(&vec![call("fake.big", &[]); 40]);
    let refused = results.iter().filter(|result| result.get("faultCode") == Some(&30.into())).count();
    assert_eq!((results.len(), refused), (40, 35));
}
