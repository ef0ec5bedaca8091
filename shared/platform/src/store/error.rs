//! What can go wrong between a command and the table.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::item::CorruptItem;

/// A failure. A refused condition is not one.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the same request is already in progress")]
    InProgress,
    #[error("conflicting writes")]
    Contention,
    /// The table throttles, or does not answer a read.
    #[error("the table is throttling or does not respond")]
    Throttled,
    /// A write may or may not have happened.
    #[error("the outcome of a write is unknown")]
    OutcomeUnknown,
    /// Nothing was written.
    #[error("too little time left")]
    Deadline,
    #[error(transparent)]
    Corrupt(#[from] CorruptItem),
    /// A defect of the code or of the deployment: an invalid request, a missing table, a missing permission.
    #[error("{operation} failed: {reason}")]
    Failed { operation: &'static str, reason: String },
}

impl StoreError {
    /// Contains only the error's code and message: the raw response may contain parts of items.
    pub(super) fn from_sdk<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        SdkError<E, R>: ProvideErrorMetadata,
    {
        let reason = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => kind(error).to_owned(),
        };
        Self::Failed { operation, reason }
    }

    /// A request that could not be built, or a response that makes no sense.
    pub(super) fn failed(operation: &'static str, reason: impl ToString) -> Self {
        Self::Failed { operation, reason: reason.to_string() }
    }
}

/// Why a page of a list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The cursor is damaged, or belongs to another caller, list or filter.
    #[error("the cursor does not belong to this list")]
    Cursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CorruptItem> for PageError {
    fn from(error: CorruptItem) -> Self {
        Self::Store(error.into())
    }
}

/// The kind of a failure without an error code.
pub(super) fn kind<E, R>(error: &SdkError<E, R>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be built",
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "invalid response",
        _ => "an error without a code",
    }
}

/// Error codes that mean throttling.
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
