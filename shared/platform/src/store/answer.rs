//! Answering an invitation: accept begins (or goes on with) the relationship, decline and cancel only close it.

use super::invitation::{AS_ASKED, PENDING, Step, find};
use super::item::{bytes, number, text};
use super::keys;
use super::relationship::read_relationship;
use super::terms::{CustomerRequirements, TenantRefusal, explain_tenant, tenant_guard};
use super::transact::Outcome;
use super::write::Write;
use super::{OpContext, Store, StoreError, event, grant};
use domain::{Answer, Chain, Decision, Event, Grant, Invitation, Relationship, RelationshipState, Timestamp};

/// What became of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// It was taken.
    Done,
    /// The invitation changed meanwhile; look again.
    Changed,
    /// The tenant can't be a customer any more.
    Tenant(TenantRefusal),
    /// The relationship is not in the state the invitation needs.
    NotActive,
    /// Another invitation is open instead.
    Superseded,
}

/// An answer to an invitation beside what it was before, and what comes of the answer.
#[derive(Clone, Debug)]
pub struct InvitationChange<'a> {
    /// As it was read.
    pub before: &'a Invitation,
    /// The answer.
    pub answer: &'a Answer,
    /// The grant that begins.
    pub grant: Option<&'a Grant>,
    /// The event that tells of it.
    pub event: &'a Event,
}

impl Store {
    /// Accepts: the relationship begins (kind reseller) or goes on (kind grant), and the grant begins.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn accept_invitation(
        &self,
        attempt: OpContext,
        change: &InvitationChange<'_>,
        terms: CustomerRequirements,
    ) -> Result<Answered, StoreError> {
        let before = change.before;
        let chain = change.event.chain_after(&before.chain.hash);
        let now = attempt.occurred_at;
        let (_, since) = before.period_at(now);
        let mut writes = vec![
            (Step::Invitation, answer_invitation(change, &chain)),
            (Step::Tenant, tenant_guard(&before.customer, terms)),
            (Step::Relationship, accept_into_relationship(before, now)),
            (Step::Rest, event::write(change.event, &chain)),
        ];
        writes.extend(change.grant.map(|grant| (Step::Rest, grant::write(grant, since))));
        let refused = match self.transact(attempt, &writes).await? {
            Outcome::Committed => return Ok(Answered::Done),
            Outcome::Refused(refused) => refused,
        };
        if find(&refused, Step::Invitation).is_some() || self.moved(attempt, before).await? {
            return Ok(Answered::Changed);
        }
        if let Some(refusal) = find(&refused, Step::Tenant) {
            return Ok(Answered::Tenant(explain_tenant(refusal, terms)?));
        }
        // Without any of these it is the event that was there already: the chain has moved on.
        let Some(refusal) = find(&refused, Step::Relationship) else { return Ok(Answered::Changed) };
        let relationship = refusal.item.as_ref().map(read_relationship).transpose()?;
        Ok(explain_accept(before, relationship.as_ref()))
    }

    /// Declines or cancels: the invitation is closed, and the relationship is free for another one. `false` when the
    /// invitation changed meanwhile.
    pub async fn close_invitation(
        &self,
        attempt: OpContext,
        change: &InvitationChange<'_>,
    ) -> Result<bool, StoreError> {
        let before = change.before;
        let chain = change.event.chain_after(&before.chain.hash);
        let event = (Step::Rest, event::write(change.event, &chain));
        let free = Write::update(
            keys::relationship(&before.customer, &before.partner_id),
            "SET version = version + :one REMOVE open_invitation, open_until",
            "open_invitation = :id",
        );
        let free = free.text(":id", before.invitation_id.as_str()).value(":one", number(1));
        let closed = (Step::Invitation, answer_invitation(change, &chain));
        let writes = [closed.clone(), (Step::Relationship, free), event.clone()];
        let refused = match self.transact(attempt, &writes).await? {
            Outcome::Committed => return Ok(true),
            Outcome::Refused(refused) => refused,
        };
        if find(&refused, Step::Invitation).is_some() || find(&refused, Step::Relationship).is_none() {
            return Ok(false);
        }
        // The relationship names another invitation, or none: it has nothing to do with this one any more.
        Ok(matches!(self.transact(attempt, &[closed, event]).await?, Outcome::Committed))
    }

    /// Whether the invitation is no longer the version that was read.
    pub(super) async fn moved(&self, attempt: OpContext, before: &Invitation) -> Result<bool, StoreError> {
        let now = self.invitation(attempt, &before.invitation_id).await?;
        Ok(now.is_none_or(|now| now.version != before.version))
    }
}

