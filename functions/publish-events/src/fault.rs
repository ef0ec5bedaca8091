//! Why an item was not published.

use platform::lambda::JobError;
use platform::queue::QueueError;
use platform::store::{CorruptItem, StoreError};

/// The longest message, in bytes.
pub(crate) const MESSAGE_MAX: usize = 20 * 1024;

#[derive(Debug)]
pub(crate) enum Fault {
    /// A later run may succeed.
    Retry(JobError),
    /// No run can succeed.
    Poison(Poison),
}

/// Why an item can never be published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Poison {
    #[error("the message has {0} bytes; the limit is {MESSAGE_MAX}")]
    MessageTooLong(usize),
    #[error("the message cannot be written as JSON: {0}")]
    Serialize(#[from] serde_json::Error),
    #[error("publishing the item panicked")]
    Panicked,
    #[error("the stream record has no item key")]
    NoKey,
    #[error(transparent)]
    Unreadable(#[from] CorruptItem),
}

impl From<Poison> for Fault {
    fn from(poison: Poison) -> Self {
        Self::Poison(poison)
    }
}

impl From<JobError> for Fault {
    fn from(error: JobError) -> Self {
        Self::Retry(error)
    }
}

impl From<QueueError> for Fault {
    fn from(error: QueueError) -> Self {
        Self::Retry(error.into())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(item) => Self::Poison(item.into()),
            error => Self::Retry(error.into()),
        }
    }
}
