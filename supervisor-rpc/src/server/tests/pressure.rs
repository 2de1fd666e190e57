//! Slow, silent, many and rude clients.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn slow_heads_are_told_and_cut() {
    let lab = Lab::with(quick_limits(), None, |_| {});
    for mut talk in lab.both() {
        talk.ask(&get("/ok.html"));
        let start = Instant::now();
        talk.send("GET /ok.html HT");
        let answer = talk.answer();
        assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
        assert!((250..2000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
        assert!(talk.closed());
    }
}

#[test]
fn a_head_that_drips_is_bounded_as_a_whole() {
    let lab = Lab::with(quick_limits(), None, |_| {});
    let mut talk = lab.unix();
    let is_cut = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        talk.stream.write_all(b"G").is_err()
    });
    assert!(is_cut, "a head of ten seconds was waited for");
}

#[test]
fn slow_bodies_are_told_and_cut() {
    let lab = Lab::with(quick_limits(), None, |_| {});
    for request in [
        "POST /RPC2 HTTP/1.1\r\nContent-Length: 100\r\n\r\n<",
        "POST /ok.html HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na",
    ] {
        for mut talk in lab.both() {
            let answer = talk.ask(request);
            assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
        }
    }
}

#[test]
fn idle_connections_are_closed_without_a_word() {
    let limits = Limits { idle_time: Duration::from_millis(600), ..quick_limits() };
    let lab = Lab::with(limits.clone(), None, |_| {});
    let (start, silent) = (Instant::now(), lab.both());
    for mut talk in silent {
        assert!(talk.closed());
        assert!((500..3000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }
    let lab = Lab::with(Limits { kept_time: Duration::from_secs(4), ..limits }, None, |_| {});
    for open in [Lab::unix, Lab::tcp] {
        for request in [get("/ok.html"), post("/RPC2", "slow")] {
            let mut talk = open(&lab);
            assert_eq!(talk.ask(&request).status, 200);
            // Empty lines are no request.
            talk.send("\r\n");
            // Longer idle than a head may take, and than who has never asked anything may be.
            std::thread::sleep(Duration::from_millis(800));
            assert_eq!(talk.ask(&request).status, 200);
            let start = Instant::now();
            assert!(talk.closed());
            assert!((3500..9500).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
        }
    }
}

#[test]
fn a_chunked_body_is_cut_at_the_limit() {
    let lab = Lab::with(Limits { body: 100_000, ..Limits::default() }, None, |_| {});
    for mut talk in lab.both() {
        talk.send("POST /ok.html HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
        for _ in 0..20 {
            talk.send(&chunk);
        }
        assert_eq!(talk.answer().status, 413);
    }
}

#[test]
fn a_head_without_end_is_cut() {
    let lab = Lab::new();
    let mut talk = lab.tcp();
    talk.send("GET / HTTP/1.1\r\nX: ");
    let block = vec![b'x'; 1 << 20];
    let refused = (0..64).any(|_| talk.stream.write_all(&block).is_err());
    assert!(refused, "64 MiB of head were taken");
}

#[test]
fn the_longest_idle_makes_room_and_the_busy_do_not() {
    let limits = Limits { connections: 3, streams: 3, ..Limits::default() };
    let lab = Lab::with(limits, None, |_| {});
    let mut streams: Vec<_> = (0..2).map(|_| lab.unix()).collect();
    for stream in &mut streams {
        stream.send(get("/logtail/cat")).until("1024\n");
    }
    let mut idle = lab.tcp();
    idle.ask(&get("/ok.html"));
    eventually("it is idle", || lab.backend.lines(Level::Trace).len() == 1);
    // The fourth takes the place of the idle one.
    let mut fourth = lab.unix();
    fourth.send(get("/logtail/cat")).until("1024\n");
    assert!(idle.closed());
    // The fifth finds no place.
    let answer = lab.tcp().ask(&get("/ok.html"));
    assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
    assert_eq!(lab.unix().ask(&get("/ok.html")).status, 503);
    // Nobody who was there is harmed, and a place that is left is taken.
    lab.backend.append("to all\n");
    for stream in &mut streams {
        stream.until("to all\n");
    }
    drop(fourth);
    eventually("a place is free", || lab.unix().ask(&get("/ok.html")).status == 200);
}

#[test]
fn unfinished_requests_make_room_and_are_told() {
    for begun in ["", "POST /RPC2 HTTP/1.1\r\nX-", "POST /RPC2 HTTP/1.1\r\nContent-Length: 100\r\n\r\n<methodCall>"] {
        let lab = Lab::with(Limits { connections: 8, ..Limits::default() }, None, |_| {});
        let mut first = lab.tcp();
        first.send(begun);
        let told =
            std::thread::spawn(move || if begun.is_empty() { first.closed() } else { first.answer().status == 503 });
        let (mut held, mut answered) = (Vec::new(), 0);
        // Who is idle goes first, so it is the first one's turn when the others have begun as well. A call that has not been
        // read yet is idle too.
        eventually("the first one makes room, and calls are answered", || {
            held.extend(lab.both());
            held.iter_mut().rev().take(2).for_each(|talk| drop(talk.stream.write_all(begun.as_bytes())));
            answered += usize::from(lab.unix().answers(&post("/RPC2", "x")));
            told.is_finished() && answered > 8
        });
        assert!(told.join().unwrap(), "{begun:?}");
    }
}

#[test]
fn a_flood_of_one_client_cuts_off_nobody_else() {
    let lab = Lab::with(Limits { connections: 8, ..Limits::default() }, None, |_| {});
    let (over, come) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let mut held = VecDeque::new();
            while !over.load(Ordering::Relaxed) {
                held.push_back(lab.tcp());
                held.drain(..held.len().saturating_sub(32));
                come.fetch_add(1, Ordering::Relaxed);
            }
        });
        let cut_off = (0..5).filter(|_| {
            let mut talk = lab.unix();
            // It has come, and its request has not.
            let others = come.load(Ordering::Relaxed) + 32;
            eventually("many others have come", || come.load(Ordering::Relaxed) >= others);
            !talk.answers(&post("/RPC2", "x"))
        });
        let cut_off = cut_off.count();
        over.store(true, Ordering::Relaxed);
        assert!(flood.join().is_ok());
        assert_eq!(cut_off, 0);
    });
}

