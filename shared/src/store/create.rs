//! Creating an invitation: one transaction, of kind reseller first, and of kind grant when the relationship is active.

use super::invitation::{Step, find, invitation_item, read_invitation};
use super::item::{bytes, number};
use super::keys;
use super::relationship::read_relationship;
use super::terms::{TenantRefusal, Terms, explain_tenant, tenant_guard};
use super::transact::{Outcome, Refusal};
use super::write::Write;
use super::{Attempt, Store, StoreError, event};
use crate::domain::{Event, Invitation, InvitationId, InvitationKind, Relationship, RelationshipState, Timestamp};

/// What became of an invitation to be created.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// It is new.
    New(Invitation),
    /// Its idempotency key named this invitation before.
    Before(Invitation),
    /// The tenant can't be invited.
    Tenant(TenantRefusal),
    /// The relationship is active.
    RelationshipActive,
    /// Another invitation is open.
    Pending(InvitationId),
    /// The day's limit is used up.
    LimitReached,
}

impl Store {
    /// Creates an invitation of kind reseller, or of kind grant when roles are asked and the relationship is active.
    /// `event` makes the event of the invitation it is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_invitation(
        &self,
        attempt: Attempt,
        mut invitation: Invitation,
        terms: Terms,
        daily_limit: u32,
        event: impl Fn(&Invitation) -> Event,
    ) -> Result<Created, StoreError> {
        // Whether the relationship is active shows only in the refusal, and it may change again in between.
        for _ in 0..3 {
            let created = event(&invitation);
            invitation.chain = created.chain_after(&[0; 32]);
            let writes = [
                (Step::Invitation, Write::create(invitation_item(&invitation))),
                (Step::Tenant, tenant_guard(&invitation.customer, terms.cloud, terms.market, terms.csp_refused)),
                (Step::Relationship, open_invitation(&invitation, attempt.occurred_at, daily_limit)),
                (Step::Rest, event::write(&created, &invitation.chain)),
            ];
            let refused = match self.transact(attempt, &writes).await? {
                Outcome::Committed => return Ok(Created::New(invitation)),
                Outcome::Refused(refused) => refused,
            };
            if let Some(before) = self.before(attempt, &invitation.invitation_id, &refused).await? {
                return Ok(Created::Before(before));
            }
            if let Some(refusal) = find(&refused, Step::Tenant) {
                return Ok(Created::Tenant(explain_tenant(refusal, terms)?));
            }
            let Some(refusal) = find(&refused, Step::Relationship) else { return Err(StoreError::Contention) };
            let relationship = refusal.item.as_ref().map(read_relationship).transpose()?;
            match next_kind(&invitation, relationship.as_ref()) {
                NextKind::Stays => return Ok(explain_open(relationship.as_ref(), attempt.occurred_at)),
                NextKind::Active => return Ok(Created::RelationshipActive),
                NextKind::Becomes(kind, period) => {
                    invitation.kind = kind;
                    invitation.period = period;
                }
            }
        }
        Err(StoreError::Contention)
    }

    /// The invitation at position 0: from its refusal, or, when only another write was refused, from the table. The twin
    /// of this request may have been committed between the two.
    async fn before(
        &self,
        attempt: Attempt,
        id: &InvitationId,
        refused: &[Refusal<Step>],
    ) -> Result<Option<Invitation>, StoreError> {
        match find(refused, Step::Invitation).and_then(|refusal| refusal.item.as_ref()) {
            Some(item) => Ok(Some(read_invitation(item)?)),
            None => self.invitation(attempt, id).await,
        }
    }
}

enum NextKind {
    Stays,
    Active,
    Becomes(InvitationKind, Option<(InvitationId, Timestamp)>),
}

/// What an invitation has to be, given the relationship that refused it.
fn next_kind(invitation: &Invitation, relationship: Option<&Relationship>) -> NextKind {
    let active = relationship.filter(|relationship| relationship.state == RelationshipState::Active);
    match (invitation.kind, active) {
        (InvitationKind::Reseller, Some(_)) if invitation.delegated_admin.is_none() => NextKind::Active,
        (InvitationKind::Reseller, Some(active)) => NextKind::Becomes(InvitationKind::Grant, active.period.clone()),
        (InvitationKind::Grant, None) => NextKind::Becomes(InvitationKind::Reseller, None),
        (InvitationKind::Grant, Some(active)) if active.period != invitation.period => {
            NextKind::Becomes(InvitationKind::Grant, active.period.clone())
        }
        _ => NextKind::Stays,
    }
}

fn explain_open(relationship: Option<&Relationship>, now: Timestamp) -> Created {
    match relationship.and_then(|relationship| relationship.open_at(now)) {
        Some(open) => Created::Pending(open.clone()),
        None => Created::LimitReached,
    }
}

/// The relationship's part of creating: no other invitation is open, the day's limit is not used up, and it is not active
/// (kind reseller) or active in the same period (kind grant).
fn open_invitation(invitation: &Invitation, now: Timestamp, daily_limit: u32) -> Write {
    let days: Vec<String> = (0..=7).map(|ago| format!("invited_{}", now.minus_days(ago).day())).collect();
    let old: Vec<String> = (1..days.len()).map(|ago| format!("#day{ago}")).collect();
    let expression = format!(
        "SET v = if_not_exists(v, :schema), relation = if_not_exists(relation, :none), open_invitation = :id, \
         open_until = :until, version = if_not_exists(version, :zero) + :one, event_seq = if_not_exists(event_seq, :zero), \
         event_hash = if_not_exists(event_hash, :zeros), #day0 = if_not_exists(#day0, :zero) + :one REMOVE {}",
        old.join(", ")
    );
    let state = match &invitation.period {
        Some(_) => "relation = :active AND period = :period",
        None => "(attribute_not_exists(relation) OR relation <> :active)",
    };
    let guard = format!(
        "{state} AND (attribute_not_exists(open_invitation) OR open_until <= :now) AND \
         (attribute_not_exists(#day0) OR #day0 < :limit)"
    );
    let mut write =
        Write::update(keys::relationship(&invitation.customer, &invitation.partner_id), &expression, &guard)
            .value(":schema", number(super::SCHEMA))
            .text(":none", RelationshipState::None.as_str())
            .text(":active", RelationshipState::Active.as_str())
            .text(":id", invitation.invitation_id.as_str())
            .value(":until", number(invitation.expires_at.millis()))
            .value(":now", number(now.millis()))
            .value(":zero", number(0))
            .value(":one", number(1))
            .value(":zeros", bytes(&[0; 32]))
            .value(":limit", number(daily_limit));
    if let Some((period, _)) = &invitation.period {
        write = write.text(":period", period.as_str());
    }
    for (ago, day) in days.into_iter().enumerate() {
        write = write.name(&format!("#day{ago}"), day);
    }
    write
}
