//! Renewing an invitation: a new link, a new end; the old link dies at once. An expired invitation can be renewed too.

use super::invitation::{PENDING, Step, find};
use super::item::{bytes, number};
use super::keys;
use super::relationship::read_relationship;
use super::terms::{CustomerRequirements, TenantRefusal, explain_tenant, tenant_guard};
use super::transact::Outcome;
use super::write::Write;
use super::{OpContext, Store, StoreError, event};
use domain::{Event, Invitation, InvitationId, Relationship, RelationshipState, Timestamp};

/// What became of a renewal.
#[derive(Clone, Debug, PartialEq)]
pub enum Renewed {
    /// It has the new link and end.
    Done,
    /// It changed meanwhile; look again.
    Changed,
    /// The tenant can't be a customer any more.
    Tenant(TenantRefusal),
    /// Kind reseller: the relationship is active.
    RelationshipActive,
    /// Kind grant: the relationship is not active in the period it was asked for.
    NotActive,
    /// Another invitation is open.
    Pending(InvitationId),
}

impl Store {
    /// Gives `before` the link and end of `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_invitation(
        &self,
        attempt: OpContext,
        before: &Invitation,
        after: &Invitation,
        terms: CustomerRequirements,
        event: &Event,
    ) -> Result<Renewed, StoreError> {
        let chain = event.chain_after(&before.chain.hash);
        let expression = "SET token_gen = :generation, key_number = :key, token_hash = :token_hash, expires = :expires, \
                          version = :next, event_seq = :sequence, event_hash = :hash, gsi3pk = :due, gsi3sk = :due_at";
        let (due, due_at) = keys::due(before.invitation_id.as_str(), after.expires_at);
        let renewal = Write::update(
            keys::invitation(&before.invitation_id),
            expression,
            "answer = :pending AND version = :version",
        )
        .text(":pending", PENDING)
        .value(":version", number(before.version))
        .value(":next", number(after.version))
        .value(":generation", number(after.token_generation))
        .value(":key", number(after.key_number))
        .value(":token_hash", bytes(&after.token_hash))
        .value(":expires", number(after.expires_at.millis()))
        .value(":sequence", number(chain.sequence))
        .value(":hash", bytes(&chain.hash))
        .text(":due", due)
        .text(":due_at", due_at);
        let writes = [
            (Step::Invitation, renewal),
            (Step::Tenant, tenant_guard(&before.customer, terms)),
            (Step::Relationship, reopen(after, attempt.occurred_at)),
            (Step::Rest, event::write(event, &chain)),
        ];
        let refused = match self.transact(attempt, &writes).await? {
            Outcome::Committed => return Ok(Renewed::Done),
            Outcome::Refused(refused) => refused,
        };
        if find(&refused, Step::Invitation).is_some() || self.moved(attempt, before).await? {
            return Ok(Renewed::Changed);
        }
        if let Some(refusal) = find(&refused, Step::Tenant) {
            return Ok(Renewed::Tenant(explain_tenant(refusal, terms)?));
        }
        let Some(refusal) = find(&refused, Step::Relationship) else { return Ok(Renewed::Changed) };
        let relationship = refusal.item.as_ref().map(read_relationship).transpose()?;
        let active = relationship.as_ref().and_then(Relationship::active_period);
        let open = relationship.as_ref().and_then(|relationship| relationship.open_at(attempt.occurred_at));
        Ok(match (&before.period, active, open) {
            (None, Some(_), _) => Renewed::RelationshipActive,
            (Some((period, _)), active, _) if active != Some(period) => Renewed::NotActive,
            (_, _, Some(open)) => Renewed::Pending(open.clone()),
            _ => Renewed::Changed,
        })
    }
}

/// The relationship's part: no other invitation is open, and it is active in the period (kind grant) or not active.
fn reopen(invitation: &Invitation, now: Timestamp) -> Write {
    let state = match &invitation.period {
        Some(_) => "relation = :active AND period = :period",
        None => "relation <> :active",
    };
    let guard =
        format!("{state} AND (attribute_not_exists(open_invitation) OR open_invitation = :id OR open_until <= :now)");
    let expression = "SET open_invitation = :id, open_until = :until, version = version + :one";
    let write = Write::update(keys::relationship(&invitation.customer, &invitation.partner_id), expression, &guard)
        .text(":active", RelationshipState::Active.as_str())
        .text(":id", invitation.invitation_id.as_str())
        .value(":until", number(invitation.expires_at.millis()))
        .value(":now", number(now.millis()))
        .value(":one", number(1));
    match &invitation.period {
        Some((period, _)) => write.text(":period", period.as_str()),
        None => write,
    }
}
