//! The customer answers: by the link's token, or by the customer's own key. Looking never changes anything; accepting is
//! one transaction, and the same answer again gets the first one back.

mod accept;
mod body;
mod decline;
mod holder;

use std::sync::Arc;

use serde_json::json;
use shared::app::App;
use shared::auth::Caller;
use shared::domain::{AcceptProof, Action, Requirement};
use shared::http::{Problem, Request, Response, fields};
use shared::lambda::Function;

use crate::body::{Body, token_only};
use crate::holder::Holder;

const PREVIEW: &str = "POST /v1/invitations/{invitation_id}/preview";
const ACCEPT_BY_LINK: &str = "POST /v1/invitations/{invitation_id}/accept";
const ACCEPT_BY_KEY: &str = "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/accept";

const DECLINE_BY_LINK: &str = "POST /v1/invitations/{invitation_id}/decline";
const DECLINE_BY_KEY: &str = "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/decline";

/// The function. It knows links only by the hash of their token, so it needs no master key.
pub const FUNCTION: Function = Function {
    name: "accept-invitation",
    routes: &[PREVIEW, ACCEPT_BY_LINK, ACCEPT_BY_KEY, DECLINE_BY_LINK, DECLINE_BY_KEY],
    needs_master_key: false,
    uses_table: true,
    handler: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: Arc<App>, request: Request) -> Result<Response, Problem> {
    match request.route_key() {
        PREVIEW => preview(&app, &request).await,
        ACCEPT_BY_LINK => accept_by_link(&app, &request).await,
        ACCEPT_BY_KEY => accept_by_key(&app, &request).await,
        DECLINE_BY_LINK => decline_by_link(&app, &request).await,
        DECLINE_BY_KEY => decline_by_key(&app, &request).await,
        _ => Err(Problem::not_found()),
    }
}

/// `{invitation, partner, requires_delegated_admin, accept_proof}`, in every state.
async fn preview(app: &App, request: &Request) -> Result<Response, Problem> {
    app.same_site(request)?;
    let token = token_only(fields::document(&request.body()?)?)?;
    let invitation = holder::by_token(app, request, &token).await?;
    let partner = app.store.partner(request.attempt(), &invitation.partner_id).await?.ok_or_else(Problem::internal)?;
    let rules = app.policy_for(request).clouds.get(&partner.cloud);
    let required = rules.is_some_and(|rules| rules.delegated_admin == Requirement::Required);
    Response::json(
        200,
        &json!({
            "invitation": invitation.view(request.now),
            "partner": {"name": partner.name, "cloud": partner.cloud, "market": partner.market},
            "requires_delegated_admin": required || invitation.is_grant(),
            "accept_proof": rules.map_or(AcceptProof::Link, |rules| rules.accept_proof),
        }),
    )
}

async fn accept_by_link(app: &App, request: &Request) -> Result<Response, Problem> {
    app.same_site(request)?;
    let mut body = Body::read(fields::document(&request.body()?)?, true)?;
    let holder = Holder::Link { token: body.token.take().unwrap_or_default() };
    accept::accept(app, request, &holder, &body).await
}

async fn accept_by_key(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(app, request).await?;
    let (customer, actor) = caller.acting_customer(app, request, Action::AnswerInvitation)?;
    let body = Body::read(fields::document(&request.body()?)?, false)?;
    accept::accept(app, request, &Holder::Customer { customer, actor }, &body).await
}

async fn decline_by_link(app: &App, request: &Request) -> Result<Response, Problem> {
    app.same_site(request)?;
    let (token, reason) = decline::read(app, request, true)?;
    decline::decline(app, request, &Holder::Link { token: token.unwrap_or_default() }, reason).await
}

async fn decline_by_key(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(app, request).await?;
    let (customer, actor) = caller.acting_customer(app, request, Action::AnswerInvitation)?;
    let (_, reason) = decline::read(app, request, false)?;
    decline::decline(app, request, &Holder::Customer { customer, actor }, reason).await
}
