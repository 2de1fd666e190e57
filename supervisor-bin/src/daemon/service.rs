//! The HTTP service of one life of the daemon: namespaces, application, sockets.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use supervisor_core::Handle;
use supervisor_core::config::Settings;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::server::{Server, ServerAddress};
use supervisor_core::rpc::{Caller, Registry};
use supervisor_rpc::namespace::{Factories, FactoryError, Section};
use supervisor_rpc::server::{Application, Bound, Limits, RpcDispatch, RpcReply, Serving, serve};
use supervisor_rpc::xmlrpc::Dispatcher;

use crate::web;

use super::mainlog::MainLog;

/// Answers calls; what a call has made us say is in the log before its answer goes out.
struct Calls {
    dispatcher: Dispatcher,
    log: Arc<MainLog>,
}

impl RpcDispatch for Calls {
    fn dispatch(&self, body: Vec<u8>, caller: Caller) -> Pin<Box<dyn Future<Output = RpcReply> + Send>> {
        let answer = RpcDispatch::dispatch(&self.dispatcher, body, caller);
        let log = Arc::clone(&self.log);
        Box::pin(async move {
            let answer = answer.await;
            log.settle();
            answer
        })
    }
}

/// Makes the namespaces that the configuration asks for.
///
/// # Errors
/// [`FactoryError`] for the first one that cannot be made.
pub(super) fn namespaces(
    factories: &Factories,
    handle: &Handle,
    settings: &Settings,
) -> Result<Registry, FactoryError> {
    factories.registry(handle, &sections(settings))
}

/// The sections that ask for namespaces.
pub(super) fn sections(settings: &Settings) -> Vec<Section> {
    settings.rpc_interfaces.iter().map(Section::from).collect()
}

/// Says which namespaces each server has and which sections come to nothing, since their names are taken; and which server
/// lets everybody in.
pub(super) fn announce(settings: &Settings, handle: &Handle) {
    let (idle, sections): (Vec<_>, Vec<_>) = sections(settings).into_iter().partition(Section::is_built_in);
    for Section { name, .. } in idle {
        handle.log(Level::Warn, &format!("[rpcinterface:{name}] has no effect: the namespace '{name}' is built in"));
    }
    for section in &sections {
        let group = section.group().filter(|name| settings.groups.iter().any(|group| group.name == *name));
        if let Some(group) = group {
            let text = format!(
                "the program of [rpcinterface:{}] is not started: its group '{group}' is defined by another section",
                section.name
            );
            handle.log(Level::Error, &text);
        }
    }
    for server in &settings.servers {
        for section in &sections {
            handle.log(Level::Info, &format!("RPC interface '{}' initialized", section.name));
        }
        if server.credentials.is_none() {
            let text = format!("Server '{}' running without any HTTP authentication checking", server.section);
            handle.log(Level::Critical, &text);
        }
    }
}

/// Begins to answer. Starts the runtime of HTTP.
///
/// # Errors
/// What the system says.
pub(super) fn start(registry: Registry, handle: &Handle, log: &Arc<MainLog>, bound: Vec<Bound>) -> io::Result<Serving> {
    let calls = Calls { dispatcher: Dispatcher::new(registry, handle), log: Arc::clone(log) };
    let mut application = Application::new(Arc::new(calls), handle.clone());
    web::mount(&mut application, handle)?;
    serve(bound, application, Limits::default())
}

/// Where children find us (Supervisor 4.3: SUPERVISOR_SERVER_URL): the first socket file, else the last port.
pub(super) fn url(servers: &[Server]) -> Option<String> {
    let unix = servers.iter().find_map(|server| match &server.address {
        ServerAddress::Unix { path, .. } => Some(format!("unix://{}", path.display())),
        ServerAddress::Inet { .. } => None,
    });
    unix.or_else(|| {
        servers.iter().rev().find_map(|server| match &server.address {
            ServerAddress::Inet { host: Some(host), port } if host.contains(':') => {
                Some(format!("http://[{host}]:{port}"))
            }
            ServerAddress::Inet { host, port } => {
                Some(format!("http://{}:{port}", host.as_deref().unwrap_or("localhost")))
            }
            ServerAddress::Unix { .. } => None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inet(host: Option<&str>) -> Server {
        Server::new("inet_http_server", ServerAddress::Inet { host: host.map(str::to_owned), port: 9001 })
    }

    #[test]
    fn children_are_told_the_first_socket_file_or_else_the_last_port() {
        let unix = Server::new(
            "unix_http_server",
            ServerAddress::Unix { path: "/run/s.sock".into(), mode: 0o700, owner: None },
        );
        assert_eq!(url(&[]), None);
        assert_eq!(url(&[inet(None)]).as_deref(), Some("http://localhost:9001"));
        assert_eq!(url(&[inet(None), inet(Some("10.0.0.1"))]).as_deref(), Some("http://10.0.0.1:9001"));
        assert_eq!(url(&[inet(Some("::1"))]).as_deref(), Some("http://[::1]:9001"));
        assert_eq!(url(&[inet(None), unix]).as_deref(), Some("unix:///run/s.sock"));
    }
}
