//! Clients that send too much, too little, too slowly, or nonsense.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::sockopt;

use crate::lab::{Answer, Lab, Probe, SLEEPER, Signal, Value, Watch, body, descriptors, eventually, kill, within};

const STATE: &str = "supervisor.getState";

/// A client that has sent this so far.
fn begin(lab: &Lab, begun: &str) -> TcpStream {
    let mut client = lab.tcp();
    client.write_all(begun.as_bytes()).unwrap();
    client
}

/// Announces a body of 100 MiB and sends it, as far as it is taken; what comes back.
pub(crate) fn oversized(lab: &Lab) -> Answer {
    let mut client = begin(lab, &format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 100 << 20));
    let block = vec![b'x'; 1 << 20];
    // It lingers for a moment, so that we can read why.
    let _cut_off = (0..100).any(|_| client.write_all(&block).is_err());
    Answer::from(client)
}

fn thirty() -> String {
    (0..30).map(|number| format!("[program:p{number}]\ncommand=/bin/sleep 600\nstartsecs=0\n")).collect()
}

#[test]
fn unfinished_requests_and_followers_keep_nobody_waiting() {
    let lab = Lab::running_on_port(&thirty());
    for begun in [
        "",
        "POST /RPC2 HTTP/1.1\r\nHost: x\r\nX-",
        "POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<methodCall>",
        "GET /mainlogtail HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let clients: Vec<TcpStream> = (0..200).map(|_| begin(&lab, begun)).collect();
        Probe::start(&lab).was_prompt(begun);
        drop(clients);
    }
}

#[test]
fn more_clients_than_there_is_room_for_keep_nobody_out() {
    let mut lab = Lab::on_port("");
    lab.keys = "minfds=128".to_owned();
    lab.configure(SLEEPER);
    // A quarter of what is free is for clients.
    lab.wrapper = ["prlimit", "--nofile=128:128"].map(str::to_owned).to_vec();
    lab.start();
    for begun in [
        "",
        "G",
        "POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<methodCall>",
        "GET /mainlogtail HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let clients: Vec<TcpStream> = (0..300).map(|_| begin(&lab, begun)).collect();
        Probe::start(&lab).was_prompt(begun);
        // There are descriptors left for a program.
        let pid = lab.pid_of("x");
        kill(pid, Signal::KILL);
        eventually("it is started again", || (lab.pid_of("x") != pid).then_some(()));
        drop(clients);
    }
}

#[test]
fn followers_take_neither_the_descriptors_of_programs_nor_the_places_of_calls() {
    let mut lab = Lab::with("minfds=128", "[program:x]\ncommand=/bin/sleep 600\n");
    lab.wrapper = ["prlimit", "--nofile=128:128"].map(str::to_owned).to_vec();
    lab.start();
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut honest = lab.unix();
    honest.write_all(get("/mainlogtail").as_bytes()).unwrap();
    let mut shown = read_until(&mut honest, String::new(), "\r\n\r\n");
    let eight = format!("/live/logs?{}", ["log=main"; 8].join("&"));
    for target in ["/mainlogtail", "/logtail/x", &eight] {
        let mut clients: Vec<UnixStream> = (0..300).map(|_| lab.unix()).collect();
        // Who has been cut off need not ask.
        clients.iter_mut().for_each(|client| drop(client.write_all(get(target).as_bytes())));
        let began = Instant::now();
        assert!(lab.call(STATE, &[]).is_ok());
        // Those who were refused would linger for longer.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}: {target}", began.elapsed());
        let pid = lab.pid_of("x");
        kill(pid, Signal::KILL);
        let next = eventually("it is started again", || Some(lab.pid_of("x")).filter(|next| *next != pid));
        shown = read_until(&mut honest, shown, &format!("spawned: 'x' with pid {next}"));
        drop(clients);
    }
    assert!(!lab.log().contains("too many open files"), "{}", lab.log());
}

