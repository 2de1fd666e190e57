//! The files of `share/`: they are what the tables make, shells complete with them, and the pages are pages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods, reason = "a test")]

mod lab;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn share() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../share")
}

fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success();
    if !found {
        println!("skipped: {program} is not there");
    }
    found
}

#[test]
fn what_is_kept_is_what_the_tables_make() {
    let made = supervisor_bin::manual::files();
    for file in &made {
        let kept = fs::read_to_string(share().join(&file.path)).unwrap_or_default();
        assert!(kept == file.text, "{} is old: cargo run -p supervisor-bin --example manual", file.path);
    }
    let mut kept = Vec::new();
    collect(&share(), &mut kept);
    assert_eq!(kept.len(), made.len(), "nothing else is in share/: {kept:?}");
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

/// A folder with a supervisorctl that knows some processes if it is told where they are.
fn fake() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    let script = "#!/bin/sh\n\
        test \"$1 $2\" = '-c x.conf' || { echo 'unix:///x no such file'; exit 4; }\n\
        case $3 in\n\
        status) echo 'cat      RUNNING   pid 1'; echo 'g:alpha  STOPPED   Not'; echo 'g:beta   FATAL     why' ;;\n\
        avail) echo 'cat   in use    auto      999:999'; echo 'new:p   avail    auto      999:999' ;;\n\
        esac\n";
    fs::write(&text, script).unwrap();
    lab::install(&text, &folder.path().join("supervisorctl"));
    folder
}

/// What a shell offers for a line, sorted.
fn offered(shell: &str, script: &str, line: &str) -> String {
    let folder = fake();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new(shell)
        .args(["-c", script, shell, line])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("HOME", folder.path())
        .env("SHARE", share())
        .env("line", line)
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // fish puts a description behind each.
    let mut words: Vec<&str> = text.lines().map(|line| line.split('\t').next().unwrap()).collect();
    words.sort_unstable();
    words.join(" ")
}

/// What is offered in every shell; bash gives what stands behind the last colon.
const LINES: &[(&str, &str)] = &[
    ("supervisorctl versi", "version"),
    ("supervisorctl re", "reload remove reread restart"),
    ("supervisorctl -c x.conf start ", "cat g:* g:alpha g:beta"),
    ("supervisorctl -c x.conf start c", "cat"),
    ("supervisorctl -c x.conf start cat g:al", "g:alpha"),
    ("supervisorctl -c x.conf remove ", "cat g"),
    ("supervisorctl -c x.conf update n", "new"),
    ("supervisorctl help sta", "start status"),
    // Nothing of an error line is a name.
    ("supervisorctl start ", ""),
];

#[test]
fn bash_completes() {
    if !is_there("bash") {
        return;
    }
    let script = r#"
        . "$SHARE/bash-completion/completions/supervisorctl"
        compopt() { :; }
        COMP_LINE=$line COMP_POINT=${#line}
        COMP_WORDBREAKS=$' \t\n:'
        _supervisorctl
        printf '%s\n' "${COMPREPLY[@]}""#;
    for (line, want) in LINES {
        let want = if line.ends_with("g:al") { "alpha" } else { want };
        assert_eq!(offered("bash", script, line), want, "{line}");
    }
    for (line, want) in [
        ("supervisorctl --pass", "--password"),
        ("supervisorctl -c x.conf logs -", "--follow --lines -f -n"),
        ("supervisorctl status --j", "--json"),
        ("supervisorctl -c x", ""),
    ] {
        assert_eq!(offered("bash", script, line), want, "{line}");
    }
    let script = r#"
        . "$SHARE/bash-completion/completions/supervisord"
        _supervisord supervisord "${line##* }" supervisord
        printf '%s\n' "${COMPREPLY[@]}""#;
    assert_eq!(offered("bash", script, "supervisord --nod"), "--nodaemon");
}

#[test]
fn fish_completes() {
    if !is_there("fish") {
        return;
    }
    let script = r#"source "$SHARE/fish/vendor_completions.d/supervisorctl.fish"; complete -C "$line""#;
    for (line, want) in LINES {
        assert_eq!(offered("fish", script, line), *want, "{line}");
    }
    assert_eq!(offered("fish", script, "supervisorctl --pass"), "--password");
    assert_eq!(offered("fish", script, "supervisorctl -c x.conf logs --"), "--follow --lines");
}

#[test]
fn zsh_completes() {
    if !is_there("zsh") {
        return;
    }
    // Completion needs a line editor: one in a pseudo-terminal of zsh's own, which lists what it would offer.
    let script = r#"
        zmodload zsh/zpty
        zpty editor "zsh -fi"
        zpty -w editor "PS1= PS2= TERM=dumb; unsetopt zle_bracketed_paste; fpath=($SHARE/zsh/site-functions \$fpath); autoload -Uz compinit; compinit -u -d $HOME/dump"
        zpty -w editor 'compadd() { [[ $* == *-O* || $* == *-A* || $* == *-D* ]] && { builtin compadd "$@"; return }; builtin compadd -O offered "$@"; print -rl -- $offered >> $HOME/offered; builtin compadd "$@" }'
        zpty -w editor 'list() { touch $HOME/offered; zle complete-word; touch $HOME/done; }; zle -C complete-word complete-word _main_complete; zle -N list; bindkey "^X" list; touch $HOME/ready'
        for i in {1..300}; do [[ -e $HOME/ready ]] && break; sleep 0.1; done
        zpty -w -n editor "$line"$'\x18'
        for i in {1..300}; do [[ -e $HOME/done ]] && break; sleep 0.1; done
        zpty -d editor
        sort -u $HOME/offered
    "#;
    for (line, want) in LINES {
        assert_eq!(offered("zsh", script, line), *want, "{line}");
    }
}

#[test]
fn pages_have_no_errors() {
    if !is_there("mandoc") {
        return;
    }
    for file in supervisor_bin::manual::files().iter().filter(|file| file.path.starts_with("man/")) {
        let output =
            Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(share().join(&file.path)).output();
        let told = String::from_utf8(output.unwrap().stdout).unwrap();
        // Pages without a date are the same whenever they are made.
        let bad: Vec<_> = told.lines().filter(|line| !line.contains("missing date")).collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }
}
