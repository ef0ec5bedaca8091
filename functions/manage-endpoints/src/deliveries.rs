//! Messages that an endpoint's owner asks for: a test, and a resend of what did not arrive.

use std::time::Duration;

use domain::clock_budget::LAST_OF_MANY_WRITES;
use domain::{
    Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointState, MessageId, Timestamp, WebhookId, digest,
};
use platform::handler::views::{DeliveryQueuedView, DeliveryView, ResentView, other_message};
use platform::handler::{Context, Json, NoMembers, Owning, Queued};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape::{self, Parsed};
use platform::http_api::{InvalidField, Problem};
use platform::store::StoreError;

use crate::owner::Action;

/// Time that is reserved for the response.
const RESERVE: Duration = Duration::from_secs(2);

/// Sends a test message, or another challenge to a pending endpoint. A pending endpoint's address has not agreed to
/// anything yet, so it is challenged once a minute at most: a repeat returns the same delivery.
pub(crate) async fn test<C: Owning>(
    context: Context,
    caller: C,
    _: NoMembers,
) -> Result<Queued<DeliveryQueuedView>, Problem> {
    let action = Action::new(context, caller);
    let context = &action.context;
    let (now, store) = (context.now(), &context.app.store);
    let endpoint = action.enabled_endpoint().await?;
    let (purpose, id) = match endpoint.state {
        EndpointState::Pending => {
            let [since, minute] = [endpoint.pending_since.millis(), now.millis().div_euclid(60_000)];
            let parts: [&[u8]; 3] =
                [endpoint.endpoint_id.as_str().as_bytes(), &since.to_be_bytes(), &minute.to_be_bytes()];
            (DeliveryPurpose::Challenge, digest("another challenge", &parts))
        }
        _ => (DeliveryPurpose::Test, digest("test", &[&context.app.random.bytes()])),
    };
    let id = MessageId::from_hash(&id);
    let message = other_message(purpose, &id, &endpoint.endpoint_id, now).map_err(Problem::internal)?;
    let delivery = Delivery::new(id.into(), endpoint.endpoint_id, endpoint.owner, purpose, now);
    let queued = |delivery: &Delivery| Queued(DeliveryQueuedView { delivery: DeliveryView::new(delivery) });
    if store.post_message(context.op(), &message, &delivery).await? {
        return Ok(queued(&delivery));
    }
    let before = store.delivery(context.op(), &delivery.webhook_id, &delivery.endpoint_id).await?;
    Ok(queued(&before.ok_or(StoreError::Contention)?))
}

/// `{event_id}` for one message in any state, or `{since}` for all that were created then or later and did not arrive.
pub(crate) enum ResendBody {
    One(WebhookId),
    AllSince(Timestamp),
}

impl Body for ResendBody {
    const NAME: &'static str = "ResendRequest";

    fn members<R: Reader>(reader: &mut R, _: &Rules<'_>) -> Option<Self> {
        let event_id = reader.present("event_id", webhook_id());
        let since = reader.present("since", shape::time());
        match (event_id, since) {
            (Some(event_id), None) => event_id.map(Self::One),
            (None, Some(since)) => since.map(Self::AllSince),
            (None, None) => {
                reader.invalid("event_id", InvalidField::required_because("either `event_id` or `since` is required"));
                None
            }
            (Some(event_id), Some(since)) => {
                // A member that is wrong in itself is reported by its shape.
                event_id.zip(since)?;
                reader.invalid("since", InvalidField::value("send either `event_id` or `since`, not both"));
                None
            }
        }
    }
}

fn webhook_id() -> Parsed<WebhookId> {
    Parsed {
        parse: WebhookId::parse,
        expected: "the id of an event or message is expected",
        pattern: "^(evt|msg)_[a-z2-7]{26}$",
        format: None,
    }
}

pub(crate) async fn resend<C: Owning>(
    context: Context,
    caller: C,
    Json(body): Json<ResendBody>,
) -> Result<Queued<ResentView>, Problem> {
    let action = Action::new(context, caller);
    let endpoint = action.enabled_endpoint().await?;
    let resent = match body {
        ResendBody::One(id) => resend_one(&action.context, &endpoint, &id).await?,
        ResendBody::AllSince(since) => resend_all(&action.context, &endpoint, since).await?,
    };
    Ok(Queued(resent))
}

async fn resend_one(context: &Context, endpoint: &Endpoint, id: &WebhookId) -> Result<ResentView, Problem> {
    let store = &context.app.store;
    let found = store.delivery(context.op(), id, &endpoint.endpoint_id).await?;
    let unknown = || {
        let detail = "this endpoint was not sent a message with this id in the last 30 days";
        Problem::validation(vec![InvalidField::value(detail).at("/event_id")])
    };
    // Challenges are limited, so they are only sent by `test`.
    let delivery = found.filter(|found| found.purpose != DeliveryPurpose::Challenge).ok_or_else(unknown)?;
    if !store.resend(context.op(), &delivery).await? {
        return Err(StoreError::Contention.into());
    }
    Ok(ResentView { resent: 1, next_since: None })
}

async fn resend_all(context: &Context, endpoint: &Endpoint, since: Timestamp) -> Result<ResentView, Problem> {
    const FAILED: &[DeliveryState] =
        &[DeliveryState::Exhausted, DeliveryState::Aborted, DeliveryState::EndpointDisabled];
    let (store, op) = (&context.app.store, context.op());
    let (mut resent, mut start) = (0, None);
    loop {
        let mut page = store.deliveries_since(op, &endpoint.endpoint_id, since, FAILED, start).await?;
        // An old challenge or test is of no use any more.
        page.deliveries.retain(|delivery| delivery.purpose == DeliveryPurpose::Event);
        for delivery in &page.deliveries {
            if !has_time(context) {
                return Ok(ResentView { resent, next_since: Some(delivery.created_at) });
            }
            resent += u32::from(store.resend(op, delivery).await?);
        }
        if page.next.is_some() && !has_time(context) {
            return Ok(ResentView { resent, next_since: page.reached() });
        }
        start = page.next;
        if start.is_none() {
            return Ok(ResentView { resent, next_since: None });
        }
    }
}

/// Whether there is time for another write: the writes of one request must not be older than a few seconds.
fn has_time(context: &Context) -> bool {
    let age = context.app.clock.now().since(context.now());
    context.request.deadline.remaining() > RESERVE && age < LAST_OF_MANY_WRITES
}
