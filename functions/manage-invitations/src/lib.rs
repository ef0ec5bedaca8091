//! The inviting partner cancels or renews its invitation.

mod cancel;
mod renew;

use domain::{Invitation, InvitationId};
use platform::config::Needs;
use platform::handler::{ActingPartner, Context};
use platform::http_api::Problem;
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "manage-invitations",
    routes: platform::routes! {
        /// Cancel a pending invitation.
        "POST /v1/partners/{partner_id}/invitations/{invitation_id}/cancel" => cancel::cancel, writes [
            InvalidTransition, InvitationExpired,
        ];
        /// Renew a pending or expired invitation: it gets a new link and a new expiry.
        "POST /v1/partners/{partner_id}/invitations/{invitation_id}/renew" => renew::renew, writes [
            CloudMismatch, CloudNotSupported, CustomerIsCspTenant, CustomerUnknown, InvalidTransition,
            InvitationPending, MarketMismatch, RelationshipActive,
        ];
    },
    needs: Needs::TABLE_AND_KEYS,
};

/// The invitation, if it is this partner's.
async fn own_invitation(context: &Context, acting: &ActingPartner, id: &InvitationId) -> Result<Invitation, Problem> {
    let invitation = context.app.store.invitation(context.op(), id).await?;
    invitation.filter(|found| found.partner_id == acting.partner.partner_id).ok_or_else(Problem::not_found)
}
