//! Descriptors run out: an error, and never a child that nobody knows.

use std::path::Path;

use super::*;

#[test]
fn a_start_waits_for_what_it_takes_and_leaves_some_for_others() {
    // What is spared where there are few, whether it forks, what somebody has set, what must be free.
    for (spared, forks, reserve, free) in [
        (None, false, None, 19),
        (None, true, None, 19),
        (None, false, Some(0), 11),
        (Some(4), false, None, 8),
        (Some(4), true, None, 9),
        (Some(5), false, None, 9),
        (Some(8), true, None, 12),
        (Some(21), false, None, 25),
        (Some(5), false, Some(0), 11),
    ] {
        assert_eq!(needed(spared, forks, reserve), free, "{spared:?} {forks} {reserve:?}");
    }
}

#[test]
fn without_descriptors_no_child_is_lost() {
    alone::run("runtime::spawner::tests::shortage::with_few_descriptors", &[]);
}

/// The children of this process that have not ended.
fn children() -> usize {
    let own = std::process::id().to_string();
    let is_child = |entry: &Path| {
        let stat = fs::read_to_string(entry.join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').collect::<Vec<_>>()).unwrap_or_default();
        fields.get(1) == Some(&own.as_str()) && fields[0] != "Z"
    };
    fs::read_dir("/proc").unwrap().filter(|entry| is_child(&entry.as_ref().unwrap().path())).count()
}

#[test]
#[ignore = "run by without_descriptors_no_child_is_lost"]
fn with_few_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let hard = getrlimit(Resource::Nofile).maximum;
    let limit = |soft| setrlimit(Resource::Nofile, Rlimit { current: Some(soft), maximum: hard }).unwrap();
    let bold = || SpawnOptions { reserve: Some(0), ..SpawnOptions::default() };
    // The reactor takes its own descriptors now, and the thread its slots.
    for spawner in [forking_with(bold()), RealSpawner::new(bold())] {
        end(spawner.begin(&order(process("/bin/sleep 600"))).unwrap());
        every_room(&spawner, limit);
    }
    // The pipes themselves, without a look at what is free.
    limit(3);
    let error = open_pipes(&order(process("/bin/true"))).map(drop).unwrap_err();
    assert_eq!(Failure::Pipes(error).told_of("x").to_string(), "too many open files to spawn 'x'");
}

fn every_room(spawner: &RealSpawner, limit: impl Fn(u64)) {
    let open = fds::open_count().unwrap();
    for room in 0..80 {
        limit(open + room);
        let mut running = Vec::new();
        let error = loop {
            match spawner.begin(&order(process("/bin/sleep 600"))) {
                Ok(started) => running.push(started),
                Err(error) => break error,
            }
        };
        limit(4096);
        assert_eq!(error.to_string(), "too many open files to spawn 'x'");
        assert_eq!(children(), running.len(), "with room for {room}");
        running.into_iter().map(end).for_each(|_| ());
        // async-process closes the pidfds on a thread of its own.
        while fds::open_count().unwrap() > open {
            std::thread::yield_now();
        }
    }
}

#[test]
fn descriptors_that_others_snatch_cost_no_child() {
    alone::run("runtime::spawner::tests::shortage::among_thieves", &[]);
}

/// Between the look at what is free and async-process's need for a pidfd, other threads open all that there is.
#[test]
#[ignore = "run by descriptors_that_others_snatch_cost_no_child"]
fn among_thieves() {
    for spawner in [forking(), vforking()] {
        let options = SpawnOptions { reserve: Some(0), ..SpawnOptions::default() };
        steal_from(&RealSpawner { options, ..spawner });
    }
}

fn steal_from(spawner: &RealSpawner) {
    end(spawner.begin(&order(process("/bin/sleep 600"))).unwrap());
    let hard = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let limit = rustix::process::Rlimit { current: Some(fds::open_count().unwrap() + 60), maximum: hard };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let thief = std::thread::spawn({
        let over = Arc::clone(&over);
        move || {
            // The pauses are there to strike at many moments of a start; no expectation hangs on them.
            for pause in (0..=800).step_by(40).cycle().take_while(|_| !over.load(Ordering::SeqCst)) {
                std::thread::sleep(std::time::Duration::from_micros(pause));
                let loot: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
                std::thread::sleep(std::time::Duration::from_millis(2));
                drop(loot);
            }
        }
    });
    let mut running = Vec::new();
    for _ in 0..400 {
        while !fds::has_room(NEEDED + NEEDED_BESIDE) {
            std::thread::yield_now();
        }
        match spawner.begin(&order(process("/bin/sleep 600"))) {
            Ok(started) => running.push(started),
            Err(error) => assert_eq!(error.to_string(), "too many open files to spawn 'x'"),
        }
        if running.len() == 10 {
            running.drain(..).map(end).for_each(|_| ());
        }
    }
    over.store(true, Ordering::SeqCst);
    thief.join().unwrap();
    assert_eq!(children(), running.len());
    running.into_iter().map(end).for_each(|_| ());
}
