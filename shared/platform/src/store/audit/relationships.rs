//! Commands on invitations write the relationship without reading it. So most of its attributes are computed here, from the
//! invitations of the pair and their events, and from the event of its import.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::invitation::read_invitation;
use super::super::item::{Item, key_of, number, text};
use super::super::keys;
use super::super::relationship::PERIOD_END;
use super::found::{Found, partition_of};
use super::report::{Fault, Problem};
use domain::{
    AggregateKind, Decision, Event, EventType, Invitation, InvitationId, InvitationKind, PartnerId, Proof,
    RelationshipState, TenantId, Timestamp,
};

type PairId = (TenantId, PartnerId);

/// Counters of a day: the prefix of the attribute, and what is counted.
const COUNTERS: &[(&str, EventType)] =
    &[("invited_", EventType::InvitationCreated), ("renewed_", EventType::InvitationRenewed)];

/// What the events of one customer and partner say.
#[derive(Debug, Default)]
struct Pair {
    /// Invitations without an answer, with the time of their newest link.
    pending: Vec<(Invitation, Timestamp)>,
    /// Each time when an invitation was opened, and by which invitation.
    opened: Vec<(Timestamp, InvitationId)>,
    /// The invitations that began a period, and when. An import has an id of its own.
    began: BTreeMap<InvitationId, Timestamp>,
    /// What proved who accepted each of these invitations.
    proofs: BTreeMap<InvitationId, Proof>,
    /// In the order of the record, which clocks may contradict.
    ended: Vec<Timestamp>,
    /// Counters by their attribute, with the time of the last count.
    counted: BTreeMap<String, (u64, Timestamp)>,
}

pub(super) fn check(found: &Found) -> Vec<Fault> {
    let mut pairs = pairs(found);
    let mut faults = Vec::new();
    for (partition, record) in found.checked_of(AggregateKind::Relationship) {
        let Some(item) = &record.item else { continue };
        let Some(id) = key_of(item).and_then(|key| keys::parse_relationship(&key)) else { continue };
        let mut pair = pairs.remove(&id);
        if let Some(pair) = &mut pair {
            let ends = record.events().filter(|event| event.event_type == EventType::RelationshipEnded);
            pair.ended = ends.map(|event| event.occurred_at).collect();
        }
        if found.is_unread_pair(&id) {
            continue;
        }
        match pair {
            Some(pair) => faults.extend(
                pair.differences(&id, item).into_iter().map(|name| Fault::new(partition, Problem::Derived(name))),
            ),
            None => faults.push(Fault::new(partition, Problem::Inserted)),
        }
    }
    for id in pairs.into_keys().filter(|id| !found.is_unread_pair(id)) {
        let partition = partition_of(AggregateKind::Relationship, &format!("{}#{}", id.0, id.1));
        if !found.unread.contains(&partition) {
            faults.push(Fault::new(&partition, Problem::Deleted));
        }
    }
    faults
}

fn pairs(found: &Found) -> BTreeMap<PairId, Pair> {
    let mut pairs: BTreeMap<PairId, Pair> = BTreeMap::new();
    for (_, record) in found.checked_of(AggregateKind::Invitation) {
        let Some(Ok(invitation)) = record.item.as_ref().map(read_invitation) else { continue };
        let pair = pairs.entry((invitation.customer.clone(), invitation.partner_id.clone())).or_default();
        let mut newest = Timestamp::from_millis(0);
        for event in record.events() {
            for (prefix, _) in COUNTERS.iter().filter(|(_, counted)| *counted == event.event_type) {
                let counter = pair.counted.entry(format!("{prefix}{}", event.occurred_at.day()));
                let (count, last) = counter.or_insert((0, event.occurred_at));
                *count += 1;
                *last = event.occurred_at.max(*last);
            }
            if matches!(event.event_type, EventType::InvitationCreated | EventType::InvitationRenewed) {
                pair.opened.push((event.occurred_at, invitation.invitation_id.clone()));
                newest = event.occurred_at;
            }
        }
        match &invitation.answer {
            None => pair.pending.push((invitation, newest)),
            Some(answer) => {
                let accepted = matches!(answer.decision, Decision::Accepted { .. });
                if accepted && invitation.kind == InvitationKind::Reseller {
                    pair.began.insert(invitation.invitation_id.clone(), answer.decided_at);
                    pair.proofs.insert(invitation.invitation_id.clone(), answer.proof);
                }
            }
        }
    }
    let relationships = found.checked_of(AggregateKind::Relationship);
    for (id, period, since) in relationships.flat_map(|(_, record)| record.events()).filter_map(imported) {
        pairs.entry(id).or_default().began.insert(period, since);
    }
    pairs
}

/// The pair that an event imports, and the period that begins with it.
fn imported(event: &Event) -> Option<(PairId, InvitationId, Timestamp)> {
    let event = Some(event).filter(|event| event.event_type == EventType::RelationshipImported)?;
    let (customer, partner) = event.subject.customer_tenant_id.clone().zip(event.subject.partner_id.clone())?;
    let since = event.data.get("since")?.as_str().and_then(Timestamp::parse)?;
    let period = InvitationId::of_import(&customer, &partner);
    Some(((customer, partner), period, since))
}

