//! Accepts connections on bound sockets until it is told to stop.

use std::convert::Infallible;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_io::Timer;
use async_std::net::TcpListener;
use async_std::os::unix::net::UnixListener;
use async_std::task::{self, JoinHandle};
use futures_lite::FutureExt as _;
use supervisor_core::domain::server::ServerAddress;
use supervisor_core::rpc::Peer;
use tide::StatusCode;

use super::access::AccessLog;
use super::answer::Context;
use super::app::{Application, Backend, State};
use super::auth::Guard;
use super::connection;
use super::limits::Limits;
use super::listen::{Bound, Socket};
use super::origin::Origins;
use super::page::raw_refusal;
use super::room::Room;
use super::table::Table;
use super::wire::Wire;
use crate::bridge::Stream;

/// How many connections that found no place may linger at once: a quarter of what is connected, within these bounds.
const REFUSED: RangeInclusive<usize> = 8..=32;

/// What all listeners share.
pub(super) struct House {
    pub(super) app: tide::Server<State>,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) limits: Limits,
    /// Closed when the server is to stop.
    pub(super) stop: Receiver<Infallible>,
    grace: OnceLock<Duration>,
    pub(super) table: Arc<Table>,
    /// For bodies.
    pub(super) room: Room,
    refused: Arc<()>,
}

impl House {
    /// How long requests in flight may go on after the stop.
    pub(super) fn grace(&self) -> Duration {
        self.grace.get().copied().unwrap_or_default()
    }

    /// Resolves when the server is to stop.
    pub(super) async fn stopped(&self) {
        // Nothing is ever sent: an answer means that the channel is closed.
        let _ = self.stop.recv().await;
    }
}

/// What the connections of one listener share.
pub(super) struct Door {
    pub(super) section: String,
    /// Address or path, for log lines.
    pub(super) address: String,
    pub(super) guard: Option<Guard>,
    pub(super) origins: Origins,
}

/// A running server.
pub struct Serving {
    bound: Vec<Bound>,
    acceptors: Vec<JoinHandle<()>>,
    house: Arc<House>,
    stop: Sender<Infallible>,
    /// Closed when the last connection has ended.
    ended: Receiver<Infallible>,
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").field("bound", &self.bound).finish_non_exhaustive()
    }
}

enum Listener {
    Unix(UnixListener),
    Inet(TcpListener),
}

/// Begins to answer on bound sockets. Needs the runtime of async-std, which starts by itself.
///
/// # Errors
/// If a socket cannot be duplicated.
pub fn serve(bound: Vec<Bound>, application: Application, limits: Limits) -> io::Result<Serving> {
    let (stop, stopped) = async_channel::bounded(1);
    let (alive, ended) = async_channel::bounded(1);
    let table = Table::new(limits.connections, limits.streams);
    let room = Room::new(limits.bodies);
    let house = Arc::new(House {
        app: application.server,
        backend: application.backend,
        limits,
        stop: stopped,
        grace: OnceLock::new(),
        table,
        room,
        refused: Arc::new(()),
    });
    let mut acceptors = Vec::new();
    for bound in &bound {
        let (listener, door) = (Listener::of(bound)?, Arc::new(Door::of(bound)));
        acceptors.push(task::spawn(accept(listener, door, Arc::clone(&house), alive.clone())));
    }
    Ok(Serving { bound, acceptors, house, stop, ended })
}

impl Serving {
    /// The sockets that are served.
    pub fn bound(&self) -> &[Bound] {
        &self.bound
    }

    /// Stops for good: refuses new connections at once, closes idle ones, ends streams, lets requests in flight be
    /// answered within `grace`, and removes socket files that are still ours.
    pub async fn close(self, grace: Duration) {
        let Self { bound, acceptors, house, stop, ended } = self;
        stop_accepting(&stop, &house, acceptors, grace).await;
        bound.into_iter().for_each(Bound::close);
        wait_for_connections(&ended, grace).await;
    }

    /// Stops as [`close`](Self::close) does, but hands the listening sockets back: who connects meanwhile waits for the
    /// next life of the server.
    pub async fn stop(self, grace: Duration) -> Vec<Bound> {
        let Self { bound, acceptors, house, stop, ended } = self;
        stop_accepting(&stop, &house, acceptors, grace).await;
        wait_for_connections(&ended, grace).await;
        bound
    }
}

