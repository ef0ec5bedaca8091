//! Ending a relationship, with all its grants, or one grant. Subscriptions do not change.

use super::answer::cancel_with_relationship;
use super::error::StoreError;
use super::grant::read_grant;
use super::item::{CorruptItem, Item, key_of, number, unless_newer};
use super::keys::{self, ItemKind};
use super::op_context::OpContext;
use super::query::{Index, PageQuery, Range};
use super::relationship::{PERIOD_END, read_relationship, touch_in_period};
use super::table::Store;
use super::write::Write;
use domain::{AggregateKind, Event, Grant, InvitationId, PartnerId, Relationship, RelationshipState, TenantId};

/// The result of ending something.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    Done,
    /// It has changed since it was read.
    Changed,
    /// The invitation that was to be cancelled is not pending any more.
    InvitationOver,
}

/// The number of grants read by one query.
const GRANTS_AT_ONCE: usize = 100;

impl Store {
    /// A relationship and its grants, read now. Grants of newer code are left out.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn relationship_with_readable_grants(
        &self,
        op: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
    ) -> Result<Option<(Relationship, Vec<Grant>)>, StoreError> {
        self.relationship_with(op, customer, partner, |item| unless_newer(read_grant(item))).await
    }

    /// A relationship and all its grants, read now. It fails if a grant is of newer code, because nothing may be left out.
    pub async fn relationship_with_grants(
        &self,
        op: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
    ) -> Result<Option<(Relationship, Vec<Grant>)>, StoreError> {
        self.relationship_with(op, customer, partner, |item| read_grant(item).map(Some)).await
    }

    async fn relationship_with(
        &self,
        op: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
        read: impl Fn(&Item) -> Result<Option<Grant>, CorruptItem>,
    ) -> Result<Option<(Relationship, Vec<Grant>)>, StoreError> {
        let key = keys::relationship(customer, partner);
        let mut query = PageQuery {
            index: Index::TABLE,
            partition: key.pk,
            range: Range::Prefix(key.sk),
            limit: GRANTS_AT_ONCE,
            start: None,
            ascending: true,
            consistent: true,
            filter: None,
        };
        let (mut relationship, mut grants) = (None, Vec::new());
        loop {
            let page = self.query(op, &query).await?;
            for item in &page.items {
                if key_of(item).is_some_and(|key| key.kind() == ItemKind::Aggregate(AggregateKind::Grant)) {
                    grants.extend(read(item)?);
                } else {
                    relationship = Some(read_relationship(item)?);
                }
            }
            match page.next {
                Some(next) => query.start = Some(next),
                None => return Ok(relationship.map(|relationship| (relationship, grants))),
            }
        }
    }

    /// Ends an active relationship, and cancels its open invitation if there is one.
    pub async fn end_relationship(
        &self,
        op: OpContext,
        relationship: &Relationship,
        open: Option<&InvitationId>,
        event: &Event,
    ) -> Result<Ended, StoreError> {
        let period = relationship.period.as_ref().map(|(id, _)| id.tail()).unwrap_or_default();
        let own = keys::relationship(&relationship.customer, &relationship.partner_id);
        let write = Write::update(own.clone(), "relation = :active AND version = :version")
            .set("relation = :ended, ended = :now, #period_end = :now")
            .remove("open_invitation, open_until")
            .name("#period_end", format!("{PERIOD_END}{period}"))
            .text(":active", RelationshipState::Active.as_str())
            .text(":ended", RelationshipState::Ended.as_str())
            .value(":now", number(op.occurred_at.millis()))
            .value(":version", number(relationship.version))
            .increment_version();
        let recorded = self.record(&relationship.chain, event, write)?;
        let mut writes = vec![recorded.record, recorded.event];
        writes.extend(open.map(|id| cancel_with_relationship(id, op.occurred_at, event.actor.proof)));
        let outcome = self.transact(op, &writes).await?;
        let is_over = open.is_some_and(|id| outcome.refusal(&keys::invitation(id)).is_some());
        Ok(match outcome.is_committed() {
            true => Ended::Done,
            false if is_over && outcome.refusal(&own).is_none() => Ended::InvitationOver,
            false => Ended::Changed,
        })
    }

    /// Ends an active grant. The relationship stays active.
    pub async fn end_grant(&self, op: OpContext, grant: &Grant, event: &Event) -> Result<Ended, StoreError> {
        let key = keys::grant(&grant.customer, &grant.partner_id, &grant.grant_id);
        let write = Write::change(key, &grant.chain)
            .and("grant_state = :active")
            .set("grant_state = :ended, ended = :now")
            .remove("gsi3pk, gsi3sk")
            .text(":active", "active")
            .text(":ended", "ended")
            .value(":now", number(op.occurred_at.millis()));
        // The new version makes a request that ends the relationship at the same time read the grants again.
        let recorded = self.record(&grant.chain, event, write)?;
        let outcome = self.transact(op, &[recorded.record, touch_in_period(grant), recorded.event]).await?;
        Ok(if outcome.is_committed() { Ended::Done } else { Ended::Changed })
    }
}
