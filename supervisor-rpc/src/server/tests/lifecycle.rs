//! Stopping, and starting again on the same sockets.

use std::sync::atomic::AtomicBool;

use futures_lite::future::block_on;

use super::*;

#[test]
fn close_answers_what_is_in_flight_and_cuts_the_rest() {
    let mut lab = Lab::new();
    let [mut idle, mut busy] = lab.both();
    idle.ask(&get("/ok.html"));
    let mut stream = lab.unix();
    stream.send(get("/logtail/cat")).until("1024\n");
    let mut half = lab.tcp();
    half.send("GET /ok.h");
    // Last, for it is answered soon.
    busy.send(post("/RPC2", "slow"));
    eventually("it has begun", || lab.calls.started.load(Ordering::SeqCst) == 1);
    let start = Instant::now();
    block_on(lab.serving.take().unwrap().close(Duration::from_secs(5)));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert!(idle.closed());
    let answer = busy.answer();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    // A stream ends in order.
    assert!(stream.until("0\r\n\r\n").ends_with("0\r\n\r\n"));
    assert!(stream.closed() && half.closed());
    assert!(!lab.socket().exists());
    assert!(UnixStream::connect(lab.socket()).is_err() && TcpStream::connect(("127.0.0.1", lab.port)).is_err());
}

#[test]
fn who_has_just_connected_is_answered() {
    // Who does not send within a quarter of a second is cut off, and on a busy machine that may be us.
    assert!((0..10).any(|_| just_connected_are_answered()));
}

fn just_connected_are_answered() -> bool {
    let mut lab = Lab::new();
    let mut early = lab.both();
    // Accepted, since a later connection of each kind has been answered.
    lab.both().iter_mut().for_each(|talk| drop(talk.ask(&get("/ok.html"))));
    let serving = lab.serving.take().unwrap();
    let closing = std::thread::spawn(move || block_on(serving.close(Duration::from_secs(5))));
    eventually("it stops", || UnixStream::connect(lab.socket()).is_err());
    let sent = early.each_mut().map(|talk| talk.stream.write_all(get("/ok.html").as_bytes()).is_ok());
    let answered = early.iter_mut().zip(sent).all(|(talk, sent)| sent && talk.more() && talk.answer().status == 200);
    closing.join().unwrap();
    answered
}

#[test]
fn close_does_not_wait_longer_than_the_grace_time() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    let mut lab = Lab::with(Limits::default(), None, |application| {
        application.mount(|app| {
            app.at("/never").get(async |_| {
                BEGUN.store(true, Ordering::SeqCst);
                std::future::pending::<()>().await;
                Ok("")
            });
        });
    });
    let mut talk = lab.unix();
    talk.send(get("/never"));
    eventually("it has begun", || BEGUN.load(Ordering::SeqCst));
    let start = Instant::now();
    block_on(lab.serving.take().unwrap().close(Duration::from_millis(300)));
    assert!((250..5000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert!(talk.closed());
}

#[test]
fn a_restart_in_place_keeps_the_sockets_and_those_who_wait() {
    let mut lab = Lab::new();
    let inode = |path: &std::path::Path| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap());
    let before = inode(&lab.socket());
    let bound = block_on(lab.serving.take().unwrap().stop(Duration::from_secs(1)));
    let mut waiting = lab.both();
    for talk in &mut waiting {
        talk.send(get("/ok.html"));
    }
    let servers: Vec<Server> = bound.iter().map(|bound| bound.server.clone()).collect();
    let (bound, notes) = bind_all(&servers, bound).unwrap();
    assert_eq!(notes, []);
    lab.serve(bound, Limits::default(), |_| {});
    for talk in &mut waiting {
        assert_eq!(talk.answer().body, "OK");
    }
    assert_eq!(inode(&lab.socket()), before);
    assert_eq!(lab.ask(&get("/ok.html")).body, "OK");
    assert_eq!(lab.serving.as_ref().unwrap().bound().len(), 2);
}

#[test]
fn a_restart_makes_a_removed_socket_anew_and_takes_new_credentials() {
    let mut lab = Lab::new();
    std::fs::remove_file(lab.socket()).unwrap();
    let bound = block_on(lab.serving.take().unwrap().stop(Duration::from_secs(1)));
    let mut servers: Vec<Server> = bound.iter().map(|bound| bound.server.clone()).collect();
    servers[1].credentials = Some(Credentials { username: "u".to_owned(), password: "p".to_owned() });
    let (bound, _) = bind_all(&servers, bound).unwrap();
    lab.serve(bound, Limits::default(), |_| {});
    assert_eq!(lab.unix().ask(&get("/ok.html")).status, 200);
    assert_eq!(lab.tcp().ask(&get("/ok.html")).status, 401);
}