#[test]
fn streams_leave_room_for_calls() {
    let lab = Lab::with(Limits { connections: 6, streams: 3, ..Limits::default() }, None, |_| {});
    let mut streams: Vec<_> = (0..3).map(|_| lab.unix()).collect();
    for stream in &mut streams {
        stream.send(get("/logtail/cat")).until("1024\n");
    }
    assert_eq!(lab.tcp().ask(&get("/logtail/cat")).status, 503);
    assert_eq!(lab.unix().ask(&post("/RPC2", "x")).status, 200);
    drop(streams.pop());
    eventually("the seat is given back", || {
        let mut talk = lab.unix();
        talk.send(get("/logtail/cat")).head().status == 200
    });
}

#[test]
fn refused_clients_that_linger_give_their_places_to_others() {
    let limits = Limits { connections: 4, streams: 1, linger: Duration::from_secs(60), ..Limits::default() };
    let lab = Lab::with(limits, None, |_| {});
    let mut stream = lab.unix();
    stream.send(get("/logtail/cat")).until("1024\n");
    let mut newcomers = Vec::new();
    let mut refused: Vec<_> = (0..3).map(|_| lab.unix()).collect();
    for talk in &mut refused {
        assert_eq!(talk.ask(&get("/logtail/cat")).status, 503);
    }
    // The sockets are closed, not only the places given away. Those who have just been told so may still count as busy.
    eventually("they are cut off", || {
        let mut newcomer = lab.unix();
        assert_eq!(newcomer.ask(&post("/RPC2", "x")).status, 200);
        newcomers.push(newcomer);
        refused.iter_mut().all(|talk| talk.stream.write_all(b"x").is_err())
    });
    lab.backend.append("still there\n");
    stream.until("still there\n");
}

#[test]
fn streams_that_find_no_place_open_no_log() {
    let lab = Lab::with(Limits { streams: 1, ..Limits::default() }, None, |_| {});
    let mut stream = lab.unix();
    stream.send(get("/logtail/cat")).until("1024\n");
    assert_eq!(lab.ask(&get("/mainlogtail")).status, 503);
    assert_eq!(lab.ask(&get("/logtail/cat")).status, 503);
    assert_eq!(lab.backend.followers.lock().unwrap().len(), 1);
}

