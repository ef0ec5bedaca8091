//! A partner registers a subscription it sold, by key or by signed webhook. This is the only function that writes
//! subscriptions, and all it can do is add one.

mod command;

use domain::{Action, Subscription};
use platform::config::Needs;
use platform::handler::App;
use platform::handler::views::SubscriptionView;
use platform::handler::{ActingPartner, Caller, SignedWebhook};
use platform::http_api::{Code, Problem, Request, Response, fields, webhook_data};
use platform::lambda::Function;
use platform::store::{CustomerRequirements, Registering, TenantRefusal};
use serde_json::{Value, json};

/// The function.
pub const FUNCTION: Function = Function {
    name: "register-subscription",
    routes: platform::routes! {
        "POST /v1/partners/{partner_id}/subscriptions" => by_key,
        "POST /v1/webhooks/{partner_id}/subscriptions" => by_webhook,
    },
    needs: Needs::TABLE_AND_KEYS,
};

async fn by_key(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(app, request).await?;
    let acting = caller.acting_partner(app, request, Action::RegisterSubscription).await?;
    // The subscription's own id is the idempotency key; one that is sent all the same has to be well formed.
    request.idempotency_key()?;
    register(app, request, &acting, fields::document(&request.body()?)?).await
}

async fn by_webhook(app: &App, request: &Request) -> Result<Response, Problem> {
    let webhook = SignedWebhook::verify(app, request, Action::RegisterSubscription).await?;
    let data = webhook_data(&webhook.body, "subscription.register")?;
    register(app, request, &webhook.acting, data).await
}

async fn register(app: &App, request: &Request, acting: &ActingPartner, body: Value) -> Result<Response, Problem> {
    let policy = app.policy_for(request);
    app.cloud_rules(request, acting.partner.cloud)?;
    let subscription = command::read(body, policy, &acting.partner, request.now)?;
    let event = command::event(&subscription, app.occurrence(request, &acting.actor));
    let terms = CustomerRequirements::of(policy, &acting.partner);
    match app.store.register_subscription(request.op(), &subscription, terms, &event).await? {
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

/// `{subscription}`, and where to read it.
fn answer(status: u16, subscription: &Subscription) -> Result<Response, Problem> {
    let id = subscription.registration.subscription_id.as_str();
    let location = format!("/v1/partners/{}/subscriptions/{id}", subscription.partner_of_record);
    Ok(Response::json(status, &json!({"subscription": SubscriptionView::new(subscription)}))?
        .with_header("location", location))
}
