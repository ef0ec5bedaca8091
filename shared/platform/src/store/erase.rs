//! Erasing the personal texts of an invitation, with their salts. The digests in its events then reveal nothing, and the chain is
//! still valid.

use super::error::StoreError;
use super::item::number;
use super::keys;
use super::op_context::OpContext;
use super::table::Store;
use super::write::Write;
use domain::{Event, Invitation};

/// The personal texts and their salts. `renewal` is a hash that has a message in it.
const ERASED: &str = "by_name, by_email, by_salt, contact_email, message, reason, salt, renewal";

impl Store {
    /// Erases the personal texts of an invitation in any state. Returns `false` if it has changed since it was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase_invitation(
        &self,
        op: OpContext,
        before: &Invitation,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let key = keys::invitation(&before.invitation_id);
        // The end of the relationship changes an invitation without an event of it, so the version is compared as well.
        let write = Write::change(key.clone(), &before.chain)
            .and("version = :version")
            .set("erased = :now")
            .remove(ERASED)
            .value(":version", number(before.version))
            .value(":now", number(op.occurred_at.millis()));
        self.change(op, &key, &self.record(&before.chain, event, write)?).await
    }
}