/// What a stream has said when it has said this.
fn read_until(stream: &mut UnixStream, mut said: String, words: &str) -> String {
    let mut bytes = [0; 4096];
    while !said.contains(words) {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "it ended before {words:?}: {said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    said
}

#[test]
fn a_head_that_never_ends_is_cut_off_in_time() {
    let lab = Lab::running_on_port("");
    let clients = ["G", "GET / HTTP/1.1\r\nHost: x\r\n", "POST /RPC2 HTTP/1.1\r\nContent-Length: 10\r\nX: "]
        .map(|begun| begin(&lab, begun));
    let began = Instant::now();
    for client in clients {
        assert_eq!(Answer::from(client).status, 408);
    }
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn a_head_that_drips_is_cut_off_in_time() {
    let lab = Lab::running_on_port("");
    let mut client = lab.tcp();
    let began = Instant::now();
    client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    within(Duration::from_secs(30), "it is cut off", || client.write_all(b"X-Y: z\r\n").is_err().then_some(()));
    assert!(began.elapsed() > Duration::from_secs(1));
}

#[test]
fn connections_that_are_reset_leave_nothing() {
    let mut lab = Lab::running_on_port(SLEEPER);
    lab.pid_of("x");
    let whole = body(STATE, &[]);
    let before = descriptors(lab.daemon());
    for number in 0..150 {
        let mut client = lab.tcp();
        let request = match number % 3 {
            0 => "POST /RPC2 HTTP/1.1\r\nContent-Length: 500\r\n\r\n<methodCall>".to_owned(),
            1 => "POST /RPC2 HTTP/1.1\r\nConte".to_owned(),
            _ => format!("POST /RPC2 HTTP/1.1\r\nContent-Length: {}\r\n\r\n{whole}", whole.len()),
        };
        client.write_all(request.as_bytes()).unwrap();
        sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    }
    lab.is_well("resets");
    eventually("all descriptors are given back", || (descriptors(lab.daemon()) <= before).then_some(()));
}

#[test]
fn large_bodies_are_refused_or_wait_and_never_fill_the_memory() {
    let mut lab = Lab::running_on_port("");
    let watch = Watch::start(&lab);
    let answer = oversized(&lab);
    assert!(matches!(answer.status, 0 | 413), "{answer:?}");
    // As much as is allowed, by many at once.
    let block = vec![b'x'; 1 << 20];
    let probe = Probe::start(&lab);
    let one = format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", 8 << 20);
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let mut client = lab.tcp();
                let _cut_off =
                    client.write_all(one.as_bytes()).is_err() || (0..8).any(|_| client.write_all(&block).is_err());
                let answer = Answer::from(client);
                assert!(matches!(answer.status, 0 | 400 | 408), "{answer:?}");
            });
        }
    });
    probe.was_prompt("twelve large bodies");
    watch.was_moderate("large bodies");
    lab.is_well("large bodies");
}

#[test]
fn lengths_that_are_none_are_refused() {
    let mut lab = Lab::running_on_port("");
    for length in [
        "1000000000000",
        "18446744073709551616",
        "-5",
        "abc",
        "",
        "0x10",
        "+5",
        "1e3",
        "5, 5",
        "5,6",
        "5;",
        "٥",
        "5\r\nContent-Length: 6",
        "5\r\nTransfer-Encoding: chunked",
        "99999999999999999999999999",
    ] {
        let request =
            format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\nabcde");
        let answer = lab.raw(request.as_bytes());
        assert!(matches!(answer.status, 400 | 411 | 413), "{length:?}: {answer:?}");
        lab.is_well(length);
    }
}

#[test]
fn heads_without_end_are_cut_off() {
    let mut lab = Lab::running_on_port("");
    let watch = Watch::start(&lab);
    for part in ["x".repeat(65_536), "X-Y: z\r\n".repeat(8192), "\r\n".repeat(32_768)] {
        let mut client = lab.tcp();
        client.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
        let taken = (0..1024).take_while(|_| client.write_all(part.as_bytes()).is_ok()).count() * part.len();
        assert!(taken < 8 << 20, "{taken} bytes were taken");
    }
    let line = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(1 << 20));
    let lines: String = (0..20_000).map(|number| format!("X-{number}: y\r\n")).collect();
    let target = format!("GET /{} HTTP/1.1\r\n\r\n", "y".repeat(1 << 20));
    for request in [line, format!("GET / HTTP/1.1\r\n{lines}\r\n"), target] {
        let began = Instant::now();
        let answer = lab.raw(request.as_bytes());
        assert!(matches!(answer.status, 0 | 431), "{answer:?}");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    watch.was_moderate("large heads");
    lab.is_well("large heads");
}

#[test]
fn deep_and_wide_documents_are_refused() {
    let mut lab = Lab::running_on_port("");
    let head = "<methodCall><methodName>supervisor.getState</methodName><params><param>";
    let cases = [
        ("<value>".repeat(100_000), 400),
        ("<value><array><data>".repeat(100_000), 400),
        ("<value><struct><member><name>a</name>".repeat(50_000), 400),
        (format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)), 400),
        (format!("<value><array><data>{}</data></array></value>", "<value/>".repeat(500_000)), 400),
        (format!("<value {}/>", "a='b' ".repeat(100_000)), 400),
    ];
    let watch = Watch::start(&lab);
    for (inner, status) in &cases {
        let body = format!("{head}{inner}</param></params></methodCall>");
        let answer = lab.ask("POST", "/RPC2", "", body.as_bytes());
        assert_eq!(answer.status, *status, "{}", &body[..100]);
        lab.is_well(&inner[..20]);
    }
    watch.was_moderate("documents");
}

