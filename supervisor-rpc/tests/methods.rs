//! The methods and signatures that clients know Supervisor by, as a golden file.

use supervisor_core::rpc::Method;
use supervisor_rpc::namespace::{supervisor_methods, system_methods};

const GOLDEN: &str = include_str!("golden/methods.txt");

fn all() -> Vec<(String, &'static Method)> {
    let named = |namespace: &'static str, methods: &'static [Method]| {
        methods.iter().map(move |method| (format!("{namespace}.{}", method.name), method))
    };
    let mut all: Vec<_> = named("supervisor", supervisor_methods()).chain(named("system", system_methods())).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn names_and_signatures_are_supervisors() {
    let lines: String =
        all().iter().map(|(name, method)| format!("{name}: {}\n", method.signature().join(" "))).collect();
    assert_eq!(lines, GOLDEN);
}

#[test]
fn tables_are_sorted_so_that_lists_need_no_sorting() {
    for methods in [supervisor_methods(), system_methods()] {
        assert!(methods.is_sorted_by(|a, b| a.name < b.name));
    }
}

#[test]
fn help_describes_every_parameter_and_the_result() {
    for (name, method) in all() {
        let text = method.documentation();
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let params: Vec<_> = text.lines().filter(|line| line.starts_with("@param ")).map(words).collect();
        assert_eq!(params.len(), method.parameters.len(), "{name}");
        for (line, parameter) in params.iter().zip(method.parameters.iter()) {
            assert_eq!((line[1].as_str(), line[2].as_str()), (parameter.kind.name(), &*parameter.name), "{name}");
            assert!(line.len() > 4, "{name}: {} is explained", parameter.name);
        }
        assert!(text.lines().last().is_some_and(|line| line.starts_with("@return ")), "{name}");
        assert!(text.starts_with(char::is_uppercase), "{name}");
    }
}

#[test]
fn only_the_last_parameter_may_be_left_out() {
    for (name, method) in all() {
        let optional: Vec<_> = method.parameters.iter().filter(|parameter| !parameter.required).collect();
        assert!(optional.iter().all(|parameter| parameter.name == "wait"), "{name}");
        assert!(method.parameters.is_sorted_by_key(|parameter| !parameter.required), "{name}");
    }
}
