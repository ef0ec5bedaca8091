//! Connecting to an endpoint. The name is resolved, each address is checked, and the connection goes to the address that was
//! checked. So a name that resolves to another address a moment later (DNS rebinding) has no effect.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::endpoint_url::{EndpointUrl, Loopback};
use super::reply::Failure;
use super::resolve::Resolver;

/// The maximum number of addresses that are tried.
const MAX_ADDRESSES: usize = 16;

/// A connection with or without TLS. It is boxed so that the HTTP code is compiled only once.
pub(super) type Stream = Box<dyn Duplex>;

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What a connection is opened to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// Whether it is on this machine, without TLS.
    pub(super) loopback: bool,
}

impl<'a> From<&'a EndpointUrl> for Place<'a> {
    fn from(url: &'a EndpointUrl) -> Self {
        Self { host: url.host(), port: url.port(), loopback: url.is_loopback() }
    }
}

/// Opens connections.
pub(super) struct Connector {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) tls: TlsConnector,
    pub(super) loopback: Loopback,
    /// Which addresses of a name may be connected to.
    pub(super) permits: fn(IpAddr) -> bool,
}

impl Connector {
    /// Opens a connection to the first address that accepts it and, with TLS, presents a certificate for the host. Each
    /// address gets an equal share of the remaining time, so an address that never responds does not use up the time of the
    /// others. The failure is that of the last address.
    pub(super) async fn open(&self, place: Place<'_>, deadline: Instant) -> Result<Stream, Failure> {
        let resolved = timeout_at(deadline, self.addresses(place)).await;
        let addresses = resolved.unwrap_or(Err(Failure::Timeout))?;
        let mut failure = Failure::Forbidden;
        for (left, address) in (1..=addresses.len()).rev().zip(&addresses) {
            let rest = deadline.saturating_duration_since(Instant::now());
            let share = rest / u32::try_from(left).unwrap_or(u32::MAX);
            match timeout(share, self.open_one(place, *address)).await.unwrap_or(Err(Failure::Timeout)) {
                Ok(stream) => return Ok(stream),
                Err(reason) => failure = reason,
            }
        }
        Err(failure)
    }

    /// The addresses that may be connected to. There is at least one.
    async fn addresses(&self, place: Place<'_>) -> Result<Vec<IpAddr>, Failure> {
        if place.loopback {
            return match self.loopback {
                Loopback::Allowed => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
                Loopback::Refused => Err(Failure::Forbidden),
            };
        }
        let found = self.resolver.resolve(place.host, place.port).await.map_err(|_| Failure::Dns)?;
        if found.is_empty() {
            return Err(Failure::Dns);
        }
        let permitted: Vec<_> = found.into_iter().filter(|ip| (self.permits)(*ip)).take(MAX_ADDRESSES).collect();
        if permitted.is_empty() { Err(Failure::Forbidden) } else { Ok(permitted) }
    }

    async fn open_one(&self, place: Place<'_>, address: IpAddr) -> Result<Stream, Failure> {
        let tcp = TcpStream::connect((address, place.port)).await.map_err(|_| Failure::Connect)?;
        if place.loopback {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(place.host.to_owned()).map_err(|_| Failure::Tls)?;
        let tls = self.tls.connect(name, tcp).await.map_err(|_| Failure::Tls)?;
        Ok(Box::new(tls))
    }
}
