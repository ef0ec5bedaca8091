//! The shapes of responses, one struct each. A member that may be absent is an `Option` that is skipped when it is `None`;
//! any other `Option` is written as `null`.

mod endpoint;
mod event;
mod invitation;
mod message;
mod organization;
mod page;
mod policy;
mod relationship;
mod subscription;
mod viewer;

pub use endpoint::{
    DeliveryQueuedView, DeliveryView, EndpointCreatedView, EndpointResponse, EndpointView, ResentView,
    SigningSecretView,
};
pub use event::{ActorView, EventView, SubjectView};
pub use invitation::{
    AcceptanceView, AcceptedByView, AnswerView, DelegatedAdminView, GrantedView, InvitationLinkView,
    InvitationResponse, InvitationView, InvitingPartnerView, PreviewView,
};
pub use message::{event_message, other_message};
pub use organization::{
    CustomerResponse, CustomerView, KeyIssuedView, KeyResponse, KeyRevokedView, KeyView, MeView, MySessionView,
    PartnerEnrolledView, PartnerResponse, PartnerView, PrincipalView,
};
pub use page::PageView;
pub use policy::{PolicyView, SignInView};
pub use relationship::{
    CustomerRow, CustomerRowResponse, GrantResponse, GrantView, PartnerRow, PartnerRowResponse, RelationshipResponse,
    RelationshipStartView, RelationshipView,
};
pub use subscription::{SubscriptionResponse, SubscriptionView};
pub use viewer::Viewer;
