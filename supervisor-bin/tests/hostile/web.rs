//! Pages of other sites, names of other hosts, and output that would like to be a page.
//!
//! What our own pages escape, forbid and ask for is tested in `web_page/safety.rs`.

use crate::lab::{Answer, Lab, SLEEPER, Value, body};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// What the forms of the page bring along.
fn token(lab: &Lab) -> String {
    let page = lab.get("/").body;
    let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// What a page of another site can make a browser send, in our names for the host.
fn foreign(lab: &Lab) -> Vec<String> {
    let host = lab.host();
    vec![
        "Origin: http://evil.example\r\n".to_owned(),
        "Origin: null\r\n".to_owned(),
        "Origin: file://\r\n".to_owned(),
        "Origin: http://127.0.0.1\r\n".to_owned(),
        format!("Origin: http://{host}.evil.example\r\n"),
        format!("Origin: http://evil.example/{host}\r\n"),
        format!("Origin: http://{host}\r\nOrigin: http://evil.example\r\n"),
        "Origin: http://evil.example\r\nReferer: http://evil.example/x\r\nContent-Type: text/plain\r\n".to_owned(),
        "Sec-Fetch-Site: cross-site\r\n".to_owned(),
        "Sec-Fetch-Site: same-site\r\n".to_owned(),
        format!("Sec-Fetch-Site: cross-site\r\nOrigin: http://{host}\r\n"),
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n".to_owned(),
        "Referer: http://evil.example/page\r\n".to_owned(),
        format!("Referer: http://evil.example/?http://{host}/\r\n"),
    ]
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let lab = Lab::running_on_port(SLEEPER);
    let pid = lab.pid_of("x");
    let stop = body("supervisor.stopProcess", &[Value::Text("x")]);
    // As if another site had got hold of it.
    let form = format!("token={}", token(&lab));
    for headers in foreign(&lab) {
        for kind in ["", "Content-Type: text/plain\r\n", FORM] {
            for target in ["/RPC2", "/RPC2/", "/RPC2?x"] {
                let answer = lab.ask("POST", target, &format!("{headers}{kind}"), stop.as_bytes());
                assert_eq!(answer.status, 403, "{target} {headers}{kind}");
            }
        }
        for target in ["/?action=stop&processname=x", "/index.html?action=stopall"] {
            let answer = lab.ask("POST", target, &format!("{headers}{FORM}"), form.as_bytes());
            assert_eq!(answer.status, 403, "{target} {headers}");
        }
        for target in ["/?action=stop&processname=x", "/index.html?action=stopall", "/?action=restart&processname=x"] {
            let answer = lab.ask("GET", target, &headers, b"");
            assert!(matches!(answer.status, 200 | 403), "{target} {headers}: {answer:?}");
        }
        assert_eq!(lab.pid_of("x"), pid, "{headers}");
    }
    // Programs say nothing of where they come from; pages of our own say that they are.
    let own = format!("Origin: http://{}\r\n", lab.host());
    for headers in ["", &own, "Sec-Fetch-Site: same-origin\r\n", &format!("Referer: http://{}/\r\n", lab.host())] {
        assert_eq!(
            lab.ask("POST", "/RPC2", headers, body("supervisor.getState", &[]).as_bytes()).status,
            200,
            "{headers}"
        );
        let refreshed = lab.ask("POST", "/?action=refresh", &format!("{headers}{FORM}"), form.as_bytes());
        assert_eq!(refreshed.status, 303, "{headers}");
    }
}

#[test]
fn nothing_is_shared_with_other_sites() {
    let lab = Lab::running_on_port(SLEEPER);
    for (method, target) in [("GET", "/"), ("GET", "/mainlog.html"), ("POST", "/RPC2"), ("OPTIONS", "/RPC2")] {
        let headers = format!("Origin: http://{}\r\nAccess-Control-Request-Method: POST\r\n", lab.host());
        let answer = lab.ask(method, target, &headers, body("supervisor.getState", &[]).as_bytes());
        assert!(!answer.head.to_ascii_lowercase().contains("access-control-allow"), "{}", answer.head);
    }
}

#[test]
fn origins_and_hosts_that_the_operator_names() {
    let server = "allowed_origins=https://panel.example\nallowed_hosts=127.0.0.1:1, box.example:9001";
    let mut lab = Lab::on_port("");
    lab.server = server.to_owned();
    lab.configure(SLEEPER);
    lab.start_listening();
    let ask = |host: &str, origin: &str| {
        let body = body("supervisor.getState", &[]);
        let request = format!(
            "POST /RPC2 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{origin}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        lab.raw(request.as_bytes()).status
    };
    assert_eq!(ask("BOX.example:9001", ""), 200);
    assert_eq!(ask("box.example:9001", "Origin: https://panel.example\r\n"), 200);
    assert_eq!(ask("box.example:9001", "Origin: https://panel.example.evil\r\n"), 403);
    // A name that somebody lets point to us.
    for host in ["evil.example", "evil.example:9001", "box.example", "box.example:9001.evil.example", "", "localhost"] {
        assert_eq!(ask(host, &format!("Origin: http://{host}\r\n")), 403, "{host}");
        assert_eq!(ask(host, ""), 403, "{host}");
    }
    assert_eq!(lab.raw(b"GET / HTTP/1.0\r\n\r\n").status, 403, "without a name");
}

#[test]
fn no_answer_leads_to_the_host_that_a_client_names() {
    let lab = Lab::running_on_port(SLEEPER);
    let token = token(&lab);
    for host in ["evil.example", "evil.example:80", "evil.example@x", "[::1]"] {
        for target in [
            "/?action=restart&processname=x",
            "/index.html?action=refresh",
            "//evil.example/?action=stop&processname=x",
        ] {
            let body = format!("token={token}");
            let request = format!(
                "POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: \
                 application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let answer: Answer = lab.raw(request.as_bytes());
            let place = answer.header("location").unwrap_or("./");
            assert!(place.starts_with("./") || place.starts_with('?'), "{host} {target}: {place}");
            assert!(!format!("{answer:?}").contains("evil.example"), "{host} {target}: {answer:?}");
        }
    }
}

#[test]
fn a_stream_of_output_is_no_page() {
    let evil = "<script>alert(1)</script>";
    let lab = Lab::running_on_port(&format!(
        "[program:x]\ncommand=/bin/sh -c 'echo \"{evil}\"; exec sleep 600'\nstartsecs=0\n"
    ));
    lab.pid_of("x");
    let mut stream = lab.tcp();
    std::io::Write::write_all(&mut stream, b"GET /logtail/x HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        std::io::Read::read_exact(&mut stream, &mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(head.contains("content-type: text/plain") && head.contains("x-content-type-options: nosniff"), "{head}");
}
