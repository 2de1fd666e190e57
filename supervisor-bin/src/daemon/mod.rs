//! `supervisord`: from a command line to a running supervisor, and back.
//!
//! Everything that belongs to a daemon and not to supervision: options, identity, limits, the activity log, sockets, the
//! background, the pid file, signals. Children and their states are the business of `supervisor-core`, requests that of
//! `supervisor-rpc`.

mod console;
mod lane;
mod line;
mod mainlog;
mod pending;
mod pidfile;
mod signals;
