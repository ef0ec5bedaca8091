//! Endings: a relationship ends with its grants and nothing else; a grant ends alone. Subscriptions stay as they are.

use super::grant::read_grant;
use super::item::{bytes, number};
use super::keys;
use super::read::{Index, PageQuery, Range};
use super::relationship::{PERIOD_END, read_relationship};
use super::transact::Outcome;
use super::write::Write;
use super::{OpContext, Store, StoreError, event};
use domain::{Event, Grant, GrantId, PartnerId, Relationship, RelationshipState, TenantId};

/// What became of an ending.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// It ended.
    Done,
    /// It changed meanwhile; look again.
    Changed,
}

/// Grants of one relationship that are read at once; more come by further queries.
const GRANTS_AT_ONCE: usize = 100;

impl Store {
    /// A relationship and all its grants, as they are now.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn relationship_with_grants(
        &self,
        attempt: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
    ) -> Result<Option<(Relationship, Vec<Grant>)>, StoreError> {
        let key = keys::relationship(customer, partner);
        let mut query = PageQuery {
            index: Index::TABLE,
            partition: key.pk,
            range: Range::Prefix(key.sk.clone()),
            limit: GRANTS_AT_ONCE,
            start: None,
            ascending: true,
            consistent: true,
            filter: None,
        };
        let (mut relationship, mut grants) = (None, Vec::new());
        loop {
            let page = self.query(attempt, &query).await?;
            for item in &page.items {
                if item.get(keys::SK).and_then(|sk| sk.as_s().ok()) == Some(&key.sk) {
                    relationship = Some(read_relationship(item)?);
                } else {
                    grants.push(read_grant(item)?);
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
        attempt: OpContext,
        relationship: &Relationship,
        event: &Event,
    ) -> Result<Ended, StoreError> {
        let chain = event.chain_after(&relationship.chain.hash);
        let period = relationship.period.as_ref().map(|(id, _)| id.tail()).unwrap_or_default();
        let expression = "SET relation = :ended, ended = :now, #period_end = :now, version = version + :one, event_seq = :sequence, \
                          event_hash = :hash REMOVE open_invitation, open_until";
        let write = Write::update(
            keys::relationship(&relationship.customer, &relationship.partner_id),
            expression,
            "relation = :active AND version = :version",
        )
        .name("#period_end", format!("{PERIOD_END}{period}"))
        .text(":active", RelationshipState::Active.as_str())
        .text(":ended", RelationshipState::Ended.as_str())
        .value(":now", number(attempt.occurred_at.millis()))
        .value(":one", number(1))
        .value(":version", number(relationship.version))
        .value(":sequence", number(chain.sequence))
        .value(":hash", bytes(&chain.hash));
        let writes = [((), write), ((), event::write(event, &chain))];
        Ok(match self.transact(attempt, &writes).await? {
            Outcome::Committed => Ended::Done,
            Outcome::Refused(_) => Ended::Changed,
        })
    }

    /// A grant, as it is now.
    pub async fn grant(
        &self,
        attempt: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
        id: &GrantId,
    ) -> Result<Option<Grant>, StoreError> {
        let item = self.get(attempt, &keys::grant(customer, partner, id)).await?;
        Ok(item.as_ref().map(read_grant).transpose()?)
    }

    /// A relationship, as it is now.
    pub async fn relationship(
        &self,
        attempt: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
    ) -> Result<Option<Relationship>, StoreError> {
        let item = self.get(attempt, &keys::relationship(customer, partner)).await?;
        Ok(item.as_ref().map(read_relationship).transpose()?)
    }

    /// Ends an active grant of an active relationship, which goes on.
    pub async fn end_grant(&self, attempt: OpContext, grant: &Grant, event: &Event) -> Result<Ended, StoreError> {
        let chain = event.chain_after(&grant.chain.hash);
        let ending = Write::update(
            keys::grant(&grant.customer, &grant.partner_id, &grant.grant_id),
            "SET grant_state = :ended, ended = :now, event_seq = :sequence, event_hash = :hash REMOVE gsi3pk, gsi3sk",
            "grant_state = :active AND event_seq = :before",
        )
        .text(":active", "active")
        .text(":ended", "ended")
        .value(":now", number(attempt.occurred_at.millis()))
        .value(":before", number(grant.chain.sequence))
        .value(":sequence", number(chain.sequence))
        .value(":hash", bytes(&chain.hash));
        // The version makes whoever ends the relationship at the same time look at its grants again.
        let within = Write::update(
            keys::relationship(&grant.customer, &grant.partner_id),
            "SET version = version + :one",
            "relation = :active AND period = :period",
        )
        .text(":active", RelationshipState::Active.as_str())
        .text(":period", grant.period.as_str())
        .value(":one", number(1));
        let writes = [((), ending), ((), within), ((), event::write(event, &chain))];
        Ok(match self.transact(attempt, &writes).await? {
            Outcome::Committed => Ended::Done,
            Outcome::Refused(_) => Ended::Changed,
        })
    }
}
