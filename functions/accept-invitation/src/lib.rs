//! The customer answers an invitation, by the link's token, by its own key or by a session. Preview changes nothing. Accepting is one
//! transaction, and repeating the same decision returns the first response. The table holds only hashes of link tokens, so
//! this function needs no master key.

mod accept;
mod body;
mod decision;
mod decline;
mod holder;
mod preview;

use platform::config::Needs;
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "accept-invitation",
    routes: platform::routes! {
        /// Preview an invitation with the token of its link, in every state.
        "POST /v1/invitations/{invitation_id}/preview" => preview::by_link, reads [NotFound];
        /// Accept an invitation with the token of its link.
        "POST /v1/invitations/{invitation_id}/accept" => accept::by_link, writes [
            AcceptProofRequired, ApproverNotPermitted, CloudMismatch, CloudNotSupported, CustomerIsCspTenant,
            CustomerUnknown, DelegatedAdminRequired, InvalidTransition, InvitationExpired, MarketMismatch, NotFound,
            PartnerNotActive, RolesExceedRequest,
        ];
        /// Decline an invitation with the token of its link.
        "POST /v1/invitations/{invitation_id}/decline" => decline::by_link, writes [
            InvalidTransition, InvitationExpired, NotFound,
        ];
        /// Preview an invitation as the customer, in every state.
        "GET /v1/customers/{tenant_id}/invitations/{invitation_id}" => preview::by_key, reads [];
        /// Accept an invitation as the customer.
        "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/accept" => accept::by_key, writes [
            CloudMismatch, CloudNotSupported, CustomerIsCspTenant, CustomerUnknown, DelegatedAdminRequired,
            InvalidTransition, InvitationChanged, InvitationExpired, MarketMismatch, PartnerNotActive, RolesExceedRequest,
        ];
        /// Decline an invitation as the customer.
        "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/decline" => decline::by_key, writes [
            InvalidTransition, InvitationExpired,
        ];
    },
    needs: Needs::TABLE,
};
