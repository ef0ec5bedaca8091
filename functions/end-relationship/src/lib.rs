//! Either side ends a relationship, or a grant within it. Subscriptions stay as they are; only new ones stop.

mod grant;
mod relationship;

use domain::{Action, PartnerId, TenantId};
use platform::config::Needs;
use platform::handler::App;
use platform::handler::Caller;
use platform::http_api::fields::Fields;
use platform::http_api::{Problem, Request, Response};
use platform::lambda::Function;

/// The function.
pub const FUNCTION: Function = Function {
    name: "end-relationship",
    routes: platform::routes! {
        "DELETE /v1/partners/{partner_id}/customers/{tenant_id}" => by_partner,
        "DELETE /v1/customers/{tenant_id}/partners/{partner_id}" => by_customer,
        "DELETE /v1/partners/{partner_id}/grants/{grant_id}" => grant_by_partner,
        "DELETE /v1/customers/{tenant_id}/grants/{grant_id}" => grant_by_customer,
    },
    needs: Needs::TABLE,
};

async fn by_partner(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(app, request).await?;
    let acting = caller.acting_partner(app, request, Action::EndRelationship).await?;
    no_body(request)?;
    let customer = TenantId::parse(request.path("tenant_id")).ok_or_else(Problem::not_found)?;
    relationship::end(app, request, &customer, &acting.partner.partner_id, &acting.actor).await
}

async fn by_customer(app: &App, request: &Request) -> Result<Response, Problem> {
    let (customer, actor) = Caller::by_key(app, request).await?.acting_customer(app, request)?;
    no_body(request)?;
    let partner = PartnerId::parse(request.path("partner_id")).ok_or_else(Problem::not_found)?;
    relationship::end(app, request, &customer, &partner, &actor).await
}

async fn grant_by_partner(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(app, request).await?;
    let acting = caller.acting_partner(app, request, Action::EndGrant).await?;
    no_body(request)?;
    grant::end(app, request, &Side::Partner(acting.partner.partner_id), &acting.actor).await
}

async fn grant_by_customer(app: &App, request: &Request) -> Result<Response, Problem> {
    let (customer, actor) = Caller::by_key(app, request).await?.acting_customer(app, request)?;
    no_body(request)?;
    grant::end(app, request, &Side::Customer(customer), &actor).await
}

/// There is nothing to say beyond the path.
fn no_body(request: &Request) -> Result<(), Problem> {
    Fields::of_optional_body(request)?.finish(Some(()))
}

/// Whose grant it has to be.
enum Side {
    Partner(PartnerId),
    Customer(TenantId),
}
