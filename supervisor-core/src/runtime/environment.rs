//! The environment of a process: ours, what the supervisor adds, what the configuration says, in this order.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::spawn::StartOrder;

/// What a service manager tells us and nobody else (`sd_notify(3)`, `sd_listen_fds(3)`, `sd_watchdog_enabled(3)`).
const SERVICE_MANAGER: [&str; 6] =
    ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// Puts the environment together. `inherited` is ours; `keep_service_manager` hands on the variables of the service
/// manager, too (`pass_service_manager_env`).
pub(crate) fn build(
    inherited: impl Iterator<Item = (OsString, OsString)>,
    order: &StartOrder,
    keep_service_manager: bool,
) -> BTreeMap<OsString, OsString> {
    let mut environment: BTreeMap<OsString, OsString> = inherited.collect();
    if !keep_service_manager {
        for name in SERVICE_MANAGER {
            environment.remove(&OsString::from(name));
        }
    }
    let mut set = |name: &str, value: &str| environment.insert(name.into(), value.into());
    set("SUPERVISOR_ENABLED", "1");
    set("SUPERVISOR_PROCESS_NAME", &order.name.process);
    set("SUPERVISOR_GROUP_NAME", &order.name.group);
    let url = order.settings.serverurl.as_deref().or(order.server_url.as_deref());
    match url.filter(|url| !url.is_empty()) {
        Some(url) => {
            set("SUPERVISOR_SERVER_URL", url);
        }
        // That of a supervisor around us would mislead the process.
        None => {
            environment.remove(&OsString::from("SUPERVISOR_SERVER_URL"));
        }
    }
    environment.extend(order.settings.environment.iter().map(|(name, value)| (name.into(), value.into())));
    environment
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::name::ProcessName;
    use crate::domain::spec;

    fn order(serverurl: Option<&str>, server_url: Option<&str>, environment: &[(&str, &str)]) -> StartOrder {
        let mut settings = spec::Process::new("p", "/bin/true");
        settings.serverurl = serverurl.map(str::to_owned);
        settings.environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        StartOrder {
            name: ProcessName::new("g", "p").into(),
            settings: Arc::new(settings),
            server_url: server_url.map(Arc::from),
            socket: None,
            announcement: None,
        }
    }

    fn built(order: &StartOrder, keep: bool) -> BTreeMap<String, String> {
        let outer =
            ["A=outer", "B=outer", "SUPERVISOR_SERVER_URL=outer", "NOTIFY_SOCKET=n", "LISTEN_FDS=1", "WATCHDOG_PID=2"];
        let outer =
            outer.iter().map(|pair| pair.split_once('=').unwrap()).map(|(name, value)| (name.into(), value.into()));
        let text = |text: OsString| text.into_string().unwrap();
        build(outer, order, keep).into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn layers() {
        let order =
            order(None, Some("unix:///s"), &[("B", "own"), ("SUPERVISOR_PROCESS_NAME", "mine"), ("LISTEN_FDS", "9")]);
        let expected = [
            ("A", "outer"),
            ("B", "own"),
            ("LISTEN_FDS", "9"),
            ("SUPERVISOR_ENABLED", "1"),
            ("SUPERVISOR_GROUP_NAME", "g"),
            ("SUPERVISOR_PROCESS_NAME", "mine"),
            ("SUPERVISOR_SERVER_URL", "unix:///s"),
        ];
        assert_eq!(built(&order, false), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(built(&order, true)["NOTIFY_SOCKET"], "n");
    }

    #[test]
    fn server_url() {
        let table = [
            (None, None, None),
            (None, Some("unix:///s"), Some("unix:///s")),
            (Some("http://h"), Some("unix:///s"), Some("http://h")),
            (Some(""), Some("unix:///s"), None),
        ];
        for (own, automatic, expected) in table {
            let built = built(&order(own, automatic, &[]), false);
            assert_eq!(built.get("SUPERVISOR_SERVER_URL").map(String::as_str), expected, "{own:?} {automatic:?}");
        }
    }
}
