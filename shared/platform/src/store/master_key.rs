//! Check values of master keys. A deployment that gives a number another key would make wrong secrets and reject right ones.

use super::error::StoreError;
use super::item::{ItemBuilder, ItemReader};
use super::keys;
use super::op_context::OpContext;
use super::table::Store;
use super::transact::Outcome;
use super::write::Write;

const CHECK_VALUE: &str = "check_value";

/// What the table says about a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// It is the key that the number had before, or the first with this number.
    Yes,
    /// The number belongs to another key.
    No,
}

impl Store {
    /// Compares a master key's check value with the stored one. The first check value of a number is stored, and never changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn confirm_master_key(
        &self,
        op: OpContext,
        number: u32,
        check_value: &[u8; 32],
    ) -> Result<Confirmed, StoreError> {
        let key = keys::master_key(number);
        if let Some(item) = self.get(op, &key).await? {
            return compare(&item, check_value);
        }
        let first = ItemBuilder::new(key.clone()).hash(CHECK_VALUE, check_value).build();
        match self.transact(op, &[Write::create(first)]).await? {
            Outcome::Committed => Ok(Confirmed::Yes),
            // Another process was first.
            refused @ Outcome::Refused(_) => match refused.conflicting(&key) {
                Some(item) => compare(item, check_value),
                None => Err(StoreError::Contention),
            },
        }
    }
}

fn compare(item: &super::item::Item, check_value: &[u8; 32]) -> Result<Confirmed, StoreError> {
    let is_same = ItemReader::new(item)?.hash(CHECK_VALUE)? == *check_value;
    Ok(if is_same { Confirmed::Yes } else { Confirmed::No })
}
