//! Checks the hash chain of the events of one record.

use std::cmp::Ordering;

use super::{Chain, Event};

/// Where a record's events differ from those that were written. This detects mistakes and changes of single items. Someone who
/// can write the whole table can write a valid chain, which only a hash that was kept elsewhere reveals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    #[error("event {0} is missing")]
    Missing(u64),
    /// There are two events with this number, or it is larger than the record's own count.
    #[error("event {0} is unexpected")]
    Surplus(u64),
    /// The event or its hash was changed.
    #[error("event {0} does not match its hash")]
    Changed(u64),
}

/// Recomputes the chain of a record's events and compares it with the end that the record itself has. The events are in order,
/// each with its stored hash.
///
/// # Errors
/// The first [`BrokenChain`].
pub fn verify_chain<'a>(
    events: impl IntoIterator<Item = &'a (Event, [u8; 32])>,
    head: &Chain,
) -> Result<(), BrokenChain> {
    let (mut last, mut hash) = (0, [0; 32]);
    for (event, stored) in events {
        let expected = last + 1;
        match event.sequence.cmp(&expected) {
            Ordering::Greater => return Err(BrokenChain::Missing(expected)),
            Ordering::Less => return Err(BrokenChain::Surplus(event.sequence)),
            Ordering::Equal => (last, hash) = (expected, event.hash_after(&hash)),
        }
        if hash != *stored {
            return Err(BrokenChain::Changed(expected));
        }
    }
    match last.cmp(&head.sequence) {
        Ordering::Less => Err(BrokenChain::Missing(last + 1)),
        Ordering::Greater => Err(BrokenChain::Surplus(head.sequence + 1)),
        Ordering::Equal if hash != head.hash => Err(BrokenChain::Changed(head.sequence)),
        Ordering::Equal => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Map, json};

    use super::*;
    use crate::{Actor, EventType, Subject, TenantId, Timestamp};

    fn event(sequence: u64) -> Event {
        let tenant = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        Event {
            event_type: EventType::CustomerUpdated,
            aggregate_id: tenant.to_string(),
            sequence,
            occurred_at: Timestamp::from_millis(1_795_369_200_123),
            subject: Subject { customer_tenant_id: Some(tenant), ..Subject::default() },
            actor: Actor::system("x"),
            policy_version: 1,
            data: Map::from_iter([
                ("name".to_owned(), json!(format!("Contoso {sequence}"))),
                ("a".to_owned(), json!(1)),
            ]),
            state: Default::default(),
        }
    }

    /// Events 1 to `count` with their hashes, and the end of their chain.
    fn written(count: u64) -> (Vec<(Event, [u8; 32])>, Chain) {
        let mut head = Chain::default();
        let mut events = Vec::new();
        for sequence in 1..=count {
            let event = event(sequence);
            head = Chain { sequence, hash: event.hash_after(&head.hash), ..head };
            events.push((event, head.hash));
        }
        (events, head)
    }

    #[test]
    fn an_unchanged_chain_is_valid() {
        for count in 0..4 {
            let (events, head) = written(count);
            assert_eq!(verify_chain(&events, &head), Ok(()));
        }
    }

    #[test]
    fn a_changed_event_breaks_the_chain() {
        let (events, head) = written(3);
        let changes: [fn(&mut Event); 8] = [
            |event| event.event_type = EventType::CustomerRegistered,
            |event| event.aggregate_id.push('0'),
            |event| event.occurred_at = event.occurred_at + Duration::from_millis(1),
            |event| event.subject.customer_tenant_id = None,
            |event| event.actor.id.push('y'),
            |event| event.policy_version = 2,
            |event| drop(event.data.insert("name".into(), json!("Fabrikam"))),
            |event| event.state.record = [1; 16],
        ];
        for at in 0..3 {
            for change in changes {
                let mut changed = events.clone();
                change(&mut changed[at].0);
                let broken = Err(BrokenChain::Changed(at as u64 + 1));
                assert_eq!(verify_chain(&changed, &head), broken);
                // With the event's own hash recomputed, the next event or the record's own item does not match.
                let before = if at == 0 { [0; 32] } else { events[at - 1].1 };
                changed[at].1 = changed[at].0.hash_after(&before);
                assert_eq!(verify_chain(&changed, &head), Err(BrokenChain::Changed((at as u64 + 2).min(3))));
            }
        }
    }

    #[test]
    fn removed_inserted_and_repeated_events_break_the_chain() {
        let (events, head) = written(3);
        for at in 0..3 {
            let mut removed = events.clone();
            removed.remove(at);
            assert_eq!(verify_chain(&removed, &head), Err(BrokenChain::Missing(at as u64 + 1)));
            let mut repeated = events.clone();
            repeated.insert(at, events[at].clone());
            assert_eq!(verify_chain(&repeated, &head), Err(BrokenChain::Surplus(at as u64 + 1)));
        }
        assert_eq!(verify_chain(&written(4).0, &head), Err(BrokenChain::Surplus(4)));
        assert_eq!(verify_chain(&events[..1], &head), Err(BrokenChain::Missing(2)));
        assert_eq!(verify_chain(&[], &head), Err(BrokenChain::Missing(1)));
        assert_eq!(verify_chain(&events, &Chain { hash: [1; 32], ..head }), Err(BrokenChain::Changed(3)));
    }
}
