//! Credentials: nothing is answered without them, whatever they look like, and nowhere do they show.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::oversized;
use crate::lab::{Answer, Lab, SLEEPER, Value, Watch, body, install, is_root, program};

fn basic(pair: impl AsRef<[u8]>) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(pair))
}

/// A call with these headers, over the port.
fn ask(lab: &Lab, headers: &str) -> Answer {
    lab.ask("POST", "/RPC2", headers, body("supervisor.getState", &[]).as_bytes())
}

/// A lab that cannot be waited for with calls.
fn guarded(password: &str) -> Lab {
    let mut lab = Lab::on_port("");
    lab.server = format!("username=user\npassword={password}");
    lab.configure(SLEEPER);
    lab.start_listening();
    lab
}

#[test]
fn without_credentials_everything_is_401() {
    let lab = guarded("pa:ss");
    let right = STANDARD.encode("user:pa:ss");
    let stop = body("supervisor.shutdown", &[]);
    for target in [
        "/",
        "/index.html",
        "/tail.html",
        "/tail.html?processname=x",
        "/mainlog.html",
        "/update.html",
        "/RPC2",
        "/RPC2/",
        "//RPC2",
        "/%52PC2",
        "/logtail/x",
        "/mainlogtail",
        "/ok.html",
        "/stylesheets/supervisor.css",
        "/nowhere",
        "/../..",
        "/?action=stopall",
        "*",
    ] {
        for method in ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"] {
            for headers in [
                String::new(),
                basic("user:wrong"),
                basic("user:pa"),
                basic("user:pa:ss "),
                basic("user:"),
                basic("root:pa:ss"),
                basic("USER:pa:ss"),
                format!("Authorization: Bearer {right}\r\n"),
                format!("Proxy-Authorization: Basic {right}\r\n"),
                format!("Cookie: Authorization=Basic {right}\r\n"),
                format!("{}{}", basic("user:pa:ss"), basic("user:pa:ss")),
            ] {
                let answer = lab.ask(method, target, &headers, stop.as_bytes());
                assert_eq!(answer.status, 401, "{method} {target} {headers}");
                let asked = answer.header("www-authenticate").unwrap_or_default();
                assert!(asked.starts_with("Basic realm="), "{method} {target}: {asked}");
            }
        }
    }
    assert_eq!(ask(&lab, &basic("user:pa:ss")).status, 200, "and it lives");
}

#[test]
fn malformed_credentials_are_wrong_ones() {
    let lab = guarded("pa:ss");
    let right = STANDARD.encode("user:pa:ss");
    for header in [
        "",
        " ",
        "Basic",
        "Basic ",
        "Basic =",
        "Basic ====",
        "Basic !!!!",
        "Basic \u{e9}",
        ",",
        "\"Basic\"",
        "Digest username=\"user\"",
        "Negotiate abc",
        &right,
        &format!("Basic{right}"),
        &format!("Basic {right},{right}"),
        &format!("Basic {right} x"),
        &format!("Basic {}", &right[..right.len() - 1]),
        &format!("Basic {}", STANDARD.encode("user")),
        &format!("Basic {}", STANDARD.encode(b"\xff:\xfe")),
        &format!("Basic {}", STANDARD.encode("user:pa:ss\0")),
        &format!("Basic {}", STANDARD.encode("user:pa:ss\n")),
        &format!("Basic {}", "A".repeat(10_000)),
        &format!("Basic {}", STANDARD.encode(":")),
    ] {
        let answer = ask(&lab, &format!("Authorization: {header}\r\n"));
        assert!(matches!(answer.status, 400 | 401), "{header}: {answer:?}");
    }
    assert_eq!(ask(&lab, "Authorization\r\n").status, 400);
    assert_eq!(ask(&lab, &basic("user:pa:ss")).status, 200, "and it lives");
}

#[test]
fn right_passwords_are_right() {
    let hash = "906072001efddf3e11e6d2b5782f4777fe038739";
    for (kept, given, wrong) in [
        ("pa:ss:", "pa:ss:", "pa:ss"),
        ("pässwörd€", "pässwörd€", "password"),
        (&format!("{{SHA}}{hash}"), "geheim", hash),
        (&format!("{{SHA}}{hash}"), "geheim", &format!("{{SHA}}{hash}")),
    ] {
        let lab = guarded(kept);
        assert_eq!(ask(&lab, &basic(format!("user:{wrong}"))).status, 401, "{kept} {wrong}");
        assert_eq!(ask(&lab, &basic(format!("user:{given}"))).status, 200, "{kept} {given}");
    }
}

