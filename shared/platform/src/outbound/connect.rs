//! A connection to an endpoint: the name is looked up, each address is vetted, and what is connected to is the very
//! address that was vetted. A name that leads elsewhere a moment later (DNS rebinding) is therefore of no use.

use std::net::{IpAddr, Ipv4Addr};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::reply::Failure;
use super::send::Sender;
use super::url::{EndpointUrl, Loopback};

/// The most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 16;

/// A connection, with TLS or without: boxed, so that HTTP is compiled once.
pub(super) type Stream = Box<dyn Duplex>;

/// What can be read and written.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Sender {
    /// Opens a connection to the first address that takes it and, with TLS, shows the host's certificate. Each address
    /// gets an equal share of the time that is left, so that one that swallows everything doesn't stand in the way of
    /// the next. The failure is that of the last.
    pub(super) async fn open(&self, url: &EndpointUrl, deadline: Instant) -> Result<Stream, Failure> {
        let looked_up = timeout_at(deadline, self.addresses(url)).await;
        let addresses = looked_up.unwrap_or(Err(Failure::Timeout))?;
        let mut failure = Failure::Forbidden;
        for (left, address) in (1..=addresses.len()).rev().zip(&addresses) {
            let rest = deadline.saturating_duration_since(Instant::now());
            let share = rest / u32::try_from(left).unwrap_or(u32::MAX);
            match timeout(share, self.open_one(url, *address)).await.unwrap_or(Err(Failure::Timeout)) {
                Ok(stream) => return Ok(stream),
                Err(reason) => failure = reason,
            }
        }
        Err(failure)
    }

    /// The addresses that may be connected to; none only as an error.
    async fn addresses(&self, url: &EndpointUrl) -> Result<Vec<IpAddr>, Failure> {
        if url.is_loopback() {
            return match self.loopback {
                Loopback::Allowed => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
                Loopback::Refused => Err(Failure::Forbidden),
            };
        }
        let found = self.resolver.resolve(url.host(), url.port()).await.map_err(|_| Failure::Dns)?;
        if found.is_empty() {
            return Err(Failure::Dns);
        }
        let permitted: Vec<_> =
            found.into_iter().filter(|ip| (self.settings.permits)(*ip)).take(MAX_ADDRESSES).collect();
        if permitted.is_empty() { Err(Failure::Forbidden) } else { Ok(permitted) }
    }

    async fn open_one(&self, url: &EndpointUrl, address: IpAddr) -> Result<Stream, Failure> {
        let tcp = TcpStream::connect((address, url.port())).await.map_err(|_| Failure::Connect)?;
        if url.is_loopback() {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(url.host().to_owned()).map_err(|_| Failure::Tls)?;
        let tls = self.tls.connect(name, tcp).await.map_err(|_| Failure::Tls)?;
        Ok(Box::new(tls))
    }
}
