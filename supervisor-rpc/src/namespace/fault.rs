//! Turns the refusals of the handle into Supervisor's faults; the one place where this is decided.

use supervisor_core::RequestError as E;
use supervisor_core::rpc::{Fault, FaultCode as C};

/// The fault for a refusal. `given` is the name as the client wrote it, where the request had one; a result array,
/// which is about processes that the client did not name, shows the process's own name.
pub fn fault(error: &E, given: Option<&str>) -> Fault {
    let name = |own: &dyn std::fmt::Display| given.map_or_else(|| own.to_string(), str::to_owned);
    match error {
        // A supervisor that has ended is the end of one that is shutting down.
        E::ShutdownState | E::Gone => Fault::new(C::ShutdownState),
        E::BadArguments => Fault::new(C::BadArguments),
        E::BadName(own) => Fault::with(C::BadName, name(own)),
        E::BadSignal(signal) => Fault::with(C::BadSignal, signal),
        E::NoFile(text) => detailed(C::NoFile, text),
        E::NotExecutable(text) => detailed(C::NotExecutable, text),
        E::Failed(text) => detailed(C::Failed, text),
        E::CantReread(text) => detailed(C::CantReread, text),
        E::AbnormalTermination(own) => Fault::with(C::AbnormalTermination, name(own)),
        E::SpawnError(own) => Fault::with(C::SpawnError, name(own)),
        E::AlreadyStarted(own) => Fault::with(C::AlreadyStarted, name(own)),
        E::NotRunning(own) => Fault::with(C::NotRunning, name(own)),
        E::NoStdin(own) => Fault::with(C::NoFile, name(own)),
        E::AlreadyAdded(own) => Fault::with(C::AlreadyAdded, name(own)),
        E::StillRunning(own) => Fault::with(C::StillRunning, name(own)),
        // Refusals of later versions of supervisor-core.
        other => Fault::with(C::Failed, other),
    }
}

/// A fault with this detail, or without one where there is nothing to say.
pub(crate) fn detailed(code: C, detail: &str) -> Fault {
    if detail.is_empty() { Fault::new(code) } else { Fault::with(code, detail) }
}

#[cfg(test)]
mod tests {
    use supervisor_core::domain::name::ProcessName;

    use super::*;

    #[test]
    fn each_refusal_is_its_fault() {
        let p = || ProcessName::new("g", "p");
        let table = [
            (E::ShutdownState, "[6] SHUTDOWN_STATE", "[6] SHUTDOWN_STATE"),
            (E::Gone, "[6] SHUTDOWN_STATE", "[6] SHUTDOWN_STATE"),
            (E::BadArguments, "[3] BAD_ARGUMENTS", "[3] BAD_ARGUMENTS"),
            (E::BadName("g:p".into()), "[10] BAD_NAME: x", "[10] BAD_NAME: g:p"),
            (E::BadSignal("FOO".into()), "[11] BAD_SIGNAL: FOO", "[11] BAD_SIGNAL: FOO"),
            (E::NoFile(String::new()), "[20] NO_FILE", "[20] NO_FILE"),
            (E::NoFile("/x".into()), "[20] NO_FILE: /x", "[20] NO_FILE: /x"),
            (E::NotExecutable("why".into()), "[21] NOT_EXECUTABLE: why", "[21] NOT_EXECUTABLE: why"),
            (E::Failed("why".into()), "[30] FAILED: why", "[30] FAILED: why"),
            (E::AbnormalTermination(p()), "[40] ABNORMAL_TERMINATION: x", "[40] ABNORMAL_TERMINATION: g:p"),
            (E::SpawnError(p()), "[50] SPAWN_ERROR: x", "[50] SPAWN_ERROR: g:p"),
            (E::AlreadyStarted(p()), "[60] ALREADY_STARTED: x", "[60] ALREADY_STARTED: g:p"),
            (E::NotRunning(p()), "[70] NOT_RUNNING: x", "[70] NOT_RUNNING: g:p"),
            (E::NoStdin(p()), "[20] NO_FILE: x", "[20] NO_FILE: g:p"),
            (E::AlreadyAdded("g".into()), "[90] ALREADY_ADDED: x", "[90] ALREADY_ADDED: g"),
            (E::StillRunning("g".into()), "[91] STILL_RUNNING: x", "[91] STILL_RUNNING: g"),
            (E::CantReread("why".into()), "[92] CANT_REREAD: why", "[92] CANT_REREAD: why"),
        ];
        for (error, named, own) in table {
            assert_eq!(fault(&error, Some("x")).to_string(), named);
            assert_eq!(fault(&error, None).to_string(), own);
        }
    }
}
