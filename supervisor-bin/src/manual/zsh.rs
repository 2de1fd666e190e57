//! Completion for zsh.

use super::entry::{Argument, GROUPS, MADE, NAMES_OF_AVAIL, Program, WITH_GROUPS, forms, names_of_status};
use crate::ctl::Completion;
use crate::getopt::OptionSpec;

pub(super) fn completion(program: &Program) -> String {
    let name = program.name;
    let mut text = format!("#compdef {name}\n# Completion of {name}(1) for zsh. {MADE}\n\n");
    if program.commands.is_empty() {
        text += &format!("_arguments -s -S \\\n{}", options(program.options, "    "));
        return text.trim_end().trim_end_matches('\\').trim_end().to_owned() + "\n";
    }
    let server: Vec<String> = program.forms(Program::of_the_server);
    text += &format!(
        "_{name}_ask() {{\n    local -a server\n    local option\n    for option in {}; do\n        (( $+given[$option] )) && \
         server+=($option \"${{(Q)given[$option]}}\")\n    done\n    {name} $server \"$@\" 2>/dev/null </dev/null\n}}\n\n",
        server.join(" ")
    );
    let status = names_of_status();
    for (function, question, filters) in [
        ("processes", "status", [status.as_str(), WITH_GROUPS]),
        ("groups", "status", [status.as_str(), GROUPS]),
        ("configured_groups", "avail", [NAMES_OF_AVAIL, GROUPS]),
    ] {
        let [first, second] = filters;
        text += &format!(
            "_{name}_{function}() {{\n    local -a names\n    names=(${{(f)\"$(_{name}_ask {question} | awk '{first}' | awk \
             '{second}')\"}})\n    compadd -a names\n}}\n\n"
        );
    }
    text += &format!(
        "_{name}() {{\n    local curcontext=$curcontext state line\n    typeset -A opt_args given\n    local -a commands\n    commands=(\n"
    );
    for command in &program.commands {
        text += &format!("        {}\n", quoted(&format!("{}:{}", command.name(), summary(*command))));
    }
    text += &format!(
        "    )\n    _arguments -s -S -C \\\n{}        '1:action:->action' \\\n        '*::argument:->argument' && return\n",
        options(program.options, "        ")
    );
    text += "    case $state in\n    action) _describe action commands ;;\n    argument)\n        case $words[1] in\n";
    for command in &program.commands {
        let action = match command.completion() {
            Completion::Nothing => None,
            Completion::Commands => Some("'*:action:{ _describe action commands }'".to_owned()),
            Completion::Groups => Some(format!("'*:group:_{name}_groups'")),
            Completion::ConfiguredGroups => Some(format!("'*:group:_{name}_configured_groups'")),
            Completion::Processes => Some(format!("'*:process:_{name}_processes'")),
        };
        // The inner call must not forget the options that were given before the action.
        let own = options(command.options(), "").replace(" \\\n", " ");
        let specs = format!("{own}{}", action.unwrap_or_default());
        if !specs.is_empty() {
            text += &format!("        {}) {specs_of} ;;\n", command.name(), specs_of = inner(&specs));
        }
    }
    text + &format!("        esac ;;\n    esac\n}}\n\n_{name} \"$@\"\n")
}

fn inner(specs: &str) -> String {
    format!("given=(\"${{(@kv)opt_args}}\"); _arguments -s {}", specs.trim_end())
}

/// The first sentence about a command.
fn summary(command: &dyn crate::ctl::Command) -> String {
    command.usage().first().map(|usage| usage.text.to_string()).unwrap_or_default()
}

fn options(table: &[OptionSpec], indent: &str) -> String {
    let mut text = String::new();
    for option in table {
        let forms = forms(option);
        let help = option.help.replace(']', "\\]").replace(':', "\\:");
        let value = match (Argument::of(option), option.argument) {
            (Argument::None, _) | (_, None) => String::new(),
            (Argument::File, Some(name)) => format!(":{name}:_files"),
            (Argument::Directory, Some(name)) => format!(":{name}:_files -/"),
            (Argument::User, Some(name)) => format!(":{name}:_users"),
            (Argument::Other, Some(name)) => format!(":{name}: "),
        };
        let spec = quoted(&format!("[{help}]{value}"));
        let line = match forms.as_slice() {
            [one] => format!("{}{spec}", quoted(one)),
            several => format!("{}{{{}}}{spec}", quoted(&format!("({})", several.join(" "))), several.join(",")),
        };
        // A question mark is a pattern outside of quotes.
        text += &format!("{indent}{} \\\n", line.replace(",-?,", ",'-?',"));
    }
    text
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
