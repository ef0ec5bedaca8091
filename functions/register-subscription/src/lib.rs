//! A partner registers a subscription it sold, by key or by signed webhook. This is the only function that writes
//! subscriptions, and all it can do is add one.

mod command;

use std::sync::Arc;

use serde_json::{Value, json};
use shared::app::App;
use shared::auth::{ActingPartner, Caller, SignedWebhook};
use shared::domain::{Action, Subscription};
use shared::http::{Code, Problem, Request, Response, fields, idempotency_key, webhook_data};
use shared::lambda::Function;
use shared::store::{Registering, TenantRefusal, Terms};

const BY_KEY: &str = "POST /v1/partners/{partner_id}/subscriptions";
const BY_WEBHOOK: &str = "POST /v1/webhooks/{partner_id}/subscriptions";

/// The function.
pub const FUNCTION: Function = Function {
    name: "register-subscription",
    routes: &[BY_KEY, BY_WEBHOOK],
    needs_master_key: true,
    uses_table: true,
    handler: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: Arc<App>, request: Request) -> Result<Response, Problem> {
    let (acting, body) = match request.route_key() {
        BY_KEY => by_key(&app, &request).await?,
        BY_WEBHOOK => by_webhook(&app, &request).await?,
        _ => return Err(Problem::not_found()),
    };
    let policy = app.policy_for(&request);
    let subscription = command::read(body, policy, &acting.partner, request.now)?;
    let event = command::event(&subscription, &acting.actor);
    let terms = Terms::of(policy, &acting.partner);
    match app.store.register_subscription(request.attempt(), &subscription, terms, &event).await? {
        Registering::New => answer(201, &subscription),
        Registering::Before(first) => Ok(answer(200, &first)?.replayed(true)),
        Registering::NoRelationship => Err(Problem::new(
            Code::NoActiveRelationship,
            "The customer is not known, or has no active relationship with this partner.",
        )),
        Registering::CspTenant => Err(TenantRefusal::Csp.into()),
        Registering::Exists => Err(Problem::new(
            Code::SubscriptionExists,
            "This subscription id is taken. A registered subscription never changes and never moves.",
        )),
    }
}

async fn by_key(app: &App, request: &Request) -> Result<(ActingPartner, Value), Problem> {
    let caller = Caller::by_key(app, request).await?;
    let acting = caller.acting_partner(app, request, Action::RegisterSubscription).await?;
    // The subscription's own id is the idempotency key; one that is sent all the same has to be well formed.
    idempotency_key(request)?;
    Ok((acting, fields::document(&request.body()?)?))
}

async fn by_webhook(app: &App, request: &Request) -> Result<(ActingPartner, Value), Problem> {
    let webhook = SignedWebhook::verify(app, request, Action::RegisterSubscription).await?;
    Ok((webhook.acting, webhook_data(&webhook.body, "subscription.register")?))
}

fn answer(status: u16, subscription: &Subscription) -> Result<Response, Problem> {
    Response::json(status, &json!({"subscription": subscription.view()}))
}
