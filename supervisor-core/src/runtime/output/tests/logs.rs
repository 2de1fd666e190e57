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
