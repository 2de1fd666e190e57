//! Reads command lines as Supervisor 4.3 does: one table of options for each program.
//!
//! Decides what is an option, which one it is, and what its value is (bundled short flags, glued values, unambiguous
//! prefixes of long names, the end of the options at the first other word). The table also gives the help text, and
//! [`Words::normalised`] the words that structopt reads. What an option means, and whether its value is any good, is
//! for the program to decide.

use std::ffi::OsString;
use std::fmt::Write as _;

/// One option of a program.
#[derive(Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// Its short forms without the dash; the first one is the usual one.
    pub short: &'static [char],
    /// Its long form without the dashes.
    pub long: &'static str,
    /// What its value is called in the help text; `None` for a flag.
    pub argument: Option<&'static str>,
    /// What it does, in one line.
    pub help: &'static str,
}

impl OptionSpec {
    /// All its forms, such as `-c, --configuration FILE`, with this text between them.
    pub fn forms(&self, between: &str) -> String {
        let short = self.short.iter().map(|letter| format!("-{letter}"));
        let forms: Vec<String> = short.chain([format!("--{}", self.long)]).collect();
        let argument = self.argument.map(|argument| format!(" {argument}")).unwrap_or_default();
        forms.join(between) + &argument
    }
}

/// One option that stands on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Which one.
    pub option: &'static OptionSpec,
    /// The form that was used, with dashes; a shortened long name in full.
    pub spelled: String,
    /// Its value; `None` for a flag.
    pub value: Option<String>,
    /// True if the same option stands further left too.
    pub repeated: bool,
}

impl Given {
    /// Refuses an option that is given for the second time.
    ///
    /// Not part of [`parse`], since whatever stands left of it acts first: `-h -c a -c b` is a plea for help.
    ///
    /// # Errors
    /// [`UsageError::Conflicting`]
    pub fn refuse_repeat(&self) -> Result<(), UsageError> {
        if self.repeated { Err(UsageError::Conflicting(self.spelled.clone())) } else { Ok(()) }
    }

    /// The error for a value that is no good, such as `invalid value for -e 'loud': REASON`.
    pub fn invalid_value(&self, reason: impl std::fmt::Display) -> UsageError {
        UsageError::InvalidValue {
            spelled: self.spelled.clone(),
            value: self.value.clone().unwrap_or_default(),
            reason: reason.to_string(),
        }
    }
}

/// A command line, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The options, left to right.
    pub given: Vec<Given>,
    /// The words behind the options.
    pub positional: Vec<String>,
}

impl Words {
    /// The same command line with every name in full, as structopt wants it.
    ///
    /// A value that begins with a dash is glued (`--opt=-value`), so that it is taken for no option; every other value is
    /// a word of its own (`--opt value`), since structopt's parser loses `=` at the beginning of a glued one.
    pub fn normalised(&self, program: &str) -> Vec<String> {
        let mut words = vec![program.to_owned()];
        for given in &self.given {
            let name = format!("--{}", given.option.long);
            match &given.value {
                None => words.push(name),
                Some(value) if value.starts_with('-') => words.push(format!("{name}={value}")),
                Some(value) => words.extend([name, value.clone()]),
            }
        }
        if !self.positional.is_empty() {
            words.push("--".to_owned());
            words.extend(self.positional.iter().cloned());
        }
        words
    }
}

/// What a program does with words that are not options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positionals {
    /// It takes them.
    Taken,
    /// It has no use for them.
    Refused,
}

/// A command line that is not understood; the texts are those of Supervisor 4.3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// No such option.
    #[error("option {0} not recognized")]
    NotRecognized(String),
    /// The beginning of several long options.
    #[error("option {0} not a unique prefix")]
    NotUnique(String),
    /// The value is missing.
    #[error("option {0} requires argument")]
    RequiresArgument(String),
    /// A flag with a value.
    #[error("option {0} must not have an argument")]
    TakesNoArgument(String),
    /// An option given twice.
    #[error("conflicting command line option {quoted}", quoted = quoted(.0))]
    Conflicting(String),
    /// A value that the program cannot use.
    #[error("invalid value for {spelled} {value}: {reason}", value = quoted(.value))]
    InvalidValue {
        /// The form of the option that was used.
        spelled: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Words that the program has no use for.
    #[error("positional arguments are not supported: {list}", list = quoted_list(.0))]
    Positional(Vec<String>),
    /// A word that is not UTF-8.
    #[error("argument {quoted} is not valid UTF-8", quoted = quoted(.0))]
    NotText(String),
}

