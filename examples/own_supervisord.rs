//! A supervisord with a namespace more. Everything else is as in the stock daemon.
//!
//! ```ini
//! [rpcinterface:janitor]
//! supervisor.rpcinterface_factory = janitor
//! spare = database
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use janitor::Janitor;
use supervisor_bin::daemon::{self, Factories};
use supervisor_rpc::namespace::FactoryError;

fn main() -> ExitCode {
    let mut factories = Factories::default();
    factories.register("janitor", |handle, settings| {
        Ok(Arc::new(Janitor::new(handle, settings).map_err(FactoryError::Refused)?))
    });
    daemon::run(std::env::args_os(), &factories)
}
