//! What can go wrong between a command and the table, and how a caller hears of it.

use super::item::CorruptItem;
use crate::auth::UnknownMasterKey;
use crate::http::{Code, Problem};

/// A failure that is no refusal.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A twin of this request is being committed.
    #[error("a twin of this request is in progress")]
    InProgress,
    /// Other writes kept getting in the way.
    #[error("other writes kept getting in the way")]
    Contention,
    /// The table is throttling, or does not answer a read.
    #[error("the table is throttling or does not answer")]
    Throttled,
    /// A write may or may not have happened.
    #[error("the outcome of a write is not known")]
    OutcomeUnknown,
    /// There is too little time to begin.
    #[error("there is too little time left")]
    Deadline,
    /// An item can't be read.
    #[error(transparent)]
    Corrupt(#[from] CorruptItem),
    /// A master key is missing from the deployment.
    #[error(transparent)]
    Key(#[from] UnknownMasterKey),
    /// A fault of ours or of the deployment's: a wrong request, a missing table or right.
    #[error("the table refused: {0}")]
    Failed(String),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InProgress => {
                Self::new(Code::IdempotencyInProgress, "A twin of this request is being committed; send it again.")
                    .retry_after(1)
            }
            StoreError::Contention => {
                Self::new(Code::Contention, "Other requests for the same things got in the way; send it again.")
                    .retry_after(1)
            }
            StoreError::Throttled => {
                Self::new(Code::Throttled, "The table did not keep up; send the request again.").retry_after(2)
            }
            StoreError::OutcomeUnknown => Self::new(
                Code::OutcomeUnknown,
                "It is not known whether this took effect. Send the same request again, under the same key: it can't \
                 take effect twice.",
            )
            .retry_after(2),
            StoreError::Deadline => {
                Self::new(Code::Deadline, "There was not enough time to begin; nothing was written.").retry_after(1)
            }
            StoreError::Corrupt(_) | StoreError::Key(_) | StoreError::Failed(_) => {
                tracing::error!(error = %error, "the request failed inside");
                Self::internal()
            }
        }
    }
}

/// Error codes by which DynamoDB says: slower.
pub(super) fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "ThrottlingError"
            | "ThrottlingException"
            | "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
    )
}
