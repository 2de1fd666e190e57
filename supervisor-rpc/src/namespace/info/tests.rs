//! The 14 members.

use std::path::PathBuf;
use std::time::Duration;

use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::rpc::Value;

use super::super::rendered;
use super::*;

#[test]
fn all_members_in_order() {
    let mut info = ProcessInfo::new(ProcessName::new("g", "p"));
    info.state = ProcessState::Running;
    info.pid = Some(12);
    info.started = Some(Duration::from_millis(100_900));
    info.now = Duration::from_secs(1 << 40);
    info.uptime = Duration::from_secs(5);
    info.exit_code = -1;
    info.stdout_logfile = Some(PathBuf::from("o.log"));
    let expected: [(&str, Value); 14] = [
        ("name", "p".into()),
        ("group", "g".into()),
        ("start", 100.into()),
        ("stop", 0.into()),
        ("now", i32::MAX.into()),
        ("state", 20.into()),
        ("statename", "RUNNING".into()),
        ("spawnerr", "".into()),
        ("exitstatus", (-1).into()),
        ("logfile", "o.log".into()),
        ("stdout_logfile", "o.log".into()),
        ("stderr_logfile", "".into()),
        ("pid", 12.into()),
        ("description", "pid 12, uptime 0:00:05".into()),
    ];
    let expected = Value::Struct(expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    assert_eq!(rendered(&Info(info.clone())), expected);
    assert_eq!(rendered(&Infos(vec![info.clone(), info])), Value::Array(vec![expected.clone(), expected]));
    assert_eq!(rendered(&Infos(vec![])), Value::Array(vec![]));
}
