//! Importing a relationship from before this system, which an operator attests. It has no invitation and no grants.

use super::customer::{CustomerRequirements, TenantRefusal};
use super::error::StoreError;
use super::item::{SCHEMA, number, text};
use super::keys;
use super::op_context::OpContext;
use super::partner::read_partner;
use super::relationship::read_relationship;
use super::table::Store;
use super::write::Write;
use domain::{Event, InvitationId, Partner, PartnerId, Relationship, RelationshipState, TenantId, Timestamp};

/// The result of an import.
#[derive(Clone, Debug, PartialEq)]
pub enum Imported {
    Done,
    /// The relationship or the partner has changed since it was read.
    Changed,
    /// The tenant cannot be a customer.
    Tenant(TenantRefusal),
}

impl Store {
    /// A partner, and its relationship with a customer, both read now in one call.
    ///
    /// # Errors
    /// [`StoreError`], in both methods here.
    pub async fn partner_with_relationship(
        &self,
        op: OpContext,
        partner: &PartnerId,
        customer: &TenantId,
    ) -> Result<Option<(Partner, Relationship)>, StoreError> {
        let wanted = [keys::partner(partner), keys::relationship(customer, partner)];
        let found = self.get_many(op, &wanted, true).await?;
        let item = |at: usize| found.get(at).and_then(Option::as_ref);
        let Some(partner) = item(0).map(read_partner).transpose()? else { return Ok(None) };
        let relationship = item(1).map(read_relationship).transpose()?;
        let relationship =
            relationship.unwrap_or_else(|| Relationship::none(customer.clone(), partner.partner_id.clone()));
        Ok(Some((partner, relationship)))
    }

    /// Starts a relationship that has never been active. An open invitation stays open.
    pub async fn import_relationship(
        &self,
        op: OpContext,
        partner: &Partner,
        before: &Relationship,
        after: &Relationship,
        event: &Event,
        requirements: CustomerRequirements,
    ) -> Result<Imported, StoreError> {
        let own = keys::relationship(&before.customer, &before.partner_id);
        let Some((period, since)) = &after.period else {
            return Err(StoreError::failed("import", "the relationship has no period"));
        };
        let recorded = self.record(&before.chain, event, start(before, after, period, *since))?;
        // The cloud and market that the tenant must have are those of the partner.
        let check = Write::check(keys::partner(&partner.partner_id), "cloud = :cloud AND market = :market")
            .text(":cloud", partner.cloud.as_str())
            .text(":market", partner.market.as_str());
        let is_end = |item| recorded.is_end_of(item);
        let writes = [recorded.record.clone(), requirements.guard(&before.customer), check, recorded.event.clone()];
        let outcome = self.transact(op, &writes).await?;
        if outcome.is_committed() || outcome.conflicting(&own).is_some_and(is_end) {
            return Ok(Imported::Done);
        }
        let is_changed = [&own, &keys::partner(&partner.partner_id)].iter().any(|key| outcome.refusal(key).is_some());
        Ok(match requirements.refusal(&before.customer, &outcome)? {
            Some(refusal) if !is_changed => Imported::Tenant(refusal),
            _ => Imported::Changed,
        })
    }
}

/// The update of the relationship. It exists already if there was an invitation.
fn start(before: &Relationship, after: &Relationship, period: &InvitationId, since: Timestamp) -> Write {
    let (customer, partner) = (&before.customer, &before.partner_id);
    let own = keys::relationship(customer, partner);
    let write = match before.version {
        0 => Write::update(own, "attribute_not_exists(pk)"),
        _ => Write::update(own, "relation = :none").text(":none", RelationshipState::None.as_str()),
    };
    write
        .set("v = :schema, relation = :active, period = :period, since = :since")
        .set("gsi1pk = :partner, gsi2pk = :customer, listed = :listed")
        .set("version = if_not_exists(version, :zero) + :one")
        .set_or_remove("external_reference", ":reference", after.external_reference.as_ref().map(text))
        .value(":schema", number(SCHEMA))
        .text(":active", RelationshipState::Active.as_str())
        .text(":period", period.as_str())
        .value(":since", number(since.millis()))
        .text(":partner", keys::partner_view(partner))
        .text(":customer", keys::customer_view(customer))
        .text(":listed", keys::listed_relationship(since, customer, partner))
        .value(":zero", number(0))
        .value(":one", number(1))
}