#[test]
fn entities_are_refused() {
    let lab = Lab::running_on_port("");
    let laughs: String = (1..10).map(|n| format!("<!ENTITY a{n} '{}'>", format!("&a{};", n - 1).repeat(10))).collect();
    for declaration in [
        format!("<!DOCTYPE x [<!ENTITY a0 'ha'>{laughs}]>"),
        "<!DOCTYPE x [<!ENTITY a9 SYSTEM 'file:///etc/passwd'>]>".to_owned(),
        "<!DOCTYPE x [<!ENTITY % a9 SYSTEM 'file:///etc/passwd'> %a9;]>".to_owned(),
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'>".to_owned(),
        "<!-- --><?x ?><!DOCTYPE x>".to_owned(),
        String::new(),
    ] {
        let body = format!("<?xml version='1.0'?>{declaration}<methodCall><methodName>&a9;</methodName></methodCall>");
        let answer = lab.ask("POST", "/RPC2", "", body.as_bytes());
        assert_eq!(answer.status, 400, "{declaration}");
        assert!(!answer.body.contains("root:") && !lab.log().contains("root:x"));
    }
}

#[test]
fn nonsense_is_the_clients_fault_and_kills_nobody() {
    let mut lab = Lab::running_on_port("");
    let cases: &[&[u8]] = &[
        b"\0\0\0\0\0\0\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET  /  HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1 x\r\n\r\n",
        b"GET / HTTP/x\r\n\r\n",
        b"G\0T / HTTP/1.1\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"PUT / HTTP/1.1\r\n\r\n",
        b"DELETE /RPC2 HTTP/1.1\r\n\r\n",
        b"TRACE / HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: \0\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"GET * HTTP/1.1\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\n\r\n",
        b"GET /;x HTTP/1.1\r\n\r\n",
        b"GET /RPC2 HTTP/1.1\r\n\r\n",
        b"HEAD /RPC2 HTTP/1.1\r\n\r\n",
        b"GET /logtail HTTP/1.1\r\n\r\n",
        b"GET /logtail/ HTTP/1.1\r\n\r\n",
        b"GET /logtail/none HTTP/1.1\r\n\r\n",
        b"GET /logtail/:/stdout HTTP/1.1\r\n\r\n",
        b"GET /logtail/*/* HTTP/1.1\r\n\r\n",
        b"GET /logtail/%ff HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"POST /RPC2 HTTP/1.1\r\n\r\n",
        b"POST /RPC2 HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST /RPC2 HTTP/1.1\r\nContent-Length: 3\r\n\r\n<a>",
        b"POST /RPC2 HTTP/1.1\r\nContent-Length: 3\r\n\r\n\xff\xfe\0",
        b"POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
        b"<methodCall>\r\n\r\n",
        b"GET /tail.html/../x HTTP/1.1\r\n\r\n",
        b"GET /?action=%ff HTTP/1.1\r\n\r\n",
        b"GET /?action=start HTTP/1.1\r\n\r\n",
    ];
    for case in cases {
        let shown = String::from_utf8_lossy(case).into_owned();
        // Closing is asked for where there is a place for it; others are closed for what they are.
        let request = match case.windows(11).position(|part| part == b" HTTP/1.1\r\n") {
            Some(at) => [&case[..at + 11], b"Connection: close\r\n", &case[at + 11..]].concat(),
            None => case.to_vec(),
        };
        let answer = lab.raw(&request);
        assert!(answer.is_refusal(), "{shown:?}: {answer:?}");
        lab.is_well(&shown);
    }
    assert!(!lab.log().contains("Server Error") && !lab.log().contains("panick"), "{}", lab.log());
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let lab = Lab::running_on_port("");
    for count in [2, 10, 100] {
        let request = |number| {
            let body = body(if number % 2 == 0 { STATE } else { "supervisor.getPID" }, &[]);
            let close = if number + 1 == count { "Connection: close\r\n" } else { "" };
            format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\n{close}Content-Length: {}\r\n\r\n{body}", body.len())
        };
        let requests: String = (0..count).map(request).collect();
        let answer = lab.raw(requests.as_bytes());
        let all = answer.all();
        let parts: Vec<&str> = all.split("HTTP/1.1 200 OK").skip(1).collect();
        assert_eq!(parts.len(), count, "{all}");
        for (number, part) in parts.iter().enumerate() {
            assert_eq!(part.contains("RUNNING"), number % 2 == 0, "answer {number}: {part}");
        }
    }
}

