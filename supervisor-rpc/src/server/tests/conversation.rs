//! Ordinary requests: connections, versions, routes, answers.

use tide::StatusCode;

use super::*;

#[test]
fn keep_alive_and_close_of_1_1() {
    let lab = Lab::new();
    for mut talk in lab.both() {
        let answer = talk.ask(&get("/ok.html"));
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
        assert!(answer.header("date").is_some() && answer.header("server").is_some());
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
        assert_eq!(answer.header("connection"), None);
        let answer = talk.ask("GET /ok.html HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n");
        assert_eq!((answer.body.as_str(), answer.header("connection")), ("OK", Some("close")));
        assert!(talk.closed());
    }
}

#[test]
fn keep_alive_of_1_0() {
    let lab = Lab::new();
    for mut talk in lab.both() {
        let call = "POST /RPC2 HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx";
        for _ in 0..2 {
            let answer = talk.ask(call);
            assert!(answer.head.starts_with("HTTP/1.0 200 "));
            assert!(answer.header("connection").unwrap().eq_ignore_ascii_case("keep-alive"));
        }
        assert_eq!(talk.ask("GET /ok.html HTTP/1.0\r\n\r\n").body, "OK");
        assert!(talk.closed());
    }
}

#[test]
fn request_forms() {
    let lab = Lab::new();
    for (request, status) in [
        ("GET /%6Fk.html HTTP/1.1\r\n\r\n", 200),
        ("GET //ok.html HTTP/1.1\r\nhost: x\r\n\r\n", 200),
        ("\r\nGET /ok.html HTTP/1.1\r\nHOST: x\r\n\r\n", 200),
        ("GET /ok.html?a=b HTTP/1.1\r\nHost:\r\n\r\n", 200),
        ("GET http://elsewhere/ok.html HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("POST /ok.html HTTP/1.1\r\nHost: x\r\nContent-Length:1\r\n\r\nx", 200),
        ("GET /nope HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /ok.html;x HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /RPC2 HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("POST /logtail/cat HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405),
    ] {
        let answer = lab.ask(request);
        assert_eq!(answer.status, status, "{request}");
        if status != 200 {
            assert_eq!(answer.header("content-type"), Some("text/html"), "{request}");
            assert!(answer.body.contains(&status.to_string()), "{request}");
        }
    }
}

#[test]
fn calls_and_who_asks() {
    let lab = Lab::with(Limits::default(), Some(("u", "p")), |_| {});
    let body = "<methodCall/>";
    let request = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dTpw\r\nContent-Length: 13\r\n\r\n{body}")
    };
    let [mut unix, mut tcp] = lab.both();
    for path in ["/RPC2", "/RPC2/", "/RPC2?x=1", "/RPC2foo", "/%52PC2"] {
        let answer = unix.ask(&request(path));
        let me = format!("13 unix_http_server Some(\"u\") Unix {{ pid: Some({}), uid: Some(", std::process::id());
        assert!(answer.status == 200 && answer.body.contains(&me), "{path} {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("text/xml"));
        let answer = tcp.ask(&request(path));
        assert!(answer.body.contains("13 inet_http_server Some(\"u\") Tcp(127.0.0.1:"), "{}", answer.body);
    }
    for path in ["/rpc2", "/RPC", "/xRPC2", "//RPC2"] {
        assert_eq!(unix.ask(&request(path)).status, 404, "{path}");
    }
}

#[test]
fn bodies_that_are_no_calls() {
    let lab = Lab::new();
    assert_eq!(lab.ask(&post("/RPC2", "")).status, 400);
    assert_eq!(lab.ask(&post("/RPC2", "bad")).status, 400);
    assert_eq!(lab.ask(&post("/RPC2", "fault")).status, 200);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let lab = Lab::new();
    for mut talk in lab.both() {
        talk.send([post("/RPC2", "slow"), get("/ok.html"), get("/nope"), post("/RPC2", "12345")].concat());
        assert!(talk.answer().body.contains("4 "));
        assert_eq!(talk.answer().body, "OK");
        assert_eq!(talk.answer().status, 404);
        assert!(talk.answer().body.contains("5 "));
    }
}

#[test]
fn expect_100_continue() {
    let lab = Lab::new();
    let head = "POST /RPC2 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    for mut talk in lab.both() {
        assert_eq!(talk.send(head).head().status, 100);
        assert_eq!(talk.send("abc").answer().status, 200);
        // Sent at once, without waiting to be asked.
        talk.send([head, "abc"].concat());
        let answer = talk.head();
        let answer = if answer.status == 100 { talk.answer() } else { answer };
        assert_eq!(answer.status, 200);
    }
}

#[test]
fn head_is_answered_without_body() {
    let lab = Lab::new();
    for mut talk in lab.both() {
        let answer = talk.send("HEAD /ok.html HTTP/1.1\r\nHost: x\r\n\r\n").head();
        assert_eq!((answer.status, answer.header("content-length")), (200, Some("2")));
        let answer = talk.send("HEAD /nope HTTP/1.1\r\nHost: x\r\n\r\n").head();
        assert_eq!(answer.status, 404);
        // No byte of a body came in between.
        assert_eq!(talk.ask(&get("/ok.html")).body, "OK");
    }
}

