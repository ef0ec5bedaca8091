use domain::{Invitation, InvitationId};
use platform::handler::{ActingPartner, Context};
use platform::http_api::Problem;

/// The invitation, if it is this partner's.
pub(crate) async fn own_invitation(
    context: &Context,
    acting: &ActingPartner,
    id: &InvitationId,
) -> Result<Invitation, Problem> {
    let invitation = context.app.store.invitation(context.op(), id).await?;
    invitation.filter(|found| found.partner_id == acting.partner.partner_id).ok_or_else(Problem::not_found)
}
