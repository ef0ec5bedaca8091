//! Everything that is read by key: single records, lists, and who one is. Nothing here writes.

mod customers;
mod list;
mod operator;
mod partners;

use std::sync::Arc;

use serde_json::json;
use shared::app::App;
use shared::auth::Caller;
use shared::http::{Code, Problem, Request, Response};
use shared::lambda::Function;

/// The function.
pub const FUNCTION: Function = Function {
    name: "read",
    routes: &[
        "GET /v1/partners/{partner_id}/invitations",
        "GET /v1/partners/{partner_id}/invitations/{invitation_id}",
        "GET /v1/partners/{partner_id}/customers",
        "GET /v1/partners/{partner_id}/subscriptions",
        "GET /v1/partners/{partner_id}/subscriptions/{subscription_id}",
        "GET /v1/partners/{partner_id}/events",
        "GET /v1/customers/{tenant_id}/partners",
        "GET /v1/customers/{tenant_id}/invitations",
        "GET /v1/customers/{tenant_id}/subscriptions",
        "GET /v1/customers/{tenant_id}/events",
        "GET /v1/customers",
        "GET /v1/partners",
        "GET /v1/keys",
        "GET /v1/events",
        "GET /v1/me",
        "PUT /v1/partners/{partner_id}/subscriptions/{subscription_id}",
        "PATCH /v1/partners/{partner_id}/subscriptions/{subscription_id}",
        "DELETE /v1/partners/{partner_id}/subscriptions/{subscription_id}",
    ],
    needs_master_key: false,
    uses_table: true,
    handler: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: Arc<App>, request: Request) -> Result<Response, Problem> {
    match request.route_key() {
        "PUT /v1/partners/{partner_id}/subscriptions/{subscription_id}"
        | "PATCH /v1/partners/{partner_id}/subscriptions/{subscription_id}"
        | "DELETE /v1/partners/{partner_id}/subscriptions/{subscription_id}" => Err(immutable()),
        "GET /v1/me" => me(&app, &request).await,
        "GET /v1/partners/{partner_id}/invitations" => partners::invitations(&app, &request).await,
        "GET /v1/partners/{partner_id}/invitations/{invitation_id}" => partners::invitation(&app, &request).await,
        "GET /v1/partners/{partner_id}/customers" => partners::customers(&app, &request).await,
        "GET /v1/partners/{partner_id}/subscriptions" => partners::subscriptions(&app, &request).await,
        "GET /v1/partners/{partner_id}/subscriptions/{subscription_id}" => partners::subscription(&app, &request).await,
        "GET /v1/partners/{partner_id}/events" => partners::events(&app, &request).await,
        "GET /v1/customers/{tenant_id}/partners" => customers::partners(&app, &request).await,
        "GET /v1/customers/{tenant_id}/invitations" => customers::invitations(&app, &request).await,
        "GET /v1/customers/{tenant_id}/subscriptions" => customers::subscriptions(&app, &request).await,
        "GET /v1/customers/{tenant_id}/events" => customers::events(&app, &request).await,
        "GET /v1/customers" => operator::customers(&app, &request).await,
        "GET /v1/partners" => operator::partners(&app, &request).await,
        "GET /v1/keys" => operator::keys(&app, &request).await,
        "GET /v1/events" => operator::events(&app, &request).await,
        _ => Err(Problem::not_found()),
    }
}

/// The same refusal for every id and every caller, before anything is read.
fn immutable() -> Problem {
    Problem::new(
        Code::SubscriptionImmutable,
        "A registered subscription never changes: not its owner, not its terms, not its partner of record.",
    )
    .with_header("allow", "GET")
}

/// `{kind,id,roles,key_id}`
async fn me(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(app, request).await?;
    Response::json(
        200,
        &json!({
            "kind": caller.principal.kind(), "id": caller.principal.id(), "roles": caller.roles, "key_id": caller.key_id,
        }),
    )
}
