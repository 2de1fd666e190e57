//! Reading, tailing and clearing the logs of processes, and the activity log.
//!
//! Logs are bytes and answers are text: what is not UTF-8, such as a character that an offset has cut in two, becomes
//! U+FFFD.

use std::path::PathBuf;

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
        Err(error) => Err(unreadable(&error, Some(&given))),
    }
}

pub(super) async fn tail(handle: &Handle, params: &Params, stream: Stream) -> Answered {
    let given = Given::from(params, 0)?;
    let (offset, length) = (params.get(1)?, params.get(2)?);
    given.process()?;
    let tail = handle.tail_log(&given.namespec(), stream, offset, length).await;
    tail.map(|tail| Tail(tail).into()).map_err(|error| given.fault(&error))
}

pub(super) async fn read_activity(handle: &Handle, params: &Params) -> Answered {
    match handle.read_activity_log(params.get(0)?, params.get(1)?).await {
        Ok(bytes) => Ok(LogText(bytes).into()),
        Err(RequestError::NoFile(path)) if path.is_empty() => {
            Err(kept_elsewhere(handle.activity_log().place().unwrap_or_default()).await)
        }
        Err(error) => Err(unreadable(&error, None)),
    }
}

/// The activity log is in no file that can be read again: what is there, such as a pipe, cannot be read; else it is named.
async fn kept_elsewhere(place: String) -> Fault {
    let path = PathBuf::from(&place);
    let there = path.is_absolute() && offload::unblock(move || path.exists()).await;
    if there { Fault::new(FaultCode::Failed) } else { detailed(FaultCode::NoFile, &place) }
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
