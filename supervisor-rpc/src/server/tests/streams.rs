//! Log streams.

use super::*;

#[test]
fn lines_come_at_once_over_every_version() {
    let lab = Lab::new();
    for (version, framing) in [("1.1", Some("chunked")), ("1.0", None)] {
        for mut talk in lab.both() {
            let answer = talk.send(format!("GET /logtail/cat%3Acat/stderr HTTP/{version}\r\nHost: x\r\n\r\n")).head();
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), Some("text/plain;charset=utf-8"));
            assert_eq!(answer.header("x-accel-buffering"), Some("no"));
            assert_eq!(answer.header("last-modified"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
            assert_eq!(answer.header("transfer-encoding"), framing);
            talk.until("Stderr) 1024\n");
            for line in ["one\n", "two é\n"] {
                lab.backend.append(line);
                talk.until(line);
            }
        }
    }
    eventually("nobody follows", || lab.backend.followers() == 0);
}

#[test]
fn which_logs_there_are() {
    let lab = Lab::new();
    for path in ["/logtail/zz", "/logtail/cat/bogus", "/logtail/cat:*", "/logtail/", "/logtail", "//logtail/cat"] {
        assert_eq!(lab.ask(&get(path)).status, 404, "{path}");
    }
    for path in ["/logtail/cat", "/logtail/cat/stdout", "/%6Cogtail/cat:cat"] {
        lab.unix().send(get(path)).until("Stdout) 1024\n");
    }
    lab.tcp().send(get("/mainlogtail")).until("Activity 1024\n");
}

#[test]
fn a_client_that_leaves_is_noticed_while_nothing_is_written() {
    let lab = Lab::new();
    for mut talk in lab.both() {
        talk.send(get("/logtail/cat")).until("1024\n");
        assert_eq!(lab.backend.followers(), 1);
        drop(talk);
        eventually("the follower goes", || lab.backend.followers() == 0);
    }
}

#[test]
fn who_has_said_all_gets_what_there_is() {
    let lab = Lab::new();
    for mut talk in lab.both() {
        talk.send(get("/logtail/cat")).stream.finish();
        talk.until("1024\n");
        while talk.more() {}
        eventually("the follower goes", || lab.backend.followers() == 0);
    }
}

#[test]
fn a_client_that_does_not_read_is_dropped() {
    let lab = Lab::with(quick_limits(), None, |_| {});
    let mut talk = lab.unix();
    talk.send(get("/logtail/cat")).until("1024\n");
    let flood = "x".repeat(100_000);
    for _ in 0..100 {
        lab.backend.append(&flood);
    }
    eventually("the follower goes", || lab.backend.followers() == 0);
}

#[test]
fn silent_streams_stay_open() {
    let limits = Limits { idle_time: Duration::from_millis(600), ..quick_limits() };
    let lab = Lab::with(limits, None, |_| {});
    let mut both = lab.both();
    for talk in &mut both {
        talk.send(get("/logtail/cat")).until("1024\n");
    }
    // Longer than every limit on requests.
    std::thread::sleep(Duration::from_millis(1700));
    lab.backend.append("still there\n");
    for talk in &mut both {
        talk.until("still there\n");
    }
}
