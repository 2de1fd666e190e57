//! Tables for every type of value and its error text.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::config::table_host::TableHost;

#[track_caller]
fn check<T: std::fmt::Debug + PartialEq>(
    convert: impl Fn(&str) -> Result<T>,
    good: &[(&str, T)],
    bad: &[(&str, &str)],
) {
    for (text, value) in good {
        assert_eq!(convert(text).as_ref(), Ok(value), "{text:?}");
    }
    for (text, message) in bad {
        assert_eq!(convert(text).unwrap_err().to_string(), *message, "{text:?}");
    }
}

#[test]
fn numbers_and_words() {
    let int = "invalid literal for int() with base 10: ";
    check(
        integer,
        &[("10", 10), (" -3 ", -3), ("1_0", 10), ("99999999999999999999", i64::MAX)],
        &[("abc", &format!("{int}'abc'")), ("", &format!("{int}''"))],
    );
    check(boolean, &[("YES", true), ("1", true), ("Off", false)], &[("maybe", "not a valid boolean value: 'maybe'")]);
    let sizes = [
        ("512", 512),
        ("1KB", 1024),
        ("3Mb", 3 << 20),
        ("1 gb", 1 << 30),
        ("-1", -1),
        ("9999999999GB", i64::MAX),
        ("-9999999999GB", i64::MIN),
    ];
    let bad = [
        ("1.5MB", format!("{int}'1.5'")),
        ("5K", format!("{int}'5k'")),
        ("1XB", format!("{int}'1xb'")),
        ("KB", format!("{int}''")),
    ];
    check(byte_size, &sizes, &bad.each_ref().map(|(text, message)| (*text, message.as_str())));
    let octal_error = "99 can not be converted to an octal type";
    let negative = "-1 can not be converted to an octal type";
    check(octal, &[("022", 18), ("0o22", 18), ("22", 18)], &[("99", octal_error), ("-1", negative)]);
    let masks = [("022", 0o22), ("1022", 0o22), ("-1", 0o777), ("-1000", 0), ("40000000000", 0o777)];
    check(mask, &masks, &[("99", octal_error)]);
    check(mask, &[("-40000000000", 0o777), ("77777777777777777777777777", 0o777)], &[]);
    check(level, &[("WARN", Level::Warn)], &[("loud", "bad logging level name 'loud'")]);
    check(
        signal,
        &[("15", Signal::TERM), ("sigterm", Signal::TERM), (" Hup ", Signal::HUP)],
        &[
            ("FOO", "value 'FOO' is not a valid signal name"),
            ("", "value '' is not a valid signal name"),
            ("SIG_IGN", "value 'SIG_IGN' is not a valid signal name"),
            ("999", "value '999' is not a valid signal number"),
            ("0", "value '0' is not a valid signal number"),
        ],
    );
    check(
        exit_codes,
        &[("0, 2 ,255", vec![0, 2, 255]), ("", vec![])],
        &[("0,300", "not a valid list of exit codes: '0,300'"), ("0,", "not a valid list of exit codes: '0,'")],
    );
    check(
        autorestart,
        &[("Unexpected", Autorestart::Unexpected), ("on", Autorestart::Always), ("0", Autorestart::Never)],
        &[("Sometimes", "invalid 'autorestart' value 'sometimes'")],
    );
    check(
        name,
        &[(" x ", "x".to_owned()), ("", String::new())],
        &[
            ("x y", "Invalid name: 'x y' because of character: ' '"),
            ("a:b", "Invalid name: 'a:b' because of character: ':'"),
            ("a/b", "Invalid name: 'a/b' because of character: '/'"),
        ],
    );
}

#[test]
fn accounts() {
    let host = &TableHost::new();
    let www = User { name: "www".to_owned(), uid: 33, gid: 33 };
    check(
        |text| user(text, host),
        &[("www", www.clone()), ("33", www)],
        &[("nobody2", "Invalid user name nobody2"), ("77", "Invalid user id 77"), ("-5", "Invalid user id -5")],
    );
    let error = |value: &str| format!("Invalid sockchown value {value}");
    let bad: Vec<String> = ["x", ":www", "www:", "www:x", "a:b:c", "www:77"].map(str::to_owned).to_vec();
    for text in &bad {
        assert_eq!(owner(text, "sockchown", host).unwrap_err().to_string(), error(text));
    }
    assert_eq!(owner("www", "sockchown", host), Ok(Owner { uid: 33, gid: None }));
    assert_eq!(owner("33:0", "sockchown", host), Ok(Owner { uid: 33, gid: Some(0) }));
}

