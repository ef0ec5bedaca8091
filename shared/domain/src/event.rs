//! Events: exactly one for each command that changed something, written in the same transaction. They are timeline, audit
//! log and outbox. The events of one record form a hash chain.

use serde_json::{Map, Value};

use super::{
    ActorKind, Chain, EndpointId, EventId, EventName, EventType, GrantId, InvitationId, KeyId, PartnerId, PersonId,
    Principal, Proof, Role, Session, StateDigests, SubscriptionId, TenantId, Timestamp, digest,
};

/// The ids of everything that an event is about. The event is shown and sent to this partner and this customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    pub invitation_id: Option<InvitationId>,
    pub grant_id: Option<GrantId>,
    pub subscription_id: Option<SubscriptionId>,
    pub key_id: Option<KeyId>,
    pub endpoint_id: Option<EndpointId>,
    pub partner_id: Option<PartnerId>,
    pub customer_tenant_id: Option<TenantId>,
}

/// Who caused an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    pub kind: ActorKind,
    /// The id of an operator's key, a partner, a tenant, an invitation (for links) or a job.
    pub id: String,
    /// The role in which the actor acted.
    pub role: Option<Role>,
    /// The role that the holder of a link claims. Nothing proves it.
    pub claimed_role: Option<Role>,
    /// The key with which the actor called.
    pub key_id: Option<KeyId>,
    /// The person who signed in.
    pub approver: Option<Approver>,
    pub proof: Proof,
}

/// A person who proved at the customer's identity provider to be one of its administrators.
#[derive(Clone, Debug, PartialEq)]
pub struct Approver {
    pub person: PersonId,
    /// The template id of the directory role that was proven. It is in the event's `data`.
    pub role: String,
}

/// The member of an event's `data` with the directory role that a sign-in proved.
const APPROVER_ROLE: &str = "approver_role";

impl Actor {
    /// An actor without a role and a key.
    fn new(kind: ActorKind, id: impl Into<String>, proof: Proof) -> Self {
        Self { kind, id: id.into(), role: None, claimed_role: None, key_id: None, approver: None, proof }
    }

    /// A customer's administrator who signed in.
    pub fn with_session(session: &Session, role: Role) -> Self {
        let approver = Approver { person: session.person.clone(), role: session.approver_role.clone() };
        let actor = Self::new(ActorKind::Customer, session.tenant.as_str(), Proof::SignIn);
        Self { role: Some(role), approver: Some(approver), ..actor }
    }

    /// A job of the system.
    pub fn system(job: &str) -> Self {
        Self::new(ActorKind::System, job, Proof::None)
    }

    /// The owner of an access key, in one of the key's roles. An operator has no role.
    pub fn with_key(principal: &Principal, role: Option<Role>, key_id: KeyId) -> Self {
        let (kind, id) = match principal {
            Principal::Operator => (ActorKind::Operator, key_id.as_str()),
            Principal::Partner(id) => (ActorKind::Partner, id.as_str()),
            Principal::Customer(id) => (ActorKind::Customer, id.as_str()),
        };
        let actor = Self::new(kind, id, Proof::Key);
        Self { role, key_id: Some(key_id), ..actor }
    }

    /// A partner that signed a webhook.
    pub fn with_signature(partner: &PartnerId, role: Role) -> Self {
        Self { role: Some(role), ..Self::new(ActorKind::Webhook, partner.as_str(), Proof::Signature) }
    }

    /// The holder of an invitation's link, and the role that the holder claims.
    pub fn with_link(invitation: &InvitationId, claimed_role: Option<Role>) -> Self {
        Self { claimed_role, ..Self::new(ActorKind::Link, invitation.as_str(), Proof::Link) }
    }

    /// The same actor, without a proof of what it states.
    #[must_use]
    pub fn without_proof(self) -> Self {
        Self { proof: Proof::None, ..self }
    }

    /// Whether the owner of a key may see with which key this actor called: the owner itself, and operators.
    pub fn shows_key_to(&self, reader: &Principal) -> bool {
        match reader {
            Principal::Operator => true,
            Principal::Partner(id) => self.kind == ActorKind::Partner && self.id == id.as_str(),
            Principal::Customer(id) => self.kind == ActorKind::Customer && self.id == id.as_str(),
        }
    }
}

/// When something happens, who causes it, and which policy is in force.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    pub at: Timestamp,
    pub actor: &'a Actor,
    pub policy_version: u32,
}

/// Something that happened. Readers that only show it take any type, as [`StoredType`](super::StoredType).
#[derive(Clone, Debug, PartialEq)]
pub struct Event<T = EventType> {
    pub event_type: T,
    /// The id of the record, as its items spell it.
    pub aggregate_id: String,
    /// Counts the events of the record, from 1.
    pub sequence: u64,
    pub occurred_at: Timestamp,
    pub subject: Subject,
    pub actor: Actor,
    /// The version of the policy that was in force.
    pub policy_version: u32,
    /// Depends on the type.
    pub data: Map<String, Value>,
    /// Filled in when the event is written.
    pub state: StateDigests,
}

impl Event {
    /// The event that follows a record's chain.
    pub fn next<const N: usize>(
        event_type: EventType,
        aggregate_id: impl Into<String>,
        chain: &Chain,
        subject: Subject,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Self {
        Self {
            event_type,
            aggregate_id: aggregate_id.into(),
            sequence: chain.sequence + 1,
            occurred_at: occurrence.at,
            subject,
            actor: occurrence.actor.clone(),
            policy_version: occurrence.policy_version,
            data: data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            state: StateDigests::default(),
        }
    }

    /// The data with the directory role that a sign-in proved, as it is stored. Commands may replace the data before.
    pub fn data_with_approver_role(&self) -> Map<String, Value> {
        let role = self.actor.approver.as_ref().map(|approver| Value::from(approver.role.as_str()));
        let role = role.map(|role| (APPROVER_ROLE.to_owned(), role));
        self.data.clone().into_iter().chain(role).collect()
    }

    /// The directory role that a sign-in proved, as `data` has it.
    pub fn approver_role(data: &Map<String, Value>) -> Option<&str> {
        data.get(APPROVER_ROLE)?.as_str()
    }
}

impl<T: EventName> Event<T> {
    /// Derived from the record and the sequence, so that a retry has the same id.
    pub fn event_id(&self) -> EventId {
        let kind = self.event_type.aggregate_name();
        let parts = [kind.as_bytes(), self.aggregate_id.as_bytes(), &self.sequence.to_be_bytes()];
        EventId::from_hash(&digest("event", &parts))
    }
}
