//! What can go wrong between a command and the table. How a caller hears of it is said in `http`.

use super::item::CorruptItem;
use crate::auth::UnknownMasterKey;

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
