//! Strangers are reaped, and no status of a known child is lost meanwhile.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;

use futures_lite::future;

use super::*;
use crate::sys::alone;

#[test]
fn children_are_there_until_they_are_reaped() {
    alone::run("sys::orphan::tests::with_a_child", &[]);
}

#[test]
#[ignore = "run by children_are_there_until_they_are_reaped"]
fn with_a_child() {
    assert!(!has_children());
    #[expect(clippy::disallowed_methods, reason = "a stranger")]
    let mut child = std::process::Command::new("/bin/cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    assert!(has_children() && peek().is_none());
    drop(child.stdin.take());
    while peek() != Some(child.id()) {
        std::thread::yield_now();
    }
    assert!(has_children());
    child.wait().unwrap();
    assert!(!has_children());
}

const FAMILIES: usize = 100;

#[test]
fn strangers_are_reaped_and_no_status_is_lost() {
    alone::run("sys::orphan::tests::in_a_process", &[]);
}

#[test]
#[ignore = "run by strangers_are_reaped_and_no_status_is_lost"]
fn in_a_process() {
    assert!(!adopts_orphans());
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    assert!(adopts_orphans());
    let children = KnownChildren::new();
    let mut strangers = Strangers::new(Arc::clone(&children)).unwrap();
    let (tell, told) = async_channel::unbounded();
    let families = std::thread::spawn(move || {
        for _ in 0..FAMILIES {
            let starting = children.starting();
            // The middle shell ends with 7 and leaves a child behind, which ends with 3.
            let mut command = async_process::Command::new("/bin/sh");
            let child = command.args(["-c", "(exit 3) & exit 7"]).spawn().unwrap();
            let known = starting.started(child.id());
            tell.try_send((child, known)).unwrap();
        }
    });
    let wait = async {
        let mut ours = HashSet::new();
        while let Ok((mut child, known)) = told.recv().await {
            assert_eq!(child.status().await.unwrap().code(), Some(7));
            ours.insert(child.id());
            drop(known);
        }
        ours.len()
    };
    let reap = async {
        for _ in 0..FAMILIES {
            assert_eq!(strangers.next().await.status, ExitStatus::Exited(3));
        }
    };
    async_io::block_on(future::zip(wait, reap));
    families.join().unwrap();
    assert_eq!(peek(), None);
}
