//! The name of a process, group or signal as a request gives it.
//!
//! Keeps the text as the client wrote it, since faults repeat it, beside what it means.

use supervisor_core::RequestError;
use supervisor_core::domain::name::{Namespec, ProcessName};
use supervisor_core::domain::signal::Signal;
use supervisor_core::rpc::{Fault, FaultCode, FromValue, Params, Value};

use super::fault::fault;

/// A name as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) text: String,
}

impl Given {
    /// The parameter at `index`, which must be a text.
    pub(super) fn from(params: &Params, index: usize) -> Result<Self, Fault> {
        Ok(Self { text: params.get(index)? })
    }

    pub(super) fn namespec(&self) -> Namespec {
        Namespec::parse(&self.text)
    }

    /// The process, or the name of the group where `g:*` or `g:` was given.
    pub(super) fn target(&self) -> Result<ProcessName, String> {
        match self.namespec() {
            Namespec { group, process: Some(process) } => Ok(ProcessName { group, process }),
            Namespec { group, process: None } => Err(group),
        }
    }

    /// The process, for methods that do not take a group.
    pub(super) fn process(&self) -> Result<ProcessName, Fault> {
        self.target().map_err(|_| self.bad_name())
    }

    pub(super) fn bad_name(&self) -> Fault {
        Fault::with(FaultCode::BadName, &self.text)
    }

    /// The fault for a refusal of what was asked of this name.
    pub(super) fn fault(&self, error: &RequestError) -> Fault {
        fault(error, Some(&self.text))
    }
}

/// A signal as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenSignal {
    text: String,
    pub(super) meaning: Meaning,
}

/// What a given signal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// To be sent.
    Signal(Signal),
    /// Number 0: nothing is sent, only the state is looked at.
    Null,
    /// No signal.
    Bad,
}

impl GivenSignal {
    /// The parameter at `index`: a name or number as text, or a number.
    pub(super) fn from(params: &Params, index: usize) -> Result<Self, Fault> {
        let value: Value = params.get(index)?;
        let (text, meaning) = match &value {
            Value::String(text) => (text.clone(), Self::read(text)),
            Value::Int(_) | Value::Bool(_) | Value::Double(_) => {
                let number = i64::from_value(&value).ok_or_else(Fault::incorrect_parameters)?;
                (shown(&value), Self::read(&number.to_string()))
            }
            Value::Nil | Value::Array(_) | Value::Struct(_) => return Err(Fault::incorrect_parameters()),
        };
        Ok(Self { text, meaning })
    }

    fn read(text: &str) -> Meaning {
        let digits = text.trim();
        if !digits.is_empty() && digits.bytes().all(|byte| byte == b'0') {
            return Meaning::Null;
        }
        Signal::parse(text).map_or(Meaning::Bad, Meaning::Signal)
    }

    pub(super) fn bad(&self) -> RequestError {
        RequestError::BadSignal(self.text.clone())
    }
}

/// A value as a fault shows it: a number or truth as Python writes it, of containers only that they are some.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Nil => "None".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Double(value) => format!("{value:?}"),
        Value::String(value) => value.clone(),
        Value::Array(_) => "[...]".to_owned(),
        Value::Struct(_) => "{...}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(value: impl Into<Value>) -> Result<Meaning, Fault> {
        GivenSignal::from(&Params(vec![value.into()]), 0).map(|signal| signal.meaning)
    }

    #[test]
    fn signals() {
        for good in ["USR1", "SIGUSR1", " usr1 ", "10", "010"] {
            assert_eq!(signal(good), Ok(Meaning::Signal(Signal::from_number(10).expect("USR1"))), "{good}");
        }
        assert_eq!(signal(15), Ok(Meaning::Signal(Signal::TERM)));
        assert_eq!(signal("0"), Ok(Meaning::Null));
        assert_eq!(signal(0), Ok(Meaning::Null));
        for bad in ["FOO", "SIG", "", "99", "-1", "35", "1.5", "SIG1", "RTMIN+1", "_DFL"] {
            assert_eq!(signal(bad), Ok(Meaning::Bad), "{bad}");
        }
        assert_eq!(signal(-1), Ok(Meaning::Bad));
        assert_eq!(signal(35), Ok(Meaning::Bad));
        assert_eq!(signal(Vec::new()), Err(Fault::incorrect_parameters()));
        let bad =
            GivenSignal::from(&Params(vec![Value::from(99)]), 0).map(|signal| fault(&signal.bad(), Some("x")).text);
        assert_eq!(bad.as_deref(), Ok("BAD_SIGNAL: 99"));
    }

    #[test]
    fn names_keep_their_spelling() {
        let given = |text: &str| Given { text: text.to_owned() };
        assert_eq!(given("x").target(), Ok(ProcessName::new("x", "x")));
        assert_eq!(given("g:*").target(), Err("g".to_owned()));
        assert_eq!(given("g:").process(), Err(Fault::with(FaultCode::BadName, "g:")));
        let refused = RequestError::AlreadyStarted(ProcessName::new("x", "x"));
        assert_eq!(given("x:x").fault(&refused).text, "ALREADY_STARTED: x:x");
        assert_eq!(Given::from(&Params(vec![Value::Int(5)]), 0), Err(Fault::incorrect_parameters()));
    }

    #[test]
    fn values_in_faults() {
        let table = [
            (Value::Int(5), "5"),
            (true.into(), "True"),
            (Value::Double(5.0), "5.0"),
            (Value::Nil, "None"),
            (Value::Array(vec![]), "[...]"),
        ];
        for (value, text) in table {
            assert_eq!(shown(&value), text);
        }
    }
}