#[test]
fn names_reach_methods_and_nothing_else() {
    let mut lab = Lab::running_on_port("");
    for name in [
        "supervisor.__class__",
        "supervisor.__init__",
        "supervisor.supervisord.options.execve",
        "supervisor.supervisord.options.warnings.linecache.os.system",
        "supervisor._update",
        "__class__.__mro__",
        "system.__init__",
        "system.namespaces",
        "supervisor",
        "supervisor.",
        ".supervisor",
        ".",
        "..",
        "supervisor..getState",
        "supervisor.getState.",
        "supervisor.getState.__call__",
        "supervisor.getState.func_globals",
        "supervisor.methods",
        "supervisor.call",
        "system.multicall.x",
        " supervisor.getState",
        "SUPERVISOR.getState",
        "supervisor.GETSTATE",
        "supervisor/getState",
        "../../etc/passwd",
        "%s%n",
        "ſupervisor.getState",
        "supervisor.logger.handlers",
    ] {
        let answer = lab.rpc(name, &[]);
        let unknown = |answer: &Answer| answer.status == 400 || answer.body.contains("UNKNOWN_METHOD");
        assert!(unknown(&answer), "{name}: {answer:?}");
        let call = format!(
            "<array><data><value><struct><member><name>methodName</name><value>{}</value></member></struct></value></data></array>",
            Value::Text(name).xml()
        );
        let answer = lab.rpc("system.multicall", &[Value::Xml(&call)]);
        assert!(unknown(&answer), "{name} in a multicall: {answer:?}");
    }
    lab.is_well("names");
}

#[test]
fn wrong_parameters_are_faults() {
    let mut lab = Lab::running_on_port(SLEEPER);
    lab.pid_of("x");
    let names = lab.call("system.listMethods", &[]).texts();
    let names: Vec<&str> = names.iter().map(|name| name.trim()).filter(|name| name.contains('.')).collect();
    assert!(names.len() >= 40, "{names:?}");
    let values = [
        "<int>1</int>",
        "<int>-1</int>",
        "<i8>9999999999999</i8>",
        "<int>99999999999999999999999</int>",
        "<int>x</int>",
        "<string>x</string>",
        "<string></string>",
        "<string>*</string>",
        "<string>x:*</string>",
        "<string>:</string>",
        "<boolean>1</boolean>",
        "<boolean>7</boolean>",
        "<double>1e999</double>",
        "<double>nan</double>",
        "<base64>////</base64>",
        "<base64>*</base64>",
        "<dateTime.iso8601>x</dateTime.iso8601>",
        "<nil/>",
        "<array><data></data></array>",
        "<struct></struct>",
        "<other>x</other>",
        "&#7;",
        "\u{1f600}",
    ];
    for name in &names {
        let ends = matches!(*name, "supervisor.shutdown" | "supervisor.restart");
        for value in values {
            for count in [0, 1, 2, 3, 5] {
                // What is right for them would end this daemon.
                if count == 0 && (ends || value != values[0]) {
                    continue;
                }
                let answer = lab.rpc(name, &[Value::Xml(value)].repeat(count));
                assert!(matches!(answer.status, 200 | 400), "{name} {value} × {count}: {answer:?}");
            }
        }
    }
    lab.is_well("wrong parameters");
    assert!(!lab.log().contains("unexpected exception"), "{}", lab.log());
}

#[test]
fn large_multicalls_are_bounded_and_keep_nobody_waiting() {
    let mut lab = Lab::running_on_port(&thirty());
    lab.pid_of("p29");
    let one = |name: &str| {
        format!("<value><struct><member><name>methodName</name><value>{name}</value></member></struct></value>")
    };
    let probe = Probe::start(&lab);
    let watch = Watch::start(&lab);
    for (name, count) in
        [("supervisor.getAllProcessInfo", 3000), ("system.listMethods", 8000), ("system.multicall", 3000)]
    {
        let calls = format!("<array><data>{}</data></array>", one(name).repeat(count));
        let answer = lab.rpc("system.multicall", &[Value::Xml(&calls)]);
        assert_eq!(answer.status, 200, "{name}");
        assert!(answer.body.len() < 16 << 20, "{} bytes of answer to {name}", answer.body.len());
    }
    probe.was_prompt("multicalls");
    watch.was_moderate("multicalls");
    let calls = format!("<array><data>{}</data></array>", one(STATE).repeat(20_000));
    assert!(lab.rpc("system.multicall", &[Value::Xml(&calls)]).body.contains("more than 8192 calls"));
    lab.is_well("multicalls");
}

