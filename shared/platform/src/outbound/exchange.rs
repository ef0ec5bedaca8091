//! One request and its response over an open connection. Connection and request are polled together and nothing is spawned.
//! So nothing is left when the call returns, since a function may be frozen between calls.

use std::pin::pin;

use futures_util::FutureExt;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::response::Parts;
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use super::endpoint_url::EndpointUrl;
use super::message::Message;
use super::reply::{Failure, Reply};
use crate::network::drive::run_with;
use crate::network::stream::Stream;

/// The maximum number of bytes of a response's head.
const MAX_HEAD: usize = 16 * 1024;

/// After this many bytes of a body the connection is closed.
const MAX_BODY: usize = 16 * 1024;

pub(super) const AGENT: &str = concat!("multipartner/", env!("CARGO_PKG_VERSION"));

/// Sends a message and reads the response. A response counts once its head has arrived: at the deadline, or if the body is cut
/// off or malformed, the body is what has arrived. Interim responses (1xx) are skipped. A redirect is a response.
pub(super) async fn exchange(
    stream: Stream,
    url: &EndpointUrl,
    message: &Message<'_>,
    deadline: Instant,
) -> Result<Reply, Failure> {
    let request = request(url, message).map_err(|_| Failure::Protocol)?;
    let Response { head, body, .. } = round_trip(stream, request, MAX_BODY, deadline).await?;
    Ok(Reply::read(&head, &body))
}

/// A response, with the part of its body that arrived in time and is well-formed.
pub(super) struct Response {
    pub(super) head: Parts,
    pub(super) body: Vec<u8>,
    /// Whether the body ended as it should, before it reached the limit.
    pub(super) complete: bool,
}

/// Sends a request and reads the response. After `max_body` bytes of the body the connection is closed.
pub(super) async fn round_trip(
    stream: Stream,
    request: Request<Full<Bytes>>,
    max_body: usize,
    deadline: Instant,
) -> Result<Response, Failure> {
    let opened = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut requests, connection) = opened.map_err(|_| Failure::Protocol)?;
    let responded = async {
        let response = timeout_at(deadline, requests.send_request(request)).await.map_err(|_| Failure::Timeout)?;
        let (head, body) = response.map_err(|_| Failure::Protocol)?.into_parts();
        let (body, complete) = read(body, max_body, deadline).await;
        Ok(Response { head, body, complete })
    };
    run_with(pin!(connection.fuse()), responded).await
}

fn request(url: &EndpointUrl, message: &Message<'_>) -> http::Result<Request<Full<Bytes>>> {
    Request::builder()
        .method(Method::POST)
        .uri(url.target())
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(USER_AGENT, HeaderValue::from_static(AGENT))
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.timestamp)
        .header("webhook-signature", &message.signature)
        .body(Full::new(Bytes::copy_from_slice(message.body)))
}

/// The part of a body that arrives in time and is well-formed, up to a limit, and whether that is the whole body.
async fn read(mut body: Incoming, max: usize, deadline: Instant) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    while bytes.len() < max {
        match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Ok(None) => return (bytes, true),
            Ok(Some(Err(_))) | Err(_) => break,
        }
    }
    (bytes, false)
}
