//! Opening a connection to a service.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::message::Target;
use super::trust::{Roots, Trust, is_unknown_root};
use crate::network::dial;
use crate::network::resolve::{Resolver, SystemResolver};
use crate::network::stream::Stream;

/// The limit for a client that has none.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Opener {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) trust: Trust,
}

impl Default for Opener {
    fn default() -> Self {
        Self { resolver: Arc::new(SystemResolver), trust: Trust::default() }
    }
}

impl Opener {
    /// Opens a connection: name resolution, TCP and TLS within the limit. If the certificate is of a root that is not Amazon's,
    /// the second connection has the same time once more.
    pub(super) async fn open(&self, target: &Target, limit: Option<Duration>) -> Result<Stream, ConnectorError> {
        self.open_within(target, limit.unwrap_or(PATIENCE)).await.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => ConnectorError::timeout(error.into()).never_connected(),
            _ => ConnectorError::io(error.into()).never_connected(),
        })
    }

    async fn open_within(&self, target: &Target, limit: Duration) -> io::Result<Stream> {
        let deadline = Instant::now() + limit;
        let addresses = timeout_at(deadline, self.resolver.resolve(target.host(), target.port())).await??;
        let roots = self.trust.roots_for(target.host());
        match self.dial(target, &addresses, roots, deadline).await {
            Err(error) if roots == Roots::Amazon && is_unknown_root(&error) => {
                let opened = self.dial(target, &addresses, Roots::System, Instant::now() + limit).await?;
                self.trust.use_system();
                Ok(opened)
            }
            opened => opened,
        }
    }

    async fn dial(&self, target: &Target, addresses: &[IpAddr], roots: Roots, deadline: Instant) -> io::Result<Stream> {
        let none = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let connect = |address| tcp(address, target.port());
        if !target.is_secure() {
            let plain = |tcp| async move { Ok(Box::new(tcp) as Stream) };
            return dial::first(addresses, deadline, none, connect, plain).await;
        }
        let connector = &self.trust.connector(roots)?;
        // All addresses of a service have certificates of the same root, so an unknown one ends the search.
        let secure = |tcp| async move {
            match tls(connector, target, tcp).await {
                Err(error) if is_unknown_root(&error) => Ok(Err(error)),
                secured => secured.map(Ok),
            }
        };
        dial::first(addresses, deadline, none, connect, secure).await?
    }
}

async fn tcp(address: IpAddr, port: u16) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect((address, port)).await?;
    // Otherwise the end of a request may wait for the acknowledgement of its beginning.
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

async fn tls(connector: &TlsConnector, target: &Target, tcp: TcpStream) -> io::Result<Stream> {
    let name = ServerName::try_from(target.host().to_owned()).map_err(io::Error::other)?;
    Ok(Box::new(connector.connect(name, tcp).await?))
}
