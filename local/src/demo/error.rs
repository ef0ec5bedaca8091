//! Why the demo ends early or fails.

use std::io;

use local::StartError;
use local::api::{Answer, ApiError};
use local::identity_provider::ProviderError;
use local::verify::VerifyError;
use platform::lambda::JobError;
use platform::secrets::signature::SecretError;

/// Why the scenario ends early.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("the job failed: {0}")]
    Job(#[from] JobError),
    /// A step failed that all later steps need.
    #[error(transparent)]
    Step(#[from] FailedStep),
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum FailedStep {
    #[error("{step}: expected {expected}, got {status}: {body}")]
    Status { step: String, expected: u16, status: u16, body: String },
    #[error("the response has no valid {0}")]
    Missing(String),
    #[error("{path}: the response is not a page")]
    NotAPage { path: String },
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl FailedStep {
    /// Checks the status of a step's response.
    pub fn unless_status(step: &str, answer: &Answer, expected: u16) -> Result<(), Self> {
        if answer.status == expected {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        Err(Self::Status { step: step.to_owned(), expected, status: answer.status, body })
    }

    /// The text that a response must have at a JSON pointer.
    pub fn text(answer: &Answer, pointer: &str) -> Result<String, Self> {
        answer.text(pointer).map(str::to_owned).ok_or_else(|| Self::Missing(pointer.to_owned()))
    }
}

/// Some guarantees did not hold.
#[derive(Debug, thiserror::Error)]
#[error("{broken} of {checked} guarantees did not hold")]
pub struct Broken {
    pub broken: usize,
    pub checked: usize,
}

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Stop(#[from] Stop),
    #[error(transparent)]
    Broken(#[from] Broken),
}
