//! One attempt to deliver a message.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::address::is_public;
use super::exchange::exchange;
use super::reply::{Attempted, Failure, Outcome, Reply};
use super::resolve::Resolver;
use super::tls::{self, SenderError};
use super::url::{EndpointUrl, Loopback};

/// A message as it is sent, with the three headers of Standard Webhooks.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// `webhook-id`: the same on every attempt.
    pub id: &'a str,
    /// `webhook-timestamp`: when this attempt is made, in Unix seconds.
    pub timestamp: i64,
    /// `webhook-signature`: one entry for each live secret, with one space between two
    /// ([`sign`](crate::secrets::signature::sign)).
    pub signature: String,
    /// The body, byte for byte what was signed.
    pub body: &'a [u8],
}

/// What a [`Sender`] goes by. Everything but the default is for tests.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The roots to trust, as PEM; without, the system's.
    pub roots: Option<Vec<u8>>,
    /// Which addresses of a name may be connected to.
    pub permits: fn(IpAddr) -> bool,
    /// How long look-up, connection and TLS handshake may take together.
    pub connect: Duration,
    /// How long all may take, from the look-up to the end of reading.
    pub total: Duration,
}

impl Default for Settings {
    /// The system's roots, [`is_public`], 5 s and 15 s.
    fn default() -> Self {
        Self { roots: None, permits: is_public, connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// Sends messages, each over a connection of its own.
pub struct Sender {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) tls: TlsConnector,
    pub(super) loopback: Loopback,
    pub(super) settings: Settings,
}

impl Sender {
    /// A sender that trusts the system's roots and connects to public addresses only; `loopback` says whether
    /// `http://127.0.0.1:<port>` may be reached all the same.
    ///
    /// # Errors
    /// See [`SenderError`].
    pub fn new(resolver: Arc<dyn Resolver>, loopback: Loopback) -> Result<Self, SenderError> {
        Self::with(resolver, loopback, Settings::default())
    }

    /// A sender with settings of its own, for tests.
    ///
    /// # Errors
    /// See [`SenderError`].
    pub fn with(resolver: Arc<dyn Resolver>, loopback: Loopback, settings: Settings) -> Result<Self, SenderError> {
        let tls = tls::connector(settings.roots.as_deref(), loopback)?;
        Ok(Self { resolver, tls, loopback, settings })
    }

    /// Makes one attempt over a connection of its own, which is gone when this returns. No redirect is followed and no
    /// proxy asked.
    pub async fn send(&self, url: &EndpointUrl, message: &Message<'_>) -> Attempted {
        let began = Instant::now();
        let outcome = match self.attempt(url, message, began).await {
            Ok(reply) => Outcome::Answered(reply),
            Err(failure) => Outcome::Failed(failure),
        };
        Attempted { outcome, latency: began.elapsed() }
    }

    async fn attempt(&self, url: &EndpointUrl, message: &Message<'_>, began: Instant) -> Result<Reply, Failure> {
        let stream = self.open(url, began + self.settings.connect).await?;
        exchange(stream, url, message, began + self.settings.total).await
    }
}
