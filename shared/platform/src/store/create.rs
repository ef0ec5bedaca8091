//! Creating an invitation: one transaction, of kind reseller first, and of kind grant when the relationship is active.

use super::invitation::{Step, find, invitation_item, read_invitation};
use super::item::{bytes, number};
use super::keys;
use super::relationship::read_relationship;
use super::terms::{CustomerRequirements, TenantRefusal, explain_tenant, tenant_guard};
use super::transact::{Outcome, Refusal};
use super::write::Write;
use super::{OpContext, Store, StoreError, TRIES, event};
use domain::{Event, Invitation, InvitationId, InvitationKind, Relationship, RelationshipState, Timestamp};

/// What became of an invitation to be created.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// It is new.
    New(Invitation),
    /// Its idempotency key named this invitation before.
    AlreadyExists(Invitation),
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
        attempt: OpContext,
        mut invitation: Invitation,
        terms: CustomerRequirements,
        daily_limit: u32,
        event: impl Fn(&Invitation) -> Event,
    ) -> Result<Created, StoreError> {
        // Whether the relationship is active shows only in the refusal, and it may change again in between.
        for _ in 0..TRIES {
            let created = event(&invitation);
            let chain = created.chain_after(&[0; 32]);
            let writes = [
                (Step::Invitation, Write::create(invitation_item(&invitation, chain))),
                (Step::Tenant, tenant_guard(&invitation.customer, terms)),
                (Step::Relationship, open_invitation(&invitation, attempt.occurred_at, daily_limit)),
                (Step::Rest, event::write(&created, &chain)),
            ];
            let refused = match self.transact(attempt, &writes).await? {
                Outcome::Committed => return Ok(Created::New(Invitation { chain, ..invitation })),
                Outcome::Refused(refused) => refused,
            };
            if let Some(before) = find(&refused, Step::Invitation).and_then(|refusal| refusal.item.as_ref()) {
                return Ok(Created::AlreadyExists(read_invitation(before)?));
            }
            let refusal = match explain(&refused, &invitation, terms, attempt.occurred_at)? {
                Explained::Becomes(kind, period) => {
                    (invitation.kind, invitation.period) = (kind, period);
                    continue;
                }
                Explained::Refused(refusal) => *refusal,
            };
            // The twin of this request may have been committed since: what it wrote may be what refused this one.
            return Ok(match self.invitation(attempt, &invitation.invitation_id).await? {
                Some(before) => Created::AlreadyExists(before),
                None => refusal,
            });
        }
        Err(StoreError::Contention)
    }
}

enum Explained {
    Refused(Box<Created>),
    Becomes(InvitationKind, Option<(InvitationId, Timestamp)>),
}

/// What the refusals mean, the tenant's first.
fn explain(
    refused: &[Refusal<Step>],
    invitation: &Invitation,
    terms: CustomerRequirements,
    now: Timestamp,
) -> Result<Explained, StoreError> {
    if let Some(refusal) = find(refused, Step::Tenant) {
        return Ok(Explained::Refused(Box::new(Created::Tenant(explain_tenant(refusal, terms)?))));
    }
    let Some(refusal) = find(refused, Step::Relationship) else { return Err(StoreError::Contention) };
    let relationship = refusal.item.as_ref().map(read_relationship).transpose()?;
    let relationship = relationship.as_ref();
    Ok(match next_kind(invitation, relationship) {
        NextKind::Stays => Explained::Refused(Box::new(explain_open(relationship, now))),
        NextKind::Active => Explained::Refused(Box::new(Created::RelationshipActive)),
        NextKind::Becomes(kind, period) => Explained::Becomes(kind, period),
    })
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
