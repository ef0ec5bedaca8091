//! Renewing an invitation, also an expired one: a new link, a new expiry, and perhaps another message and other roles. The old
//! link stops working at once, so what it showed can't be accepted any more.

use super::customer::{CustomerRequirements, TenantRefusal};
use super::error::StoreError;
use super::grant::admin_value;
use super::invitation::PENDING;
use super::item::{bytes, number, text};
use super::keys::{self, Mark};
use super::op_context::OpContext;
use super::record::Recorded;
use super::relationship::{ACTIVE_IN_PERIOD, read_relationship};
use super::table::Store;
use super::write::Write;
use domain::{Event, Invitation, InvitationId, Relationship, RelationshipState, Timestamp};

/// The result of renewing an invitation.
#[derive(Clone, Debug, PartialEq)]
pub enum Renewed {
    Done,
    /// The invitation has changed since it was read.
    Changed,
    /// The tenant can no longer be a customer.
    Tenant(TenantRefusal),
    /// Kind reseller: the relationship is active.
    RelationshipActive,
    /// Kind grant: the relationship is not active in the invitation's period.
    NotActive,
    /// Another invitation is open.
    Pending(InvitationId),
    /// The daily limit is reached.
    LimitReached,
}

impl Store {
    /// Gives `before` the link, expiry, message and roles of `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_invitation(
        &self,
        op: OpContext,
        before: &Invitation,
        after: &Invitation,
        requirements: CustomerRequirements,
        daily_limit: u32,
        event: &Event,
    ) -> Result<Renewed, StoreError> {
        let Recorded { record, event: put_event, chain } = self.record(&before.chain, event, renew(before, after))?;
        let writes =
            [record, requirements.guard(&before.customer), reopen(after, op.occurred_at, daily_limit), put_event];
        let outcome = match self.transact(op, &writes).await {
            Err(StoreError::OutcomeUnknown) if self.was_written(op, event, &chain).await? => return Ok(Renewed::Done),
            outcome => outcome?,
        };
        if outcome.is_committed() {
            return Ok(Renewed::Done);
        }
        let own = keys::invitation(&before.invitation_id);
        if outcome.refusal(&own).is_some() || self.invitation_changed(op, before).await? {
            // Perhaps this renewal was written but its response was lost, and another renewal followed.
            let is_done = self.was_written(op, event, &chain).await?;
            return Ok(if is_done { Renewed::Done } else { Renewed::Changed });
        }
        if let Some(refusal) = requirements.refusal(&before.customer, &outcome)? {
            return Ok(Renewed::Tenant(refusal));
        }
        let relationship = keys::relationship(&before.customer, &before.partner_id);
        let Some(refusal) = outcome.refusal(&relationship) else { return Ok(Renewed::Changed) };
        let relationship = refusal.item.as_ref().map(read_relationship).transpose()?;
        Ok(explain_renew(before, relationship.as_ref(), op.occurred_at))
    }
}

/// Why the relationship refused a renewal.
fn explain_renew(before: &Invitation, relationship: Option<&Relationship>, now: Timestamp) -> Renewed {
    let Some(relationship) = relationship else { return Renewed::Changed };
    let active = relationship.active_period();
    let open = relationship.open_at(now).filter(|open| **open != before.invitation_id);
    match (&before.period, active, open) {
        (None, Some(_), _) => Renewed::RelationshipActive,
        (Some((period, _)), active, _) if active != Some(period) => Renewed::NotActive,
        (_, _, Some(open)) => Renewed::Pending(open.clone()),
        _ => Renewed::LimitReached,
    }
}

/// The update of the invitation.
fn renew(before: &Invitation, after: &Invitation) -> Write {
    let mark = Mark::due(before.invitation_id.as_str(), after.expires_at);
    Write::update(keys::invitation(&before.invitation_id), "answer = :pending AND version = :version")
        .set("token_gen = :generation, key_number = :key, token_hash = :token_hash, expires = :expires")
        .set("version = :next, gsi3pk = :due, gsi3sk = :due_at")
        .set_or_remove("asked", ":asked", after.delegated_admin.as_ref().map(admin_value))
        .set_or_remove("message", ":message", after.message.as_ref().map(text))
        .set_or_remove("renewal", ":renewal", after.renewal.as_ref().map(|hash| bytes(hash)))
        .text(":pending", PENDING)
        .value(":version", number(before.version))
        .value(":next", number(after.version))
        .value(":generation", number(after.token_generation))
        .value(":key", number(after.key_number))
        .value(":token_hash", bytes(&after.token_hash))
        .value(":expires", number(after.expires_at.millis()))
        .text(":due", mark.partition)
        .text(":due_at", mark.entry)
}

/// The update of the relationship. No other invitation may be open, and the daily limit must not be reached. The
/// relationship must be active in the invitation's period (kind grant) or not active (kind reseller).
fn reopen(invitation: &Invitation, now: Timestamp, daily_limit: u32) -> Write {
    let guard = "(attribute_not_exists(open_invitation) OR open_invitation = :id OR open_until <= :now)";
    let write = Write::update(keys::relationship(&invitation.customer, &invitation.partner_id), guard)
        .set("open_invitation = :id, open_until = :until")
        .increment_version()
        .text(":active", RelationshipState::Active.as_str())
        .text(":id", invitation.invitation_id.as_str())
        .value(":until", number(invitation.expires_at.millis()))
        .value(":now", number(now.millis()))
        .count_today("renewed", now, daily_limit);
    match &invitation.period {
        Some((period, _)) => write.and(ACTIVE_IN_PERIOD).text(":period", period.as_str()),
        None => write.and("relation <> :active"),
    }
}
