//! What the samples ask of the API, and what they take for an answer.

use serde_json::Value;

use crate::api::{Answer, Api, Call};

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

/// Who makes the samples.
pub(super) struct Seeder {
    api: Api,
    /// Whether refusals (409, 403, …) are taken as answers.
    pub(super) lenient: bool,
}

/// An answer that was taken.
pub(super) struct Taken {
    path: String,
    answer: Answer,
}

impl Seeder {
    /// One that, until its first answer, takes refusals as answers.
    pub(super) fn new(base_url: &str) -> Result<Self, SeedError> {
        let api = Api::new(base_url).map_err(|error| SeedError::Silent { path: base_url.to_owned(), error })?;
        Ok(Self { api, lenient: true })
    }

    /// Sends a call.
    pub(super) async fn send(&self, call: Call) -> Result<Taken, SeedError> {
        let silent = |error| SeedError::Silent { path: call.path.clone(), error };
        let answer = self.api.send(&call).await.map_err(silent)?;
        if (200..300).contains(&answer.status) || (self.lenient && (400..500).contains(&answer.status)) {
            return Ok(Taken { path: call.path, answer });
        }
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        Err(SeedError::Refused { path: call.path, status: answer.status, body })
    }

    /// Posts a JSON body by a key.
    pub(super) async fn post(&self, key: &str, path: &str, body: Value) -> Result<Taken, SeedError> {
        self.send(Call::post(path, &body).key(key)).await
    }
}

impl Taken {
    /// Whether something new came of it.
    pub(super) fn is_new(&self) -> bool {
        self.answer.status == 201
    }

    /// The text at a JSON pointer.
    pub(super) fn text(&self, pointer: &'static str) -> Result<String, SeedError> {
        let incomplete = || SeedError::Incomplete { path: self.path.clone(), status: self.answer.status, pointer };
        self.answer.text(pointer).map(str::to_owned).ok_or_else(incomplete)
    }
}
