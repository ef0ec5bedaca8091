//! `listen`: a receiver of webhooks that checks and shows them. What a partner's own receiver has to do, it does: verify
//! before anything is read, answer 2xx only then, and know a message that came before by its id.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use platform::clock::{Clock, SystemClock};
use platform::secrets::signature::{SignatureError, SignatureHeaders, SigningSecret};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::{StartError, engine, listen as bind};

/// The largest message, in bytes; ours are smaller.
const MESSAGE_MAX: usize = 64 * 1024;

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message that is signed with one of the secrets, or there was no secret to check with.
    Message {
        /// Its id.
        id: String,
        /// Its type.
        kind: String,
        /// Its body, laid out for a person.
        body: String,
        /// Whether its signature was checked.
        verified: bool,
        /// Whether a message of this id came before.
        again: bool,
    },
    /// Anything else, and why.
    Refused(String),
}

/// A receiver, running until it is dropped.
pub struct Listener {
    url: String,
    _server: JoinSet<()>,
}

struct Ears {
    secrets: Vec<SigningSecret>,
    seen: Mutex<BTreeSet<String>>,
    hear: Box<dyn Fn(&Heard) + Send + Sync>,
}

impl Listener {
    /// Listens, and tells of everything that comes. Without a secret no signature is checked.
    ///
    /// # Errors
    /// [`StartError`] when the port is taken.
    pub async fn start(
        host: IpAddr,
        port: u16,
        secrets: Vec<SigningSecret>,
        hear: impl Fn(&Heard) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let address = SocketAddr::new(host, port);
        let socket = bind(address).await?;
        let url = format!("http://{}", engine::reachable(&socket, address)?);
        let ears = Arc::new(Ears { secrets, seen: Mutex::default(), hear: Box::new(hear) });
        let mut server = JoinSet::new();
        server.spawn(serve(socket, ears));
        Ok(Self { url, _server: server })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn serve(socket: TcpListener, ears: Arc<Ears>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => if let Ok((stream, _)) = accepted {
                let ears = Arc::clone(&ears);
                let service = service_fn(move |request| answer(request, Arc::clone(&ears)));
                connections.spawn(async move {
                    let mut server = http1::Builder::new();
                    // Whoever goes away in the middle is no concern of ours.
                    let _ = server.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(request: Request<Incoming>, ears: Arc<Ears>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let (status, heard) = match Limited::new(body, MESSAGE_MAX).collect().await {
        Ok(body) => ears.take(&head.headers, &body.to_bytes()),
        Err(_) => (StatusCode::PAYLOAD_TOO_LARGE, Heard::Refused("the body is too large or was cut off".into())),
    };
    (ears.hear)(&heard);
    let mut answer = Response::new(Empty::new());
    *answer.status_mut() = status;
    Ok(answer)
}

impl Ears {
    fn take(&self, headers: &HeaderMap, body: &[u8]) -> (StatusCode, Heard) {
        let id = match self.check(headers, body) {
            Ok(id) => id,
            Err(error) => return (StatusCode::UNAUTHORIZED, Heard::Refused(error.to_string())),
        };
        let Ok(json) = serde_json::from_slice::<Value>(body) else {
            return (StatusCode::BAD_REQUEST, Heard::Refused("the body is no JSON".into()));
        };
        let again = !self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        let kind = printable(json["type"].as_str().unwrap_or_default());
        let body = printable(&serde_json::to_string_pretty(&json).unwrap_or_default());
        let verified = !self.secrets.is_empty();
        (StatusCode::NO_CONTENT, Heard::Message { id, kind, body, verified, again })
    }

    fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<String, SignatureError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let signature =
            SignatureHeaders::parse(header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))?;
        signature.check_time(SystemClock.now().seconds())?;
        if !self.secrets.is_empty() {
            signature.verify(&self.secrets, body)?;
        }
        Ok(signature.id().to_owned())
    }
}

/// A text without what a terminal would take for an order.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use platform::secrets::signature::sign;

    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &str = r#"{"type":"endpoint.test","data":{}}"#;

    async fn send(url: &str, secret: &str, age: i64) -> u16 {
        let at = SystemClock.now().seconds() - age;
        let signature = sign(&SigningSecret::parse(secret).unwrap(), "msg_1", at, BODY.as_bytes());
        let call = reqwest::Client::builder().no_proxy().build().unwrap().post(url).body(BODY);
        let call = call.header("webhook-id", "msg_1").header("webhook-timestamp", at.to_string());
        call.header("webhook-signature", signature).send().await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_what_is_signed_and_fresh_is_taken_and_a_repeat_is_known() {
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let ears = Arc::clone(&heard);
        let secrets = vec![SigningSecret::parse(SECRET).unwrap()];
        let hear = move |one: &Heard| ears.lock().unwrap().push(one.clone());
        let listener = Listener::start(Ipv4Addr::LOCALHOST.into(), 0, secrets, hear).await.unwrap();
        let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let statuses = [
            send(listener.url(), SECRET, 0).await,
            send(listener.url(), SECRET, 0).await,
            send(listener.url(), other, 0).await,
            send(listener.url(), SECRET, 400).await,
        ];
        assert_eq!(statuses, [204, 204, 401, 401]);
        let again = |at: usize| matches!(heard.lock().unwrap()[at], Heard::Message { again: true, verified: true, .. });
        assert!(!again(0) && again(1) && !again(2));
    }
}
