//! Answering an invitation. Accepting starts or continues the relationship. Declining and cancelling only close the
//! invitation.

use super::customer::{CustomerRequirements, TenantRefusal};
use super::error::StoreError;
use super::grant::{admin_value, create_grant};
use super::invitation::{AS_ASKED, PENDING};
use super::item::{bytes, number, text};
use super::keys;
use super::op_context::OpContext;
use super::record::Recorded;
use super::relationship::{ACTIVE_IN_PERIOD, read_relationship};
use super::table::Store;
use super::write::Write;
use domain::{
    Answer, CancelReason, Decision, Event, Grant, Invitation, InvitationId, Proof, Relationship, RelationshipState,
    Timestamp,
};

/// The result of accepting.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    Done,
    /// The invitation has changed since it was read.
    Changed,
    /// The tenant can no longer be a customer.
    Tenant(TenantRefusal),
    /// The relationship is not in the state that the invitation requires.
    NotActive,
    /// Another invitation is open instead.
    Superseded,
    /// The relationship has ended, and this acceptance may not start it again.
    MayNotRestart,
}

/// The answer to an invitation, and what it leads to.
#[derive(Clone, Debug)]
pub struct InvitationChange<'a> {
    /// The invitation as it was read.
    pub before: &'a Invitation,
    pub answer: &'a Answer,
    /// The grant that starts.
    pub grant: Option<&'a Grant>,
    pub event: &'a Event,
}

impl Store {
    /// Accepts an invitation. The relationship starts (kind reseller) or continues (kind grant), and the grant starts. Only
    /// with `may_restart`, a relationship that has ended starts again.
    ///
    /// # Errors
    /// [`StoreError`], in both methods here.
    pub async fn accept_invitation(
        &self,
        op: OpContext,
        change: &InvitationChange<'_>,
        requirements: CustomerRequirements,
        may_restart: bool,
    ) -> Result<Answered, StoreError> {
        let before = change.before;
        let (_, since) = before.period_at(op.occurred_at);
        let grant = change.grant.map(|grant| create_grant(grant, since));
        let recorded = self.record_with(&before.chain, change.event, answer_invitation(change), grant.as_ref())?;
        let mut writes = vec![
            recorded.record,
            requirements.guard(&before.customer),
            accept_into_relationship(change, op.occurred_at, may_restart),
            recorded.event,
        ];
        writes.extend(grant);
        let outcome = self.transact(op, &writes).await?;
        if outcome.is_committed() {
            return Ok(Answered::Done);
        }
        let own = keys::invitation(&before.invitation_id);
        if outcome.refusal(&own).is_some() || self.invitation_changed(op, before).await? {
            return Ok(Answered::Changed);
        }
        let relationship = outcome.refusal(&keys::relationship(&before.customer, &before.partner_id));
        let is_refused = relationship.is_some();
        let relationship = relationship.and_then(|refusal| refusal.item.as_ref()).map(read_relationship).transpose()?;
        let has_ended = relationship.as_ref().is_some_and(|found| found.state == RelationshipState::Ended);
        if has_ended && !before.is_grant() && !may_restart {
            return Ok(Answered::MayNotRestart);
        }
        if let Some(refusal) = requirements.refusal(&before.customer, &outcome)? {
            return Ok(Answered::Tenant(refusal));
        }
        // If it was none of these, it was the event: the chain has moved on.
        Ok(if is_refused { explain_accept(before, relationship.as_ref()) } else { Answered::Changed })
    }

    /// Declines or cancels an invitation, so that the relationship is free for another one. Returns `false` if the
    /// invitation has changed since it was read.
    pub async fn close_invitation(&self, op: OpContext, change: &InvitationChange<'_>) -> Result<bool, StoreError> {
        let before = change.before;
        let relationship = keys::relationship(&before.customer, &before.partner_id);
        let free = Write::update(relationship.clone(), "open_invitation = :id")
            .increment_version()
            .remove("open_invitation, open_until")
            .text(":id", before.invitation_id.as_str());
        let Recorded { record: close, event, .. } =
            self.record(&before.chain, change.event, answer_invitation(change))?;
        let outcome = self.transact(op, &[close.clone(), free, event.clone()]).await?;
        let own = keys::invitation(&before.invitation_id);
        if outcome.is_committed() || outcome.refusal(&own).is_some() || outcome.refusal(&relationship).is_none() {
            return Ok(outcome.is_committed());
        }
        // The relationship names another invitation or none, so this one is closed alone.
        Ok(self.transact(op, &[close, event]).await?.is_committed())
    }
}