async fn stop_accepting(stop: &Sender<Infallible>, house: &House, acceptors: Vec<JoinHandle<()>>, grace: Duration) {
    // Set before anybody can look.
    let _ = house.grace.set(grace);
    stop.close();
    for acceptor in acceptors {
        acceptor.await;
    }
}

/// The connections end by themselves within the grace time; a little more for their farewells.
async fn wait_for_connections(ended: &Receiver<Infallible>, grace: Duration) {
    let all = async {
        let _ = ended.recv().await;
    };
    let late = async {
        Timer::after(grace + Duration::from_millis(500)).await;
    };
    all.or(late).await;
}

impl Door {
    fn of(bound: &Bound) -> Self {
        let address = match &bound.server.address {
            ServerAddress::Unix { path, .. } => path.display().to_string(),
            ServerAddress::Inet { host, port } => format!("{}:{port}", host.as_deref().unwrap_or_default()),
        };
        let guard = bound.server.credentials.as_ref().and_then(Guard::new);
        let (allowed, hosts) = (bound.server.allowed_origins.clone(), bound.server.allowed_hosts.clone());
        Self { section: bound.server.section.clone(), address, guard, origins: Origins { allowed, hosts } }
    }
}

impl Listener {
    fn of(bound: &Bound) -> io::Result<Self> {
        Ok(match &bound.socket {
            Socket::Unix { listener, .. } => {
                let listener = listener.try_clone()?;
                listener.set_nonblocking(true)?;
                Self::Unix(listener.into())
            }
            Socket::Inet(listener) => {
                let listener = listener.try_clone()?;
                listener.set_nonblocking(true)?;
                Self::Inet(listener.into())
            }
        })
    }

    async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let peer = peer_credentials(&stream);
                Ok((Stream::Unix(stream), peer))
            }
            Self::Inet(listener) => {
                let (stream, address) = listener.accept().await?;
                // Without it a stream's small writes wait for the client's acknowledgements.
                drop(stream.set_nodelay(true));
                Ok((Stream::Tcp(stream), Peer::Tcp(address)))
            }
        }
    }
}

/// Who the kernel says is at the other end.
#[cfg(target_os = "linux")]
fn peer_credentials(stream: &impl AsFd) -> Peer {
    let found = rustix::net::sockopt::socket_peercred(stream).ok();
    let pid = found.and_then(|found| u32::try_from(found.pid.as_raw_nonzero().get()).ok());
    Peer::Unix { pid, uid: found.map(|found| found.uid.as_raw()) }
}

#[cfg(not(target_os = "linux"))]
fn peer_credentials(_stream: &impl AsFd) -> Peer {
    Peer::Unix { pid: None, uid: None }
}

async fn accept(listener: Listener, door: Arc<Door>, house: Arc<House>, alive: Sender<Infallible>) {
    loop {
        let next = async { Some(listener.accept().await) };
        match next.or(async { house.stop.recv().await.ok().map(|never| match never {}) }).await {
            None => return,
            Some(Ok((stream, peer))) => take_in(stream, peer, &door, &house, &alive).await,
            // The client went away while it waited.
            Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // Most likely no descriptors are left.
            Some(Err(_)) => house.table.make_room().await,
        }
    }
}

async fn take_in(stream: Stream, peer: Peer, door: &Arc<Door>, house: &Arc<House>, alive: &Sender<Infallible>) {
    let wire = Wire::new(&house.limits, AccessLog::new(Arc::clone(&house.backend), &peer));
    let (house, door, alive) = (Arc::clone(house), Arc::clone(door), alive.clone());
    // Each of these takes a descriptor as well.
    let refused = (house.limits.connections / 4).clamp(*REFUSED.start(), *REFUSED.end());
    match house.table.seat(&wire, &peer).await {
        Some(seat) => {
            let context = Context { house, door, wire, peer, seat: Arc::new(seat), stream };
            task::spawn(async move {
                connection::run(context).await;
                drop(alive);
            });
        }
        None if Arc::strong_count(&house.refused) <= refused => {
            let refused = Arc::clone(&house.refused);
            task::spawn(async move {
                let word = raw_refusal(StatusCode::ServiceUnavailable);
                let late = async {
                    Timer::after(house.limits.linger).await;
                };
                connection::farewell(stream, &word, late).await;
                drop((refused, alive));
            });
        }
        None => drop(stream),
    }
}
