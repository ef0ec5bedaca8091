//! How a caller hears of what went wrong in the store.

use crate::http_api::{Code, Problem};
use crate::secrets::UnknownMasterKey;
use crate::store::{StoreError, TenantRefusal};

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
                "It is not known whether this took effect. Send the same request again, under the same key, to find out.",
            )
            .retry_after(2),
            StoreError::Deadline => {
                Self::new(Code::Deadline, "There was not enough time to begin; nothing was written.").retry_after(1)
            }
            StoreError::Corrupt(_) | StoreError::Failed { .. } => Self::internal(error),
        }
    }
}

impl From<TenantRefusal> for Problem {
    fn from(refusal: TenantRefusal) -> Self {
        match refusal {
            TenantRefusal::Unknown => Self::new(Code::CustomerUnknown, "The customer's tenant is not registered here."),
            TenantRefusal::Csp => Self::new(
                Code::CustomerIsCspTenant,
                "The customer's tenant itself sells (it is a CSP tenant). Another tenant of the same company may be a customer.",
            ),
            TenantRefusal::Cloud => Self::new(Code::CloudMismatch, "Partner and customer must be in the same cloud."),
            TenantRefusal::Market => {
                Self::new(Code::MarketMismatch, "Partner and customer must be in the same market.")
            }
        }
    }
}

impl From<UnknownMasterKey> for Problem {
    fn from(error: UnknownMasterKey) -> Self {
        Self::internal(error)
    }
}
