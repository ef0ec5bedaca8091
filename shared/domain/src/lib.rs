//! Types and rules. No I/O and no clock: the time is always an argument. Shapes of responses are in crate `platform`.

mod access_key;
mod canonical_json;
mod chain;
pub mod clock_budget;
mod corrections;
mod date;
mod delivery;
mod describe;
mod endpoint;
mod event;
mod event_data;
mod event_type;
mod failing;
mod grant;
mod hashed_event;
mod ids;
mod invitation;
mod partner;
mod period;
mod policy;
mod principal;
mod recipient;
mod record_state;
mod relationship;
mod secret_version;
mod session;
mod subscription;
mod tenant;
pub mod text;
mod time;
mod uses;
mod verify_chain;
mod vocabulary;
mod words;

pub use access_key::AccessKey;
pub use canonical_json::canonical_json;
pub use chain::Chain;
pub use corrections::{Corrected, Corrections};
pub use date::Date;
pub use delivery::{Delivery, LastAttempt, WebhookId};
pub use endpoint::{Endpoint, Owner};
pub use event::{Actor, Approver, Event, Occurrence, Subject};
pub use event_data::{DelegatedAdminData, GrantData, PrincipalData, RelationshipData};
pub use event_type::{AggregateKind, EventName, EventType, StoredType};
pub use failing::Failing;
pub use grant::{
    DelegatedAdmin, Grant, GrantDecision, GrantDecisionError, GrantNotice, GrantedPart, Narrowing, NotNarrower,
    parse_days,
};
pub use ids::{
    EndpointId, EventId, GrantId, InvitationId, KeyId, MessageId, PartnerId, PersonId, SessionId, SubscriptionId,
    TenantId, digest,
};
pub use invitation::{AcceptedBy, Answer, Decision, Invitation};
pub use partner::Partner;
pub use period::Period;
pub use policy::{
    AcceptProof, Action, CloudPolicy, CspTenant, DirectoryRole, Permission, Policy, PolicyError, PolicyVersion,
    RequiredProof, Requirement, RoleLevel, SignIn,
};
pub use principal::Principal;
pub use recipient::Recipient;
pub use record_state::{RecordState, StateDigest, StateDigests, text_digest};
pub use relationship::Relationship;
pub use secret_version::{NewSecret, Rotated, RotationRequest, SecretVersion};
pub use session::{Session, SignInState};
pub use subscription::{Registration, Subscription};
pub use tenant::Tenant;
pub use time::Timestamp;
pub use uses::{Use, Uses};
pub use verify_chain::{BrokenChain, verify_chain};
pub use vocabulary::{
    ActorKind, BillingCycle, CallerKind, CancelReason, Cloud, DecisionKind, DeliveryPurpose, DeliveryState,
    EndpointState, GrantState, InvitationKind, InvitationState, Market, PartnerStatus, Proof, RegistrationOutcome,
    RelationshipState, Role, Term,
};
