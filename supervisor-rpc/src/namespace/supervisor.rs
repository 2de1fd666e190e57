//! The `supervisor` namespace: Supervisor's 37 methods on top of the handle.

use async_trait::async_trait;
use supervisor_core::Handle;
use supervisor_core::domain::state::SupervisorState;
use supervisor_core::rpc::{Answer, Caller, Fault, FaultCode, Method, Params, RpcInterface, Value};

use super::methods::{self, Verb};
use super::{Answered, config, info, lifecycle, logs, process};

/// `supervisor.*`, as in Supervisor 4.3 (`[rpcinterface:supervisor]`).
#[derive(Debug, Clone)]
pub struct SupervisorNamespace {
    handle: Handle,
}

impl SupervisorNamespace {
    /// The namespace of this supervisor.
    pub fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Answers a call that is admitted in this `state`, which may be another one by now.
    async fn answer(&self, verb: Verb, params: &Params, state: SupervisorState) -> Answered {
        let handle = &self.handle;
        match verb {
            Verb::GetApiVersion => value(lifecycle::API_VERSION),
            Verb::GetSupervisorVersion => value(lifecycle::SUPERVISOR_VERSION),
            Verb::GetIdentification => value(handle.identifier()),
            Verb::GetState => value(lifecycle::state(state)),
            Verb::GetPid => value(std::process::id()),
            Verb::ReadLog => logs::read_activity(handle, params).await,
            Verb::ClearLog => logs::clear_activity(handle).await,
            Verb::Shutdown => lifecycle::shutdown(handle).await,
            Verb::Restart => lifecycle::restart(handle).await,
            Verb::ReloadConfig => config::reload(handle).await,
            Verb::AddProcessGroup => config::add_group(handle, params).await,
            Verb::RemoveProcessGroup => config::remove_group(handle, params).await,
            Verb::StartProcess => process::start(handle, params).await,
            Verb::StartProcessGroup => process::start_group(handle, params).await,
            Verb::StartAllProcesses => process::start_all(handle, params).await,
            Verb::StopProcess => process::stop(handle, params).await,
            Verb::StopProcessGroup => process::stop_group(handle, params).await,
            Verb::StopAllProcesses => process::stop_all(handle, params).await,
            Verb::SignalProcess => process::signal(handle, params).await,
            Verb::SignalProcessGroup => process::signal_group(handle, params).await,
            Verb::SignalAllProcesses => process::signal_all(handle, params).await,
            Verb::GetProcessInfo => info::one(handle, params).await,
            Verb::GetAllProcessInfo => info::all(handle).await,
            Verb::GetAllConfigInfo => config::all_info(handle).await,
            Verb::ReadProcessLog(stream) => logs::read(handle, params, stream).await,
            Verb::TailProcessLog(stream) => logs::tail(handle, params, stream).await,
            Verb::ClearProcessLogs => logs::clear(handle, params).await,
            Verb::ClearAllProcessLogs => logs::clear_all(handle).await,
            Verb::SendProcessStdin => process::send_stdin(handle, params).await,
            Verb::SendRemoteCommEvent => process::send_remote_event(handle, params).await,
        }
    }
}

fn value(value: impl Into<Value>) -> Answered {
    Ok(value.into().into())
}

/// SHUTDOWN_STATE from the moment an end is asked for, for every method but one, whatever the parameters are.
fn closed(verb: Verb, state: SupervisorState) -> bool {
    verb != Verb::SendRemoteCommEvent && state != SupervisorState::Running
}

#[async_trait]
impl RpcInterface for SupervisorNamespace {
    fn methods(&self) -> &[Method] {
        methods::methods()
    }

    async fn call(&self, method: &str, params: Params, _caller: &Caller) -> Result<Box<dyn Answer>, Fault> {
        let verb = methods::verb(method).ok_or_else(Fault::unknown_method)?;
        let state = self.handle.state();
        if closed(verb, state) {
            return Err(Fault::new(FaultCode::ShutdownState));
        }
        self.answer(verb, &params, state).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_are_taken_at_the_end() {
        for state in [SupervisorState::Shutdown, SupervisorState::Restarting] {
            assert!(closed(Verb::GetState, state));
            assert!(!closed(Verb::SendRemoteCommEvent, state));
        }
        assert!(!closed(Verb::GetState, SupervisorState::Running));
    }
}