#[test]
fn mounted_pages_know_the_caller_and_may_read_chunked_bodies() {
    let lab = Lab::with(Limits::default(), None, |application| {
        application.mount(|app| {
            app.at("/page").get(async |request: tide::Request<State>| Ok(format!("{:?}", caller(&request).peer)));
            app.at("/page").post(async |mut request: tide::Request<State>| {
                let body = request.body_string().await?;
                Ok(format!(
                    "{body} {:?} {:?}",
                    request.content_type().map(|mime| mime.to_string()),
                    request.url().query()
                ))
            });
            app.at("/away").get(async |_| Ok(tide::Redirect::see_other("./?message=x")));
        });
    });
    assert!(lab.unix().ask(&get("/page")).body.starts_with("Unix {"));
    let answer = lab.ask(
        "POST //page?a=%41 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
    );
    assert_eq!(answer.body, "abc Some(\"application/x-www-form-urlencoded\") Some(\"a=%41\")");
    let answer = lab.ask(&get("/away"));
    assert_eq!(
        (answer.status, answer.header("location"), answer.header("content-length")),
        (303, Some("./?message=x"), Some("0"))
    );
}

#[test]
fn errors_of_handlers_go_to_the_log_only() {
    let lab = Lab::with(Limits::default(), None, |application| {
        application.mount(|app| {
            app.at("/broken").get(async |_| -> tide::Result {
                Err(tide::Error::from_str(StatusCode::InternalServerError, "detail"))
            });
        });
    });
    let answer = lab.unix().ask(&get("/broken"));
    assert!(answer.status == 500 && !answer.body.contains("detail"));
    let lines = lab.backend.lines(Level::Error);
    assert!(lines.len() == 1 && lines[0].ends_with("s.sock:Server Error: detail"), "{lines:?}");
}

#[test]
fn accesses_are_traced() {
    let lab = Lab::new();
    let mut tcp = lab.tcp();
    let length = {
        let answer = tcp.ask(&get("/ok.html?\u{1b}".trim_end_matches('\u{1b}')));
        answer.head.len() + answer.body.len()
    };
    tcp.ask(&post("/RPC2", "x"));
    // A line is written after its answer, so another connection's may come before it.
    eventually("two lines", || lab.backend.lines(Level::Trace).len() == 2);
    lab.unix().ask(&get("/nope"));
    eventually("three lines", || lab.backend.lines(Level::Trace).len() == 3);
    let lines = lab.backend.lines(Level::Trace);
    assert!(lines[0].starts_with("127.0.0.1:") && lines[0].contains(" - - ["), "{lines:?}");
    assert!(lines[0].ends_with(&format!(" +0000] \"GET /ok.html? HTTP/1.1\" 200 {length}")), "{lines:?}");
    assert!(lines[1].contains("\"POST /RPC2 HTTP/1.1\" 200 "), "{lines:?}");
    assert!(lines[2].starts_with("localhost:0 - - [") && lines[2].contains("\"GET /nope HTTP/1.1\" 404 "), "{lines:?}");
}

#[test]
fn nothing_at_all_has_no_type() {
    let lab = Lab::with(Limits::default(), None, |application| {
        application.mount(|server| {
            server.at("/moved").get(|_| async { Ok(tide::Redirect::see_other("/ok.html")) });
        });
    });
    let answer = lab.ask(&get("/moved"));
    assert_eq!(
        (answer.status, answer.header("location"), answer.header("content-type")),
        (303, Some("/ok.html"), None)
    );
}

#[test]
fn a_panic_harms_its_own_request_only() {
    let lab = Lab::new();
    for mut talk in lab.both() {
        assert_eq!(talk.ask(&post("/RPC2", "panic")).status, 500);
        assert_eq!(talk.ask(&get("/ok.html")).body, "OK");
    }
    let lines = lab.backend.lines(Level::Error);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("s.sock:Server Error: ") && lines[1].contains("127.0.0.1:0:Server Error: "), "{lines:?}");
}

#[test]
fn who_has_said_all_gets_its_answer() {
    let lab = Lab::new();
    for request in
        [get("/ok.html"), post("/RPC2", "x"), post("/RPC2", "slow"), "GET /ok.html HTTP/1.0\r\n\r\n".to_owned()]
    {
        for mut talk in lab.both() {
            talk.send(&request).stream.finish();
            assert_eq!(talk.answer().status, 200, "{request}");
            assert!(talk.closed(), "{request}");
        }
    }
    // Half a request is none.
    for begun in ["GET /ok.html HTTP/1.1\r\n", "POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx"] {
        for mut talk in lab.both() {
            talk.send(begun).stream.finish();
            while talk.more() {}
            assert!(!String::from_utf8_lossy(&talk.got).contains("200 OK"), "{begun}");
        }
    }
}
