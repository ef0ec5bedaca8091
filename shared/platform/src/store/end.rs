//! Ending a relationship, with all its grants, or one grant. Subscriptions do not change.

use super::chain::NextEvent;
use super::error::StoreError;
use super::grant::read_grant;
use super::item::{key_of, number};
use super::keys::{self, ItemKind};
use super::op_context::OpContext;
use super::query::{Index, PageQuery, Range};
use super::relationship::{PERIOD_END, read_relationship, touch_in_period};
use super::table::Store;
use super::write::Write;
use domain::{AggregateKind, Event, Grant, PartnerId, Relationship, RelationshipState, TenantId};

/// The result of ending something.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    Done,
    /// It has changed since it was read.
    Changed,
}

/// The number of grants read by one query.
const GRANTS_AT_ONCE: usize = 100;

impl Store {
    /// A relationship and all its grants, read now.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn relationship_with_grants(
        &self,
        op: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
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
                    grants.push(read_grant(item)?);
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

    /// Ends an active relationship.
    pub async fn end_relationship(
        &self,
        op: OpContext,
        relationship: &Relationship,
        event: &Event,
    ) -> Result<Ended, StoreError> {
        let period = relationship.period.as_ref().map(|(id, _)| id.tail()).unwrap_or_default();
        let next = NextEvent::after(&relationship.chain, event);
        let write = Write::update(
            keys::relationship(&relationship.customer, &relationship.partner_id),
            "relation = :active AND version = :version",
        )
        .set("relation = :ended, ended = :now, #period_end = :now")
        .remove("open_invitation, open_until")
        .name("#period_end", format!("{PERIOD_END}{period}"))
        .text(":active", RelationshipState::Active.as_str())
        .text(":ended", RelationshipState::Ended.as_str())
        .value(":now", number(op.occurred_at.millis()))
        .value(":version", number(relationship.version))
        .increment_version()
        .advance(&next);
        self.end(op, &[write, next.put()]).await
    }

    /// Ends an active grant. The relationship stays active.
    pub async fn end_grant(&self, op: OpContext, grant: &Grant, event: &Event) -> Result<Ended, StoreError> {
        let next = NextEvent::after(&grant.chain, event);
        let key = keys::grant(&grant.customer, &grant.partner_id, &grant.grant_id);
        let write = Write::change(key, &next)
            .and("grant_state = :active")
            .set("grant_state = :ended, ended = :now")
            .remove("gsi3pk, gsi3sk")
            .text(":active", "active")
            .text(":ended", "ended")
            .value(":now", number(op.occurred_at.millis()));
        // The new version makes a request that ends the relationship at the same time read the grants again.
        self.end(op, &[write, touch_in_period(grant), next.put()]).await
    }

    async fn end(&self, op: OpContext, writes: &[Write]) -> Result<Ended, StoreError> {
        Ok(if self.transact(op, writes).await?.is_committed() { Ended::Done } else { Ended::Changed })
    }
}
