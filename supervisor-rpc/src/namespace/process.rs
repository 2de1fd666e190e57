//! Starting, stopping and signalling processes and groups, and their stdin.

use supervisor_core::process::{Outcome, ProcessInfo};
use supervisor_core::rpc::{Answer, AnswerSink, Fault, FaultCode, FromValue, Params, Value};
use supervisor_core::{Handle, RequestError};

use super::fault::fault;
use super::given::{Given, GivenSignal, Meaning, shown};
use super::{Answered, yes};

/// The result array of a method that concerns several processes: `name`, `group`, `status`, `description` for each.
pub(super) struct Outcomes(pub(super) Vec<Outcome>);

impl Answer for Outcomes {
    fn write_to(&self, sink: &mut dyn AnswerSink) {
        sink.begin_array();
        for Outcome { name, result } in &self.0 {
            let (status, description) = match result {
                Ok(()) => (FaultCode::Success.number(), "OK".to_owned()),
                Err(error) => {
                    let fault = fault(error, None);
                    (fault.code, fault.text)
                }
            };
            sink.begin_struct();
            sink.member("name");
            sink.string(&name.process);
            sink.member("group");
            sink.string(&name.group);
            sink.member("status");
            sink.int(status.into());
            sink.member("description");
            sink.string(&description);
            sink.end_struct();
        }
        sink.end_array();
    }
}

/// The answer for several processes.
pub(super) fn outcomes(result: Result<Vec<Outcome>, RequestError>) -> Answered {
    result.map(|all| Outcomes(all).into()).map_err(|error| fault(&error, None))
}

fn group_outcomes(given: &Given, result: Result<Vec<Outcome>, RequestError>) -> Answered {
    result.map(|all| Outcomes(all).into()).map_err(|error| given.fault(&error))
}

pub(super) async fn start(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    let wait = params.get_or(1, true)?;
    match given.target() {
        Ok(name) if wait => yes(&given, handle.start(&name).await),
        Ok(name) => yes(&given, handle.start_nowait(&name).await),
        Err(group) => group_outcomes(&given, handle.start_group(&group, wait).await),
    }
}

pub(super) async fn start_group(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    let wait = params.get_or(1, true)?;
    group_outcomes(&given, handle.start_group(&given.text, wait).await)
}

pub(super) async fn start_all(handle: &Handle, params: &Params) -> Answered {
    outcomes(handle.start_all(params.get_or(0, true)?).await)
}

pub(super) async fn stop(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    let wait = params.get_or(1, true)?;
    match given.target() {
        Ok(name) if wait => yes(&given, handle.stop(&name).await),
        Ok(name) => yes(&given, handle.stop_nowait(&name).await),
        Err(group) => group_outcomes(&given, handle.stop_group(&group, wait).await),
    }
}

pub(super) async fn stop_group(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    let wait = params.get_or(1, true)?;
    group_outcomes(&given, handle.stop_group(&given.text, wait).await)
}

pub(super) async fn stop_all(handle: &Handle, params: &Params) -> Answered {
    outcomes(handle.stop_all(params.get_or(0, true)?).await)
}

pub(super) async fn signal(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    let signal = GivenSignal::from(params, 1)?;
    let name = match given.target() {
        Ok(name) => name,
        Err(group) => return signal_some(handle, Some((&given, &group)), &signal).await,
    };
    if let Meaning::Signal(signal) = signal.meaning {
        return yes(&given, handle.signal(&name, signal).await);
    }
    // The name is checked before the signal, the signal before the state.
    let info = handle.process(&name).await.map_err(|error| given.fault(&error))?;
    yes(&given, unsent(&info, &signal))
}

pub(super) async fn signal_group(handle: &Handle, params: &Params) -> Answered {
    let given = Given::from(params, 0)?;
    let signal = GivenSignal::from(params, 1)?;
    signal_some(handle, Some((&given, &given.text)), &signal).await
}

pub(super) async fn signal_all(handle: &Handle, params: &Params) -> Answered {
    signal_some(handle, None, &GivenSignal::from(params, 0)?).await
}

/// Signals a group, named as given, or all processes.
async fn signal_some(handle: &Handle, group: Option<(&Given, &str)>, signal: &GivenSignal) -> Answered {
    match (group, signal.meaning) {
        (Some((given, group)), Meaning::Signal(signal)) => {
            group_outcomes(given, handle.signal_group(group, signal).await)
        }
        (None, Meaning::Signal(signal)) => outcomes(handle.signal_all(signal).await),
        (_, Meaning::Null) => reached(handle, group).await.map(|all| Outcomes(all).into()),
        (_, Meaning::Bad) => {
            let mut all = reached(handle, group).await?;
            all.iter_mut().for_each(|outcome| outcome.result = Err(signal.bad()));
            Ok(Outcomes(all).into())
        }
    }
}

/// Whom a signal would reach.
async fn reached(handle: &Handle, group: Option<(&Given, &str)>) -> Result<Vec<Outcome>, Fault> {
    let given = group.map(|(given, _)| given.text.as_str());
    handle.signallable(group.map(|(_, group)| group)).await.map_err(|error| fault(&error, given))
}

fn unsent(info: &ProcessInfo, signal: &GivenSignal) -> Result<(), RequestError> {
    match signal.meaning {
        Meaning::Bad => Err(signal.bad()),
        _ if info.state.is_signallable() => Ok(()),
        _ => Err(RequestError::NotRunning(info.name.clone())),
    }
}

pub(super) async fn send_stdin(handle: &Handle, params: &Params) -> Answered {
    let chars: Value = params.get(1)?;
    let Value::String(chars) = chars else {
        return Err(Fault::with(FaultCode::IncorrectParameters, shown(&chars)));
    };
    let given = Given::from(params, 0)?;
    let name = given.process()?;
    yes(&given, handle.send_stdin(&name, chars).await)
}

/// How long type and data of one `sendRemoteCommEvent` may be together, in bytes: events wait in memory for listeners.
pub const MAX_REMOTE_EVENT: usize = 1 << 20;

pub(super) async fn send_remote_event(handle: &Handle, params: &Params) -> Answered {
    let event_type = event_text(params, 0)?;
    let data = event_text(params, 1)?;
    if event_type.len() + data.len() > MAX_REMOTE_EVENT {
        let detail = format_args!("an event of more than {MAX_REMOTE_EVENT} bytes");
        return Err(Fault::with(FaultCode::IncorrectParameters, detail));
    }
    handle.send_remote_event(&event_type, &data).await.map_err(|error| fault(&error, None))?;
    Ok(Value::from(true).into())
}

/// Events carry text; numbers and truths are written out.
fn event_text(params: &Params, index: usize) -> Result<String, Fault> {
    match Value::from_value(&params.get(index)?) {
        Some(value @ (Value::String(_) | Value::Int(_) | Value::Bool(_) | Value::Double(_))) => Ok(shown(&value)),
        _ => Err(Fault::incorrect_parameters()),
    }
}

#[cfg(test)]
mod tests;
