use std::collections::BTreeMap;

use domain::{
    Actor, ActorKind, EndpointId, Event, EventId, EventType, GrantId, InvitationId, KeyId, PartnerId, PersonId,
    Principal, Proof, Role, Subject, SubscriptionId, TenantId, Timestamp,
};
use serde_json::Value;

crate::views! {
    /// The ids of everything that an event is about.
    pub struct SubjectView {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub invitation_id: Option<InvitationId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub grant_id: Option<GrantId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub subscription_id: Option<SubscriptionId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub key_id: Option<KeyId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub endpoint_id: Option<EndpointId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub partner_id: Option<PartnerId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub customer_tenant_id: Option<TenantId>,
    }

    /// Who caused an event.
    pub struct ActorView {
        pub kind: ActorKind,
        /// The id of an operator's key, a partner, a tenant, an invitation or a job.
        pub id: String,
        /// `null` if the actor has no role.
        pub role: Option<Role>,
        /// The role that the holder of a link claims. Nothing proves it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub claimed_role: Option<Role>,
        /// The key with which the actor called. Only the owner of the key and operators see it; no webhook has it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub key_id: Option<KeyId>,
        /// The person who signed in. `data.approver_role` has the directory role that was proven.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub person: Option<PersonId>,
        pub proof: Proof,
    }

    pub struct EventView {
        pub event_id: EventId,
        #[serde(rename = "type")]
        pub event_type: EventType,
        /// Counts the events of one record, from 1.
        pub sequence: u64,
        pub occurred_at: Timestamp,
        pub subject: SubjectView,
        pub actor: ActorView,
        /// The version of the policy that was in force.
        pub policy_version: u32,
        /// Depends on `type`; docs/events has a schema for each.
        pub data: BTreeMap<String, Value>,
    }
}

impl SubjectView {
    pub fn new(subject: &Subject) -> Self {
        let subject = subject.clone();
        Self {
            invitation_id: subject.invitation_id,
            grant_id: subject.grant_id,
            subscription_id: subject.subscription_id,
            key_id: subject.key_id,
            endpoint_id: subject.endpoint_id,
            partner_id: subject.partner_id,
            customer_tenant_id: subject.customer_tenant_id,
        }
    }
}

impl ActorView {
    /// What the owner of a key sees; without one, what a webhook contains.
    pub fn new(actor: &Actor, reader: Option<&Principal>) -> Self {
        let is_shown = reader.is_some_and(|reader| actor.shows_key_to(reader));
        Self {
            kind: actor.kind,
            id: actor.id.clone(),
            role: actor.role,
            claimed_role: actor.claimed_role,
            key_id: actor.key_id.clone().filter(|_| is_shown),
            person: actor.approver.as_ref().map(|approver| approver.person.clone()),
            proof: actor.proof,
        }
    }
}

impl EventView {
    /// What the owner of a key sees; without one, what a webhook contains.
    pub fn new(event: &Event, reader: Option<&Principal>) -> Self {
        Self {
            event_id: event.event_id(),
            event_type: event.event_type,
            sequence: event.sequence,
            occurred_at: event.occurred_at,
            subject: SubjectView::new(&event.subject),
            actor: ActorView::new(&event.actor, reader),
            policy_version: event.policy_version,
            data: event.data.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }
}
