//! The state of a record must have the digest that its last event has.

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::grant::read_grant;
use super::super::invitation::{PENDING, read_invitation};
use super::super::item::{Item, number, text};
use super::super::keys::{self, Mark};
use super::super::relationship::read_relationship;
use super::super::state::state_of;
use super::created::created_state;
use super::found::{Found, Record};
use super::report::Problem;
use domain::{AggregateKind, Answer, CancelReason, Decision, Event, EventType, Grant, Invitation, Timestamp};

pub(super) fn check(found: &Found, record: &Record) -> Result<(), Problem> {
    let Some(item) = &record.item else { return Ok(()) };
    let created = created_state(found, record)?;
    let Some(last) = record.events().next_back() else {
        let is_new = created.is_none_or(|created| is_state(found, record, item, created));
        return is_new.then_some(()).ok_or(Problem::Created);
    };
    if is_state(found, record, item, last.state.record) {
        return Ok(());
    }
    if cancelled_with_relationship(found, item).is_some_and(|before| state_of(&before).digest() == last.state.record) {
        return Ok(());
    }
    Err(Problem::State { event: last.sequence, differs: differences(record, item) })
}

fn is_state(found: &Found, record: &Record, item: &Item, digest: [u8; 16]) -> bool {
    let mut marked = forgotten_marks(found, record, item);
    state_of(item).digest() == digest || marked.any(|item| state_of(&item).digest() == digest)
}

/// The invitation before the end of its relationship cancelled it, if an event of the relationship says that it did: the
/// invitation has no event of that.
fn cancelled_with_relationship(found: &Found, item: &Item) -> Option<Item> {
    let Invitation { invitation_id, customer, partner_id, answer, expires_at, version, .. } =
        read_invitation(item).ok()?;
    let Answer { decision: Decision::Cancelled { reason: Some(CancelReason::RelationshipEnded) }, decided_at, proof } =
        answer?
    else {
        return None;
    };
    let relationship = found.record(AggregateKind::Relationship, &format!("{customer}#{partner_id}"))?;
    let is_end = |event: &Event| {
        let is_same = (event.occurred_at, event.actor.proof) == (decided_at, proof);
        is_same && cancels(event) == Some(invitation_id.as_str())
    };
    relationship.events().find(|event| is_end(event))?;
    let (mut before, mark) = (item.clone(), Mark::due(invitation_id.as_str(), expires_at));
    before.remove("decided");
    before.remove("proof");
    before.remove("cancel_reason");
    before.insert("answer".to_owned(), text(PENDING));
    before.insert("version".to_owned(), number(version.saturating_sub(1)));
    before.insert(keys::GSI3_PK.to_owned(), text(mark.partition));
    before.insert(keys::GSI3_SK.to_owned(), text(mark.entry));
    Some(before)
}

/// The invitation that an event of a relationship cancelled.
pub(super) fn cancels(event: &Event) -> Option<&str> {
    let named = event.data.get("invitation_id").filter(|_| event.event_type == EventType::RelationshipEnded)?;
    named.as_str()
}

/// The item of a grant that has no notice to announce, with each mark that it may have had: the mark of a grant that ended with
/// its relationship is removed without an event, both attributes at once.
fn forgotten_marks(found: &Found, record: &Record, item: &Item) -> impl Iterator<Item = Item> {
    let is_marked = [keys::GSI3_PK, keys::GSI3_SK].iter().any(|name| item.contains_key(*name));
    let is_unmarked = record.kind == AggregateKind::Grant && !is_marked;
    let grant = read_grant(item).ok().filter(|grant| is_unmarked && !is_in_active_period(found, grant));
    let times = grant.map(|grant| notice_times(&grant, record)).unwrap_or_default();
    times.into_iter().map(move |(grant, at)| {
        let (mut marked, mark) = (item.clone(), Mark::due(grant.grant_id.as_str(), at));
        marked.insert(keys::GSI3_PK.to_owned(), text(mark.partition));
        marked.insert(keys::GSI3_SK.to_owned(), text(mark.entry));
        marked
    })
}

/// Whether the relationship of a grant is still in the period that the grant belongs to.
fn is_in_active_period(found: &Found, grant: &Grant) -> bool {
    let id = format!("{}#{}", grant.customer, grant.partner_id);
    let item = found.record(AggregateKind::Relationship, &id).and_then(|record| record.item.as_ref());
    let relationship = item.and_then(|item| read_relationship(item).ok());
    relationship.is_some_and(|relationship| relationship.active_period() == Some(&grant.period))
}

/// The number of notices of a grant that does not extend itself, and one more.
const NOTICES: usize = 5;

/// The times of the notices of a grant. One that extends itself has one for each event.
fn notice_times(grant: &Grant, record: &Record) -> Vec<(Grant, Timestamp)> {
    let mut at = grant.starts_at;
    let mut times = Vec::new();
    for _ in 0..record.events.len() + NOTICES {
        let Some((next, _)) = grant.next_notice(at) else { break };
        times.push((grant.clone(), next));
        at = next;
    }
    times
}

/// The attributes that differ from the members of the same name in the events' data. Each event has only some.
fn differences(record: &Record, item: &Item) -> Vec<String> {
    let said = |name: &str| record.events().rev().find_map(|event| event.data.get(name)).cloned();
    let differs = |(name, value): &(&String, &AttributeValue)| {
        let shown = match value {
            AttributeValue::S(text) => serde_json::Value::from(text.as_str()).to_string(),
            AttributeValue::N(number) => number.clone(),
            _ => return false,
        };
        said(name).is_some_and(|said| (said.is_string() || said.is_number()) && *shown != *said.to_string())
    };
    let mut names: Vec<String> = item.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    names
}
