//! Connecting to an endpoint. The name is resolved, each address is checked, and the connection goes to the address that was
//! checked. So a name that resolves to another address a moment later (DNS rebinding) has no effect.

use std::future::ready;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::endpoint_url::{EndpointUrl, Loopback};
use super::reply::Failure;
use super::tls::Tls;
use crate::network::dial;
use crate::network::resolve::Resolver;
use crate::network::stream::Stream;

/// The maximum number of addresses that are tried.
const MAX_ADDRESSES: usize = 16;

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
    pub(super) tls: Tls,
    pub(super) loopback: Loopback,
    /// Which addresses of a name may be connected to.
    pub(super) permits: fn(IpAddr) -> bool,
}

impl Connector {
    /// Opens a connection to the first address that accepts it and, with TLS, presents a certificate for the host. The TLS
    /// handshake is part of an address's share of the time: a server on the Internet that hangs must not use up the time of the
    /// others.
    pub(super) async fn open(&self, place: Place<'_>, deadline: Instant) -> Result<Stream, Failure> {
        let resolved = timeout_at(deadline, self.addresses(place)).await;
        let addresses = resolved.unwrap_or(Err(Failure::Timeout))?;
        let connect = |address| async move { self.secure(place, tcp(address, place.port).await?).await };
        dial::first(&addresses, deadline, Failure::Forbidden, connect, |stream| ready(Ok(stream))).await
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

    async fn secure(&self, place: Place<'_>, tcp: TcpStream) -> Result<Stream, Failure> {
        if place.loopback {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(place.host.to_owned()).map_err(|_| Failure::Tls)?;
        let tls = self.tls.connector().map_err(|_| Failure::Tls)?.connect(name, tcp).await.map_err(|_| Failure::Tls)?;
        Ok(Box::new(tls))
    }
}

async fn tcp(address: IpAddr, port: u16) -> Result<TcpStream, Failure> {
    TcpStream::connect((address, port)).await.map_err(|_| Failure::Connect)
}
