//! Re-reading the configuration, adding and removing groups, and what is configured.

use std::path::Path;

use supervisor_core::Handle;
use supervisor_core::domain::spec::{Channel, LogFile};
use supervisor_core::process::{ConfigDiff, ConfigInfo};
use supervisor_core::rpc::{Answer, AnswerSink, Params, Value};

use super::fault::fault;
use super::given::Given;
use super::{Answered, yes};

/// What is shown of a setting that is not set.
const NONE: &str = "none";

/// What is shown of an AUTO log that has no name yet.
const AUTO: &str = "auto";

pub(super) async fn reload(handle: &Handle) -> Answered {
    let diff = handle.reload_config().await.map_err(|error| fault(&error, None))?;
    Ok(differences(diff).into())
}

/// `[[added, changed, removed]]`.
fn differences(diff: ConfigDiff) -> Value {
    let names = |names: Vec<String>| Value::Array(names.into_iter().map(Value::String).collect());
    Value::Array(vec![Value::Array(vec![names(diff.added), names(diff.changed), names(diff.removed)])])
}

pub(super) async fn add_group(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    yes(&given, handle.add_group(&given.text).await)
}

pub(super) async fn remove_group(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    yes(&given, handle.remove_group(&given.text).await)
}

pub(super) async fn all_info(handle: &Handle) -> Answered {
    let infos = handle.configurations().await.map_err(|error| fault(&error, None))?;
    Ok(ConfigInfos(infos).into())
}

/// The answer of `getAllConfigInfo`.
struct ConfigInfos(Vec<ConfigInfo>);

impl Answer for ConfigInfos {
    fn write_to(&self, sink: &mut dyn AnswerSink) {
        sink.begin_array();
        for info in &self.0 {
            write_info(info, sink);
        }
        sink.end_array();
    }
}

fn write_info(info: &ConfigInfo, sink: &mut dyn AnswerSink) {
    let settings = &*info.settings;
    sink.begin_struct();
    string(sink, "name", &settings.name);
    string(sink, "group", &info.group);
    string(sink, "command", &settings.command);
    string(sink, "directory", &settings.directory.as_deref().map_or(NONE.into(), Path::to_string_lossy));
    boolean(sink, "autostart", settings.autostart);
    boolean(sink, "inuse", info.in_use);
    int(sink, "group_prio", info.group_priority);
    int(sink, "process_prio", settings.priority);
    match &settings.user {
        Some(user) => int(sink, "uid", user.uid.into()),
        None => string(sink, "uid", NONE),
    }
    string(sink, "serverurl", settings.serverurl.as_deref().unwrap_or(NONE));
    sink.member("exitcodes");
    sink.begin_array();
    for code in &settings.exitcodes {
        sink.int((*code).into());
    }
    sink.end_array();
    boolean(sink, "killasgroup", settings.killasgroup);
    int(sink, "startsecs", settings.startsecs);
    int(sink, "startretries", settings.startretries);
    int(sink, "stopsignal", settings.stopsignal.number().into());
    int(sink, "stopwaitsecs", settings.stopwaitsecs);
    boolean(sink, "redirect_stderr", settings.redirect_stderr);
    write_channel(&STDOUT, &settings.stdout, &logfile(&settings.stdout.logfile, info.stdout_auto.as_deref()), sink);
    let stderr = match settings.redirect_stderr {
        true => NONE.to_owned(),
        false => logfile(&settings.stderr.logfile, info.stderr_auto.as_deref()),
    };
    write_channel(&STDERR, &settings.stderr, &stderr, sink);
    sink.end_struct();
}

/// The names of the members about one channel.
struct ChannelNames {
    logfile: &'static str,
    maxbytes: &'static str,
    backups: &'static str,
    capture: &'static str,
    events: &'static str,
    syslog: &'static str,
}

const STDOUT: ChannelNames = ChannelNames {
    logfile: "stdout_logfile",
    maxbytes: "stdout_logfile_maxbytes",
    backups: "stdout_logfile_backups",
    capture: "stdout_capture_maxbytes",
    events: "stdout_events_enabled",
    syslog: "stdout_syslog",
};

const STDERR: ChannelNames = ChannelNames {
    logfile: "stderr_logfile",
    maxbytes: "stderr_logfile_maxbytes",
    backups: "stderr_logfile_backups",
    capture: "stderr_capture_maxbytes",
    events: "stderr_events_enabled",
    syslog: "stderr_syslog",
};

fn write_channel(names: &ChannelNames, channel: &Channel, logfile: &str, sink: &mut dyn AnswerSink) {
    string(sink, names.logfile, logfile);
    int(sink, names.maxbytes, channel.logfile_maxbytes);
    int(sink, names.backups, channel.logfile_backups);
    int(sink, names.capture, channel.capture_maxbytes);
    boolean(sink, names.events, channel.events_enabled);
    boolean(sink, names.syslog, channel.syslog);
}

/// `auto_path` is the chosen name of an AUTO log.
fn logfile(logfile: &LogFile, auto_path: Option<&Path>) -> String {
    match logfile {
        LogFile::Auto => auto_path.map_or_else(|| AUTO.to_owned(), |path| path.to_string_lossy().into_owned()),
        LogFile::None => NONE.to_owned(),
        LogFile::Empty => String::new(),
        LogFile::Path(path) => path.to_string_lossy().into_owned(),
    }
}

fn string(sink: &mut dyn AnswerSink, name: &str, value: &str) {
    sink.member(name);
    sink.string(value);
}

fn int(sink: &mut dyn AnswerSink, name: &str, value: i64) {
    sink.member(name);
    sink.int(value);
}

fn boolean(sink: &mut dyn AnswerSink, name: &str, value: bool) {
    sink.member(name);
    sink.boolean(value);
}

#[cfg(test)]
mod tests;
