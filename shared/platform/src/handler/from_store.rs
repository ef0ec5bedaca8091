//! Errors of the table as problems.

use crate::http_api::{Code, Problem};
use crate::secrets::UnknownMasterKey;
use crate::store::{StoreError, TenantRefusal};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InProgress => {
                Self::new(Code::IdempotencyInProgress, "The same request is already in progress. Retry it to get its response.")
                    .retry_after(1)
            }
            StoreError::Contention => {
                Self::new(Code::Contention, "Conflicting writes kept the request from being committed. Nothing was written. Retry the request.")
                    .retry_after(1)
            }
            StoreError::Throttled => {
                Self::new(Code::Throttled, "The database is throttling. Nothing was written. Retry the request.").retry_after(2)
            }
            StoreError::OutcomeUnknown => Self::new(
                Code::OutcomeUnknown,
                "It is not known whether the request took effect. Retry it with the same idempotency key, or read the current state.",
            )
            .retry_after(2),
            StoreError::Deadline => {
                Self::new(Code::Deadline, "There was not enough time to start the request. Nothing was written. Retry the request.").retry_after(1)
            }
            StoreError::Corrupt(item) => {
                item.report();
                if item.is_newer { newer_version() } else { Self::internal(item) }
            }
            StoreError::Failed { .. } => Self::internal(error),
        }
    }
}

impl From<TenantRefusal> for Problem {
    fn from(refusal: TenantRefusal) -> Self {
        match refusal {
            TenantRefusal::Unknown => Self::new(
                Code::CustomerUnknown,
                "The customer's tenant is not registered. Ask the operator to register it.",
            ),
            TenantRefusal::Csp => Self::new(
                Code::CustomerIsCspTenant,
                "The customer's tenant is a CSP tenant, so it cannot be a customer. Use another tenant of that organization.",
            ),
            TenantRefusal::Cloud => Self::new(
                Code::CloudMismatch,
                "The partner and the customer are in different clouds. They must be in the same cloud.",
            ),
            TenantRefusal::Market => Self::new(
                Code::MarketMismatch,
                "The partner and the customer are in different markets. They must be in the same market.",
            ),
        }
    }
}

impl From<UnknownMasterKey> for Problem {
    fn from(error: UnknownMasterKey) -> Self {
        tracing::error!(%error, "a secret of a newer master key was requested");
        newer_version()
    }
}

/// While a deployment is under way, or after a rollback, this code meets records and key numbers of newer code.
fn newer_version() -> Problem {
    let detail = "A newer version of this service wrote the record, and this version cannot read it. Nothing was written. Retry the request.";
    Problem::new(Code::Deadline, detail).retry_after(2)
}
