//! A batch: each subscription gets the response that it would get alone, in the order of the batch. One transaction writes all
//! that can be registered.

use domain::{Event, RegistrationOutcome, Subscription, SubscriptionId};
use platform::handler::views::{RegistrationResultView, RegistrationResultsView};
use platform::handler::{Context, Found, Json, PartnerKey, UnneededIdempotencyKey, permission::RegisterSubscription};
use platform::http_api::Problem;
use platform::store::{Batch, Blocked, CustomerRequirements, InBatch, TenantRefusal};

use crate::batch_body::BatchBody;
use crate::body;
use crate::refused::{problem_exists, problem_no_relationship};

pub(crate) async fn register(
    context: Context,
    caller: PartnerKey<RegisterSubscription>,
    (_, Json(BatchBody(bodies))): (UnneededIdempotencyKey, Json<BatchBody>),
) -> Result<Found<RegistrationResultsView>, Problem> {
    let (acting, policy) = (&caller.acting, context.policy());
    context.cloud_rules(acting.partner.cloud)?;
    let (mut sent, mut batch) = (Vec::new(), Vec::new());
    for body in bodies {
        let id = body.subscription_id().clone();
        let subscription = body.into_subscription(&acting.partner, policy.version, context.now());
        let wanted = subscription.map(|subscription| {
            let event = body::event(&subscription, context.occurrence(&acting.actor));
            Wanted::add(&mut batch, subscription, event)
        });
        sent.push((id, wanted));
    }
    let requirements = CustomerRequirements::new(policy, &acting.partner);
    let done = context.app.store.register_batch(context.op(), &batch, requirements).await?;
    let result = |(id, wanted): (SubscriptionId, Result<Wanted, Problem>)| match wanted
        .and_then(|wanted| wanted.result(&batch, &done))
    {
        Ok((subscription, outcome)) => RegistrationResultView::registered(subscription, id, outcome),
        Err(problem) => RegistrationResultView::refused(id, &problem, &context.request.id),
    };
    Ok(Found(RegistrationResultsView { results: sent.into_iter().map(result).collect() }))
}

/// A subscription that was sent.
enum Wanted {
    /// The first one with its id, at this position of the batch that is written.
    First(usize),
    /// Another one with the id of the one at this position.
    Repeat(usize, Box<Subscription>),
}

type Registered<'a> = (&'a Subscription, RegistrationOutcome);

impl Wanted {
    /// The batch that is written has each id once.
    fn add(batch: &mut Vec<(Subscription, Event)>, subscription: Subscription, event: Event) -> Self {
        let id = &subscription.registration.subscription_id;
        if let Some(at) = batch.iter().position(|(first, _)| first.registration.subscription_id == *id) {
            return Self::Repeat(at, Box::new(subscription));
        }
        batch.push((subscription, event));
        Self::First(batch.len() - 1)
    }

    /// What it returns alone: after those before it in the batch.
    fn result<'a>(&self, batch: &'a [(Subscription, Event)], done: &'a Batch) -> Result<Registered<'a>, Problem> {
        let (Self::First(at) | Self::Repeat(at, _)) = self;
        let missing = || Problem::internal("a subscription of a batch has no result");
        let ((first, _), found) = batch.get(*at).zip(done.items.get(*at)).ok_or_else(missing)?;
        let own = match self {
            Self::First(_) => first,
            Self::Repeat(_, own) => own,
        };
        match (found, self) {
            (InBatch::New, Self::First(_)) => Ok((first, RegistrationOutcome::Registered)),
            (InBatch::New, Self::Repeat(..)) if own.registration.fingerprint() == first.registration.fingerprint() => {
                Ok((first, RegistrationOutcome::Replayed))
            }
            (InBatch::Exists(existing), _) if existing.is_same(own) => {
                Ok((&existing.subscription, RegistrationOutcome::Replayed))
            }
            (InBatch::New | InBatch::Exists(_) | InBatch::Blocked, _) => Err(problem_of(done.blocked)),
        }
    }
}

/// Why a subscription is refused that is not registered: what blocks the batch, or another record with its id.
fn problem_of(blocked: Option<Blocked>) -> Problem {
    match blocked {
        Some(Blocked::NoRelationship) => problem_no_relationship(),
        Some(Blocked::CspTenant) => TenantRefusal::Csp.into(),
        None => problem_exists(),
    }
}
