//! What a supervisor tells its programs through the environment.

use supervisor_core::domain::name::ProcessName;

/// Who a program is to its supervisor (Supervisor 4.3: subprocess environment).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its full name (`SUPERVISOR_GROUP_NAME`, `SUPERVISOR_PROCESS_NAME`).
    pub name: ProcessName,
    /// Where the supervisor takes requests (`SUPERVISOR_SERVER_URL`); `None` if it has no server.
    pub server_url: Option<String>,
}

impl Identity {
    /// Reads the environment; `None` if the program does not run under a supervisor.
    pub fn from_environment() -> Option<Self> {
        Self::read(|key| std::env::var(key).ok())
    }

    /// Reads any environment.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        variable("SUPERVISOR_ENABLED")?;
        Some(Self {
            name: ProcessName::new(variable("SUPERVISOR_GROUP_NAME")?, variable("SUPERVISOR_PROCESS_NAME")?),
            server_url: variable("SUPERVISOR_SERVER_URL").filter(|url| !url.is_empty()),
        })
    }
}
