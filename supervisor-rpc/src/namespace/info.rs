//! What is known of processes, written straight into the answer.

use std::path::Path;

use supervisor_core::Handle;
use supervisor_core::process::ProcessInfo;
use supervisor_core::rpc::{Answer, AnswerSink, Params};

use super::Answered;
use super::description::description;
use super::fault::fault;
use super::given::Given;

pub(super) async fn one(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    let name = given.process()?;
    let info = handle.process(&name).await.map_err(|error| given.fault(&error))?;
    Ok(Info(info).into())
}

pub(super) async fn all(handle: &Handle) -> Answered {
    let infos = handle.processes().await.map_err(|error| fault(&error, None))?;
    Ok(Infos(infos).into())
}

/// The answer of `getProcessInfo`.
struct Info(ProcessInfo);

impl Answer for Info {
    fn write_to(&self, sink: &mut dyn AnswerSink) {
        write_info(&self.0, sink);
    }
}

/// The answer of `getAllProcessInfo`.
struct Infos(Vec<ProcessInfo>);

impl Answer for Infos {
    fn write_to(&self, sink: &mut dyn AnswerSink) {
        sink.begin_array();
        for info in &self.0 {
            write_info(info, sink);
        }
        sink.end_array();
    }
}

fn write_info(info: &ProcessInfo, sink: &mut dyn AnswerSink) {
    let int = |sink: &mut dyn AnswerSink, name: &str, value: i64| {
        sink.member(name);
        sink.int(value);
    };
    let string = |sink: &mut dyn AnswerSink, name: &str, value: &str| {
        sink.member(name);
        sink.string(value);
    };
    let seconds =
        |time: Option<std::time::Duration>| time.map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let path =
        |path: &Option<std::path::PathBuf>| path.as_deref().map(Path::to_string_lossy).unwrap_or_default().into_owned();
    let stdout_logfile = path(&info.stdout_logfile);
    sink.begin_struct();
    string(sink, "name", &info.name.process);
    string(sink, "group", &info.name.group);
    int(sink, "start", seconds(info.started));
    int(sink, "stop", seconds(info.stopped));
    int(sink, "now", seconds(Some(info.now)));
    int(sink, "state", info.state.code().into());
    string(sink, "statename", info.state.name());
    string(sink, "spawnerr", &info.spawn_error);
    int(sink, "exitstatus", info.exit_code.into());
    string(sink, "logfile", &stdout_logfile);
    string(sink, "stdout_logfile", &stdout_logfile);
    string(sink, "stderr_logfile", &path(&info.stderr_logfile));
    int(sink, "pid", info.pid.unwrap_or(0).into());
    string(sink, "description", &description(info));
    sink.end_struct();
}

#[cfg(test)]
mod tests;
