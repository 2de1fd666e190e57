//! What the supervisor says of itself, and its end.

use supervisor_core::Handle;
use supervisor_core::domain::state::SupervisorState;
use supervisor_core::rpc::Value;

use super::Answered;
use super::fault::fault;

/// The version of this interface.
pub const API_VERSION: &str = "3.0";

/// The version of Supervisor that clients are to take us for.
pub const SUPERVISOR_VERSION: &str = "4.3.0";

pub(super) fn state(state: SupervisorState) -> Value {
    Value::Struct(vec![("statecode".to_owned(), state.code().into()), ("statename".to_owned(), state.name().into())])
}

pub(super) async fn shutdown(handle: &Handle) -> Answered {
    handle.shutdown().await.map_err(|error| fault(&error, None))?;
    Ok(Value::from(true).into())
}

/// A configuration that does not load is refused, and everything runs on (4.3 ends).
pub(super) async fn restart(handle: &Handle) -> Answered {
    handle.restart_supervisor().await.map_err(|error| fault(&error, None))?;
    Ok(Value::from(true).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        let running = state(SupervisorState::Running);
        assert_eq!((running.get("statecode"), running.get("statename")), (Some(&1.into()), Some(&"RUNNING".into())));
    }
}
