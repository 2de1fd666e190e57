//! Reading, tailing and clearing the logs of processes, and the activity log.
//!
//! Logs are bytes and answers are text: what is not UTF-8, such as a character that an offset has cut in two, becomes
//! U+FFFD.

use std::path::PathBuf;

use supervisor_core::domain::name::Namespec;
use supervisor_core::domain::spec::LogFile;
use supervisor_core::logfile::read::{self, ReadError};
use supervisor_core::process::{LogTail, Outcome, Stream};
use supervisor_core::rpc::{Answer, AnswerSink, Fault, FaultCode, Params, Value};
use supervisor_core::{Handle, RequestError, offload};

use super::Answered;
use super::fault::{detailed, fault};
use super::given::Given;
use super::process::Outcomes;

/// A part of a log.
struct LogText(Vec<u8>);

impl Answer for LogText {
    fn write_to(&self, sink: &mut dyn AnswerSink) {
        sink.string(&String::from_utf8_lossy(&self.0));
    }
}

/// The end of a log: text, size of the log, whether there was more.
struct Tail(LogTail);

impl Answer for Tail {
    fn write_to(&self, sink: &mut dyn AnswerSink) {
        sink.begin_array();
        sink.string(&String::from_utf8_lossy(&self.0.bytes));
        sink.int(self.0.offset);
        sink.boolean(self.0.overflow);
        sink.end_array();
    }
}

pub(super) async fn read(handle: &Handle, params: &Params, stream: Stream) -> Answered {
    let given = Given::from(params, 0)?;
    let (offset, length) = (params.get(1)?, params.get(2)?);
    given.process()?;
    match handle.read_log(&given.namespec(), stream, offset, length).await {
        Ok(bytes) => Ok(LogText(bytes).into()),
        Err(RequestError::NoFile(path))
            if path.is_empty() && is_set_to_nothing(handle, &given.namespec(), stream).await =>
        {
            Err(Fault::with(FaultCode::NoFile, path))
        }
        Err(error) => Err(unreadable(&error, Some(&given))),
    }
}

/// `stdout_logfile=`: no log, but its path, which is empty, is named (Supervisor 4.3).
async fn is_set_to_nothing(handle: &Handle, name: &Namespec, stream: Stream) -> bool {
    let group = handle.group_settings(&name.group).await.ok().and_then(|settings| settings.active);
    let mut processes = group.iter().flat_map(|group| &group.processes);
    let process = processes.find(|process| Some(&process.name) == name.process.as_ref());
    process.is_some_and(|process| match stream {
        Stream::Stdout => process.stdout.logfile == LogFile::Empty,
        Stream::Stderr => process.stderr.logfile == LogFile::Empty,
    })
}

pub(super) async fn tail(handle: &Handle, params: &Params, stream: Stream) -> Answered {
    let given = Given::from(params, 0)?;
    let (offset, length) = (params.get(1)?, params.get(2)?);
    given.process()?;
    let tail = handle.tail_log(&given.namespec(), stream, offset, length).await;
    tail.map(|tail| Tail(tail).into()).map_err(|error| given.fault(&error))
}

pub(super) async fn read_activity(handle: &Handle, params: &Params) -> Answered {
    let (offset, length) = (params.get(0)?, params.get(1)?);
    match handle.read_activity_log(offset, length).await {
        Ok(bytes) => Ok(LogText(bytes).into()),
        Err(RequestError::NoFile(path)) if path.is_empty() => {
            let place = handle.activity_log().place().unwrap_or_default();
            kept_elsewhere(place, offset, length).await.map(|bytes| LogText(bytes).into())
        }
        Err(error) => Err(unreadable(&error, None)),
    }
}

/// The activity log is in no file: a place that has a path may be read all the same, such as `/dev/null`, or cannot be, such
/// as a pipe; another is named.
async fn kept_elsewhere(place: String, offset: i64, length: i64) -> Result<Vec<u8>, Fault> {
    let path = PathBuf::from(&place);
    if !path.is_absolute() {
        return Err(detailed(FaultCode::NoFile, &place));
    }
    let read = offload::unblock(move || read::read(&path, offset, length)).await;
    read.map_err(|error| match error {
        ReadError::NoFile => detailed(FaultCode::NoFile, &place),
        ReadError::BadArguments => Fault::new(FaultCode::BadArguments),
        ReadError::Unreadable(_) => Fault::new(FaultCode::Failed),
    })
}

pub(super) async fn clear_activity(handle: &Handle) -> Answered {
    handle.clear_activity_log().await.map_err(|error| match error {
        RequestError::NoFile(_) => Fault::new(FaultCode::NoFile),
        other => fault(&other, None),
    })?;
    Ok(Value::from(true).into())
}

pub(super) async fn clear(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    let name = given.process()?;
    match handle.clear_logs(&name).await {
        Ok(()) => Ok(Value::from(true).into()),
        Err(RequestError::Failed(_)) => Err(Fault::with(FaultCode::Failed, &given.text)),
        Err(error) => Err(given.fault(&error)),
    }
}

pub(super) async fn clear_all(handle: &Handle) -> Answered {
    let mut all = handle.clear_all_logs().await.map_err(|error| fault(&error, None))?;
    all.iter_mut().for_each(name_the_process);
    Ok(Outcomes(all).into())
}

/// The fault of clearing has the process for its detail, not the reason, which the activity log tells.
fn name_the_process(outcome: &mut Outcome) {
    if let Err(RequestError::Failed(_)) = outcome.result {
        outcome.result = Err(RequestError::Failed(outcome.name.to_string()));
    }
}

/// A log that cannot be read is FAILED without detail.
fn unreadable(error: &RequestError, given: Option<&Given>) -> Fault {
    match error {
        RequestError::Failed(_) => Fault::new(FaultCode::Failed),
        other => fault(other, given.map(|given| given.text.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use supervisor_core::domain::name::ProcessName;

    use super::super::rendered;
    use super::*;

    #[test]
    fn bytes_become_text() {
        assert_eq!(rendered(&LogText("aé".into())), "aé".into());
        assert_eq!(rendered(&LogText(b"\xa9\xe6\x97z\xff".to_vec())), "\u{fffd}\u{fffd}z\u{fffd}".into());
        let tail = Tail(LogTail { bytes: b"x\xe6".to_vec(), offset: 10, overflow: true });
        assert_eq!(rendered(&tail), Value::Array(vec!["x\u{fffd}".into(), Value::Int(10), true.into()]));
    }

    #[test]
    fn reasons_stay_inside() {
        let failed = RequestError::Failed("/x: permission denied".to_owned());
        assert_eq!(unreadable(&failed, None).text, "FAILED");
        assert_eq!(unreadable(&RequestError::NoFile("/x".to_owned()), None).text, "NO_FILE: /x");
        let mut outcome = Outcome { name: ProcessName::new("g", "p"), result: Err(failed) };
        name_the_process(&mut outcome);
        assert_eq!(outcome.result, Err(RequestError::Failed("g:p".to_owned())));
    }
}
