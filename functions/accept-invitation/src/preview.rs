//! What the holder of a link is shown, in every state of the invitation.

use domain::{Invitation, Partner};
use platform::handler::App;
use platform::handler::views::PreviewView;
use platform::http_api::{Problem, Request, Response};

use crate::holder::Holder;

/// Answers with [`view`].
pub(crate) async fn preview(app: &App, request: &Request, holder: &Holder) -> Result<Response, Problem> {
    let invitation = holder.find(app, request).await?;
    let partner = inviting_partner(app, request, &invitation).await?;
    Response::json(200, &view(app, request, &invitation, &partner))
}

/// `{invitation, partner, requires_delegated_admin, accept_proof}`
pub(crate) fn view(app: &App, request: &Request, invitation: &Invitation, partner: &Partner) -> PreviewView {
    // A cloud that the policy no longer serves still shows what was asked.
    let rules = app.policy_for(request).clouds.get(&partner.cloud);
    PreviewView::new(invitation, partner, rules, request.now)
}

/// The partner that invites.
pub(crate) async fn inviting_partner(
    app: &App,
    request: &Request,
    invitation: &Invitation,
) -> Result<Partner, Problem> {
    let partner = app.store.partner(request.op(), &invitation.partner_id).await?;
    partner.ok_or_else(|| Problem::internal("an invitation's partner is missing"))
}