#[test]
fn paths_lead_nowhere_else() {
    let lab = Lab::running_on_port("");
    std::fs::write(lab.path("secret"), "very secret").unwrap();
    let here = lab.path("secret").display().to_string();
    for up in [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%252f",
        "%252e%252e%252f",
        "..\\",
        "..%5c",
        "....//",
        "..;/",
        ".%2e/",
        "%c0%ae%c0%ae/",
        "..%c0%af",
        "..%00/",
        "/..//",
        "%uff0e%uff0e/",
        "..././",
        "..%ef%bc%8f",
        "/",
        "%2f",
    ] {
        for door in ["/", "/stylesheets/", "/images/", "/logtail/", "/tail.html/", "/tail.html?processname="] {
            for target in ["etc/passwd", &here[1..]] {
                let answer = lab.get(&format!("{door}{}{target}", up.repeat(8)));
                let shown = (door, up, target);
                assert!(!answer.body.contains("root:") && !answer.body.contains("very secret"), "{shown:?}");
                let expected: &[u16] = if door.contains('?') { &[200, 400] } else { &[400, 404] };
                assert!(expected.contains(&answer.status), "{shown:?}: {answer:?}");
            }
        }
    }
}

#[test]
fn a_large_log_is_read_in_pieces() {
    let lab = Lab::running_on_port(
        "[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\nstdout_logfile=%(here)s/x.log\nstdout_logfile_maxbytes=0\n",
    );
    lab.pid_of("x");
    let mut log = OpenOptions::new().append(true).open(lab.path("x.log")).unwrap();
    let line = format!("{}\n", "&<x>".repeat(25)).repeat(10_000);
    (0..100).for_each(|_| log.write_all(line.as_bytes()).unwrap());
    let probe = Probe::start(&lab);
    let watch = Watch::start(&lab);
    for (method, params) in [
        ("supervisor.readProcessStdoutLog", [0, 0]),
        ("supervisor.readProcessStdoutLog", [0, 2_147_483_647]),
        ("supervisor.readProcessStdoutLog", [-99_000_000, 0]),
        ("supervisor.tailProcessStdoutLog", [0, 99_000_000]),
    ] {
        let answer = lab.rpc(method, &[Value::Text("x"), Value::Int(params[0]), Value::Int(params[1])]);
        assert_eq!(answer.status, 200, "{method} {params:?}");
        let size = answer.body.len();
        assert!((8 << 20..=48 << 20).contains(&size), "{size} bytes: {method} {params:?}");
    }
    probe.was_prompt("a large log");
    watch.was_moderate("a large log");
}

#[test]
fn an_event_of_a_client_is_bounded() {
    let mut lab = Lab::running_on_port(
        "[eventlistener:l]\ncommand=/bin/sleep 600\nevents=REMOTE_COMMUNICATION\nbuffer_size=10\n",
    );
    let large = "x".repeat(4 << 20);
    let answer = lab.rpc("supervisor.sendRemoteCommEvent", &[Value::Text("t"), Value::Text(&large)]);
    assert!(answer.body.contains("INCORRECT_PARAMETERS"), "{}", answer.head);
    let answer = lab.rpc("supervisor.sendRemoteCommEvent", &[Value::Text("t"), Value::Text(&large[..500_000])]);
    assert!(answer.body.contains("<boolean>1</boolean>"), "{}", answer.body);
    lab.is_well("large events");
}

#[test]
fn a_stream_that_nobody_reads_costs_nothing() {
    let mut lab = Lab::running_on_port(
        "[program:x]\ncommand=/bin/sh -c 'sleep 1; yes | head -c 60000000; sleep 600'\nstartsecs=0\nstdout_logfile=%(here)s/x.log\nstdout_logfile_maxbytes=0\n",
    );
    lab.pid_of("x");
    let mut lazy = lab.tcp();
    lazy.write_all(b"GET /logtail/x HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut first = [0; 1];
    lazy.read_exact(&mut first).unwrap();
    let watch = Watch::start(&lab);
    eventually("all is in the log", || {
        (std::fs::metadata(lab.path("x.log")).unwrap().len() == 60_000_000).then_some(())
    });
    watch.was_moderate("a stream that nobody reads");
    lab.is_well("a stream that nobody reads");
}
