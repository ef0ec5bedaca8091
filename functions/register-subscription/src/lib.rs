//! A partner registers a subscription that it sold, by key or by signed webhook. This is the only function that writes
//! subscriptions, and it can only add them.

mod batch;
mod batch_body;
mod body;
mod refused;

use platform::config::Needs;
use platform::handler::views::{SubscriptionResponse, SubscriptionView};
use platform::handler::{
    ActingPartner, Context, CreatedOnce, CreatedOnceAt, Envelope, Json, PartnerKey, SignedWebhook,
    UnneededIdempotencyKey, permission::RegisterSubscription,
};
use platform::http_api::Problem;
use platform::lambda::Function;
use platform::store::{CustomerRequirements, Registering, TenantRefusal};

use crate::body::RegistrationBody;
use crate::refused::{problem_exists, problem_no_relationship};

pub const FUNCTION: Function = Function {
    name: "register-subscription",
    routes: platform::routes! {
        /// Register a subscription that the partner sold to a customer.
        "POST /v1/partners/{partner_id}/subscriptions" => by_key, writes [
            CloudNotSupported, CustomerIsCspTenant, NoActiveRelationship, PartnerOfRecordMismatch, SubscriptionExists,
        ];
        /// Register several subscriptions of one customer at once.
        "POST /v1/partners/{partner_id}/subscriptions/batch" => batch::register, writes [CloudNotSupported];
        /// Register a subscription by signed webhook.
        "POST /v1/webhooks/{partner_id}/subscriptions" => by_webhook, writes [
            CloudNotSupported, CustomerIsCspTenant, NoActiveRelationship, PartnerOfRecordMismatch, SubscriptionExists,
        ];
    },
    needs: Needs::TABLE_AND_KEYS,
};

type Registered = CreatedOnceAt<SubscriptionResponse>;

async fn by_key(
    context: Context,
    caller: PartnerKey<RegisterSubscription>,
    (_, Json(body)): (UnneededIdempotencyKey, Json<RegistrationBody>),
) -> Result<Registered, Problem> {
    register(&context, &caller.acting, body).await
}

async fn by_webhook(
    context: Context,
    webhook: SignedWebhook<RegisterSubscription>,
    Envelope(body): Envelope<RegistrationBody>,
) -> Result<Registered, Problem> {
    register(&context, &webhook.acting, body).await
}

async fn register(context: &Context, acting: &ActingPartner, body: RegistrationBody) -> Result<Registered, Problem> {
    let policy = context.policy();
    context.cloud_rules(acting.partner.cloud)?;
    let subscription = body.into_subscription(&acting.partner, policy.version, context.now())?;
    let event = body::event(&subscription, context.occurrence(&acting.actor));
    let requirements = CustomerRequirements::new(policy, &acting.partner);
    let store = &context.app.store;
    let (subscription, replayed) =
        match store.register_subscription(context.op(), &subscription, requirements, &event).await? {
            Registering::New => (subscription, false),
            Registering::AlreadyExists(first) => (*first, true),
            Registering::NoRelationship => return Err(problem_no_relationship()),
            Registering::CspTenant => return Err(TenantRefusal::Csp.into()),
            Registering::IdTaken => return Err(problem_exists()),
        };
    let id = subscription.registration.subscription_id.as_str();
    let location = format!("/v1/partners/{}/subscriptions/{id}", subscription.partner_of_record);
    let view = SubscriptionResponse { subscription: SubscriptionView::new(&subscription) };
    let registered = if replayed { CreatedOnce::replayed(view) } else { CreatedOnce::new(view) };
    Ok(registered.at(location))
}
