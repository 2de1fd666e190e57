//! Completion for fish.

use super::entry::{Argument, GROUPS, MADE, NAMES_OF_AVAIL, Program, WITH_GROUPS, names_of_status};
use crate::ctl::Completion;
use crate::getopt::OptionSpec;

pub(super) fn completion(program: &Program) -> String {
    let name = program.name;
    let mut text = format!("# Completion of {name}(1) for fish. {MADE}\n\n");
    if program.commands.is_empty() {
        return text + &format!("complete -c {name} -f\n") + &options(name, program.options, "");
    }
    text += &functions(program);
    text += &format!("complete -c {name} -f\n");
    text += &options(name, program.options, &format!(" -n __{name}_needs_action"));
    for command in &program.commands {
        let summary = command.usage().first().map(|usage| usage.text.to_string()).unwrap_or_default();
        text += &format!("complete -c {name} -n __{name}_needs_action -a {} -d {}\n", command.name(), quoted(&summary));
    }
    for (completion, offered) in [
        (Completion::Processes, format!("(__{name}_processes)")),
        (Completion::Groups, format!("(__{name}_groups)")),
        (Completion::ConfiguredGroups, format!("(__{name}_configured_groups)")),
        (Completion::Commands, program.commands.iter().map(|command| command.name()).collect::<Vec<_>>().join(" ")),
    ] {
        let commands = program.completed_with(completion);
        if !commands.is_empty() {
            let condition = quoted(&format!("__{name}_action_is {}", commands.join(" ")));
            text += &format!("complete -c {name} -n {condition} -a {}\n", quoted(&offered));
        }
    }
    for command in &program.commands {
        let condition = quoted(&format!("__{name}_action_is {}", command.name()));
        text += &options(name, command.options(), &format!(" -n {condition}"));
    }
    text
}

/// The functions that know the action, and that ask the server.
fn functions(program: &Program) -> String {
    let name = program.name;
    let with_value = program.forms(|option| option.argument.is_some()).join(" ");
    let server = program.forms(Program::of_the_server).join(" ");
    let status = names_of_status();
    format!(
        r#"function __{name}_action
    set -l tokens (commandline -opc)
    set -l previous ""
    for token in $tokens[2..-1]
        if test -n "$previous"
            set previous ""
        else if contains -- $token {with_value}
            set previous $token
        else if not string match -q -- '-*' $token
            echo $token
            return
        end
    end
end

function __{name}_needs_action
    test -z "$(__{name}_action)"
end

function __{name}_action_is
    contains -- "$(__{name}_action)" $argv
end

function __{name}_ask
    set -l server
    set -l previous ""
    for token in (commandline -opc)[2..-1]
        if test -n "$previous"
            set -a server $previous $token
            set previous ""
        else if contains -- $token {server}
            set previous $token
        end
    end
    command {name} $server $argv 2>/dev/null </dev/null
end

function __{name}_processes
    __{name}_ask status | awk '{status}' | awk '{WITH_GROUPS}'
end

function __{name}_groups
    __{name}_ask status | awk '{status}' | awk '{GROUPS}'
end

function __{name}_configured_groups
    __{name}_ask avail | awk '{NAMES_OF_AVAIL}' | awk '{GROUPS}'
end

"#
    )
}

fn options(name: &str, table: &[OptionSpec], condition: &str) -> String {
    let mut text = String::new();
    for option in table {
        let short: String = option.short.iter().map(|letter| format!(" -s {}", quoted(&letter.to_string()))).collect();
        let value = match Argument::of(option) {
            Argument::None => "",
            Argument::File => " -r -F",
            Argument::Directory => " -x -a '(__fish_complete_directories)'",
            Argument::User => " -x -a '(__fish_complete_users)'",
            Argument::Other => " -x",
        };
        text += &format!("complete -c {name}{condition}{short} -l {}{value} -d {}\n", option.long, quoted(option.help));
    }
    text
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
