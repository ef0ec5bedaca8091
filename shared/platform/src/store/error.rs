//! What can go wrong between a command and the table. How a caller hears of it is said in `http`.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::item::CorruptItem;

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
    /// A fault of ours or of the deployment's: a wrong request, a missing table or right.
    #[error("the table refused: {0}")]
    Failed(String),
}

impl StoreError {
    /// A fault of ours or of the deployment's, with what the table said of it. Only code and message: the raw answer may
    /// hold pieces of items.
    pub(super) fn failed<E, R>(operation: &str, error: &SdkError<E, R>) -> Self
    where
        SdkError<E, R>: ProvideErrorMetadata,
    {
        let said = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => kind(error).to_owned(),
        };
        Self::Failed(format!("{operation}: {said}"))
    }
}

/// What kind of failure it was, where the table said nothing.
pub(super) fn kind<E, R>(error: &SdkError<E, R>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be built",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "an answer that is none",
        _ => "an error without code",
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
