//! The form of an event that its chain hash covers. It is separate from the response that shows an event, so that the
//! response can change and old hashes still verify.

use super::canonical_json::canonical_object;
use super::{
    EndpointId, Event, GrantId, InvitationId, KeyId, PartnerId, PersonId, Role, Subject, SubscriptionId, TenantId,
    digest,
};

/// Format 1: the values in a fixed order, each preceded by its length (see [`digest`]). An absent id or role is empty.
///
/// A change of this form is a new format. It needs a struct of its own, and its number in the event's item, so that older
/// events are still hashed as they were.
struct HashedEvent {
    values: [Vec<u8>; 20],
}

impl HashedEvent {
    const FORMAT: &str = "event format 1";

    fn new(event: &Event) -> Self {
        let Subject { invitation_id, grant_id, subscription_id, key_id, endpoint_id, partner_id, customer_tenant_id } =
            &event.subject;
        let text = |text: Option<&str>| text.unwrap_or_default().as_bytes().to_vec();
        Self {
            values: [
                text(Some(event.event_id().as_str())),
                text(Some(event.event_type.as_str())),
                event.sequence.to_be_bytes().to_vec(),
                text(Some(&event.occurred_at.to_string())),
                text(invitation_id.as_ref().map(InvitationId::as_str)),
                text(grant_id.as_ref().map(GrantId::as_str)),
                text(subscription_id.as_ref().map(SubscriptionId::as_str)),
                text(key_id.as_ref().map(KeyId::as_str)),
                text(endpoint_id.as_ref().map(EndpointId::as_str)),
                text(partner_id.as_ref().map(PartnerId::as_str)),
                text(customer_tenant_id.as_ref().map(TenantId::as_str)),
                text(Some(event.actor.kind.as_str())),
                text(Some(&event.actor.id)),
                text(event.actor.role.map(Role::as_str)),
                text(event.actor.claimed_role.map(Role::as_str)),
                text(event.actor.key_id.as_ref().map(KeyId::as_str)),
                text(Some(event.actor.proof.as_str())),
                event.policy_version.to_be_bytes().to_vec(),
                text(Some(&canonical_object(&event.data))),
                event.state.hash().to_vec(),
            ],
        }
    }

    /// SHA-256 over the hash of the previous event and this one.
    fn hash_after(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut parts = vec![previous.as_slice()];
        parts.extend(self.values.iter().map(Vec::as_slice));
        digest(Self::FORMAT, &parts)
    }
}

/// Format 2, of events by a person who signed in: the hash by format 1, and the person. The item of an event has a person if
/// and only if the event is hashed by this format.
struct HashedSignedInEvent {
    event: HashedEvent,
    person: PersonId,
}

impl HashedSignedInEvent {
    const FORMAT: &str = "event format 2";

    fn hash_after(&self, previous: &[u8; 32]) -> [u8; 32] {
        digest(Self::FORMAT, &[&self.event.hash_after(previous), self.person.as_str().as_bytes()])
    }
}

