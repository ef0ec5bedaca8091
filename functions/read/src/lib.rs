//! Everything that is read by key: single records, lists, and who one is. Nothing here writes.

mod customers;
mod list;
mod operator;
mod partners;

use platform::config::Needs;
use platform::handler::App;
use platform::handler::Caller;
use platform::handler::views::MeView;
use platform::http_api::{Code, Problem, Request, Response};
use platform::lambda::Function;

/// The function.
pub const FUNCTION: Function = Function {
    name: "read",
    routes: platform::routes! {
        "GET /v1/partners/{partner_id}/invitations" => partners::invitations,
        "GET /v1/partners/{partner_id}/invitations/{invitation_id}" => partners::invitation,
        "GET /v1/partners/{partner_id}/customers" => partners::customers,
        "GET /v1/partners/{partner_id}/subscriptions" => partners::subscriptions,
        "GET /v1/partners/{partner_id}/subscriptions/{subscription_id}" => partners::subscription,
        "GET /v1/partners/{partner_id}/events" => partners::events,
        "GET /v1/customers/{tenant_id}/partners" => customers::partners,
        "GET /v1/customers/{tenant_id}/invitations" => customers::invitations,
        "GET /v1/customers/{tenant_id}/subscriptions" => customers::subscriptions,
        "GET /v1/customers/{tenant_id}/events" => customers::events,
        "GET /v1/customers" => operator::customers,
        "GET /v1/partners" => operator::partners,
        "GET /v1/keys" => operator::keys,
        "GET /v1/events" => operator::events,
        "GET /v1/me" => me,
        "PUT /v1/partners/{partner_id}/subscriptions/{subscription_id}" => immutable,
        "PATCH /v1/partners/{partner_id}/subscriptions/{subscription_id}" => immutable,
        "DELETE /v1/partners/{partner_id}/subscriptions/{subscription_id}" => immutable,
    },
    needs: Needs::TABLE,
};

/// The same refusal for every id and every caller, before anything is read.
async fn immutable(_: &App, _: &Request) -> Result<Response, Problem> {
    let detail = "A registered subscription never changes: not its owner, not its terms, not its partner of record.";
    Err(Problem::new(Code::SubscriptionImmutable, detail).with_header("allow", "GET"))
}

/// `{kind,id,roles,key_id}`
async fn me(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(app, request).await?;
    Response::json(200, &MeView::new(&caller))
}