impl Pair {
    /// The attributes of the relationship that differ from what the events say.
    fn differences(&self, id: &PairId, item: &Item) -> BTreeSet<String> {
        let mut wrong: BTreeSet<String> = BTreeSet::new();
        let mut expect = |name: &str, value: Option<AttributeValue>| {
            if item.get(name) != value.as_ref() {
                wrong.insert(name.to_owned());
            }
        };
        let state = self.state();
        expect("relation", state.map(|state| text(state.as_str())));
        let current = self.current(item);
        expect("period", current.map(|(period, _)| text(period.as_str())));
        expect("since", current.map(|(_, since)| number(since.millis())));
        let proof = current.and_then(|(period, _)| self.proofs.get(period));
        expect("proof", proof.map(|proof| text(proof.as_str())));
        expect(keys::GSI1_PK, current.map(|_| text(keys::partner_view(&id.1))));
        expect(keys::GSI2_PK, current.map(|_| text(keys::customer_view(&id.0))));
        expect(keys::LISTED, current.map(|(_, since)| text(keys::listed_relationship(since, &id.0, &id.1))));
        let last_end = self.ended.last().filter(|_| state == Some(RelationshipState::Ended));
        expect("ended", last_end.map(|at| number(at.millis())));
        wrong.extend(self.wrong_ends(item));
        wrong.extend(self.wrong_counters(item));
        if !self.may_be_open(item) {
            wrong.insert("open_invitation".to_owned());
        }
        wrong
    }

    /// Periods begin and end in turn. `None` if that is impossible.
    fn state(&self) -> Option<RelationshipState> {
        match self.began.len().checked_sub(self.ended.len())? {
            0 if self.began.is_empty() => Some(RelationshipState::None),
            0 => Some(RelationshipState::Ended),
            1 => Some(RelationshipState::Active),
            _ => None,
        }
    }

    /// The current or last period, and its start. An active period has no end; otherwise it is the one that ended last.
    fn current(&self, item: &Item) -> Option<(&InvitationId, Timestamp)> {
        let periods = self.began.iter().map(|(id, since)| (id, *since));
        periods.max_by_key(|(id, since)| {
            let end = end_of(item, id);
            (end.is_none(), end.as_ref() == self.ended.last(), *since)
        })
    }

    /// Each period that is not active has one of the times at which the relationship ended, after its start.
    fn wrong_ends(&self, item: &Item) -> Vec<String> {
        let mut left = self.ended.clone();
        let ends = item.keys().filter(|name| name.strip_prefix(PERIOD_END).is_some());
        let mut wrong: Vec<String> = ends
            .filter(|name| {
                let period = self.began.iter().find(|(id, _)| name.strip_prefix(PERIOD_END) == Some(id.tail()));
                let at = time_of(item, name);
                let Some((since, at)) = period.map(|(_, since)| *since).zip(at) else { return true };
                let position = left.iter().position(|end| *end == at && since.millis() - CLOCKS_MS <= at.millis());
                position.map(|position| left.remove(position)).is_none()
            })
            .cloned()
            .collect();
        if !left.is_empty() {
            wrong.push(format!("{PERIOD_END}…"));
        }
        wrong
    }

    /// A counter is the number of events of its day. A later count removes those of the seven days before.
    fn wrong_counters(&self, item: &Item) -> Vec<String> {
        let mut wrong = Vec::new();
        for (prefix, _) in COUNTERS {
            let stored = item.iter().filter(|(name, _)| name.starts_with(prefix));
            let expected = |name: &String| self.counted.get(name).map(|(count, _)| number(count));
            let differs = stored.filter(|(name, value)| expected(name).as_ref() != Some(*value));
            wrong.extend(differs.map(|(name, _)| name.clone()));
            let counted = self.counted.keys().filter(|name| name.starts_with(prefix));
            let missing = counted.filter(|name| !item.contains_key(*name) && !self.was_removed(prefix, name));
            wrong.extend(missing.cloned());
        }
        wrong
    }

    /// Whether a later count removed this counter, which is one of the seven days before.
    fn was_removed(&self, prefix: &str, name: &str) -> bool {
        let removes =
            |at: Timestamp| (1..=7).any(|ago| name.strip_prefix(prefix) == Some(at.minus_days(ago).day().as_str()));
        self.counted.iter().any(|(other, (_, at))| other.starts_with(prefix) && removes(*at))
    }

    /// Whether `open_invitation` and `open_until` follow from the events. Clocks differ, so the order of events of different
    /// records is known only where the rules imply it: an invitation replaces another one after its expiry.
    fn may_be_open(&self, item: &Item) -> bool {
        let replaced = |invitation: &Invitation| {
            self.opened.iter().any(|(at, by)| *by != invitation.invitation_id && invitation.expires_at <= *at)
        };
        let closed_by_end =
            |newest: Timestamp| self.ended.iter().any(|end| newest.millis() - CLOCKS_MS <= end.millis());
        let mut open = self.pending.iter().filter(|(invitation, _)| !replaced(invitation));
        match (item.get("open_invitation"), item.get("open_until")) {
            (None, None) => open.all(|(_, newest)| closed_by_end(*newest)),
            (Some(id), Some(until)) => open.any(|(invitation, _)| {
                *id == text(invitation.invitation_id.as_str()) && *until == number(invitation.expires_at.millis())
            }),
            _ => false,
        }
    }
}

/// By how much the clocks of functions may differ.
const CLOCKS_MS: i64 = 10_000;

fn end_of(item: &Item, id: &InvitationId) -> Option<Timestamp> {
    time_of(item, &format!("{PERIOD_END}{}", id.tail()))
}

fn time_of(item: &Item, name: &str) -> Option<Timestamp> {
    item.get(name)?.as_n().ok()?.parse().ok().map(Timestamp::from_millis)
}

impl Found {
    /// Whether an item of this customer and partner could not be read.
    fn is_unread_pair(&self, (customer, partner): &PairId) -> bool {
        let pair = (keys::customer_view(customer), keys::partner_view(partner));
        self.unread_pairs.contains(&pair) || self.unread_pairs.contains(&(String::new(), String::new()))
    }
}
