//! Events: exactly one per command that changed something, written in the same transaction. They are timeline, audit and
//! outbox at once, and each aggregate's form a hash chain.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{EventId, GrantId, InvitationId, KeyId, PartnerId, Role, SubscriptionId, TenantId, Timestamp, digest};

/// The kinds of aggregate that have events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateKind {
    /// An invitation.
    Invitation,
    /// A relationship.
    Relationship,
    /// A grant.
    Grant,
    /// A subscription.
    Subscription,
    /// A tenant.
    Tenant,
    /// A partner.
    Partner,
    /// An access key.
    Key,
}

impl AggregateKind {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "INVITATION",
            Self::Relationship => "RELATIONSHIP",
            Self::Grant => "GRANT",
            Self::Subscription => "SUBSCRIPTION",
            Self::Tenant => "TENANT",
            Self::Partner => "PARTNER",
            Self::Key => "KEY",
        }
    }
}

macro_rules! event_types {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal of $kind:ident;)*) => {
        /// Everything that can have happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventType { $($(#[doc = $doc])* $variant,)* }

        impl EventType {
            /// Every type there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $name,)* } }

            /// Reads a name; `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> { match text { $($name => Some(Self::$variant),)* _ => None } }

            /// The kind of aggregate it belongs to.
            pub fn aggregate(self) -> AggregateKind { match self { $(Self::$variant => AggregateKind::$kind,)* } }
        }
    };
}

event_types! {
    /// A partner invited a customer.
    InvitationCreated = "invitation.created" of Invitation;
    /// The customer accepted; carries the relationship and the grant it started.
    InvitationAccepted = "invitation.accepted" of Invitation;
    /// The customer said no.
    InvitationDeclined = "invitation.declined" of Invitation;
    /// The partner withdrew it.
    InvitationCancelled = "invitation.cancelled" of Invitation;
    /// The partner renewed it; the old link is dead.
    InvitationRenewed = "invitation.renewed" of Invitation;
    /// Nobody answered in time.
    InvitationExpired = "invitation.expired" of Invitation;
    /// A side ended the relationship; carries the grants that ended with it.
    RelationshipEnded = "relationship.ended" of Relationship;
    /// A side ended the grant.
    GrantEnded = "grant.ended" of Grant;
    /// The grant extended itself.
    GrantExtended = "grant.extended" of Grant;
    /// The grant ends in 30, 7 or 1 days.
    GrantExpiring = "grant.expiring" of Grant;
    /// The grant's time is over.
    GrantExpired = "grant.expired" of Grant;
    /// A partner registered a subscription.
    SubscriptionRegistered = "subscription.registered" of Subscription;
    /// A customer was registered.
    CustomerRegistered = "customer.registered" of Tenant;
    /// A customer got another name.
    CustomerRenamed = "customer.renamed" of Tenant;
    /// A tenant enrolled as a partner.
    PartnerEnrolled = "partner.enrolled" of Partner;
    /// A partner got another name.
    PartnerRenamed = "partner.renamed" of Partner;
    /// A partner was suspended.
    PartnerSuspended = "partner.suspended" of Partner;
    /// A suspended partner may act again.
    PartnerResumed = "partner.resumed" of Partner;
    /// A partner's signing secret was rotated.
    SecretRotated = "secret.rotated" of Partner;
    /// A key was issued.
    KeyIssued = "key.issued" of Key;
    /// A key was revoked.
    KeyRevoked = "key.revoked" of Key;
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Where an aggregate's events stand: how many there are, and the last one's hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The number of events.
    pub sequence: u64,
    /// The last event's hash; zeros when there is none.
    pub hash: [u8; 32],
}

/// What an event is about: every id that is known, and no other member.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Subject {
    /// The invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<InvitationId>,
    /// The grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<GrantId>,
    /// The subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<SubscriptionId>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// The partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<PartnerId>,
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_tenant_id: Option<TenantId>,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Actor {
    /// `operator`, `partner`, `customer`, `webhook`, `link` or `system`.
    pub kind: String,
    /// A key's id for operators, else the partner's, the tenant's or the invitation's.
    pub id: String,
    /// The role acted in.
    pub role: Option<Role>,
}

/// When something happens, who does it, and under which policy.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: &'a Actor,
    /// The policy it is decided under.
    pub policy_version: u32,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// The aggregate's own id, as its items spell it.
    pub aggregate_id: String,
    /// The aggregate's own count, from 1.
    pub sequence: u64,
    /// When.
    pub occurred_at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// Who did it.
    pub actor: Actor,
    /// The policy it was decided under.
    pub policy_version: u32,
    /// What else a reader needs.
    pub data: Map<String, Value>,
}

impl Event {
    /// The event that follows an aggregate's chain.
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
            data: Map::from_iter(data.map(|(name, value)| (name.to_owned(), value))),
        }
    }

    /// The id: made of the aggregate and the sequence, so that a repeated attempt names the same event.
    pub fn event_id(&self) -> EventId {
        let kind = self.event_type.aggregate().as_str();
        EventId::from_hash(&digest(
            "event",
            &[kind.as_bytes(), self.aggregate_id.as_bytes(), &self.sequence.to_be_bytes()],
        ))
    }

    /// `{event_id,type,sequence,occurred_at,subject:{…ids},actor:{kind,id,role},policy_version,data}`
    pub fn view(&self) -> Value {
        json!({
            "event_id": self.event_id(), "type": self.event_type, "sequence": self.sequence,
            "occurred_at": self.occurred_at, "subject": self.subject, "actor": self.actor,
            "policy_version": self.policy_version, "data": self.data,
        })
    }

    /// The chain with this event at its end: SHA-256 over the hash before it and the event's JSON.
    pub fn chain_after(&self, previous: &[u8; 32]) -> Chain {
        let mut hash = Sha256::new();
        hash.update(previous);
        hash.update(self.view().to_string().as_bytes());
        Chain { sequence: self.sequence, hash: hash.finalize().into() }
    }
}
