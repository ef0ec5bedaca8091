//! The domain: pure types and rules. No I/O and no clock; every time is an argument.

mod delivery;
mod endpoint;
mod event;
mod grant;
mod ids;
mod invitation;
mod party;
mod policy;
mod relationship;
mod subscription;
pub mod text;
mod time;
mod vocabulary;

pub use delivery::{Delivery, LastAttempt, WebhookId, event_message, other_message};
pub use endpoint::{Endpoint, Owner};
pub use event::{Actor, AggregateKind, BrokenChain, Chain, Event, EventType, Occurrence, Subject, verify_chain};
pub use grant::{DelegatedAdmin, Grant, GrantAnswer, GrantNotice, GrantRefusal, GrantState, parse_days};
pub use ids::{
    EndpointId, EventId, GrantId, InvitationId, KeyId, MessageId, PartnerId, SubscriptionId, TenantId, digest,
};
pub use invitation::{AcceptedBy, Answer, Decision, Invitation};
pub use party::{AccessKey, Partner, Principal, SecretGeneration, Tenant};
pub use policy::{
    AcceptProof, Action, CloudPolicy, CspTenant, Permission, Policy, PolicyError, PolicyVersion, Requirement,
};
pub use relationship::{Relationship, RelationshipState};
pub use subscription::{Registration, Subscription};
pub use time::Timestamp;
pub use vocabulary::{
    ActorKind, BillingCycle, CallerKind, Cloud, DeliveryPurpose, DeliveryState, EndpointState, InvitationKind,
    InvitationState, Market, PartnerStatus, Role, Term,
};
