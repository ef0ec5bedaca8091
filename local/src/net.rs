//! The HTTP server of the gateway, of `listen` and of `dynamodb`: axum, with limits on connections, on the time of a request, and
//! on bodies.

mod body;
mod connection;
mod open_files;
mod places;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::handler::Handler;
use axum::serve::IncomingStream;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub use self::body::{BodyError, read_body};
use self::connection::LimitedListener;
use self::open_files::connections_max;

/// A free port on this machine only.
#[cfg(test)]
pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// How long running requests may take to finish after the stop.
const GRACE: Duration = Duration::from_secs(10);

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("port {} is in use; choose another with --port", .0.port())]
    PortInUse(SocketAddr),
    #[error("no permission to listen on {0}; choose a port of 1024 or higher with --port")]
    NotPermitted(SocketAddr),
    #[error("{} is not an address of this machine; choose another with --host", .0.ip())]
    NotAnAddress(SocketAddr),
    #[error("cannot listen on {0}: {1}")]
    Failed(SocketAddr, io::Error),
}

/// An address that accepts connections. They wait until something serves them.
pub struct Bound {
    listener: TcpListener,
    reachable: SocketAddr,
}

impl Bound {
    /// Binds an address; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ListenError`] if the system does not allow it.
    pub async fn to(address: SocketAddr) -> Result<Self, ListenError> {
        // For clients of what is served here.
        crate::api::use_ring();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => ListenError::PortInUse(address),
            io::ErrorKind::PermissionDenied => ListenError::NotPermitted(address),
            io::ErrorKind::AddrNotAvailable => ListenError::NotAnAddress(address),
            _ => ListenError::Failed(address, error),
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let reachable = reachable(listener.local_addr().map_err(failed)?);
        Ok(Self { listener, reachable })
    }

    /// `http://address:port`, reachable from this machine.
    pub fn url(&self) -> String {
        format!("http://{}", self.reachable)
    }

    pub fn port(&self) -> u16 {
        self.reachable.port()
    }

    /// Serves every request with one handler until [`Server::stop`].
    pub fn serve<H, T, S>(self, handler: H, state: S) -> Server
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let app = handler.with_state(state).into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(LimitedListener::new(self.listener, connections_max()), app);
        let serving = serving.with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        let mut task = JoinSet::new();
        task.spawn(async move {
            // It only ends by the stop, and has no error of its own.
            let _ = serving.await;
        });
        Server { stop, task }
    }
}

/// A running server. If it is dropped, it accepts no more requests, and idle connections close.
pub struct Server {
    stop: oneshot::Sender<()>,
    // A set and not a handle, because a set aborts its task when it is dropped.
    task: JoinSet<()>,
}

impl Server {
    /// Accepts no more requests, lets running ones finish, and stops.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        if tokio::time::timeout(GRACE, self.task.join_next()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }
}

/// The address that a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl Connected<IncomingStream<'_, LimitedListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, LimitedListener>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

/// The address to call a server at. One that listens on every address is called over loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests;