#[test]
fn paths() {
    let host = &TableHost::new();
    let path = PathBuf::from;
    check(
        |text| existing_directory(text, host),
        &[("/tmp", path("/tmp")), ("~www", path("/home/www"))],
        &[("~/x", "~/x is not an existing directory"), ("/x", "/x is not an existing directory")],
    );
    check(
        |text| path_with_parent(text, host),
        &[("x.log", path("x.log")), ("/tmp/x", path("/tmp/x")), ("~www/x", path("/home/www/x")), ("/x", path("/x"))],
        &[("/no/x.log", "The directory named as part of the path /no/x.log does not exist")],
    );
    assert_eq!(absolute(Path::new("a/../b/./c"), host), path("/cwd/b/c"));
    assert_eq!(absolute(Path::new("/../x//y/"), host), path("/x/y"));
    assert_eq!(log_target("OFF", host), Ok(LogTarget::None));
    assert_eq!(log_target("", host), Ok(LogTarget::Empty));
    assert_eq!(log_target("Syslog", host), Ok(LogTarget::Syslog));
    assert_eq!(
        log_target("/dev/stdout", &{
            let mut host = TableHost::new();
            host.directories.push(path("/dev"));
            host
        }),
        Ok(LogTarget::Path(path("/dev/stdout")))
    );
}

#[test]
fn addresses() {
    let host = |name: &str| Some(name.to_owned());
    check(
        host_and_port,
        &[("9001", (None, 9001)), ("*:9", (None, 9)), (":9", (None, 9)), ("LocalHost:9", (host("localhost"), 9))],
        &[
            ("0", "not a valid port number: '0' "),
            ("abc", "not a valid port number: 'abc' "),
            ("h:", "no port number specified in ''"),
            ("h:0", "0 is below lower bound (1)"),
            ("h:70000", "70000 is above upper bound (65535)"),
            ("h:x", "invalid literal for int() with base 10: 'x'"),
        ],
    );
    let tcp = SocketAddress::Tcp { host: "h".to_owned(), port: 9 };
    check(
        |text| socket_address(text, &TableHost::new()),
        &[
            ("tcp://H:9", tcp),
            ("unix:///a/b", SocketAddress::Unix(PathBuf::from("/a/b"))),
            ("unix:///nowhere/../a/.//b/", SocketAddress::Unix(PathBuf::from("/a/b"))),
        ],
        &[
            ("foo", "Bad socket format 'foo'"),
            ("tcp://h", "Bad socket format 'tcp://h'"),
            ("tcp://h:x", "Bad socket format 'tcp://h:x'"),
            ("tcp://h:70000", "70000 is above upper bound (65535)"),
            ("unix://a/b", "Unix socket path a/b is not an absolute path"),
        ],
    );
    check(
        backlog,
        &[("65535", 65535)],
        &[("0", "Invalid socket_backlog value 0"), ("x", &ValueError::Integer("x".into()).to_string())],
    );
}

#[test]
fn urls_have_a_scheme_and_something_behind_it() {
    for good in ["http://h", "unix:///x", "unix:/x", "http:x", "https://h:1", "http://[::1]:1/"] {
        assert_eq!(server_url(good).as_deref(), Ok(good), "{good}");
    }
    assert_eq!(server_url("unix://rel").as_deref(), Ok("unix://rel"));
    for bad in ["foo", "", "http://", "unix://", "//host", ":x", "=", "foo://?q", "1x://h"] {
        assert_eq!(server_url(bad), Err(ValueError::Url(bad.to_owned())), "{bad}");
    }
}

#[test]
fn keys_of_our_own() {
    check(
        buffer_overflow,
        &[("DROP_OLDEST", BufferOverflow::DropOldest), ("grow:20", BufferOverflow::Grow(20))],
        &[(
            "grow:0",
            "invalid 'buffer_overflow' value 'grow:0': drop_oldest, drop_newest or grow:N with N of at least 1 is wanted",
        )],
    );
    assert_eq!(origins("https://A.org, http://[::1]:80"), Ok(vec!["https://a.org".into(), "http://[::1]:80".into()]));
    assert!(origins("a.org").is_err() && origins("https://a.org/x").is_err());
    assert_eq!(hosts("A.org,"), Ok(vec!["a.org".into()]));
    assert!(hosts("a b").is_err());
}
