//! Refusals of calls: a code and a text (Supervisor 4.3: faults).

use std::fmt;

/// The codes of Supervisor's faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the manual's name for it")]
pub enum FaultCode {
    UnknownMethod = 1,
    IncorrectParameters = 2,
    BadArguments = 3,
    SignatureUnsupported = 4,
    ShutdownState = 6,
    BadName = 10,
    BadSignal = 11,
    NoFile = 20,
    NotExecutable = 21,
    Failed = 30,
    AbnormalTermination = 40,
    SpawnError = 50,
    AlreadyStarted = 60,
    NotRunning = 70,
    Success = 80,
    AlreadyAdded = 90,
    StillRunning = 91,
    CantReread = 92,
}

use FaultCode as C;

const NAMES: &[(FaultCode, &str)] = &[
    (C::UnknownMethod, "UNKNOWN_METHOD"),
    (C::IncorrectParameters, "INCORRECT_PARAMETERS"),
    (C::BadArguments, "BAD_ARGUMENTS"),
    (C::SignatureUnsupported, "SIGNATURE_UNSUPPORTED"),
    (C::ShutdownState, "SHUTDOWN_STATE"),
    (C::BadName, "BAD_NAME"),
    (C::BadSignal, "BAD_SIGNAL"),
    (C::NoFile, "NO_FILE"),
    (C::NotExecutable, "NOT_EXECUTABLE"),
    (C::Failed, "FAILED"),
    (C::AbnormalTermination, "ABNORMAL_TERMINATION"),
    (C::SpawnError, "SPAWN_ERROR"),
    (C::AlreadyStarted, "ALREADY_STARTED"),
    (C::NotRunning, "NOT_RUNNING"),
    (C::Success, "SUCCESS"),
    (C::AlreadyAdded, "ALREADY_ADDED"),
    (C::StillRunning, "STILL_RUNNING"),
    (C::CantReread, "CANT_REREAD"),
];

impl FaultCode {
    /// The number on the wire.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The name with which a fault string begins.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(code, _)| *code == self).map_or("FAILED", |(_, name)| name)
    }

    /// The code with this number.
    pub fn from_number(number: i32) -> Option<Self> {
        NAMES.iter().map(|(code, _)| *code).find(|code| code.number() == number)
    }
}

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The number on the wire; plugins may have codes of their own.
    pub code: i32,
    /// What the client is told. Never holds a secret.
    pub text: String,
}

impl Fault {
    /// A fault without detail: its text is the name.
    pub fn new(code: FaultCode) -> Self {
        Self { code: code.number(), text: code.name().to_owned() }
    }

    /// A fault with detail: `NAME: DETAIL`.
    pub fn with(code: FaultCode, detail: impl fmt::Display) -> Self {
        Self { code: code.number(), text: format!("{}: {detail}", code.name()) }
    }

    /// No such method.
    pub fn unknown_method() -> Self {
        Self::new(FaultCode::UnknownMethod)
    }

    /// Wrong number or kind of parameters.
    pub fn incorrect_parameters() -> Self {
        Self::new(FaultCode::IncorrectParameters)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code, self.text)
    }
}
