//! A webhook receiver that keeps what it receives. Signatures are checked by the reference implementation of Standard
//! Webhooks, not by the code under test.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use platform::outbound::Resolver;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::wait::LIMIT;

/// Resolves every name to the same public address, so that no test uses DNS.
#[derive(Clone, Copy, Debug)]
pub struct Names;

impl Resolver for Names {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![IpAddr::from([93, 184, 216, 34])]) })
    }
}

/// A received message.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// `webhook-id`.
    pub id: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The status it was answered with.
    pub answered: u16,
}

impl Arrived {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    /// Verifies the message with the reference implementation and the system clock.
    ///
    /// # Errors
    /// The reference implementation's own.
    pub fn verify(&self, secret: &str) -> Result<(), standardwebhooks::WebhookError> {
        standardwebhooks::Webhook::new(secret)?.verify(&self.body, &self.headers)
    }

    /// Whether the reference implementation creates the same signature with this secret. Unlike [`Arrived::verify`] this
    /// ignores the current time, because the clock of that implementation can't be set.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
        let header = |name: &str| self.headers[name].to_str().expect("text").to_owned();
        let timestamp: i64 = header("webhook-timestamp").parse().expect("a number");
        let expected = webhook.sign(&self.id, timestamp, &self.body).expect("a signature");
        header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

/// The reply to a message, by its id and the number of earlier attempts.
type Answering = Arc<dyn Fn(&str, u32) -> Reply + Send + Sync>;

#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

#[derive(Default)]
struct Kept {
    arrived: Vec<Arrived>,
    times: BTreeMap<String, u32>,
}

pub struct Receiver {
    url: String,
    kept: Arc<Mutex<Kept>>,
    answering: Arc<Mutex<Answering>>,
    arrived: Arc<Notify>,
    /// Whether replies wait.
    held: watch::Sender<bool>,
    _server: JoinSet<()>,
}

impl Receiver {
    /// Listens on a free local port and answers 204 to everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://127.0.0.1:{}/hook", listener.local_addr().expect("an address").port());
        let kept = Arc::<Mutex<Kept>>::default();
        let answering: Arc<Mutex<Answering>> = Arc::new(Mutex::new(Arc::new(|_, _| Reply::status(204))));
        let arrived = Arc::<Notify>::default();
        let held = watch::Sender::new(false);
        let mut server = JoinSet::new();
        let replies = (Arc::clone(&answering), held.subscribe());
        server.spawn(serve(listener, Arc::clone(&kept), replies, Arc::clone(&arrived)));
        Self { url, kept, answering, arrived, held, _server: server }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets the replies by the message's id and the number of earlier attempts.
    pub fn answer(&self, answering: impl Fn(&str, u32) -> Reply + Send + Sync + 'static) {
        *self.answering.lock().expect("whole") = Arc::new(answering);
    }

    /// Lets messages arrive, but sends no reply until [`Receiver::go_on`].
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    pub fn go_on(&self) {
        self.held.send_replace(false);
    }

    /// All messages, in order.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.kept.lock().expect("whole").arrived.clone()
    }

    /// Removes and returns the messages so far. For tests with too many messages to keep them all.
    pub fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.kept.lock().expect("whole").arrived)
    }

    /// Waits until the message with this id has arrived.
    ///
    /// # Panics
    /// After two minutes.
    pub async fn until_arrived(&self, id: &str) {
        let arrives = async {
            while !self.kept.lock().expect("whole").times.contains_key(id) {
                self.arrived.notified().await;
            }
        };
        tokio::time::timeout(LIMIT, arrives).await.unwrap_or_else(|_| panic!("waited {LIMIT:?} for message {id}"));
    }

    /// The messages of this type, in order.
    pub fn of_type(&self, kind: &str) -> Vec<Arrived> {
        self.arrived().into_iter().filter(|arrived| arrived.kind() == kind).collect()
    }
}

/// How messages are answered, and whether the replies wait.
type Replies = (Arc<Mutex<Answering>>, watch::Receiver<bool>);

async fn serve(listener: TcpListener, kept: Arc<Mutex<Kept>>, replies: Replies, arrived: Arc<Notify>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (kept, replies, arrived) = (Arc::clone(&kept), replies.clone(), Arc::clone(&arrived));
        let service =
            service_fn(move |request| take(request, Arc::clone(&kept), replies.clone(), Arc::clone(&arrived)));
        connections.spawn(async move {
            // A sender may disconnect.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn take(
    request: Request<Incoming>,
    kept: Arc<Mutex<Kept>>,
    (answering, mut held): Replies,
    arrived: Arc<Notify>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    let id = head.headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let answering = Arc::clone(&answering.lock().expect("whole"));
    let reply = {
        let mut kept = kept.lock().expect("whole");
        let times = kept.times.entry(id.clone()).or_default();
        let reply = answering(&id, *times);
        *times += 1;
        kept.arrived.push(Arrived { id, headers: head.headers, body, answered: reply.status });
        reply
    };
    arrived.notify_one();
    // The test has ended if there is no sender any more.
    let _ = held.wait_for(|held| !held).await;
    let mut answer = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        answer = answer.header(*name, value);
    }
    Ok(answer.body(Full::from(reply.body)).expect("an answer"))
}
