//! The short way to be controlled from outside: namespaces and addresses in, a running server out.
//!
//! Decides nothing: it puts together what [`namespace`](crate::namespace) and [`server`](crate::server) offer to those who
//! want it in parts, as the daemon does.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use supervisor_core::Handle;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::server::{Server, ServerAddress};
use supervisor_core::rpc::RpcInterface;

use crate::namespace::{SupervisorNamespace, registry_of};
use crate::server::{Application, BindError, Limits, Serving, bind_all, serve};
use crate::xmlrpc::Dispatcher;

/// Why a supervisor cannot be reached from outside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// An address cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system refused something else.
    #[error("could not serve HTTP: {0}")]
    System(#[from] io::Error),
}

/// Makes a supervisor answer XML-RPC over HTTP, as `supervisorctl` and other clients of Supervisor speak it: the namespaces
/// `supervisor` and `system`, and others of your own.
///
/// ```no_run
/// use supervisor_rpc::Rpc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let supervisor = supervisor_core::Supervisor::builder().build()?;
/// let serving = Rpc::new(&supervisor.handle()).unix_socket("/tmp/my.sock").serve()?;
/// // … run the supervisor; `supervisorctl -s unix:///tmp/my.sock status` reaches it.
/// # drop(serving);
/// # Ok(())
/// # }
/// ```
pub struct Rpc {
    handle: Handle,
    namespaces: Vec<(String, Arc<dyn RpcInterface>)>,
    servers: Vec<Server>,
}

impl std::fmt::Debug for Rpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.namespaces.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Rpc").field("namespaces", &names).field("servers", &self.servers).finish_non_exhaustive()
    }
}

impl Rpc {
    /// For the supervisor behind this handle.
    pub fn new(handle: &Handle) -> Self {
        let standard: Arc<dyn RpcInterface> = Arc::new(SupervisorNamespace::new(handle.clone()));
        Self { handle: handle.clone(), namespaces: vec![("supervisor".to_owned(), standard)], servers: Vec::new() }
    }

    /// Adds a namespace of your own, or replaces the one of this name. `system` is always there.
    #[must_use]
    pub fn namespace(mut self, name: impl Into<String>, interface: impl RpcInterface + 'static) -> Self {
        self.namespaces.push((name.into(), Arc::new(interface)));
        self
    }

    /// Listens on a socket file of mode 0700, for this user alone.
    #[must_use]
    pub fn unix_socket(self, path: impl Into<PathBuf>) -> Self {
        let address = ServerAddress::Unix { path: path.into(), mode: 0o700, owner: None };
        self.server(Server::new("unix_http_server", address))
    }

    /// Listens as it is set here, which may ask for credentials.
    #[must_use]
    pub fn server(mut self, server: Server) -> Self {
        self.servers.push(server);
        self
    }

    /// Opens the addresses and begins to answer, on the threads of async-std. What is asked before the supervisor runs waits
    /// for it. The server ends by [`Serving::close`].
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn serve(self) -> Result<Serving, ServeError> {
        let (bound, notes) = bind_all(&self.servers, Vec::new())?;
        for note in notes {
            self.handle.log(Level::Warn, &note.to_string());
        }
        let dispatcher = Dispatcher::new(registry_of(&self.handle, self.namespaces), &self.handle);
        Ok(serve(bound, Application::new(Arc::new(dispatcher), self.handle), Limits::default())?)
    }
}
