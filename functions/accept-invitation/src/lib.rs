//! The customer answers: by the link's token, or by the customer's own key. Looking never changes anything; accepting is
//! one transaction, and the same answer again gets the first one back. Links are known only by the hash of their token, so
//! this function needs no master key.

mod accept;
mod body;
mod decline;
mod holder;
mod preview;

use platform::config::Needs;
use platform::handler::App;
use platform::handler::Caller;
use platform::http_api::fields::{self, Fields};
use platform::http_api::{Problem, Request, Response};
use platform::lambda::Function;

use crate::body::Body;
use crate::holder::Holder;

/// The function.
pub const FUNCTION: Function = Function {
    name: "accept-invitation",
    routes: platform::routes! {
        "POST /v1/invitations/{invitation_id}/preview" => preview_by_link,
        "POST /v1/invitations/{invitation_id}/accept" => accept_by_link,
        "POST /v1/invitations/{invitation_id}/decline" => decline_by_link,
        "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/accept" => accept_by_key,
        "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/decline" => decline_by_key,
    },
    needs: Needs::TABLE,
};

async fn preview_by_link(app: &App, request: &Request) -> Result<Response, Problem> {
    let (holder, fields) = by_link(app, request)?;
    fields.finish(Some(()))?;
    preview::preview(app, request, &holder).await
}

async fn accept_by_link(app: &App, request: &Request) -> Result<Response, Problem> {
    let (holder, fields) = by_link(app, request)?;
    accept::accept(app, request, &holder, &Body::read(fields, true)?).await
}

async fn accept_by_key(app: &App, request: &Request) -> Result<Response, Problem> {
    let holder = by_key(app, request).await?;
    accept::accept(app, request, &holder, &Body::read(Fields::of_body(request)?, false)?).await
}

async fn decline_by_link(app: &App, request: &Request) -> Result<Response, Problem> {
    let (holder, fields) = by_link(app, request)?;
    decline::decline(app, request, &holder, fields).await
}

async fn decline_by_key(app: &App, request: &Request) -> Result<Response, Problem> {
    let holder = by_key(app, request).await?;
    decline::decline(app, request, &holder, Fields::of_optional_body(request)?).await
}

/// Whoever holds the link, by the body's `token`, and the body's other members.
fn by_link(app: &App, request: &Request) -> Result<(Holder, Fields), Problem> {
    app.same_site(request)?;
    let mut fields = Fields::of_body(request)?;
    match fields.required("token", fields::any_text) {
        Some(token) => Ok((Holder::link(&token), fields)),
        None => fields.finish(None),
    }
}

/// The customer of the path, by key.
async fn by_key(app: &App, request: &Request) -> Result<Holder, Problem> {
    let caller = Caller::by_key(app, request).await?;
    let (customer, actor) = caller.acting_customer(app, request)?;
    Ok(Holder::Customer { customer, actor })
}
