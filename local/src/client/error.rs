//! Why a call did not succeed.

use std::time::Duration;

use super::Rejection;
use crate::api::Answer;

/// Why a call did not succeed. No message contains the key.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// This machine cannot make calls.
    #[error("cannot make calls: {0}")]
    Setup(String),
    /// There was no whole response. A change that was sent may have taken effect.
    #[error("cannot reach {address}: {cause}")]
    Unreachable { address: String, cause: String, is_sent_change: bool },
    /// The service says that the same call may succeed later.
    #[error("{}: {}", .0.title, .0.detail)]
    Retryable(Box<Rejection>, Option<Duration>),
    /// The key is missing or invalid.
    #[error("{}: {}", .0.title, .0.detail)]
    Key(Box<Rejection>),
    /// The service rejected the call.
    #[error("{}: {}", .0.title, .0.detail)]
    Rejected(Box<Rejection>),
    /// A success that this version does not understand.
    #[error("this version does not understand the response: {0}; use --json to see it")]
    Unexpected(String),
}

impl ClientError {
    /// Of an answer that is no success.
    pub(super) fn from_answer(answer: &Answer) -> Self {
        let rejection = Box::new(Rejection::new(answer));
        match answer.status {
            401 => Self::Key(rejection),
            _ if rejection.retryable => Self::Retryable(rejection, retry_after(answer)),
            _ => Self::Rejected(rejection),
        }
    }

    /// The response, if there was one.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Retryable(rejection, _) | Self::Key(rejection) | Self::Rejected(rejection) => Some(rejection),
            Self::Setup(_) | Self::Unreachable { .. } | Self::Unexpected(_) => None,
        }
    }

    /// The problem's code, if there is one.
    pub fn code(&self) -> Option<&str> {
        self.rejection()?.code.as_deref()
    }

    /// How long the service asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Retryable(_, wait) => *wait,
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Retryable(..))
    }
}

/// The service sends whole seconds.
fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}
