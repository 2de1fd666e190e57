//! The limit of open files that a daemon has extended for itself does not reach its children.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;
use crate::sys::rlimit;

#[test]
fn children_get_the_limit_of_open_files_that_there_was() {
    alone::run("runtime::spawner::tests::open_files::with_an_extended_limit", &[]);
}

#[test]
#[ignore = "run by children_get_the_limit_of_open_files_that_there_was"]
fn with_an_extended_limit() {
    let limits = || {
        let settings = process("/bin/sh -c 'ulimit -Sn; ulimit -Hn'");
        // The file of the score is opened in the child, where the number may be above the limit to come.
        let scored = |spawner| RealSpawner { reset_oom_score: true, ..spawner };
        [forking(), vforking()].map(scored).map(|spawner| run(&spawner, settings.clone()).1)
    };
    setrlimit(Resource::Nofile, Rlimit { current: Some(100), maximum: Some(500) }).unwrap();
    assert_eq!(limits(), ["100\n500\n"; 2]);
    rlimit::extend_open_files(0);
    assert_eq!(getrlimit(Resource::Nofile).current, Some(500));
    let many: Vec<_> = (0..200).map(|_| File::open("/dev/null").unwrap()).collect();
    assert_eq!(limits(), ["100\n500\n"; 2]);
    drop(many);
    // What somebody sets from then on is meant for all.
    setrlimit(Resource::Nofile, Rlimit { current: Some(300), maximum: Some(400) }).unwrap();
    assert_eq!(limits(), ["300\n400\n"; 2]);
}
