//! Templates: `%(name)s` inserts a value, `%%` is a percent sign.
//!
//! Decides which names are in scope and what a template may hold. What is inserted is not expanded again. Supervisor 4.3
//! expands a few keys twice, so that files that work have `%%%%` there: the template of such a key is taken for one of a
//! template, as far as it is one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::error::ErrorKind;
use super::options::Scope;
use super::printf::{Conversion, Value, unsupported};

/// Why a template cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The name is not in scope.
    Unknown(String),
    /// It is no template, for this reason.
    Malformed(String),
}

/// The names that templates can use, and their values.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Names<'a> {
    /// The directory of the file that the template stands in.
    pub(crate) here: &'a str,
    /// The machine's name.
    pub(crate) host_node_name: &'a str,
    /// `ENV_X` for all programs.
    pub(crate) environment: Option<&'a BTreeMap<String, String>>,
    /// `ENV_X` for one process, looked up first.
    pub(crate) own_environment: Option<&'a BTreeMap<String, String>>,
    /// Program and group.
    pub(crate) program: Option<(&'a str, &'a str)>,
    /// `process_num` and `numprocs`.
    pub(crate) process: Option<(i64, i64)>,
}

impl<'a> Names<'a> {
    /// The value of a name for a key of this scope.
    fn get(&self, name: &str, scope: Scope) -> Option<Value<'a>> {
        if let Some(variable) = name.strip_prefix("ENV_") {
            let own = self.own_environment.filter(|_| scope == Scope::Process);
            let value = own.and_then(|own| own.get(variable)).or_else(|| self.environment?.get(variable));
            return value.map(|value| Value::Text(value));
        }
        let program = self.program.filter(|_| scope != Scope::Section);
        let process = self.process.filter(|_| scope == Scope::Process);
        match name {
            "here" => Some(Value::Text(self.here)),
            "host_node_name" => Some(Value::Text(self.host_node_name)),
            "program_name" => program.map(|(program, _)| Value::Text(program)),
            "group_name" => program.map(|(_, group)| Value::Text(group)),
            "process_num" => process.map(|(number, _)| Value::Number(number)),
            "numprocs" => process.map(|(_, count)| Value::Number(count)),
            _ => None,
        }
    }

    /// The names in scope, sorted.
    fn list(&self, scope: Scope) -> String {
        let fixed = ["group_name", "here", "host_node_name", "numprocs", "process_num", "program_name"];
        let environment = self.environment.into_iter().chain(self.own_environment).flat_map(BTreeMap::keys);
        let names = environment.map(|name| format!("ENV_{name}")).chain(fixed.map(str::to_owned));
        let mut names: Vec<String> = names.filter(|name| self.get(name, scope).is_some()).collect();
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }

    /// The template with every name replaced. `key` tells how messages name it.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownName`] or [`ErrorKind::Malformed`].
    pub(crate) fn expand<'t>(
        &self,
        template: &'t str,
        key: impl FnOnce() -> String,
        scope: Scope,
    ) -> Result<Cow<'t, str>, ErrorKind> {
        self.explain(expand(template, |name| self.get(name, scope)), template, key, scope)
    }

    /// The same for a key that Supervisor 4.3 expands twice.
    ///
    /// # Errors
    /// Those of [`Names::expand`].
    pub(crate) fn expand_twice<'t>(
        &self,
        template: &'t str,
        key: impl FnOnce() -> String,
        scope: Scope,
    ) -> Result<Cow<'t, str>, ErrorKind> {
        self.explain(expand_twice(template, |name| self.get(name, scope)), template, key, scope)
    }

    fn explain<'t>(
        &self,
        expanded: Result<Cow<'t, str>, Fault>,
        template: &str,
        key: impl FnOnce() -> String,
        scope: Scope,
    ) -> Result<Cow<'t, str>, ErrorKind> {
        expanded.map_err(|fault| {
            let key = key();
            // A password must not show up in a log because of a percent sign.
            let template = if key.ends_with(".password") { "***" } else { template }.to_owned();
            match fault {
                Fault::Unknown(name) => ErrorKind::UnknownName { template, key, name, available: self.list(scope) },
                Fault::Malformed(reason) => ErrorKind::Malformed { template, key, reason },
            }
        })
    }
}

/// The template with every name replaced by what `get` knows.
pub(crate) fn expand<'a, 't>(
    template: &'t str,
    get: impl Fn(&str) -> Option<Value<'a>>,
) -> Result<Cow<'t, str>, Fault> {
    pass(template, get, Pass::Only)
}

/// The template expanded, and what became of it expanded once more: `%%%%` is a percent sign. Whatever is no conversion then
/// stays as it is, so that `%%` is one too.
pub(crate) fn expand_twice<'a, 't>(
    template: &'t str,
    get: impl Fn(&str) -> Option<Value<'a>>,
) -> Result<Cow<'t, str>, Fault> {
    if !template.contains("%%") {
        return expand(template, get);
    }
    let once = pass(template, &get, Pass::First)?;
    Ok(Cow::Owned(pass(&once, get, Pass::Second)?.into_owned()))
}

/// Which walk through a template this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Only,
    /// Another one follows: it must find what was inserted as it is.
    First,
    /// What is no conversion is text.
    Second,
}

fn pass<'a, 't>(
    template: &'t str,
    get: impl Fn(&str) -> Option<Value<'a>>,
    which: Pass,
) -> Result<Cow<'t, str>, Fault> {
    if !template.contains('%') {
        return Ok(Cow::Borrowed(template));
    }
    let chars: Vec<char> = template.chars().collect();
    let mut out = String::with_capacity(template.len());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        at += 1;
        if *c != '%' {
            out.push(*c);
            continue;
        }
        let behind = at;
        match piece(&chars, &mut at, &get) {
            Ok(None) => out.push('%'),
            Ok(Some(value)) if which == Pass::First => out.push_str(&value.replace('%', "%%")),
            Ok(Some(value)) => out.push_str(&value),
            Err(_) if which == Pass::Second => {
                out.push('%');
                at = behind;
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(Cow::Owned(out))
}

/// What a percent sign before `at` stands for: a value, or `None` for a percent sign. `at` is left behind it.
fn piece<'a>(chars: &[char], at: &mut usize, get: impl Fn(&str) -> Option<Value<'a>>) -> Result<Option<String>, Fault> {
    let malformed = |reason: &str| Err(Fault::Malformed(reason.to_owned()));
    match chars.get(*at) {
        None => malformed("incomplete format"),
        Some('%') => {
            *at += 1;
            Ok(None)
        }
        Some('(') => {
            let Some(name) = name(chars, at) else { return malformed("incomplete format key") };
            let value = get(&name).ok_or(Fault::Unknown(name))?;
            let conversion = Conversion::read(chars, at).map_err(Fault::Malformed)?;
            conversion.apply(value, *at - 1).map(Some).map_err(Fault::Malformed)
        }
        Some(letter) if letter.is_ascii_alphanumeric() && !"acdeEfFgGhiloLrsuxX".contains(*letter) => {
            Err(Fault::Malformed(unsupported(*letter, *at)))
        }
        Some(_) => malformed("a conversion needs a name in parentheses, a percent sign is written %%"),
    }
}

/// The name in parentheses at `at`, which is left behind them; inner parentheses must match.
fn name(chars: &[char], at: &mut usize) -> Option<String> {
    let mut depth = 0_usize;
    let mut name = String::new();
    loop {
        let c = *chars.get(*at)?;
        *at += 1;
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(name);
        }
        if depth > 1 || c != '(' || !name.is_empty() {
            name.push(c);
        }
    }
}

#[cfg(test)]
mod tests;
