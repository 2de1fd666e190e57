//! Tables for templates; the results are those of Python's `%` operator.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;

fn get(name: &str) -> Option<Value<'static>> {
    match name {
        "a" => Some(Value::Number(65)),
        "n" => Some(Value::Number(-300)),
        "b" => Some(Value::Text("txt")),
        "p" => Some(Value::Text("%(a)s")),
        "(a)" => Some(Value::Text("paren")),
        _ => None,
    }
}

#[test]
fn templates() {
    let table = [
        ("plain", "plain"),
        ("50%% %(b)s", "50% txt"),
        ("%(p)s", "%(a)s"),
        ("%(a)d|%(a)i|%(a)u|%(a)s", "65|65|65|65"),
        ("%(a)02d %(a)05d %(n)05d", "65 00065 -0300"),
        ("%(a)-5d|%(a)5d|%(a)+d|%(a) d", "65   |   65|+65| 65"),
        ("%(a).5d %(a)08.5d", "00065 00000065"),
        ("%(a)x %(a)#x %(a)#X %(a)#o %(a)o %(n)x", "41 0x41 0X41 0o101 101 -12c"),
        ("%(a)c%(a)r %(b)r", "A65 'txt'"),
        ("%(a).0c %(a)3.0c|%(a)-3.9c|", "A   A|A  |"),
        ("%(a)5.2f|%(n)+.3f|%(a)F", "65.00|-300.000|65.000000"),
        ("%(a).3e %(a)E %(n).0e", "6.500e+01 6.500000E+01 -3e+02"),
        ("%(a)g %(a)G %(n).2g %(a)#.3g", "65 65 -3e+02 65.0"),
        ("%(b).1s|%(b)6s|%(b)-6s|%(b)06s", "t|   txt|txt   |   txt"),
        ("%(a)hd%(a)ld", "6565"),
        ("%((a))s", "paren"),
    ];
    for (template, wanted) in table {
        assert_eq!(expand(template, get).as_deref(), Ok(wanted), "{template:?}");
    }
}

#[test]
fn some_are_templates_of_templates() {
    let table = [
        ("plain", "plain"),
        ("a%%%%b", "a%b"),
        ("a%%%%%%%%b", "a%%b"),
        ("%%%%", "%"),
        ("%%(b)s/%(b)s", "txt/txt"),
        ("%(b)s%%%%%(a)03d", "txt%065"),
        // What is no template of a template is one all the same.
        ("a%%b", "a%b"),
        ("100%%", "100%"),
        ("50%%%%of%% %%%%", "50%of% %"),
        ("%%d %%%%%%", "%d %%"),
        ("%%(nope)s", "%(nope)s"),
        // What is inserted is nobody's template.
        ("%(p)s", "%(a)s"),
        ("%(p)s%%%%%(p)r", "%(a)s%'%(a)s'"),
        ("%%(p)s", "%(a)s"),
    ];
    for (template, wanted) in table {
        assert_eq!(expand_twice(template, get).as_deref(), Ok(wanted), "{template:?}");
    }
    assert_eq!(expand_twice("%%%%%(foo)s", get), Err(Fault::Unknown("foo".to_owned())));
}

#[test]
fn faults() {
    let nameless = "a conversion needs a name in parentheses, a percent sign is written %%";
    let table = [
        ("%(b", "incomplete format key"),
        ("%(b)", "incomplete format"),
        ("100%", "incomplete format"),
        ("%(b)d", "%d format: a real number is required, not str"),
        ("%(b)x", "%x format: an integer is required, not str"),
        ("%(b)f", "must be real number, not str"),
        ("%(b)c", "%c requires int or char"),
        ("%(n)c", "%c arg not in range(0x110000)"),
        ("%(b)z", "unsupported format character 'z' (0x7a) at index 4"),
        ("a %y", "unsupported format character 'y' (0x79) at index 3"),
        ("%(b)*s", "* wants int"),
        ("%(a)99999999999d", "width too big"),
        ("%s", nameless),
        ("%d", nameless),
        ("% x", nameless),
    ];
    for (template, reason) in table {
        assert_eq!(expand(template, get), Err(Fault::Malformed(reason.to_owned())), "{template:?}");
    }
    assert_eq!(expand("%(foo)s", get), Err(Fault::Unknown("foo".to_owned())));
}

#[test]
fn scopes_widen() {
    let environment = BTreeMap::from([("X".to_owned(), "1".to_owned())]);
    let own = BTreeMap::from([("Y".to_owned(), "2".to_owned())]);
    let names = Names {
        here: "/etc",
        host_node_name: "node",
        environment: Some(&environment),
        own_environment: Some(&own),
        program: Some(("p", "g")),
        process: Some((3, 4)),
    };
    let table = [
        (Scope::Section, "ENV_X, here, host_node_name"),
        (Scope::Program, "ENV_X, group_name, here, host_node_name, program_name"),
        (Scope::Process, "ENV_X, ENV_Y, group_name, here, host_node_name, numprocs, process_num, program_name"),
    ];
    for (scope, available) in table {
        let error = names.expand("%(foo)s", || "program:x.command".to_owned(), scope).unwrap_err();
        let wanted = format!(
            "Format string '%(foo)s' for 'program:x.command' contains names ('foo') which cannot be expanded. Available \
             names: {available}"
        );
        assert_eq!(error.to_string(), wanted);
    }
    let error = names.expand("hunter2%", || "unix_http_server.password".to_owned(), Scope::Section).unwrap_err();
    assert!(!error.to_string().contains("hunter2"));
}

proptest! {
    #[test]
    fn no_template_panics(template in "(%|\\(|\\)|a|b|[0-9#+. *-]|[a-zA-Z]|µ){0,24}") {
        let _ = expand(&template, get);
    }

    #[test]
    fn doubled_percent_signs_come_out_single(text in "\\PC{0,30}") {
        let template = text.replace('%', "%%");
        prop_assert_eq!(expand(&template, get).unwrap(), text);
    }
}
