//! Writes the events of due invitations and grants.

use domain::{Event, EventType, Grant, GrantNotice, Invitation, Occurrence, Timestamp};
use platform::lambda::RunBudget;
use platform::store::StoreError;
use serde_json::json;

use crate::announcer::Announcer;

/// Announces that an invitation has expired. Returns the number of events: 0 if the invitation has changed since.
pub(crate) async fn announce_invitation(
    announcer: &Announcer,
    budget: RunBudget,
    invitation: &Invitation,
) -> Result<usize, StoreError> {
    let op = announcer.op(budget);
    let data = [("expired_at", json!(invitation.expires_at))];
    let event =
        announcer.event(op.occurred_at, |occurrence| invitation.event(EventType::InvitationExpired, occurrence, data));
    announcer.store.announce_invitation(op, invitation, &event).await.map(usize::from)
}

/// Announces the notices of a grant that are due by now, in order. Returns the number of events.
pub(crate) async fn announce_grant(
    announcer: &Announcer,
    budget: RunBudget,
    mut grant: Grant,
    mut due: Timestamp,
) -> Result<usize, StoreError> {
    let mut announced = 0;
    loop {
        let op = announcer.op(budget);
        let Some((at, notice)) = grant.announcement(due, op.occurred_at) else { return Ok(announced) };
        let event = announcer.event(op.occurred_at, |occurrence| grant_event(&grant, at, notice, occurrence));
        let chain = announcer.store.announce_grant(op, &grant, (due, at), &event).await?;
        let Some(chain) = chain else { return Ok(announced) };
        announced += 1;
        grant.chain = chain;
        match grant.next_notice(at) {
            Some((next, _)) if next <= op.occurred_at => due = next,
            _ => return Ok(announced),
        }
    }
}

fn grant_event(grant: &Grant, at: Timestamp, notice: GrantNotice, occurrence: Occurrence<'_>) -> Event {
    let ends_at = ("ends_at", json!(grant.ends_at(at)));
    match notice {
        GrantNotice::Expiring(days) => {
            grant.event(EventType::GrantExpiring, occurrence, [("days", json!(days)), ends_at])
        }
        GrantNotice::Expired => grant.event(EventType::GrantExpired, occurrence, [("ended_at", json!(at))]),
        GrantNotice::Extended => {
            grant.event(EventType::GrantExtended, occurrence, [("extended_at", json!(at)), ends_at])
        }
    }
}
