//! One connection, and one request over it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use futures_util::FutureExt;
use futures_util::future::{Either, Fuse, FusedFuture};
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};

use super::message::{Body, Target};
use crate::network::drive::run_with;
use crate::network::stream::Stream;

type Connection = http1::Connection<TokioIo<Stream>, Body>;

/// The most bytes of a response's body. DynamoDB's longest have 16 MB.
const MOST_BYTES: usize = 17 << 20;

/// A connection to a service.
pub(super) struct Link {
    requests: SendRequest<Body>,
    /// It is dropped when it ends. Otherwise the request that waits for it would wait forever.
    connection: Pin<Box<Fuse<Connection>>>,
    target: Target,
    idle_since: Instant,
}

/// The result of one request.
pub(super) enum Asked {
    Answered(Response<Bytes>),
    /// The connection had ended before. Nothing was sent.
    NotSent(Box<Request<Body>>),
    Failed(ConnectorError),
}

impl Link {
    pub(super) async fn over(stream: Stream, target: Target) -> Result<Self, ConnectorError> {
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io)?;
        Ok(Self { requests, connection: Box::pin(connection.fuse()), target, idle_since: Instant::now() })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Notes that it is idle from now on.
    pub(super) fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    pub(super) fn idle_for(&self) -> Duration {
        self.idle_since.elapsed()
    }

    /// Looks at an idle connection once: whether it is open and can have a request. Only this notices that the other side closed
    /// it while the function was frozen.
    pub(super) async fn is_usable(&mut self) -> bool {
        poll_fn(|context| {
            let _ = self.connection.as_mut().poll(context).is_ready();
            Poll::Ready(!self.connection.is_terminated() && self.requests.is_ready())
        })
        .await
    }

    /// Sends a request and reads the whole response, within the limit.
    pub(super) async fn ask(&mut self, request: Request<Body>, limit: Option<Duration>) -> Asked {
        let sending = self.requests.try_send_request(request);
        let asked = async {
            let response = match sending.await {
                Ok(response) => response,
                Err(mut error) => {
                    let unsent = error.take_message();
                    return unsent
                        .map_or_else(|| Asked::Failed(io(error.into_error())), |it| Asked::NotSent(it.into()));
                }
            };
            let (head, body) = response.into_parts();
            match Limited::new(body, MOST_BYTES).collect().await {
                Ok(body) => Asked::Answered(Response::from_parts(head, body.to_bytes())),
                Err(error) => Asked::Failed(ConnectorError::io(error)),
            }
        };
        let asked = match limit {
            Some(limit) => Either::Left(timeout(limit, asked)),
            None => Either::Right(asked.map(Ok)),
        };
        let asked = run_with(self.connection.as_mut(), asked).await;
        asked.unwrap_or_else(|elapsed| Asked::Failed(ConnectorError::timeout(elapsed.into())))
    }
}

fn io(error: hyper::Error) -> ConnectorError {
    ConnectorError::io(error.into())
}
