//! Templates: `%(name)s` inserts a value, `%%` is a percent sign.
//!
//! Decides which names are in scope and what a template may hold. What is inserted is not expanded again.

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
        expand(template, |name| self.get(name, scope)).map_err(|fault| {
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
    if !template.contains('%') {
        return Ok(Cow::Borrowed(template));
    }
    let malformed = |reason: &str| Fault::Malformed(reason.to_owned());
    let chars: Vec<char> = template.chars().collect();
    let mut out = String::with_capacity(template.len());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        at += 1;
        if *c != '%' {
            out.push(*c);
            continue;
        }
        match chars.get(at) {
            None => return Err(malformed("incomplete format")),
            Some('%') => {
                out.push('%');
                at += 1;
            }
            Some('(') => {
                let name = name(&chars, &mut at).ok_or_else(|| malformed("incomplete format key"))?;
                let value = get(&name).ok_or(Fault::Unknown(name))?;
                let conversion = Conversion::read(&chars, &mut at).map_err(Fault::Malformed)?;
                out.push_str(&conversion.apply(value, at - 1).map_err(Fault::Malformed)?);
            }
            Some(letter) if letter.is_ascii_alphanumeric() && !"acdeEfFgGhiloLrsuxX".contains(*letter) => {
                return Err(Fault::Malformed(unsupported(*letter, at)));
            }
            Some(_) => return Err(malformed("a conversion needs a name in parentheses, a percent sign is written %%")),
        }
    }
    Ok(Cow::Owned(out))
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
