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
    let parties = context.app.store.parties(context.op(), &invitation).await?.ok_or_else(missing)?;
    // What an answered invitation needed does not depend on what happened since.
    let can_start = matches!(invitation.state(context.now()), InvitationState::Pending | InvitationState::Expired);
    let relationship = parties.relationship.as_ref().filter(|_| can_start);
    let relationship = relationship.map_or(RelationshipState::None, |relationship| relationship.state);
    let cloud = parties.partner.cloud;
    // An invitation of a cloud that the policy no longer serves is still shown.
    let rules = context.policy().clouds.get(&cloud);
    let sign_in = rules.and_then(|rules| SignInView::new(&context.app.providers, cloud, rules));
    let (now, viewer) = (context.now(), holder.viewer());
    Ok(Found(PreviewView::new(&invitation, &parties, rules, sign_in, relationship, now, viewer)))
}

pub(crate) async fn inviting_partner(context: &Context, invitation: &Invitation) -> Result<Partner, Problem> {
    let partner = context.app.store.partner(context.op(), &invitation.partner_id).await?;
    partner.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::internal("a party of an invitation is missing")
}
