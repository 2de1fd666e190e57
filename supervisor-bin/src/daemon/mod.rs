//! `supervisord`: from a command line to a running supervisor, and back.
//!
//! Everything that belongs to a daemon and not to supervision: options, identity, limits, the activity log, sockets, the
//! background, the pid file, signals. Children and their states are the business of `supervisor-core`, requests that of
//! `supervisor-rpc`. A daemon of one's own is a `main` that calls [`run`] with more [`Factories`].

pub mod args;
mod boot;
mod console;
mod error;
mod identity;
mod lane;
mod life;
mod line;
mod mainlog;
mod pending;
mod pidfile;
mod result_handler;
mod service;
mod signals;
mod source;

pub use boot::run;
pub use supervisor_rpc::namespace::Factories;

/// The release of Supervisor that we stand in for.
pub use supervisor_rpc::namespace::SUPERVISOR_VERSION as VERSION;

/// Our own release.
pub const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Threads for HTTP: async-std would take one for each core of a large machine.
const HTTP_THREADS: usize = 2;

/// Where no more processes than this are allowed, threads count: they are taken from the programs.
const SCARCE: u64 = 32;

/// Fixes the number of threads of async-std. Before its first use, after the last fork.
fn limit_threads() {
    let allowed = rustix::process::getrlimit(rustix::process::Resource::Nproc).current;
    let threads = if allowed.is_some_and(|allowed| allowed <= SCARCE) { 1 } else { HTTP_THREADS };
    let threads = async_global_executor::GlobalExecutorConfig::default()
        .with_min_threads(threads)
        .with_max_threads(threads)
        .with_thread_name_fn(|| "http".to_owned());
    async_global_executor::init_with_config(threads);
}
