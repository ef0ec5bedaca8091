//! Compares the master keys of a starting function with the table.

use std::time::Duration;

use crate::deadline::Deadline;
use crate::secrets::MasterKeys;
use crate::store::{Confirmed, OpContext, Store, StoreError};
use domain::Timestamp;

/// How long a starting function may wait for the table.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a function must not start.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error(transparent)]
    Other(#[from] OtherMasterKey),
    /// The check value is damaged, or the role must not read it.
    #[error("the check value of MASTER_KEY_{number} cannot be read: {error}")]
    Unreadable { number: u32, error: StoreError },
}

/// A key differs from the one that the table knows by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "MASTER_KEY_{0} is not the key that this table knows by this number; restore that key, or give the new key the next number"
)]
pub struct OtherMasterKey(pub u32);

/// Confirms that every configured key is the one that the table knows by its number. This also opens the connection to the
/// table. If the table does not respond, the function starts without the comparison, and the next process makes it.
///
/// # Errors
/// [`MasterKeyError`] if a number belongs to another key, or its check value is damaged or must not be read.
pub async fn confirm_master_keys(store: &Store, keys: &MasterKeys, now: Timestamp) -> Result<(), MasterKeyError> {
    let op = OpContext { occurred_at: now, deadline: Deadline::within(PATIENCE) };
    for number in keys.numbers() {
        let Ok(check_value) = keys.check_value(number) else { continue };
        match store.confirm_master_key(op, number, &check_value).await {
            Ok(Confirmed::Yes) => {}
            Ok(Confirmed::No) => return Err(OtherMasterKey(number).into()),
            Err(error @ (StoreError::Corrupt(_) | StoreError::Failed { .. })) => {
                return Err(MasterKeyError::Unreadable { number, error });
            }
            Err(error) => tracing::error!(number, %error, "the master key could not be compared with the table"),
        }
    }
    Ok(())
}
