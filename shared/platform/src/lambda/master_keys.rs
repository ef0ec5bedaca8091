//! Compares the master keys of a starting function with the table.

use std::time::Duration;

use crate::deadline::Deadline;
use crate::secrets::MasterKeys;
use crate::store::{Confirmed, OpContext, Store};
use domain::Timestamp;

/// How long a starting function may wait for the table.
const PATIENCE: Duration = Duration::from_secs(2);

/// A key differs from the one that the table knows by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "MASTER_KEY_{0} is not the key that this table knows by this number; restore that key, or give the new key the next number"
)]
pub struct OtherMasterKey(pub u32);

/// Confirms that every configured key is the one that the table knows by its number. This also opens the connection to the
/// table. If the table does not respond, the function starts: its requests then fail in the same way.
///
/// # Errors
/// [`OtherMasterKey`] if a number belongs to another key.
pub async fn confirm_master_keys(store: &Store, keys: &MasterKeys, now: Timestamp) -> Result<(), OtherMasterKey> {
    let op = OpContext { occurred_at: now, deadline: Deadline::within(PATIENCE) };
    for number in keys.numbers() {
        let Ok(check_value) = keys.check_value(number) else { continue };
        match store.confirm_master_key(op, number, &check_value).await {
            Ok(Confirmed::Yes) => {}
            Ok(Confirmed::No) => return Err(OtherMasterKey(number)),
            Err(error) => tracing::error!(number, %error, "the master key could not be compared with the table"),
        }
    }
    Ok(())
}