fn explain_accept(invitation: &Invitation, relationship: Option<&Relationship>) -> Answered {
    let Some(relationship) = relationship else { return Answered::Superseded };
    let active = relationship.active_period();
    let fits = match &invitation.period {
        Some((period, _)) => active == Some(period),
        None => active.is_none(),
    };
    let open = relationship.open_invitation.as_ref().map(|(id, _)| id);
    if !fits {
        Answered::NotActive
    } else if open.is_some_and(|open| *open != invitation.invitation_id) {
        Answered::Superseded
    } else {
        Answered::NotActive
    }
}

/// The relationship's part of accepting.
fn accept_into_relationship(invitation: &Invitation, now: Timestamp) -> Write {
    let (customer, partner) = (&invitation.customer, &invitation.partner_id);
    let key = keys::relationship(customer, partner);
    let write = match &invitation.period {
        Some((period, _)) => Write::update(
            key,
            "SET version = version + :one REMOVE open_invitation, open_until",
            "open_invitation = :id AND relation = :active AND period = :period",
        )
        .text(":period", period.as_str()),
        None => Write::update(
            key,
            "SET relation = :active, period = :id, since = :now, version = version + :one, gsi1pk = :partner, \
             gsi2pk = :customer, listed = :listed REMOVE open_invitation, open_until, ended",
            "open_invitation = :id AND relation <> :active",
        )
        .value(":now", number(now.millis()))
        .text(":partner", keys::partner_view(partner))
        .text(":customer", keys::customer_view(customer))
        .text(":listed", keys::listed_relationship(now, customer, partner)),
    };
    write
        .text(":id", invitation.invitation_id.as_str())
        .text(":active", RelationshipState::Active.as_str())
        .value(":one", number(1))
}

/// The invitation's part of an answer. Its guard repeats everything that was decided on what was read.
fn answer_invitation(change: &InvitationChange<'_>, chain: &Chain) -> Write {
    let before = change.before;
    let mut sets =
        "answer = :answer, decided = :now, version = :next, event_seq = :sequence, event_hash = :hash".to_owned();
    let write = |sets: &str| {
        Write::update(
            keys::invitation(&before.invitation_id),
            &format!("SET {sets} REMOVE gsi3pk, gsi3sk"),
            "answer = :pending AND expires > :now AND attribute_exists(gsi3sk) AND token_hash = :token_hash AND \
             version = :version",
        )
    };
    let mut values = Vec::new();
    if let Decision::Accepted { granted, accepted_by } = &change.answer.decision {
        sets.push_str(", by_name = :by_name, by_email = :by_email, by_salt = :by_salt");
        values.push((":by_name", text(&accepted_by.name)));
        values.push((":by_email", text(&accepted_by.email)));
        values.push((":by_salt", bytes(&accepted_by.salt)));
        if let Some(granted) = granted {
            sets.push_str(", granted = :granted");
            let as_asked = before.delegated_admin.as_ref() == Some(granted);
            values.push((":granted", if as_asked { AS_ASKED } else { grant::admin_value(granted) }));
        }
    }
    if let Decision::Declined { reason: Some(reason) } = &change.answer.decision {
        sets.push_str(", reason = :reason");
        values.push((":reason", text(reason)));
    }
    let built = write(&sets)
        .text(":answer", answer_word(&change.answer.decision))
        .text(":pending", PENDING)
        .value(":now", number(change.answer.decided_at.millis()))
        .value(":token_hash", bytes(&before.token_hash))
        .value(":version", number(before.version))
        .value(":next", number(before.version + 1))
        .value(":sequence", number(chain.sequence))
        .value(":hash", bytes(&chain.hash));
    values.into_iter().fold(built, |write, (name, value)| write.value(name, value))
}

fn answer_word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Accepted { .. } => "accepted",
        Decision::Declined { .. } => "declined",
        Decision::Cancelled => "cancelled",
    }
}
