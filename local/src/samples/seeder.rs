//! Sends the requests that create the samples.

use serde_json::Value;

use crate::api::{Answer, Api, ApiError, Call};

/// A request that creates the samples failed.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("{path}: {error}")]
    NoResponse { path: String, error: ApiError },
    #[error("{path} returned {status}: {body}")]
    Rejected { path: String, status: u16, body: String },
    #[error("{path} returned {status} without {pointer}")]
    Incomplete { path: String, status: u16, pointer: &'static str },
    #[error("{0} is not a tenant id")]
    TenantId(&'static str),
}

pub struct Seeder {
    api: Api,
    /// Whether 4xx responses (409, 403, …) are accepted.
    pub lenient: bool,
}

/// An accepted response.
pub struct Accepted {
    path: String,
    answer: Answer,
}

impl Seeder {
    /// A seeder that accepts 4xx responses.
    pub fn new(base_url: &str) -> Result<Self, SeedError> {
        let api = Api::new(base_url).map_err(|error| SeedError::NoResponse { path: base_url.to_owned(), error })?;
        Ok(Self { api, lenient: true })
    }

    pub async fn send(&self, call: Call) -> Result<Accepted, SeedError> {
        let failed = |error| SeedError::NoResponse { path: call.path.clone(), error };
        let answer = self.api.send(&call).await.map_err(failed)?;
        if (200..300).contains(&answer.status) || (self.lenient && (400..500).contains(&answer.status)) {
            return Ok(Accepted { path: call.path, answer });
        }
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        Err(SeedError::Rejected { path: call.path, status: answer.status, body })
    }

    /// Posts a JSON body with a key.
    pub async fn post(&self, key: &str, path: &str, body: Value) -> Result<Accepted, SeedError> {
        self.send(Call::post(path, &body).key(key)).await
    }
}

impl Accepted {
    /// Whether the request created something.
    pub fn is_new(&self) -> bool {
        self.answer.status == 201
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &'static str) -> Result<String, SeedError> {
        let incomplete = || SeedError::Incomplete { path: self.path.clone(), status: self.answer.status, pointer };
        self.answer.text(pointer).map(str::to_owned).ok_or_else(incomplete)
    }
}
