use domain::{Invitation, InvitationId, InvitationState, Partner, RelationshipState};
use platform::handler::views::{PreviewView, SignInView};
use platform::handler::{Context, CustomerKey, Found, Json, LinkHolder, Path};
use platform::http_api::Problem;

use crate::body::TokenBody;
use crate::holder::Holder;

pub(crate) async fn by_link(
    context: Context,
    _: LinkHolder,
    Json(body): Json<TokenBody>,
) -> Result<Found<PreviewView>, Problem> {
    preview(&context, &Holder::from_token(&body.token)).await
}

pub(crate) async fn by_key(
    context: Context,
    caller: CustomerKey,
    _: Path<InvitationId>,
) -> Result<Found<PreviewView>, Problem> {
    preview(&context, &caller.into()).await
}

async fn preview(context: &Context, holder: &Holder) -> Result<Found<PreviewView>, Problem> {
    let invitation = holder.invitation(context).await?;
    let partner = inviting_partner(context, &invitation).await?;
    let relationship = relationship_state(context, &invitation).await?;
    // An invitation of a cloud that the policy no longer serves is still shown.
    let rules = context.policy().clouds.get(&partner.cloud);
    let sign_in = rules.and_then(|rules| SignInView::new(&context.app.providers, partner.cloud, rules));
    let (now, viewer) = (context.now(), holder.viewer());
    Ok(Found(PreviewView::new(&invitation, &partner, rules, sign_in, relationship, now, viewer)))
}

/// The state of the relationship, if accepting may start it.
async fn relationship_state(context: &Context, invitation: &Invitation) -> Result<RelationshipState, Problem> {
    let can_start = match invitation.state(context.now()) {
        InvitationState::Pending | InvitationState::Expired => !invitation.is_grant(),
        InvitationState::Accepted | InvitationState::Declined | InvitationState::Cancelled => false,
    };
    if !can_start {
        return Ok(RelationshipState::None);
    }
    let (customer, partner) = (&invitation.customer, &invitation.partner_id);
    let relationship = context.app.store.relationship(context.op(), customer, partner).await?;
    Ok(relationship.map_or(RelationshipState::None, |relationship| relationship.state))
}

pub(crate) async fn inviting_partner(context: &Context, invitation: &Invitation) -> Result<Partner, Problem> {
    let partner = context.app.store.partner(context.op(), &invitation.partner_id).await?;
    partner.ok_or_else(|| Problem::internal("an invitation's partner is missing"))
}
