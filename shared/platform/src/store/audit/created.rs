//! Records that the event of another record creates.

use super::super::item::{ItemBuilder, key_of, text_of};
use super::super::keys;
use super::super::state::state_of;
use super::found::{Found, Record, partition_of};
use super::report::Problem;
use domain::{AggregateKind, EventType, StateDigest};

/// The state in which a record was created, if it has no event of its own; `None` if it has or if that event cannot be read.
///
/// # Errors
/// [`Problem::Inserted`] if no event created it.
pub(super) fn created_state(found: &Found, record: &Record) -> Result<Option<StateDigest>, Problem> {
    let Some(item) = &record.item else { return Ok(None) };
    let by = |kind: AggregateKind, id: &str, event_type: EventType| {
        if found.unread.contains(&partition_of(kind, id)) {
            return Ok(None);
        }
        let creator = found.record(kind, id).into_iter().flat_map(Record::events);
        let created = creator.rev().find(|event| event.event_type == event_type).and_then(|event| event.state.created);
        created.map(Some).ok_or(Problem::Inserted)
    };
    match record.kind {
        AggregateKind::Grant => {
            let id = key_of(item).and_then(|key| keys::parse_grant(&key)).map(|(_, id)| id.invitation());
            let id = id.map(|id| id.to_string()).unwrap_or_default();
            by(AggregateKind::Invitation, &id, EventType::InvitationAccepted)
        }
        AggregateKind::Tenant if record.events.is_empty() => {
            let id = text_of(item, "csp_partner").unwrap_or_default();
            by(AggregateKind::Partner, id, EventType::PartnerEnrolled)
        }
        // Its other attributes are computed from the events of its invitations.
        AggregateKind::Relationship => Ok(key_of(item).map(|key| {
            let new = ItemBuilder::new(key).build();
            state_of(&new).digest()
        })),
        _ if record.events.is_empty() => Err(Problem::Inserted),
        _ => Ok(None),
    }
}
