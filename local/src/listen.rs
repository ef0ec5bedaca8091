//! `listen`: receives webhooks, checks them and reports them. It does what a partner's own receiver has to do: verify before
//! reading, return 2xx only after that, and recognize a repeated message by its id.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use platform::clock::{Clock, SystemClock};
use platform::secrets::signature::{SignatureError, SignatureHeaders, SigningSecret};
use serde_json::Value;

use crate::net::{BodyError, Bound, ListenError, Server, read_body};

/// The largest message, in bytes. Those of Multipartner are smaller.
const MESSAGE_MAX: usize = 64 * 1024;

/// A request to the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    Message(Message),
    Rejected(Rejection),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    /// The event's type.
    pub kind: String,
    /// Indented JSON, whose strings contain no line breaks.
    pub body: String,
    /// False if there was no secret to check the signature with.
    pub verified: bool,
    /// Whether a message with this id came before.
    pub repeated: bool,
}

/// Why a request is not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("the body is larger than {MESSAGE_MAX} bytes")]
    TooLarge,
    #[error("the body is incomplete")]
    Incomplete,
    #[error("the body is not JSON")]
    NotJson,
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Rejection {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete | Self::NotJson => StatusCode::BAD_REQUEST,
            Self::Signature(_) => StatusCode::UNAUTHORIZED,
        }
    }
}

/// A receiver of webhooks.
pub struct Listener {
    url: String,
    server: Server,
}

struct Receiver {
    secrets: Vec<SigningSecret>,
    seen: Mutex<BTreeSet<String>>,
    report: Box<dyn Fn(&Received) + Send + Sync>,
}

impl Listener {
    /// Listens, and reports every request. Without a secret it checks no signature.
    ///
    /// # Errors
    /// [`ListenError`], for example if the port is in use.
    pub async fn start(
        host: IpAddr,
        port: u16,
        secrets: Vec<SigningSecret>,
        report: impl Fn(&Received) + Send + Sync + 'static,
    ) -> Result<Self, ListenError> {
        let bound = Bound::to(SocketAddr::new(host, port)).await?;
        let receiver = Receiver { secrets, seen: Mutex::default(), report: Box::new(report) };
        Ok(Self { url: bound.url(), server: bound.serve(receive, Arc::new(receiver)) })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Body) -> StatusCode {
    let message = match read_body(body, MESSAGE_MAX).await {
        Ok(body) => receiver.check(&headers, &body),
        Err(BodyError::TooLarge) => Err(Rejection::TooLarge),
        Err(BodyError::TooSlow | BodyError::Incomplete) => Err(Rejection::Incomplete),
    };
    let (status, received) = match message {
        Ok(message) => (StatusCode::NO_CONTENT, Received::Message(message)),
        Err(rejection) => (rejection.status(), Received::Rejected(rejection)),
    };
    (receiver.report)(&received);
    status
}

impl Receiver {
    fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<Message, Rejection> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let signature =
            SignatureHeaders::parse(header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))?;
        signature.check_time(SystemClock.now().seconds())?;
        let verified = !self.secrets.is_empty();
        if verified {
            signature.verify(&self.secrets, body)?;
        }
        let json: Value = serde_json::from_slice(body).map_err(|_| Rejection::NotJson)?;
        let id = signature.id().to_owned();
        let repeated = !self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        let kind = json["type"].as_str().unwrap_or_default().to_owned();
        Ok(Message { id, kind, body: format!("{json:#}"), verified, repeated })
    }
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
    async fn only_a_fresh_signed_message_is_accepted_and_a_repeated_one_is_recognized() {
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let reported = Arc::clone(&received);
        let secrets = vec![SigningSecret::parse(SECRET).unwrap()];
        let report = move |one: &Received| reported.lock().unwrap().push(one.clone());
        let listener = Listener::start(Ipv4Addr::LOCALHOST.into(), 0, secrets, report).await.unwrap();
        let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let statuses = [
            send(listener.url(), SECRET, 0).await,
            send(listener.url(), SECRET, 0).await,
            send(listener.url(), other, 0).await,
            send(listener.url(), SECRET, 400).await,
        ];
        assert_eq!(statuses, [204, 204, 401, 401]);
        listener.stop().await;
        let repeated: Vec<_> = received
            .lock()
            .unwrap()
            .iter()
            .map(|one| match one {
                Received::Message(message) => Some((message.verified, message.repeated)),
                Received::Rejected(_) => None,
            })
            .collect();
        assert_eq!(repeated, [Some((true, false)), Some((true, true)), None, None]);
    }
}
