//! Logs that several share, and logs that are opened anew.

use super::*;

fn limited(logfile_maxbytes: i64) -> spec::Channel {
    spec::Channel { logfile_maxbytes, logfile_backups: 2, ..channel() }
}

#[test]
fn a_shared_log_is_rotated_for_whoever_wants_it_smallest() {
    let lab = Lab::new();
    let plan = lab.plan(limited(20));
    let others = [lab.open("x", &limited(0)), lab.open("x", &limited(1000))];
    lab.run(plan, &[b"000000001\n", b"000000002\n", b"000000003\n"]);
    assert_eq!((lab.text("x.1"), lab.text("x")), ("000000001\n000000002\n".into(), "000000003\n".into()));
    // Those that are left want more in it.
    lab.run(ChannelPlan { log: Some(lab.open("x", &limited(0))), ..lab.plan_without_log(limited(0)) }, &[&[b'x'; 100]]);
    assert_eq!(lab.text("x").len(), 110);
    drop(others);
}

#[test]
fn a_log_that_was_moved_between_its_opening_and_its_first_use_is_left_behind() {
    let lab = Lab::new();
    let opened = lab.lanes.open_file(lab.path("x"), 0, 0).unwrap();
    fs::rename(lab.path("x"), lab.path("moved")).unwrap();
    block_on(lab.lanes.reopen());
    let log = lab.lanes.share(opened, "'x' stdout").unwrap();
    lab.run(ChannelPlan { log: Some(log), ..lab.plan_without_log(limited(0)) }, &[b"said"]);
    assert_eq!((lab.text("moved"), lab.text("x")), (String::new(), "said".into()));
}

#[test]
fn every_log_in_use_is_opened_anew_whatever_its_path_leads_to_by_now() {
    let lab = Lab::new();
    let settings = limited(0);
    let (first, file) = (lab.open("x", &settings), lab.path("file"));
    fs::rename(lab.path("x"), &file).unwrap();
    // Another device, so another sink in the place of the first.
    std::os::unix::fs::symlink("/dev/null", lab.path("x")).unwrap();
    let second = lab.open("x", &settings);
    assert!(!Arc::ptr_eq(first.sink(), second.sink()));
    fs::remove_file(lab.path("x")).unwrap();
    block_on(lab.lanes.reopen());
    for log in [first, second] {
        lab.run(ChannelPlan { log: Some(log), ..lab.plan_without_log(limited(0)) }, &[b"said "]);
    }
    assert_eq!((fs::read_to_string(file).unwrap(), lab.text("x")), (String::new(), "said said ".into()));
}

#[test]
fn a_lane_that_hangs_holds_up_the_reopening_of_no_other() {
    let lab = Lab::new();
    let _reader = streams::fifo(&lab.path("fifo"));
    let (hung, free) = (lab.open("fifo", &limited(0)), lab.open("x", &limited(0)));
    let (release, held) = std::sync::mpsc::channel::<()>();
    hung.sink().lane().spawn(move |_| async move {
        let _ = held.recv();
    });
    fs::rename(lab.path("x"), lab.path("moved")).unwrap();
    thread::scope(|scope| {
        let asking: Vec<_> = (0..3).map(|_| scope.spawn(|| block_on(lab.lanes.reopen()))).collect();
        eventually("the other is opened anew", || lab.path("x").exists());
        assert!(!asking.iter().all(|asking| asking.is_finished()), "while somebody waits for the one that hangs");
        asking.into_iter().for_each(|asking| asking.join().unwrap());
    });
    // Told once, however often it was asked for.
    let path = lab.path("fifo").display().to_string();
    let told = format!("could not reopen {path} so far: the file system does not answer");
    assert_eq!(lab.lines.of(Level::Error), [told]);
    drop(release);
    drop((hung, free));
}

#[test]
fn a_path_that_becomes_a_pipe_which_nobody_reads_holds_up_no_other_log() {
    let lab = Lab::new();
    let (mut pipe, reader) = lab.start(lab.plan(limited(0)));
    pipe.write_all(b"file").unwrap();
    eventually("written", || lab.text("x") == "file");
    for tried_again in [false, true] {
        fs::remove_file(lab.path("x")).unwrap();
        if tried_again {
            // Nothing can be opened there at first.
            fs::create_dir(lab.path("x")).unwrap();
            block_on(lab.lanes.reopen());
            assert!(lab.lines.of(Level::Error).last().unwrap().contains("could not reopen"));
            fs::remove_dir(lab.path("x")).unwrap();
        }
        let mut idle = streams::fifo(&lab.path("x"));
        if !tried_again {
            block_on(lab.lanes.reopen());
        }
        rustix::io::ioctl_fionbio(&idle, true).unwrap();
        eventually("something arrives", || {
            (&pipe).write_all(b"pipe").unwrap();
            (&idle).read(&mut [0; 4]).is_ok_and(|count| count > 0)
        });
        pipe.write_all(&vec![b'x'; 1 << 20]).unwrap();
        let other = lab.plan_without_log(limited(0));
        lab.run(ChannelPlan { log: Some(lab.open("other", &limited(0))), ..other }, &[b"other"]);
        assert!(lab.text("other").ends_with("other"));
        eventually("it is given up", || lab.lines.of(Level::Error).last().unwrap().contains("nobody reads it"));
        let mut all = vec![0; 1 << 16];
        assert!(idle.read(&mut all).unwrap() > 0);
        fs::remove_file(lab.path("x")).unwrap();
        block_on(lab.lanes.reopen());
        pipe.write_all(b"file").unwrap();
        // Behind what was still in the pipe of the process.
        eventually("it is a file again", || lab.text("x").ends_with("file"));
    }
    drop(pipe);
    block_on(reader.finish());
}