impl Event {
    /// The hash of the chain with this event at its end.
    pub fn hash_after(&self, previous: &[u8; 32]) -> [u8; 32] {
        let event = HashedEvent::new(self);
        match &self.actor.approver {
            Some(approver) => HashedSignedInEvent { event, person: approver.person.clone() }.hash_after(previous),
            None => event.hash_after(previous),
        }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use serde_json::{Map, json};

    use super::*;
    use crate::{Actor, ActorKind, Approver, EventType, Proof, StateDigests, Timestamp};

    fn event() -> Event {
        let hash = digest("test", &[]);
        Event {
            event_type: EventType::CustomerRegistered,
            aggregate_id: "6f9619ff-8b86-d011-b42d-00cf4fc964ff".into(),
            sequence: 1,
            occurred_at: Timestamp::from_millis(1_795_369_200_123),
            subject: Subject {
                invitation_id: Some(InvitationId::from_hash(&hash)),
                grant_id: Some(GrantId::from_hash(&hash)),
                subscription_id: SubscriptionId::parse("Azure-1"),
                key_id: Some(KeyId::from_hash(&hash)),
                endpoint_id: Some(EndpointId::from_hash(&hash)),
                partner_id: Some(PartnerId::from_hash(&hash)),
                customer_tenant_id: TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
            },
            actor: Actor {
                kind: ActorKind::Operator,
                id: "key_x".into(),
                role: Some(Role::SalesAgent),
                claimed_role: Some(Role::GlobalAdmin),
                key_id: Some(KeyId::from_hash(&hash)),
                approver: None,
                proof: Proof::Key,
            },
            policy_version: 1,
            data: Map::from_iter([("name".to_owned(), json!("Contoso")), ("a".to_owned(), json!([1, null]))]),
            state: StateDigests {
                record: [1; 16],
                created: Some([2; 16]),
                texts: [("message".to_owned(), Some([3; 16])), ("reason".to_owned(), None)].into(),
            },
        }
    }

    /// Stored chains must verify forever. If this test fails, add a format; do not change the expected hash.
    #[test]
    fn format_1_never_changes() {
        let hash = HashedEvent::new(&event()).hash_after(&[7; 32]);
        assert_eq!(HEXLOWER.encode(&hash), "d0f18b5d4ed193849e24079338cbda98d45633d4193f01510ff991c2055ab1ea");
    }

    fn signed_in() -> Event {
        let mut event = event();
        let person = PersonId::from_hash(&digest("test", &[]));
        event.actor.approver = Some(Approver { person, role: "62e90394-69f5-4237-9190-012177145e10".into() });
        event
    }

    #[test]
    fn format_2_never_changes() {
        let hash = signed_in().hash_after(&[7; 32]);
        assert_eq!(HEXLOWER.encode(&hash), "87d56edd4d3b41cd4058ad446406333a599c9bafa3ede49ffb969b796a1ec769");
    }

    #[test]
    fn the_person_who_signed_in_is_hashed() {
        let mut other = signed_in();
        other.actor.approver.as_mut().unwrap().person = PersonId::from_hash(&[1; 32]);
        let hashes = [event(), signed_in(), other].map(|event| event.hash_after(&[7; 32]));
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
    }

    #[test]
    fn every_member_is_hashed() {
        let changes: [fn(&mut Event); 24] = [
            |event| event.event_type = EventType::CustomerUpdated,
            |event| event.aggregate_id.push('0'),
            |event| event.sequence += 1,
            |event| event.occurred_at = Timestamp::from_millis(0),
            |event| event.subject.invitation_id = None,
            |event| event.subject.grant_id = None,
            |event| event.subject.subscription_id = SubscriptionId::parse("azure-1"),
            |event| event.subject.key_id = None,
            |event| event.subject.endpoint_id = None,
            |event| event.subject.partner_id = None,
            |event| event.subject.customer_tenant_id = None,
            |event| event.actor.kind = ActorKind::System,
            |event| event.actor.id.push('y'),
            |event| event.actor.role = None,
            |event| event.actor.claimed_role = None,
            |event| event.actor.key_id = None,
            |event| event.actor.proof = Proof::None,
            |event| event.policy_version += 1,
            |event| drop(event.data.remove("a")),
            |event| drop(event.data.insert("name".into(), json!("Fabrikam"))),
            |event| event.state.record = [0; 16],
            |event| event.state.created = None,
            |event| event.state.texts.retain(|name, _| name != "reason"),
            |event| event.state.texts.values_mut().for_each(|text| *text = None),
        ];
        let mut hashes = vec![HashedEvent::new(&event()).hash_after(&[7; 32])];
        for change in changes {
            let mut changed = event();
            change(&mut changed);
            hashes.push(HashedEvent::new(&changed).hash_after(&[7; 32]));
        }
        hashes.push(HashedEvent::new(&event()).hash_after(&[8; 32]));
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
