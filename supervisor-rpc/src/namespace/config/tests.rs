//! The 29 members, and what stands for a setting that is not set.

use std::path::PathBuf;
use std::sync::Arc;

use supervisor_core::domain::signal::Signal;
use supervisor_core::domain::spec::{Process, User};

use super::super::rendered;
use super::*;

const FIELDS: &str = "name group command directory autostart inuse group_prio process_prio uid serverurl exitcodes killasgroup \
    startsecs startretries stopsignal stopwaitsecs redirect_stderr stdout_logfile stdout_logfile_maxbytes \
    stdout_logfile_backups stdout_capture_maxbytes stdout_events_enabled stdout_syslog stderr_logfile \
    stderr_logfile_maxbytes stderr_logfile_backups stderr_capture_maxbytes stderr_events_enabled stderr_syslog";

fn shown(change: impl FnOnce(&mut Process), of_info: impl FnOnce(&mut ConfigInfo)) -> Value {
    let mut settings = Process::new("p", "/bin/cat -u");
    change(&mut settings);
    let mut info = ConfigInfo::new("g", Arc::new(settings));
    of_info(&mut info);
    match rendered(&ConfigInfos(vec![info])) {
        Value::Array(mut infos) => infos.remove(0),
        other => other,
    }
}

#[track_caller]
fn check(shown: &Value, expected: &[(&str, Value)]) {
    for (name, value) in expected {
        assert_eq!(shown.get(name), Some(value), "{name}");
    }
}

#[test]
fn defaults() {
    let shown = shown(|_| (), |_| ());
    let Value::Struct(members) = &shown else { panic!("a struct") };
    assert_eq!(
        members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        FIELDS.split(' ').collect::<Vec<_>>()
    );
    check(
        &shown,
        &[
            ("name", "p".into()),
            ("group", "g".into()),
            ("command", "/bin/cat -u".into()),
            ("directory", "none".into()),
            ("autostart", true.into()),
            ("inuse", true.into()),
            ("group_prio", 999.into()),
            ("process_prio", 999.into()),
            ("uid", "none".into()),
            ("serverurl", "none".into()),
            ("exitcodes", Value::Array(vec![0.into()])),
            ("killasgroup", false.into()),
            ("startsecs", 1.into()),
            ("startretries", 3.into()),
            ("stopsignal", 15.into()),
            ("stopwaitsecs", 10.into()),
            ("redirect_stderr", false.into()),
            ("stdout_logfile", "auto".into()),
            ("stdout_logfile_maxbytes", 52_428_800.into()),
            ("stdout_logfile_backups", 10.into()),
            ("stderr_capture_maxbytes", 0.into()),
            ("stderr_events_enabled", false.into()),
            ("stderr_syslog", false.into()),
        ],
    );
}

#[test]
fn everything_set() {
    let change = |settings: &mut Process| {
        settings.directory = Some(PathBuf::from("/tmp"));
        settings.user = Some(User { name: "u".to_owned(), uid: 4_294_967_294, gid: 1 });
        settings.serverurl = Some("http://x:1".to_owned());
        settings.exitcodes = vec![0, 2, 9];
        settings.stopsignal = Signal::INT;
        settings.stdout.logfile = LogFile::Path(PathBuf::from("/o.log"));
        settings.stdout.logfile_maxbytes = 5 << 30;
        settings.stderr.logfile = LogFile::None;
        settings.stderr.syslog = true;
    };
    let shown = shown(change, |info| {
        info.in_use = false;
        info.group_priority = -1;
    });
    check(
        &shown,
        &[
            ("directory", "/tmp".into()),
            ("inuse", false.into()),
            ("group_prio", (-1).into()),
            ("uid", i32::MAX.into()),
            ("serverurl", "http://x:1".into()),
            ("exitcodes", Value::Array(vec![0.into(), 2.into(), 9.into()])),
            ("stopsignal", 2.into()),
            ("stdout_logfile", "/o.log".into()),
            ("stdout_logfile_maxbytes", i32::MAX.into()),
            ("stderr_logfile", "none".into()),
            ("stderr_syslog", true.into()),
        ],
    );
}

#[test]
fn automatic_empty_and_shared_logs() {
    let named = shown(
        |settings| settings.stderr.logfile = LogFile::Empty,
        |info| info.stdout_auto = Some(PathBuf::from("/tmp/p-stdout---x.log")),
    );
    check(&named, &[("stdout_logfile", "/tmp/p-stdout---x.log".into()), ("stderr_logfile", "".into())]);
    let shared = shown(
        |settings| {
            settings.redirect_stderr = true;
            settings.serverurl = Some(String::new());
        },
        |_| (),
    );
    check(&shared, &[("stderr_logfile", "none".into()), ("serverurl", "".into())]);
}

#[test]
fn differences_are_one_array_of_three() {
    let diff =
        ConfigDiff { added: vec!["a".to_owned()], changed: vec![], removed: vec!["r".to_owned(), "s".to_owned()] };
    let names = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
    let three = Value::Array(vec![names(&["a"]), names(&[]), names(&["r", "s"])]);
    assert_eq!(differences(diff), Value::Array(vec![three]));
}
