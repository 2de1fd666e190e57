//! Who may act, and what names, messages and output cannot do.

use crate::lab::Lab;

const OFF: &str = "[program:off]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n";

#[test]
fn every_page_forbids_frames_foreign_content_and_keeping() {
    let lab = Lab::running(OFF);
    for target in [
        "/",
        "/index.html",
        "/tail.html?processname=off",
        "/tail.html",
        "/mainlog.html",
        "/update.html",
        "/?action=stopall",
        "/?action=x",
    ] {
        let answer = lab.get(target);
        for answer in [&answer, &lab.ask("HEAD", target, "", b"")] {
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{target}");
            assert!(!policy.contains("unsafe") && policy.contains("form-action 'self'"), "{target}");
            assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{target}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
            assert!(answer.header("cache-control").unwrap().contains("no-store"), "{target}");
        }
        assert!(!answer.body.contains('\u{fffd}'), "{target} is no UTF-8");
        // The policy would stop them, and nobody would notice here.
        for inline in ["<script>", "<style", " style=", " onclick="] {
            assert!(!answer.body.contains(inline), "{target} {inline}");
        }
    }
    for target in ["/nowhere", "/RPC2", "/logtail/none", "/ok.html"] {
        assert_eq!(lab.get(target).header("x-content-type-options"), Some("nosniff"), "{target}");
    }
}

#[test]
fn a_get_only_asks_and_the_question_is_answered_by_post() {
    let lab = Lab::running(OFF);
    let asked = lab.get("/?action=start&processname=off");
    assert_eq!(asked.status, 200);
    assert!(
        asked.body.contains("Start off?") && asked.body.contains("action=\"./?action=start&#38;processname=off\""),
        "{}",
        asked.body
    );
    assert_eq!(lab.shown("off"), "STOPPED");
    let done = lab.form("/?action=start&processname=off", "", &format!("token={}", asked.token()));
    assert_eq!((done.status, done.message().as_str()), (303, "Process off started"));
    assert!(done.header("location").unwrap().starts_with("./?message="), "{}", done.head);
    assert_eq!(lab.shown("off"), "RUNNING");
}

#[test]
fn without_the_right_token_nothing_is_done() {
    let mut lab = Lab::running(OFF);
    let token = lab.get("/").token();
    let tries = [
        (String::new(), ""),
        ("token=".to_owned(), ""),
        ("token=00".to_owned(), ""),
        (format!("token={}", token.replace(|c: char| c.is_ascii_digit(), "f")), ""),
        // A link can bring a query along, never a body.
        (String::new(), &*format!("&token={token}")),
    ];
    for (body, query) in &tries {
        let target = format!("/?action=start&processname=off{query}");
        let answer = lab.form(&target, "", body);
        assert_eq!(answer.status, 403, "{body} {query}");
        assert!(
            answer.message().contains("out of date") && answer.body.contains("data-name=\"off\""),
            "{}",
            answer.body
        );
        let told = lab.form(&target, "Accept: application/json\r\n", body);
        assert!(told.status == 403 && told.body.contains(&format!("\"token\":\"{token}\"")), "{}", told.body);
        assert_eq!(lab.form("/update.html?action=update", "", body).status, 403);
    }
    assert_eq!(lab.shown("off"), "STOPPED");
    lab.stop();
    lab.start();
    let stale = lab.form("/?action=start&processname=off", "", &format!("token={token}"));
    assert_eq!((stale.status, lab.shown("off")), (403, "STOPPED".to_owned()));
}

#[test]
fn names_messages_and_output_stay_text() {
    let lab = Lab::running(
        "[program:<b>x\"'&]\ncommand=/bin/sh -c 'echo \"<script>alert(1)</script>\"; exec cat'\nstartsecs=0\n\
         stdout_logfile=%(here)s/x.log\n",
    );
    lab.wait_read("x.log", "script");
    let evil = "%3Cscript%3Ealert(1)%3C/script%3E%22%27";
    let pages = [
        lab.get(&format!("/?message={evil}")),
        lab.get(&format!("/?action={evil}")),
        lab.get(&format!("/?action=stop&processname={evil}")),
        lab.get(&format!("/?action=stopgroup&group={evil}")),
        lab.get(&format!("/tail.html?processname={evil}&message={evil}")),
        lab.get("/tail.html?processname=%3Cb%3Ex%22%27%26"),
        lab.get(&format!("/update.html?message={evil}")),
    ];
    for page in &pages {
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<b>x"), "{}", page.body);
        assert!(!page.body.contains("\"'&"), "{}", page.body);
    }
    assert!(pages[5].body.contains("&#60;script&#62;alert(1)"), "{}", pages[5].body);
    assert!(pages[0].body.contains("&#60;b&#62;x&#34;&#39;&#38;"), "{}", pages[0].body);
}

#[test]
fn what_is_not_understood_is_a_page_that_says_so() {
    let lab = Lab::running(OFF);
    for (target, status, text) in [
        ("/?action=explode", 400, "there is no action named explode"),
        ("/?action=stop", 400, "the action stop needs a processname"),
        ("/;x", 404, "404"),
        ("/tail.html;x", 404, "404"),
        ("/stylesheets", 404, "404"),
        ("/stylesheets/../../etc/passwd", 404, "404"),
        ("/tail.html", 200, "No process name found"),
    ] {
        let answer = lab.get(target);
        assert_eq!(answer.status, status, "{target}");
        assert!(answer.body.contains(text), "{target} {}", answer.body);
    }
    let group = lab.post("/?action=start&processname=off:*", "");
    assert_eq!(group.message(), "No such process named off:*");
    assert_eq!(lab.post("/?action=stop&processname=off", "").message(), "unexpected rpc fault [70] NOT_RUNNING: off");
}

#[test]
fn heads_are_as_pages_without_a_body_and_assets_are_known_again() {
    let lab = Lab::running(OFF);
    let head = lab.ask("HEAD", "/", "", b"");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 1000);
    let style = lab.get("/stylesheets/supervisor.css");
    assert_eq!((style.status, style.header("content-type")), (200, Some("text/css;charset=utf-8")));
    let tag = format!("If-None-Match: {}\r\n", style.header("etag").unwrap());
    let known = lab.ask("GET", "/stylesheets/supervisor.css", &tag, b"");
    assert_eq!((known.status, known.body.as_str()), (304, ""));
}
