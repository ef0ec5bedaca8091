//! Sends requests until there is an answer that repeating does not change. Every request of an import can be repeated.

use std::time::Duration;

use domain::{CallerKind, PartnerId};
use platform::random::{Random, SystemRandom};
use serde_json::Value;

use super::kind::Kind;
use crate::api::{Answer, Call};
use crate::client::{Client, ClientError, Rejection, Retry};

/// Five minutes, however often.
pub const PATIENCE: Retry = Retry {
    tries: u32::MAX,
    first_wait: Duration::from_millis(250),
    longest_wait: Duration::from_secs(30),
    longest_total: Duration::from_secs(300),
};

/// Told before each wait, with how long it is.
type Notify = Box<dyn Fn(&ClientError, Duration) + Send + Sync>;

pub struct Server {
    client: Client,
    retry: Retry,
    notify: Notify,
}

/// Why no more lines are sent.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{kind} are imported with the key of {needed}, and this is the key of {given}. Nothing was sent")]
    WrongKey { kind: Kind, needed: &'static str, given: &'static str },
}

/// A success, or a rejection of this request that says nothing about others.
pub type Sent = Result<Answer, Box<Rejection>>;

impl Server {
    pub fn new(client: Client, retry: Retry, notify: impl Fn(&ClientError, Duration) + Send + Sync + 'static) -> Self {
        Self { client, retry, notify: Box::new(notify) }
    }

    /// The partner whose key it is, if the kind is imported with a partner's key. It is asked once, so that a wrong address is
    /// found at once.
    ///
    /// # Errors
    /// [`Refused::WrongKey`] if the key belongs to a caller of another kind.
    pub async fn check_key(&self, kind: Kind) -> Result<Option<PartnerId>, Refused> {
        let me = self.client.call(&Call::get("/v1/me")).await?;
        let unknown = || ClientError::Unexpected("GET /v1/me has no kind".to_owned());
        let given = me.text("/kind").and_then(CallerKind::parse).ok_or_else(unknown)?;
        if given != kind.caller() {
            return Err(Refused::WrongKey { kind, needed: person(kind.caller()), given: person(given) });
        }
        Ok(me.text("/id").and_then(PartnerId::parse))
    }

    /// The largest batch of subscriptions.
    ///
    /// # Errors
    /// [`Refused`] if there is no answer.
    pub async fn batch_size(&self) -> Result<usize, Refused> {
        let policy = self.read("/v1/policy").await?;
        let size = policy.json().pointer("/limits/subscriptions_per_batch_max").and_then(Value::as_u64);
        // The smallest batch is allowed by every policy.
        Ok(size.and_then(|size| usize::try_from(size).ok()).unwrap_or(1))
    }

    /// Reads what an import cannot start without.
    async fn read(&self, path: &str) -> Result<Answer, Refused> {
        let sent = self.send(Call::get(path)).await?;
        Ok(sent.map_err(ClientError::Rejected)?)
    }

    /// Sends a request, and repeats it while that may help.
    ///
    /// # Errors
    /// [`Refused`] if further requests would fail too.
    pub async fn send(&self, call: Call) -> Result<Sent, Refused> {
        let jitter = || f64::from(SystemRandom.bytes()[0]) / 255.0;
        let wait = |time, error: &ClientError| {
            (self.notify)(error, time);
            tokio::time::sleep(time)
        };
        match self.client.call_retrying(&call, &self.retry, jitter, wait).await {
            Ok(answer) => Ok(Ok(answer)),
            Err(ClientError::Rejected(rejection)) if !concerns_all(&rejection) => Ok(Err(rejection)),
            // A limit of one customer.
            Err(ClientError::Retryable(rejection, _)) if code(&rejection) == "rate_limited" => Ok(Err(rejection)),
            Err(error) => Err(error.into()),
        }
    }
}

fn person(caller: CallerKind) -> &'static str {
    match caller {
        CallerKind::Operator => "an operator",
        CallerKind::Partner => "a partner",
        CallerKind::Customer => "a customer",
    }
}

/// Whether every request of this key is rejected in the same way.
fn concerns_all(rejection: &Rejection) -> bool {
    // The gateway rejects no single line.
    matches!(code(rejection), "" | "forbidden" | "role_not_permitted")
}

/// Empty for an error of the gateway.
pub fn code(rejection: &Rejection) -> &str {
    rejection.code.as_deref().unwrap_or_default()
}

/// Why a request was rejected, for a person.
pub fn reason(rejection: &Rejection) -> String {
    let Some(first) = rejection.errors.first() else { return rejection.detail.clone() };
    format!("`{}`: {}", first.pointer.trim_start_matches('/'), first.detail)
}
