//! Sends requests until there is an answer that repeating does not change. Every request of an import can be repeated.

use std::time::{Duration, Instant};

use domain::{CallerKind, PartnerId};
use platform::secrets::AccessKeyText;
use serde_json::Value;

use super::kind::Kind;
use crate::api::{Answer, Api, Call};

/// The first wait after a failure. It doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

pub struct Server {
    api: Api,
    key: AccessKeyText,
    /// How long a request is repeated while there is no usable answer.
    patience: Duration,
}

/// Why no more lines are sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the server cannot be reached, or cannot process requests now: {0}")]
    Unavailable(String),
    #[error("the server rejects the key: {0}")]
    Key(String),
    #[error("{kind} are imported with the key of {needed}, and this is the key of {given}")]
    WrongKey { kind: Kind, needed: &'static str, given: &'static str },
    #[error("the server does not permit this: {0}")]
    NotPermitted(String),
}

impl Server {
    pub fn new(api: Api, key: AccessKeyText, patience: Duration) -> Self {
        Self { api, key, patience }
    }

    /// The partner whose key it is, if the kind is imported with a partner's key.
    ///
    /// # Errors
    /// [`Refused::WrongKey`] if the key belongs to a caller of another kind.
    pub async fn check_key(&self, kind: Kind) -> Result<Option<PartnerId>, Refused> {
        let me = self.send(Call::get("/v1/me")).await?;
        let given = me.text("/kind").and_then(CallerKind::parse);
        match given {
            Some(given) if given == kind.caller() => Ok(me.text("/id").and_then(PartnerId::parse)),
            Some(given) => Err(Refused::WrongKey { kind, needed: person(kind.caller()), given: person(given) }),
            None => Err(Refused::Unavailable(format!("GET /v1/me returned {}", me.status))),
        }
    }

    /// The largest batch of subscriptions.
    ///
    /// # Errors
    /// [`Refused`] if there is no answer.
    pub async fn batch_size(&self) -> Result<usize, Refused> {
        let policy = self.send(Call::get("/v1/policy")).await?;
        let size = policy.json().pointer("/limits/subscriptions_per_batch_max").and_then(Value::as_u64);
        // The smallest batch is allowed by every policy.
        Ok(size.and_then(|size| usize::try_from(size).ok()).unwrap_or(1))
    }

    /// Sends a request with the key, and repeats it while that may help.
    ///
    /// # Errors
    /// [`Refused`] if further requests would fail too.
    pub async fn send(&self, call: Call) -> Result<Answer, Refused> {
        let call = call.key(self.key.expose_secret());
        let (started, mut wait) = (Instant::now(), FIRST_WAIT);
        loop {
            let sent = self.api.send(&call).await;
            let asked = match &sent {
                Ok(answer) if !is_retryable(answer) => None,
                Ok(answer) => Some(retry_after(answer).unwrap_or(wait)),
                Err(_) => Some(wait),
            };
            match asked {
                Some(asked) if started.elapsed() + asked <= self.patience => tokio::time::sleep(asked).await,
                _ => return sent.map_err(|error| Refused::Unavailable(error.to_string())).and_then(permitted),
            }
            wait = LONGEST_WAIT.min(wait * 2);
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

/// Whether the same request may succeed later.
fn is_retryable(answer: &Answer) -> bool {
    matches!(answer.status, 429 | 502 | 503 | 504) || answer.json()["retryable"] == true
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.header("retry-after")?.parse().ok().map(Duration::from_secs)
}

/// An answer about this line, or a refusal that is the same for every line.
fn permitted(answer: Answer) -> Result<Answer, Refused> {
    let reason = || reason(&answer);
    match (answer.status, answer.code()) {
        (401, _) => Err(Refused::Key(reason())),
        (403, "role_not_permitted" | "partner_not_active" | "forbidden") => Err(Refused::NotPermitted(reason())),
        // A limit of one customer concerns one line.
        (429, "rate_limited") => Ok(answer),
        (429 | 500.., _) => Err(Refused::Unavailable(reason())),
        _ => Ok(answer),
    }
}

/// Why a request failed, for a person.
pub fn reason(answer: &Answer) -> String {
    let title = answer.text("/detail").or(answer.text("/title")).or(answer.text("/message"));
    let first = answer.text("/errors/0/pointer").zip(answer.text("/errors/0/detail"));
    let code = answer.code();
    let mut reason = title.map_or_else(|| format!("the server returned {}", answer.status), str::to_owned);
    if let Some((pointer, detail)) = first {
        reason = format!("`{}`: {detail}", pointer.trim_start_matches('/'));
    }
    if code.is_empty() { reason } else { format!("{reason} ({code})") }
}
