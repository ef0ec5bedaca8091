//! Everything that is read with a key: single records, lists, and the caller itself. Nothing here writes.

mod customers;
mod lists;
mod operator;
mod partners;

use platform::config::Needs;
use platform::handler::views::MeView;
use platform::handler::{Anyone, Context, Found, KeyOrSession, Never, Nothing};
use platform::http_api::{Code, Problem};
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "read",
    routes: platform::routes! {
        /// Get the partner.
        "GET /v1/partners/{partner_id}" => partners::partner, reads [];
        /// List the partner's invitations, newest first.
        "GET /v1/partners/{partner_id}/invitations" => partners::invitations, reads [];
        /// Get one of the partner's invitations.
        "GET /v1/partners/{partner_id}/invitations/{invitation_id}" => partners::invitation, reads [];
        /// List the partner's customers with their grants, newest first.
        "GET /v1/partners/{partner_id}/customers" => partners::customers, reads [];
        /// Get the partner's relationship with one customer, with its grants.
        "GET /v1/partners/{partner_id}/customers/{tenant_id}" => partners::customer, reads [];
        /// List the subscriptions that the partner registered, newest first.
        "GET /v1/partners/{partner_id}/subscriptions" => partners::subscriptions, reads [];
        /// Get one of the partner's subscriptions.
        "GET /v1/partners/{partner_id}/subscriptions/{subscription_id}" => partners::subscription, reads [];
        /// List events that name the partner, or follow them as a feed.
        "GET /v1/partners/{partner_id}/events" => partners::events, reads [];
        /// Get the customer.
        "GET /v1/customers/{tenant_id}" => customers::customer, reads [];
        /// List the customer's partners with their grants, newest first.
        "GET /v1/customers/{tenant_id}/partners" => customers::partners, reads [];
        /// Get the customer's relationship with one partner, with its grants.
        "GET /v1/customers/{tenant_id}/partners/{partner_id}" => customers::partner, reads [];
        /// List the customer's invitations, newest first.
        "GET /v1/customers/{tenant_id}/invitations" => customers::invitations, reads [];
        /// List the customer's subscriptions, newest first.
        "GET /v1/customers/{tenant_id}/subscriptions" => customers::subscriptions, reads [];
        /// List events about the customer, or follow them as a feed.
        "GET /v1/customers/{tenant_id}/events" => customers::events, reads [];
        /// List all customers, newest first.
        "GET /v1/customers" => operator::customers, reads [];
        /// List all partners, newest first.
        "GET /v1/partners" => operator::partners, reads [];
        /// List access keys, newest first: all, or those of one owner.
        "GET /v1/keys" => operator::keys, reads [];
        /// Get an access key, without the key itself.
        "GET /v1/keys/{key_id}" => operator::key, reads [];
        /// List all events, or follow them as a feed.
        "GET /v1/events" => operator::events, reads [];
        /// Get the caller: the owner and the roles of its key, or its session.
        "GET /v1/me" => me, reads [];
        /// Always rejected: a registered subscription never changes.
        "PUT /v1/partners/{partner_id}/subscriptions/{subscription_id}" => immutable, computes [SubscriptionImmutable];
        /// Always rejected: a registered subscription never changes.
        "PATCH /v1/partners/{partner_id}/subscriptions/{subscription_id}" => immutable, computes [SubscriptionImmutable];
        /// Always rejected: a registered subscription is never deleted.
        "DELETE /v1/partners/{partner_id}/subscriptions/{subscription_id}" => immutable, computes [
            SubscriptionImmutable,
        ];
    },
    needs: Needs::TABLE,
};

/// The same response for every id and every caller, before anything is read.
async fn immutable(_: Context, _: Anyone, _: Nothing) -> Result<Never, Problem> {
    let detail =
        "A registered subscription never changes: neither its owner, nor its terms, nor its partner of record.";
    Err(Problem::new(Code::SubscriptionImmutable, detail).with_header("allow", "GET"))
}

async fn me(context: Context, KeyOrSession(caller): KeyOrSession, _: Nothing) -> Result<Found<MeView>, Problem> {
    Ok(Found(MeView::new(&caller, context.now())))
}
