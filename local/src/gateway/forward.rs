//! Takes a request to its function and returns the response.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use data_encoding::BASE64URL;
use http::request::Parts;
use http::{Method, Request};
use platform::clock::Clock;
use platform::handler::App;
use platform::lambda::{Function, Invocation, invoke};
use platform::random::Random;
use tokio::sync::Notify;

use super::event::Arrival;
use super::response::{self, Answer, GatewayError};
use super::router::Router;
use crate::net::{BodyError, read_body};

/// The gateway's limit for request line and headers, in bytes.
pub(super) const HEAD_MAX: usize = 10_240;
/// The gateway's limit for a body, in bytes.
pub(super) const PAYLOAD_MAX: usize = 10 * 1024 * 1024;
/// Lambda's limit for the whole event of one invocation, in bytes.
pub(super) const EVENT_MAX: usize = 6 * 1024 * 1024;
/// The gateway's limit for a response.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// What serves a route.
#[derive(Clone)]
pub struct Target {
    pub function: Function,
    /// The function's own state. No other function shares it.
    pub app: Arc<App>,
}

pub struct Gateway {
    pub router: Router<Target>,
    /// The port that it listens on, for `x-forwarded-port`.
    pub port: u16,
    /// How long a function may run.
    pub function_timeout: Duration,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Notified after every request that may have written something.
    pub committed: Arc<Notify>,
}

impl Gateway {
    /// Returns the function's response, or the gateway's own error.
    pub async fn answer<B>(&self, request: Request<B>, peer: IpAddr) -> Answer
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let random = self.random.bytes();
        // 16 characters with padding, like those of the real gateway.
        let id = BASE64URL.encode(&random[..11]);
        let invocation = Invocation { id: uuid(&random), remaining: self.function_timeout };
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let answer = self.forward(request, peer, &id, invocation).await;
        if !reads {
            self.committed.notify_one();
        }
        answer.unwrap_or_else(|error| error.answer(&id))
    }

    async fn forward<B>(
        &self,
        request: Request<B>,
        peer: IpAddr,
        id: &str,
        invocation: Invocation,
    ) -> Result<Answer, GatewayError>
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if head_size(&head) > HEAD_MAX {
            return Err(GatewayError::HeadersTooLarge);
        }
        let route = self.router.find(head.method.as_str(), head.uri.path()).ok_or(GatewayError::NotFound)?;
        let body = read_body(body, PAYLOAD_MAX).await?;
        let arrival = Arrival {
            head: &head,
            body: &body,
            route_key: route.key,
            parameters: &route.parameters,
            peer,
            port: self.port,
            id,
            at: self.clock.now(),
        };
        let event = serde_json::to_vec(&arrival.event()).map_err(|_| GatewayError::InternalServerError)?;
        if event.len() > EVENT_MAX {
            return Err(GatewayError::EntityTooLarge);
        }
        run(route.target.clone(), event, invocation, id).await
    }
}

/// Runs the function as a task of its own: as in Lambda, it finishes even if the client disconnects.
async fn run(target: Target, event: Vec<u8>, invocation: Invocation, id: &str) -> Result<Answer, GatewayError> {
    let task = tokio::spawn(async move { invoke(target.app, &target.function, &event, &invocation).await });
    let abort = task.abort_handle();
    match tokio::time::timeout(INTEGRATION_TIMEOUT, task).await {
        Ok(Ok(given)) => Ok(response::from_function(given, id)),
        Ok(Err(_)) => Err(GatewayError::InternalServerError),
        Err(_) => {
            abort.abort();
            Err(GatewayError::ServiceUnavailable)
        }
    }
}

impl From<BodyError> for GatewayError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::EntityTooLarge,
            BodyError::TooSlow => Self::RequestTimeout,
            BodyError::Incomplete => Self::BadRequest,
        }
    }
}

/// The bytes that request line and headers take in HTTP/1.1.
pub(super) fn head_size(head: &Parts) -> usize {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = head.method.as_str().len() + target + "  HTTP/1.1\r\n".len();
    let header =
        |(name, value): (&http::HeaderName, &http::HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
    line + head.headers.iter().map(header).sum::<usize>()
}

/// An invocation id from the last 16 bytes.
pub(super) fn uuid(bytes: &[u8; 32]) -> String {
    let hex = data_encoding::HEXLOWER.encode(&bytes[16..]);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
