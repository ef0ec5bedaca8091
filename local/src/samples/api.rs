//! The little of an API client that the samples need.

use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;

/// A request of the samples failed.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// There was no answer.
    #[error("{path} did not answer: {error}")]
    Silent {
        /// The path asked.
        path: String,
        /// Why.
        error: reqwest::Error,
    },
    /// The answer was a refusal.
    #[error("{path} answered {status}: {body}")]
    Refused {
        /// The path asked.
        path: String,
        /// The status.
        status: u16,
        /// The problem.
        body: String,
    },
    /// The answer lacks what it should hold.
    #[error("{path} answered {status} without {pointer}")]
    Incomplete {
        /// The path asked.
        path: String,
        /// The status.
        status: u16,
        /// What is missing.
        pointer: &'static str,
    },
}

/// A client of the API at one address.
pub(super) struct Api<'a> {
    base_url: &'a str,
    client: Client,
    /// Whether refusals (409, 403, …) are taken as answers.
    pub(super) lenient: bool,
}

/// An answer in JSON.
pub(super) struct Answer {
    path: String,
    pub(super) status: u16,
    body: Value,
}

impl<'a> Api<'a> {
    /// A client that, until its first answer, takes refusals as answers.
    pub(super) fn new(base_url: &'a str) -> Self {
        Self { base_url, client: Client::new(), lenient: true }
    }

    /// Posts a JSON body; an empty key sends none.
    pub(super) async fn post(
        &self,
        key: &str,
        path: &str,
        idempotency_key: Option<&str>,
        body: Value,
    ) -> Result<Answer, SeedError> {
        let silent = |error| SeedError::Silent { path: path.to_owned(), error };
        let mut request = self.client.post(format!("{}{path}", self.base_url)).header(CONTENT_TYPE, "application/json");
        if !key.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.body(body.to_string()).send().await.map_err(silent)?;
        let status = answer.status();
        let text = answer.text().await.map_err(silent)?;
        let taken = status.is_success() || (self.lenient && status.is_client_error());
        if !taken {
            return Err(SeedError::Refused { path: path.to_owned(), status: status.as_u16(), body: text });
        }
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer { path: path.to_owned(), status: status.as_u16(), body })
    }
}

impl Answer {
    /// The text at a JSON pointer.
    pub(super) fn text(&self, pointer: &'static str) -> Result<String, SeedError> {
        let text = self.body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| SeedError::Incomplete { path: self.path.clone(), status: self.status, pointer })
    }
}
