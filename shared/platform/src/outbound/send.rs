//! One attempt to deliver a message.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::address::is_public;
use super::connect::Connector;
use super::endpoint_url::{EndpointUrl, Loopback};
use super::exchange::exchange;
use super::message::Message;
use super::reply::{Attempted, Failure, Outcome, Reply};
use super::tls::{SenderError, Tls};
use crate::network::resolve::Resolver;

/// The settings of a [`Sender`]. All but the default are for tests.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The trusted roots as PEM; `None` for the system's.
    pub roots: Option<Vec<u8>>,
    /// Which addresses of a name may be connected to.
    pub permits: fn(IpAddr) -> bool,
    /// The time limit for resolving, connecting and the TLS handshake together.
    pub connect: Duration,
    /// The time limit from resolving to the end of reading.
    pub total: Duration,
}

impl Default for Settings {
    /// The system's roots, [`is_public`], 5 s and 15 s.
    fn default() -> Self {
        Self { roots: None, permits: is_public, connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// Sends messages, each over its own connection.
pub struct Sender {
    connector: Connector,
    connect: Duration,
    total: Duration,
}

impl Sender {
    /// A sender that trusts the system's roots and connects only to public addresses. With [`Loopback::Allowed`] it also
    /// connects to `http://127.0.0.1:<port>`.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn new(resolver: Arc<dyn Resolver>, loopback: Loopback) -> Result<Self, SenderError> {
        Self::with(resolver, loopback, Settings::default())
    }

    /// A sender with other settings, for tests.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn with(resolver: Arc<dyn Resolver>, loopback: Loopback, settings: Settings) -> Result<Self, SenderError> {
        let tls = Tls::new(settings.roots.as_deref(), loopback)?;
        let connector = Connector { resolver, tls, loopback, permits: settings.permits };
        Ok(Self { connector, connect: settings.connect, total: settings.total })
    }

    /// Sets up what sending to this URL needs. A failure is this deployment's own and says nothing about the endpoint.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn prepare(&self, url: &EndpointUrl) -> Result<(), SenderError> {
        if url.is_loopback() { Ok(()) } else { self.connector.tls.connector().map(drop) }
    }

    /// Makes one attempt over its own connection, which is closed when this returns. It follows no redirect and uses no proxy.
    pub async fn send(&self, url: &EndpointUrl, message: &Message<'_>) -> Attempted {
        let began = Instant::now();
        let outcome = match self.attempt(url, message, began).await {
            Ok(reply) => Outcome::Answered(reply),
            Err(failure) => Outcome::Failed(failure),
        };
        Attempted { outcome, latency: began.elapsed() }
    }

    async fn attempt(&self, url: &EndpointUrl, message: &Message<'_>, began: Instant) -> Result<Reply, Failure> {
        let stream = self.connector.open(url.into(), began + self.connect).await?;
        exchange(stream, url, message, began + self.total).await
    }
}
