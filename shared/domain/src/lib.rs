//! Types and rules. No I/O and no clock: the time is always an argument. Shapes of responses are in crate `platform`.

mod canonical_json;
mod delivery;
mod describe;
mod endpoint;
mod event;
mod event_data;
mod grant;
mod hashed_event;
mod ids;
mod invitation;
mod party;
mod policy;
mod relationship;
mod subscription;
pub mod text;
mod time;
mod vocabulary;
mod words;

pub use canonical_json::canonical_json;
pub use delivery::{Delivery, LastAttempt, WebhookId};
pub use endpoint::{Endpoint, Owner};
pub use event::{Actor, AggregateKind, BrokenChain, Chain, Event, EventType, Occurrence, Subject, verify_chain};
pub use event_data::{DelegatedAdminData, GrantData, PrincipalData, RelationshipData};
pub use grant::{DelegatedAdmin, Grant, GrantDecision, GrantDecisionError, GrantNotice, parse_days};
pub use ids::{
    EndpointId, EventId, GrantId, InvitationId, KeyId, MessageId, PartnerId, SubscriptionId, TenantId, digest,
};
pub use invitation::{AcceptedBy, Answer, Decision, Invitation};
pub use party::{AccessKey, Partner, Principal, SecretVersion, Tenant};
pub use policy::{
    AcceptProof, Action, CloudPolicy, CspTenant, Permission, Policy, PolicyError, PolicyVersion, Requirement,
};
pub use relationship::Relationship;
pub use subscription::{Registration, Subscription};
pub use time::Timestamp;
pub use vocabulary::{
    ActorKind, BillingCycle, CallerKind, Cloud, DecisionKind, DeliveryPurpose, DeliveryState, EndpointState,
    GrantState, InvitationKind, InvitationState, Market, PartnerStatus, RelationshipState, Role, Term,
};