/// The words of a command line as texts.
///
/// # Errors
/// [`UsageError::NotText`] for the first word that is not UTF-8.
pub fn texts(words: impl IntoIterator<Item = OsString>) -> Result<Vec<String>, UsageError> {
    words
        .into_iter()
        .map(|word| word.into_string().map_err(|word| UsageError::NotText(word.to_string_lossy().into_owned())))
        .collect()
}

/// Takes a command line apart; `words` are those behind the program's name.
///
/// # Errors
/// The first [`UsageError`] from the left. Repeated options are only marked, see [`Given::refuse_repeat`].
pub fn parse(table: &'static [OptionSpec], words: &[String], positionals: Positionals) -> Result<Words, UsageError> {
    let mut given: Vec<Given> = Vec::new();
    let mut rest = words.iter();
    let mut positional = Vec::new();
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        } else if let Some(long) = word.strip_prefix("--") {
            add(&mut given, long_option(table, long, &mut rest)?);
        } else if let Some(bundle) = word.strip_prefix('-').filter(|bundle| !bundle.is_empty()) {
            short_options(table, bundle, &mut rest, &mut given)?;
        } else {
            positional.push(word.clone());
            break;
        }
    }
    positional.extend(rest.cloned());
    if positionals == Positionals::Refused && !positional.is_empty() {
        return Err(UsageError::Positional(positional));
    }
    Ok(Words { given, positional })
}

fn add(given: &mut Vec<Given>, (option, spelled, value): (&'static OptionSpec, String, Option<String>)) {
    let repeated = given.iter().any(|earlier| earlier.option == option);
    given.push(Given { option, spelled, value, repeated });
}

/// One word that began with two dashes, which are gone.
fn long_option<'w>(
    table: &'static [OptionSpec],
    word: &str,
    rest: &mut impl Iterator<Item = &'w String>,
) -> Result<(&'static OptionSpec, String, Option<String>), UsageError> {
    let (name, glued) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value.to_owned())));
    let option = match table.iter().find(|option| option.long == name) {
        Some(option) => option,
        None => {
            let mut candidates = table.iter().filter(|option| option.long.starts_with(name));
            match (candidates.next(), candidates.next()) {
                (None, _) => return Err(UsageError::NotRecognized(format!("--{name}"))),
                (Some(option), None) => option,
                (Some(_), Some(_)) => return Err(UsageError::NotUnique(format!("--{name}"))),
            }
        }
    };
    let spelled = format!("--{}", option.long);
    match (option.argument, glued) {
        (None, Some(_)) => Err(UsageError::TakesNoArgument(spelled)),
        (None, None) => Ok((option, spelled, None)),
        (Some(_), Some(value)) => Ok((option, spelled, Some(value))),
        (Some(_), None) => match rest.next() {
            Some(value) => Ok((option, spelled, Some(value.clone()))),
            None => Err(UsageError::RequiresArgument(spelled)),
        },
    }
}

/// One word that began with a dash, which is gone: flags, and at the end perhaps an option with its value.
fn short_options<'w>(
    table: &'static [OptionSpec],
    bundle: &str,
    rest: &mut impl Iterator<Item = &'w String>,
    given: &mut Vec<Given>,
) -> Result<(), UsageError> {
    for (at, letter) in bundle.char_indices() {
        let spelled = format!("-{letter}");
        let Some(option) = table.iter().find(|option| option.short.contains(&letter)) else {
            return Err(UsageError::NotRecognized(spelled));
        };
        if option.argument.is_none() {
            add(given, (option, spelled, None));
            continue;
        }
        let glued = &bundle[at + letter.len_utf8()..];
        let value = if glued.is_empty() { rest.next().cloned() } else { Some(glued.to_owned()) };
        let value = value.ok_or_else(|| UsageError::RequiresArgument(spelled.clone()))?;
        add(given, (option, spelled, Some(value)));
        break;
    }
    Ok(())
}

/// The two lines with which a program refuses to start: `Error: MESSAGE` and where to find help.
pub fn complaint(program: &str, error: &impl std::fmt::Display) -> String {
    format!("Error: {error}\nFor help, use {program} -h\n")
}

/// The options as lines of a help text, each with two spaces before it and a newline behind it.
pub fn options_help(table: &[OptionSpec]) -> String {
    let forms: Vec<String> = table.iter().map(|option| option.forms(", ")).collect();
    let width = forms.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (form, option) in forms.iter().zip(table) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {form:width$}  {}", option.help);
    }
    text
}

/// A text in quotes, as Supervisor 4.3 shows values in its messages (Python's rules).
pub fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// A list of quoted texts: `['a', 'b']`.
pub fn quoted_list<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests;
