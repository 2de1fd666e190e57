//! The HTTP server: sockets, connections, credentials, the application and its log streams.
//!
//! Opened in two steps. [`bind_all`] makes the sockets while the daemon is still synchronous, so that its errors reach
//! the terminal; [`serve`] answers on them once the runtime is there. What a call means is decided by the
//! [`RpcDispatch`] that the application was given, never here.

mod access;
mod answer;
mod app;
mod auth;
mod connection;
mod limits;
mod listen;
mod logtail;
mod origin;
mod page;
mod password;
mod path;
mod room;
mod serve;
mod table;
mod wire;

#[cfg(fuzzing)]
mod fuzz;

pub use app::{Application, Chunks, RpcDispatch, RpcReply, State, caller};
pub use auth::Guard;
#[cfg(fuzzing)]
pub use fuzz::fuzz_head;
pub use limits::Limits;
pub use listen::{BindError, Bound, Note, Socket, bind, bind_all};
pub use logtail::{Follows, stream_body};
pub use password::{PasswordError, check_password, hash_password};
pub use serve::{Serving, serve};

#[cfg(test)]
pub(crate) mod tests;
