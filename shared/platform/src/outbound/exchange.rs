//! One request and its answer over an open connection. Nothing is spawned: connection and request are polled together,
//! so that when the call returns nothing of it is left, which a function that is frozen between calls needs.

use std::future::poll_fn;
use std::pin::pin;

use futures_util::FutureExt;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use super::connect::Stream;
use super::reply::{Failure, Reply};
use super::send::Message;
use super::url::EndpointUrl;

/// The most bytes of an answer's head.
const MAX_HEAD: usize = 16 * 1024;

/// After so many bytes of a body the connection is dropped, whatever else there is.
const MAX_BODY: usize = 16 * 1024;

const AGENT: &str = concat!("multipartner/", env!("CARGO_PKG_VERSION"));

/// Sends a message and reads the answer. When the deadline comes, an answer whose head is there counts, with as much of
/// its body as arrived; so does one whose body is cut off or wrong. Interim answers (1xx) are passed over and end with
/// the deadline; redirects are answers.
pub(super) async fn exchange(
    stream: Stream,
    url: &EndpointUrl,
    message: &Message<'_>,
    deadline: Instant,
) -> Result<Reply, Failure> {
    let request = request(url, message).map_err(|_| Failure::Protocol)?;
    let opened = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut requests, connection) = opened.map_err(|_| Failure::Protocol)?;
    let answered = async {
        let response = timeout_at(deadline, requests.send_request(request)).await.map_err(|_| Failure::Timeout)?;
        let (head, body) = response.map_err(|_| Failure::Protocol)?.into_parts();
        Ok(Reply::read(&head, &read(body, deadline).await))
    };
    alongside(connection, answered).await
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

/// As much of a body as is wanted, arrives in time and is in form.
async fn read(mut body: Incoming, deadline: Instant) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_BODY {
        let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await else { break };
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    bytes
}

/// Runs some work to its end, and a connection for as long.
async fn alongside<F: Future>(connection: impl Future, work: F) -> F::Output {
    let mut connection = pin!(connection.fuse());
    let mut work = pin!(work);
    poll_fn(|context| {
        // First, so that a request is there when the connection looks for one.
        let done = work.as_mut().poll(context);
        if done.is_pending() {
            // How the connection ends is told to whoever waits for the answer.
            let _ = connection.as_mut().poll(context).is_ready();
        }
        done
    })
    .await
}
