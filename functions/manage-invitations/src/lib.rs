//! The inviting partner cancels or renews its invitation.

mod cancel;
mod invitation;
mod renew;

use platform::config::Needs;
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "manage-invitations",
    routes: platform::routes! {
        /// Cancel a pending invitation.
        "POST /v1/partners/{partner_id}/invitations/{invitation_id}/cancel" => cancel::cancel, writes [
            InvalidTransition, InvitationExpired,
        ];
        /// Renew a pending or expired invitation: it gets a new link and a new expiry, and perhaps asks for something else.
        "POST /v1/partners/{partner_id}/invitations/{invitation_id}/renew" => renew::renew, writes [
            CloudMismatch, CloudNotSupported, CustomerIsCspTenant, CustomerUnknown, DelegatedAdminRequired,
            InvalidTransition, InvitationPending, MarketMismatch, RateLimited, RelationshipActive,
        ];
    },
    needs: Needs::TABLE_AND_KEYS,
};
