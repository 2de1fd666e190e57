//! A daemon in a folder of its own, and ways to ask it and to look at it and at its programs: for every suite that needs one.
//!
//! A suite takes it in with `#[path = "../lab/mod.rs"] mod lab;` (this folder has no `main.rs`, so it is no suite itself).
//! It says how a daemon is started, asked, looked at and ended, and what promptness and moderation are. What a daemon is
//! to do is for the suites to say, and so is what only one of them needs: a terminal, a browser, a small disk.
//!
//! `SUPERVISOR_PROGRAMS` names another directory of programs to put to the test, such as `target/release`.
#![allow(dead_code, unused_imports, reason = "each suite uses a part of it")]
#![allow(clippy::print_stderr, reason = "what is skipped, and what a failed test leaves")]

mod asking;
mod calls;
mod conditions;
mod daemon;
mod probes;
mod processes;

pub(crate) use rustix::process::{Pid, Signal, kill_process};

pub(crate) use calls::{Answer, Value, body, call, request};
pub(crate) use conditions::{LIMIT, eventually, is_root, passing, within, works};
pub(crate) use daemon::{Lab, free_port, leave_stale, program, run};
pub(crate) use probes::{BUSY, MARGIN, MODERATE, Probe, Watch, took};
pub(crate) use processes::{
    children_of, descriptors, group_of, inode, install, is_alive, kill, memory, peak, pids, processor_time, stat,
    states_of_threads, wait_gone, zombies_of,
};

/// A program that runs and does nothing.
pub(crate) const SLEEPER: &str = "[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\n";