/// Why the relationship refused an acceptance.
fn explain_accept(invitation: &Invitation, relationship: Option<&Relationship>) -> Answered {
    let Some(relationship) = relationship else { return Answered::Superseded };
    let active = relationship.active_period();
    let fits = match &invitation.period {
        Some((period, _)) => active == Some(period),
        None => active.is_none(),
    };
    let is_other = |(id, _): &(_, _)| *id != invitation.invitation_id;
    if fits && relationship.open_invitation.as_ref().is_some_and(is_other) {
        Answered::Superseded
    } else {
        Answered::NotActive
    }
}

/// The update of the relationship when an invitation is accepted.
fn accept_into_relationship(change: &InvitationChange<'_>, now: Timestamp, may_restart: bool) -> Write {
    let invitation = change.before;
    let (customer, partner) = (&invitation.customer, &invitation.partner_id);
    let write = Write::update(keys::relationship(customer, partner), "open_invitation = :id");
    let write = match &invitation.period {
        Some((period, _)) => write.and(ACTIVE_IN_PERIOD).text(":period", period.as_str()),
        None => restart(write, may_restart)
            .set("relation = :active, period = :id, since = :now, gsi1pk = :partner, gsi2pk = :customer, listed = :listed")
            .set("proof = :proof")
            .remove("ended")
            .text(":proof", change.answer.proof.as_str())
            .value(":now", number(now.millis()))
            .text(":partner", keys::partner_view(partner))
            .text(":customer", keys::customer_view(customer))
            .text(":listed", keys::listed_relationship(now, customer, partner)),
    };
    write
        .increment_version()
        .remove("open_invitation, open_until")
        .text(":id", invitation.invitation_id.as_str())
        .text(":active", RelationshipState::Active.as_str())
}

fn restart(write: Write, may_restart: bool) -> Write {
    if may_restart {
        return write.and("relation <> :active");
    }
    write.and("relation = :none").text(":none", RelationshipState::None.as_str())
}

/// The end of a relationship cancels its open invitation. There is no event of the invitation: the event of the end names it.
pub(super) fn cancel_with_relationship(id: &InvitationId, now: Timestamp, proof: Proof) -> Write {
    Write::update(keys::invitation(id), "answer = :pending AND expires > :now AND attribute_exists(gsi3sk)")
        .set("answer = :cancelled, decided = :now, proof = :proof, cancel_reason = :reason")
        .text(":proof", proof.as_str())
        .increment_version()
        .remove("gsi3pk, gsi3sk")
        .text(":pending", PENDING)
        .text(":cancelled", decision_word(&Decision::Cancelled { reason: None }))
        .text(":reason", CancelReason::RelationshipEnded.as_str())
        .value(":now", number(now.millis()))
}

/// The update of the invitation. Its guard repeats every decision that was based on what was read.
fn answer_invitation(change: &InvitationChange<'_>) -> Write {
    let before = change.before;
    let write = Write::update(
        keys::invitation(&before.invitation_id),
        "answer = :pending AND expires > :now AND attribute_exists(gsi3sk) AND token_hash = :token_hash AND \
         version = :version",
    )
    .set("answer = :answer, decided = :now, proof = :proof, version = :next")
    .text(":proof", change.answer.proof.as_str())
    .remove("gsi3pk, gsi3sk")
    .text(":answer", decision_word(&change.answer.decision))
    .text(":pending", PENDING)
    .value(":now", number(change.answer.decided_at.millis()))
    .value(":token_hash", bytes(&before.token_hash))
    .value(":version", number(before.version))
    .value(":next", number(before.version + 1));
    match &change.answer.decision {
        Decision::Accepted { granted, accepted_by } => {
            let write = match accepted_by {
                Some(person) => write
                    .set("by_name = :by_name, by_email = :by_email, by_salt = :by_salt")
                    .text(":by_name", &person.name)
                    .text(":by_email", &person.email)
                    .value(":by_salt", bytes(&person.salt)),
                None => write,
            };
            let Some(granted) = granted else { return write };
            let as_asked = before.delegated_admin.as_ref() == Some(granted);
            let granted = if as_asked { AS_ASKED } else { admin_value(granted) };
            write.set("granted = :granted").value(":granted", granted)
        }
        Decision::Declined { reason: Some(reason) } => write.set("reason = :reason").value(":reason", text(reason)),
        Decision::Declined { reason: None } | Decision::Cancelled { .. } => write,
    }
}

fn decision_word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Accepted { .. } => "accepted",
        Decision::Declined { .. } => "declined",
        Decision::Cancelled { .. } => "cancelled",
    }
}