#[test]
fn large_bodies_wait_for_room_and_small_ones_do_not() {
    let limits = Limits { bodies: 256 * 1024, body_time: Duration::from_millis(700), ..Limits::default() };
    let lab = Lab::with(limits, None, |_| {});
    let announced = "POST /RPC2 HTTP/1.1\r\nContent-Length: 250000\r\n\r\n<methodCall>";
    let mut announcing = lab.tcp();
    announcing.send(announced);
    // Who has only said that it is coming has no room.
    assert_eq!(lab.tcp().ask(&post("/RPC2", &"x".repeat(200_000))).status, 200);
    assert_eq!(announcing.answer().status, 408);
    let mut holder = lab.tcp();
    holder.send(announced).send("x".repeat(100_000));
    let mut waiting = lab.tcp();
    waiting.send(post("/RPC2", &"x".repeat(100_000)));
    assert_eq!(lab.tcp().ask(&post("/RPC2", &"x".repeat(60_000))).status, 200);
    // The one who does not send is cut off; its room is taken at once.
    assert_eq!(holder.answer().status, 408);
    drop(holder);
    let status = waiting.answer().status;
    assert!(status == 200 || status == 408, "{status}");
    eventually("there is room again", || lab.tcp().ask(&post("/RPC2", &"x".repeat(250_000))).status == 200);
}

#[test]
fn answers_that_nobody_reads_make_room() {
    let large = "x".repeat(4 << 20);
    let page = move |application: &mut Application| {
        application.mount(move |app| {
            app.at("/large").get(move |_| {
                let body = large.clone();
                async move { Ok(body) }
            });
        });
    };
    let lab = Lab::with(Limits { connections: 4, streams: 2, ..Limits::default() }, None, page);
    let mut unread: Vec<_> = (0..4).map(|_| lab.unix()).collect();
    for talk in &mut unread {
        assert_eq!(talk.send(get("/large")).head().status, 200);
    }
    let began = Instant::now();
    let mut reader = lab.tcp();
    assert_eq!(reader.ask(&get("/large")).body.len(), 4 << 20);
    // Else only after the thirty seconds in which nothing was taken.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(lab.unix().answers(&post("/RPC2", "x")));
}

#[test]
fn many_unfinished_requests_keep_nobody_waiting() {
    let lab = Lab::with(Limits { connections: 400, ..Limits::default() }, None, |_| {});
    let mut held: Vec<_> = (0..100).flat_map(|_| lab.both()).collect();
    for talk in &mut held {
        talk.send("POST /RPC2 HTTP/1.1\r\nContent-Length: 100\r\n\r\n<methodCall>");
    }
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(lab.unix().ask(&post("/RPC2", "x")).status, 200);
    }
    // Whoever waited for those would wait for ten seconds and more.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn work_goes_on_without_its_client() {
    let lab = Lab::new();
    for mut talk in lab.both() {
        talk.send(post("/RPC2", "slow"));
        let before = lab.calls.finished.load(Ordering::SeqCst);
        eventually("it has begun", || lab.calls.started.load(Ordering::SeqCst) > before);
        drop(talk);
        eventually("it is finished", || lab.calls.finished.load(Ordering::SeqCst) > before);
    }
}

#[test]
fn mutated_requests_kill_nobody() {
    let lab = Lab::with(quick_limits(), None, |_| {});
    let seeds = [
        get("/ok.html"),
        post("/RPC2", "x"),
        "POST /ok.html HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n".to_owned(),
    ];
    let mut random: u32 = 12345;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % below
    };
    for round in 0..300 {
        let mut bytes = seeds[round % seeds.len()].clone().into_bytes();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            bytes[at] = u8::try_from(next(256)).unwrap();
        }
        let mut talk = lab.unix();
        // What comes back does not matter.
        let _ = talk.stream.write_all(&bytes);
    }
    assert_eq!(lab.ask(&get("/ok.html")).body, "OK");
    assert_eq!(lab.backend.lines(Level::Error), Vec::<String>::new());
}
