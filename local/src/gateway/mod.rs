//! Stands in for API Gateway: an HTTP API with payload format 2.0 in front of the same functions. A request becomes the
//! bytes of an event, and the event goes the way it goes in Lambda.

mod answer;
pub mod event;
mod router;
mod server;

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL;
use http::request::Parts;
use http::{Method, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use platform::clock::Clock;
use platform::handler::App;
use platform::lambda::{Function, Invocation, invoke};
use platform::random::Random;
use tokio::sync::Notify;

pub use self::answer::{Answer, Refusal};
pub use self::router::Router;
pub use self::server::serve;

use self::event::Arrival;

/// The gateway's limit for request line and headers, in bytes.
const HEAD_MAX: usize = 10_240;
/// The gateway's limit for a body, in bytes.
const PAYLOAD_MAX: usize = 10 * 1024 * 1024;
/// Lambda's limit for the whole event of one invocation, in bytes.
const EVENT_MAX: usize = 6 * 1024 * 1024;
/// The gateway's limit for an answer.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a route leads: a function and what it works with.
#[derive(Clone)]
pub struct Target {
    /// The function.
    pub function: Function,
    /// Its own state, shared with no other function.
    pub app: Arc<App>,
}

/// The gateway.
pub struct Gateway {
    /// The routes.
    pub router: Router<Target>,
    /// The port it listens on, for `x-forwarded-port`.
    pub port: u16,
    /// How long a function may run.
    pub function_timeout: Duration,
    /// Tells events their time.
    pub clock: Arc<dyn Clock>,
    /// Makes request ids.
    pub random: Arc<dyn Random>,
    /// Told after every request that may have written something.
    pub committed: Arc<Notify>,
}

impl Gateway {
    /// Answers a request, whatever it is.
    pub async fn answer<B>(&self, request: Request<B>, peer: IpAddr) -> Answer
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let random = self.random.bytes();
        // Sixteen characters with padding, like the real ones.
        let id = BASE64URL.encode(&random[..11]);
        let invocation = Invocation { id: uuid(&random), remaining: self.function_timeout };
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let answer = self.forward(request, peer, &id, invocation).await;
        if !reads {
            self.committed.notify_one();
        }
        answer.unwrap_or_else(|refusal| refusal.answer(&id))
    }

    async fn forward<B>(
        &self,
        request: Request<B>,
        peer: IpAddr,
        id: &str,
        invocation: Invocation,
    ) -> Result<Answer, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if head_size(&head) > HEAD_MAX {
            return Err(Refusal::HeadersTooLarge);
        }
        let route = self.router.find(head.method.as_str(), head.uri.path()).ok_or(Refusal::NotFound)?;
        let body = read(body).await?;
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
        let event = serde_json::to_vec(&arrival.event()).map_err(|_| Refusal::InternalServerError)?;
        if event.len() > EVENT_MAX {
            return Err(Refusal::EntityTooLarge);
        }
        run(route.target.clone(), event, invocation, id).await
    }
}

/// Runs the function as a task of its own: as in Lambda, it finishes even if the client has gone.
async fn run(target: Target, event: Vec<u8>, invocation: Invocation, id: &str) -> Result<Answer, Refusal> {
    let task = tokio::spawn(async move { invoke(target.app, &target.function, &event, &invocation).await });
    let abort = task.abort_handle();
    match tokio::time::timeout(INTEGRATION_TIMEOUT, task).await {
        Ok(Ok(given)) => Ok(answer::from_function(given, id)),
        Ok(Err(_)) => Err(Refusal::InternalServerError),
        Err(_) => {
            abort.abort();
            Err(Refusal::ServiceUnavailable)
        }
    }
}

async fn read<B>(body: B) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.size_hint().lower() > u64::try_from(PAYLOAD_MAX).unwrap_or(u64::MAX) {
        return Err(Refusal::EntityTooLarge);
    }
    match Limited::new(body, PAYLOAD_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::EntityTooLarge),
        Err(_) => Err(Refusal::BadRequest),
    }
}

/// The bytes of request line and headers as they came over the wire.
fn head_size(head: &Parts) -> usize {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = head.method.as_str().len() + target + "  HTTP/1.1\r\n".len();
    let header =
        |(name, value): (&http::HeaderName, &http::HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
    line + head.headers.iter().map(header).sum::<usize>()
}

/// The last sixteen bytes in the form of an invocation's id.
fn uuid(bytes: &[u8; 32]) -> String {
    let hex = data_encoding::HEXLOWER.encode(&bytes[16..]);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests;
