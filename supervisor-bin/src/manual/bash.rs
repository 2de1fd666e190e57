//! Completion for bash, without the helpers of the package bash-completion.

use super::entry::{Argument, GROUPS, MADE, NAMES_OF_AVAIL, Program, WITH_GROUPS, forms, names_of_status};
use crate::ctl::Completion;
use crate::getopt::OptionSpec;

pub(super) fn completion(program: &Program) -> String {
    let name = program.name;
    let words = |test: &dyn Fn(&OptionSpec) -> bool| program.forms(test).join("|");
    let with_value = words(&|option| option.argument.is_some());
    let all = array(&program.forms(|_| true));
    let kind = |argument: Argument| words(&|option| Argument::of(option) == argument);
    let mut values = String::new();
    for (argument, action) in [(Argument::File, "-f"), (Argument::Directory, "-d"), (Argument::User, "-u")] {
        let forms = kind(argument);
        if !forms.is_empty() {
            values += &format!(
                "            {forms}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen {action} -- \"$cur\") ;;\n"
            );
        }
    }
    let mut text = format!("# Completion of {name}(1) for bash. {MADE}\n\n");
    if program.commands.is_empty() {
        text += &format!(
            r#"_{name}() {{
    local cur=$2 word
    case $3 in
{values}        {other}) return ;;
    esac
    for word in {all}; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
}}
"#,
            values = values.replace("            ", "        ").replace(" ;;\n", "; return ;;\n"),
            other = kind(Argument::Other),
        );
    } else {
        text += &names(program);
        text += &format!(
            r#"_{name}() {{
    # The line is split at white space: ':' belongs to a word.
    local line=${{COMP_LINE:0:COMP_POINT}} word previous="" command=""
    local -a words server=() offered=()
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local cur=${{words[${{#words[@]}}-1]}}
    for word in "${{words[@]:1:${{#words[@]}}-2}}"; do
        if [[ -n $previous ]]; then
            case $previous in {server}) server+=("$previous" "$word") ;; esac
            previous=""
        elif [[ -z $command ]]; then
            case $word in
                {with_value}) previous=$word ;;
                -*) ;;
                *) command=$word ;;
            esac
        fi
    done
    if [[ -n $previous ]]; then
        case $previous in
{values}        esac
        return
    fi
    case $command in
        "") if [[ $cur == -* ]]; then offered=({all}); else offered=({commands}); fi ;;
{arguments}    esac
    # Not compgen -W, which would run what a name holds.
    for word in "${{offered[@]}}"; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
    # Readline replaces what stands behind the last colon only.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${{COMPREPLY[@]#"${{cur%"${{cur##*:}}"}}"}}")
    fi
}}
"#,
            server = words(&Program::of_the_server),
            commands = command_names(program),
            arguments = arguments(program),
        );
    }
    text + &format!("complete -F _{name} {name}\n")
}

/// Words of an array, none of them a pattern.
fn array(words: &[String]) -> String {
    words.join(" ").replace("-?", "'-?'")
}

fn command_names(program: &Program) -> String {
    program.commands.iter().map(|command| command.name()).collect::<Vec<_>>().join(" ")
}

/// A function for each kind of name.
fn names(program: &Program) -> String {
    let name = program.name;
    let status = names_of_status();
    format!(
        "_{name}_processes() {{ {name} \"$@\" status 2>/dev/null </dev/null | awk '{status}' | awk '{WITH_GROUPS}'; }}\n\
         _{name}_groups() {{ {name} \"$@\" status 2>/dev/null </dev/null | awk '{status}' | awk '{GROUPS}'; }}\n\
         _{name}_configured_groups() {{ {name} \"$@\" avail 2>/dev/null </dev/null | awk '{NAMES_OF_AVAIL}' | awk '{GROUPS}'; }}\n\n"
    )
}

/// What is offered behind each command.
fn arguments(program: &Program) -> String {
    let mut text = String::new();
    for command in &program.commands {
        let options: Vec<String> = command.options().iter().flat_map(forms).collect();
        let ask = |names: &str| format!("mapfile -t offered < <(_{}_{names} \"${{server[@]}}\")", program.name);
        let offered = match command.completion() {
            Completion::Nothing => String::new(),
            Completion::Commands => format!("offered=({})", command_names(program)),
            Completion::Groups => ask("groups"),
            Completion::ConfiguredGroups => ask("configured_groups"),
            Completion::Processes => ask("processes"),
        };
        let line = match (options.is_empty(), offered.is_empty()) {
            (true, true) => continue,
            (true, false) => offered,
            (false, true) => format!("offered=({})", array(&options)),
            (false, false) => format!("if [[ $cur == -* ]]; then offered=({}); else {offered}; fi", array(&options)),
        };
        text += &format!("        {}) {line} ;;\n", command.name());
    }
    text
}