#[test]
fn a_large_body_without_credentials_is_refused_by_its_head() {
    let lab = guarded("secret");
    let watch = Watch::start(&lab);
    assert!(matches!(oversized(&lab).status, 0 | 401));
    let mut quick = lab.tcp();
    quick.write_all(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n").unwrap();
    assert_eq!(Answer::from(quick).status, 401, "before anything of the body");
    watch.was_moderate("a body without credentials");
}

#[test]
fn the_password_shows_nowhere() {
    let mut lab = Lab::on_port("");
    (lab.keys, lab.server) = ("loglevel=blather".to_owned(), "username=user\npassword=hunter2secret".to_owned());
    lab.configure("[program:x]\ncommand=/bin/sleep 600\nstartsecs=0\nenvironment=TOKEN=\"tok3nsecret\"\n");
    lab.start_listening();
    let right = basic("user:hunter2secret");
    let mut seen = String::new();
    for (method, params) in [
        ("supervisor.getAllConfigInfo", &[][..]),
        ("supervisor.getAllProcessInfo", &[]),
        ("supervisor.reloadConfig", &[]),
        ("supervisor.getProcessInfo", &[Value::Text("x")]),
        ("supervisor.readLog", &[Value::Int(0), Value::Int(0)]),
        ("no.such", &[]),
    ] {
        seen += &lab.ask("POST", "/RPC2", &right, body(method, params).as_bytes()).body;
    }
    for target in ["/", "/mainlog.html", "/update.html", "/tail.html?processname=x", "/?message=x", "/nowhere"] {
        seen += &format!("{:?}", lab.ask("GET", target, &right, b""));
        seen += &format!("{:?}", lab.ask("GET", target, &format!("{right}Accept: application/json\r\n"), b""));
    }
    seen += &lab.ask("POST", "/RPC2", &basic("user:hunter2secretx"), b"<x>").body;
    seen += &lab.ask("POST", "/RPC2", &right, b"<methodCall").body;
    for words in [&["status"][..], &["reread"], &["avail"], &["-u", "user", "-p", "hunter2secret", "status"]] {
        let output = lab.ctl(words);
        seen += &String::from_utf8_lossy(&[output.stdout, output.stderr].concat());
    }
    // One that cannot be used is not shown either.
    lab.server = "username=user\npassword={ARGON2}hunter2secret".to_owned();
    lab.configure(SLEEPER);
    seen += &lab.ask("POST", "/RPC2", &right, body("supervisor.reloadConfig", &[]).as_bytes()).body;
    seen += &lab.log();
    assert!(seen.contains("getAllProcessInfo") && seen.contains("ARGON2"), "the log was written");
    let encoded = STANDARD.encode("user:hunter2secret");
    for secret in ["hunter2secret", "tok3nsecret", &encoded] {
        let at = seen.find(secret).map(|at| seen[at.saturating_sub(200)..].chars().take(400).collect::<String>());
        assert_eq!(at, None, "{secret} shows");
    }
}

#[test]
fn the_socket_file_is_for_its_owner_unless_said_otherwise() {
    let lab = Lab::running_on_port(SLEEPER);
    let metadata = fs::metadata(lab.socket()).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o700);
    drop(lab);
    if !is_root("to be another user") {
        return;
    }
    for (keys, mode, uid, gid, enters) in [
        ("", 0o700, 0, 0, false),
        ("chmod=0777", 0o777, 0, 0, true),
        ("chmod=0770\nchown=nobody:root", 0o770, 65_534, 0, true),
        ("chmod=0000", 0o000, 0, 0, false),
    ] {
        let mut lab = Lab::new("");
        lab.server = keys.to_owned();
        lab.configure("");
        lab.start();
        let found = fs::metadata(lab.socket()).unwrap();
        assert_eq!((found.permissions().mode() & 0o7777, found.uid(), found.gid()), (mode, uid, gid), "{keys}");
        // The program may stand where others cannot go.
        let copy = lab.path("ctl");
        install(&program("supervisorctl"), &copy);
        fs::write(lab.path("ctl.conf"), "[supervisorctl]\n").unwrap();
        let url = format!("unix://{}", lab.socket().display());
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&copy)
            .arg("-c")
            .arg(lab.path("ctl.conf"))
            .args(["-s", &url, "pid"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(said.trim() == lab.daemon().to_string(), enters, "{keys}: {said}");
    }
}
