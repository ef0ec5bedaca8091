//! Creating an invitation in one transaction: of kind reseller first, of kind grant if the relationship is active.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::customer::{CustomerRequirements, TenantRefusal};
use super::error::StoreError;
use super::invitation::{invitation_item, read_invitation};
use super::item::{SCHEMA, bytes, number};
use super::keys;
use super::op_context::OpContext;
use super::record::Recorded;
use super::relationship::{ACTIVE_IN_PERIOD, read_relationship};
use super::retry::{Step, retry_on_change};
use super::table::Store;
use super::transact::Outcome;
use super::write::Write;
use domain::{Event, Invitation, InvitationId, InvitationKind, Relationship, RelationshipState, Timestamp};

/// The result of creating an invitation.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    New(Invitation),
    /// The idempotency key was used before, for this invitation.
    AlreadyExists(Invitation),
    /// The tenant cannot be invited.
    Tenant(TenantRefusal),
    RelationshipActive,
    /// Another invitation is open.
    Pending(InvitationId),
    /// The daily limit is reached.
    LimitReached,
}

/// An invitation's kind, and for kind grant the period of the relationship.
type Kind = (InvitationKind, Option<(InvitationId, Timestamp)>);

/// What a refused transaction means.
enum Refused {
    /// The invitation has to be of this kind. It is sent again.
    Becomes(Kind),
    Finally(Box<Created>),
}

impl Store {
    /// Creates an invitation of kind reseller, or of kind grant if it asks for roles and the relationship is active.
    /// `event` makes the event of the invitation that it is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_invitation(
        &self,
        op: OpContext,
        invitation: Invitation,
        requirements: CustomerRequirements,
        daily_limit: u32,
        event: impl Fn(&Invitation) -> Event,
    ) -> Result<Created, StoreError> {
        // Only a refusal shows whether the relationship is active, and that may change again in between.
        let current = Mutex::new((invitation.kind, invitation.period.clone()));
        retry_on_change(|| async {
            let (kind, period) = lock(&current).clone();
            let invitation = Invitation { kind, period, ..invitation.clone() };
            let Recorded { record, event, chain } = self.begin(&event(&invitation), invitation_item(&invitation))?;
            let writes = [
                record,
                requirements.guard(&invitation.customer),
                open_invitation(&invitation, op.occurred_at, daily_limit),
                event,
            ];
            let outcome = self.transact(op, &writes).await?;
            if outcome.is_committed() {
                return Ok(Step::Done(Created::New(Invitation { chain, ..invitation })));
            }
            if let Some(existing) = outcome.conflicting(&keys::invitation(&invitation.invitation_id)) {
                return Ok(Step::Done(Created::AlreadyExists(read_invitation(existing)?)));
            }
            match explain(&outcome, &invitation, requirements, op.occurred_at)? {
                Refused::Becomes(kind) => {
                    *lock(&current) = kind;
                    Ok(Step::Changed)
                }
                // The same request may have been committed meanwhile, and its write may have refused this one.
                Refused::Finally(refusal) => {
                    Ok(Step::Done(match self.invitation(op, &invitation.invitation_id).await? {
                        Some(existing) => Created::AlreadyExists(existing),
                        None => *refusal,
                    }))
                }
            }
        })
        .await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the refusals mean, the tenant's first.
fn explain(
    outcome: &Outcome,
    invitation: &Invitation,
    requirements: CustomerRequirements,
    now: Timestamp,
) -> Result<Refused, StoreError> {
    if let Some(refusal) = requirements.refusal(&invitation.customer, outcome)? {
        return Ok(Refused::Finally(Box::new(Created::Tenant(refusal))));
    }
    let key = keys::relationship(&invitation.customer, &invitation.partner_id);
    let refusal = outcome.refusal(&key).ok_or(StoreError::Contention)?;
    let relationship = refusal.item.as_ref().map(read_relationship).transpose()?;
    Ok(explain_relationship(invitation, relationship.as_ref(), now))
}

/// Why the relationship refused an invitation.
fn explain_relationship(invitation: &Invitation, relationship: Option<&Relationship>, now: Timestamp) -> Refused {
    let active = relationship.filter(|relationship| relationship.state == RelationshipState::Active);
    match (invitation.kind, active) {
        (InvitationKind::Reseller, Some(_)) if invitation.delegated_admin.is_none() => {
            Refused::Finally(Box::new(Created::RelationshipActive))
        }
        (InvitationKind::Grant, None) => Refused::Becomes((InvitationKind::Reseller, None)),
        (_, Some(active)) if active.period != invitation.period => {
            Refused::Becomes((InvitationKind::Grant, active.period.clone()))
        }
        _ => Refused::Finally(Box::new(match relationship.and_then(|relationship| relationship.open_at(now)) {
            Some(open) => Created::Pending(open.clone()),
            None => Created::LimitReached,
        })),
    }
}

/// The update of the relationship. No other invitation may be open, and the daily limit must not be reached. The
/// relationship must be active in the invitation's period (kind grant) or not active (kind reseller).
fn open_invitation(invitation: &Invitation, now: Timestamp, daily_limit: u32) -> Write {
    let guard = "(attribute_not_exists(open_invitation) OR open_until <= :now)";
    let write = Write::update(keys::relationship(&invitation.customer, &invitation.partner_id), guard)
        .set("v = if_not_exists(v, :schema), relation = if_not_exists(relation, :none)")
        .set("open_invitation = :id, open_until = :until, version = if_not_exists(version, :zero) + :one")
        .set("event_seq = if_not_exists(event_seq, :zero), event_hash = if_not_exists(event_hash, :zeros)")
        .value(":schema", number(SCHEMA))
        .text(":none", RelationshipState::None.as_str())
        .text(":active", RelationshipState::Active.as_str())
        .text(":id", invitation.invitation_id.as_str())
        .value(":until", number(invitation.expires_at.millis()))
        .value(":now", number(now.millis()))
        .value(":zero", number(0))
        .value(":one", number(1))
        .value(":zeros", bytes(&[0; 32]))
        .count_today("invited", now, daily_limit);
    match &invitation.period {
        Some((period, _)) => write.and(ACTIVE_IN_PERIOD).text(":period", period.as_str()),
        None => write.and("(attribute_not_exists(relation) OR relation <> :active)"),
    }
}
