//! Narrowing a grant: fewer roles, an earlier end, no extension.

use aws_sdk_dynamodb::types::AttributeValue;

use super::end::Ended;
use super::error::StoreError;
use super::grant::read_grant;
use super::item::{number, text};
use super::keys::{self, Listed};
use super::op_context::OpContext;
use super::partner::read_partner;
use super::relationship::{check_period, read_relationship};
use super::table::Store;
use super::write::Write;
use domain::{Event, Grant, GrantId, PartnerId, PartnerStatus, Relationship, TenantId};

impl Store {
    /// A grant with its relationship and the status of its partner, all read now in one call.
    ///
    /// # Errors
    /// [`StoreError`], in both methods here.
    pub async fn grant_in_relationship(
        &self,
        op: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
        id: &GrantId,
    ) -> Result<Option<(Grant, Relationship, PartnerStatus)>, StoreError> {
        let wanted =
            [keys::grant(customer, partner, id), keys::relationship(customer, partner), keys::partner(partner)];
        let mut found = self.get_many(op, &wanted, true).await?.into_iter().map(Option::unwrap_or_default);
        let mut next = || found.next().unwrap_or_default();
        let (grant, relationship, partner) = (next(), next(), next());
        if grant.is_empty() {
            return Ok(None);
        }
        let status = read_partner(&partner)?.status;
        Ok(Some((read_grant(&grant)?, read_relationship(&relationship)?, status)))
    }

    /// Writes what is left of an active grant. Its notices and its place in the list of grants follow the new end.
    pub async fn narrow_grant(
        &self,
        op: OpContext,
        before: &Grant,
        after: &Grant,
        event: &Event,
    ) -> Result<Ended, StoreError> {
        let key = keys::grant(&before.customer, &before.partner_id, &before.grant_id);
        let roles = AttributeValue::L(after.admin.roles.iter().map(text).collect());
        let write = Write::change(key, &before.chain)
            .and("grant_state = :active")
            .set("roles_left = :roles, extension_days = :extension, ending = :ending")
            .text(":active", "active")
            .text(":ending", Listed::Grant.at(after.ends_at(op.occurred_at)))
            .value(":roles", roles)
            .value(":extension", number(after.extension_days));
        let write = match after.fixed_end {
            Some(end) => write.set("fixed_end = :end").value(":end", number(end.millis())),
            None => write,
        };
        let write = match after.next_notice(op.occurred_at) {
            Some((at, _)) => {
                let mark = keys::Mark::due(after.grant_id.as_str(), at);
                let write = write.set("gsi3pk = :due, gsi3sk = :due_at");
                write.text(":due", mark.partition).text(":due_at", mark.entry)
            }
            None => write.remove("gsi3pk, gsi3sk"),
        };
        let recorded = self.record(&before.chain, event, write)?;
        let outcome = self.transact(op, &[recorded.record, check_period(before), recorded.event]).await?;
        Ok(if outcome.is_committed() { Ended::Done } else { Ended::Changed })
    }
}
