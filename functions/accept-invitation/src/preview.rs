use domain::{Invitation, Partner};
use platform::handler::views::PreviewView;
use platform::handler::{Context, Found, Json, LinkHolder};
use platform::http_api::Problem;

use crate::body::TokenBody;
use crate::holder::Holder;

pub(crate) async fn by_link(
    context: Context,
    _: LinkHolder,
    Json(body): Json<TokenBody>,
) -> Result<Found<PreviewView>, Problem> {
    let invitation = Holder::from_token(&body.token).invitation(&context).await?;
    let partner = inviting_partner(&context, &invitation).await?;
    Ok(Found(view(&context, &invitation, &partner)))
}

/// What the holder is shown. An invitation of a cloud that the policy no longer serves is still shown.
pub(crate) fn view(context: &Context, invitation: &Invitation, partner: &Partner) -> PreviewView {
    let rules = context.policy().clouds.get(&partner.cloud);
    PreviewView::new(invitation, partner, rules, context.now())
}

pub(crate) async fn inviting_partner(context: &Context, invitation: &Invitation) -> Result<Partner, Problem> {
    let partner = context.app.store.partner(context.op(), &invitation.partner_id).await?;
    partner.ok_or_else(|| Problem::internal("an invitation's partner is missing"))
}
