//! Messages that an endpoint's owner asks for: a test, and a resend of what did not arrive.

use std::time::Duration;

use domain::clock_budget::LAST_OF_MANY_WRITES;
use domain::{
    Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointState, MessageId, Period, Timestamp, WebhookId, digest,
};
use platform::handler::views::{DeliveryQueuedView, DeliveryView, ResentView, other_message};
use platform::handler::{Context, Json, NoMembers, Owning, Queued};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape::{self, Parsed};
use platform::http_api::{InvalidField, Problem};
use platform::store::{Resent, Step, retry_on_change};

use crate::owner::{Action, rate_limited};

/// Time that is reserved for the response.
const RESERVE: Duration = Duration::from_secs(2);

/// Sends a test message, or another challenge to a pending endpoint.
pub(crate) async fn test<C: Owning>(
    context: Context,
    caller: C,
    _: NoMembers,
) -> Result<Queued<DeliveryQueuedView>, Problem> {
    let action = Action::new(context, caller);
    let (context, action) = (&action.context, &action);
    let id = MessageId::from_hash(&digest("test", &[&context.app.random.bytes()]));
    let delivery = retry_on_change(|| async {
        let (delivery, message) = test_message(context, action.enabled_endpoint().await?, id.clone())?;
        let challenge = action.another_challenge().await?;
        let is_posted = context.app.store.post_message(context.op(), &message, &delivery, &challenge).await?;
        Ok::<_, Problem>(if is_posted { Step::Done(delivery) } else { Step::Changed })
    });
    Ok(Queued(DeliveryQueuedView { delivery: DeliveryView::new(&delivery.await?) }))
}

fn test_message(context: &Context, endpoint: Endpoint, id: MessageId) -> Result<(Delivery, Vec<u8>), Problem> {
    let now = context.now();
    let is_pending = endpoint.state == EndpointState::Pending;
    let purpose = if is_pending { DeliveryPurpose::Challenge } else { DeliveryPurpose::Test };
    let message = other_message(purpose, &id, &endpoint.endpoint_id, now).map_err(Problem::internal)?;
    let Endpoint { endpoint_id, owner, period, .. } = endpoint;
    let delivery = if is_pending {
        Delivery::challenge(id, endpoint_id, owner, Period { endpoint: period, partner: 0 }, now)
    } else {
        Delivery::new(id.into(), endpoint_id, owner, purpose, now)
    };
    Ok((delivery, message))
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
        ResendBody::One(id) => resend_one(&action, &endpoint, &id).await?,
        ResendBody::AllSince(since) => {
            count(&action).await?;
            resend_all(&action.context, &endpoint, since).await?
        }
    };
    Ok(Queued(resent))
}

/// Counts a request to resend.
///
/// # Errors
/// 429 `rate_limited`.
async fn count(action: &Action) -> Result<(), Problem> {
    let context = &action.context;
    let per_minute = context.policy().limits.resends_per_minute;
    retry_on_change(|| async {
        let endpoint = action.enabled_endpoint().await?;
        let resend = endpoint.resends.another(context.now(), Duration::from_mins(1), per_minute).map_err(|wait| {
            rate_limited(format!("The limit is {per_minute} requests a minute for each endpoint."), wait)
        })?;
        let is_counted = context.app.store.count_resend(context.op(), &endpoint, &resend).await?;
        Ok::<_, Problem>(if is_counted { Step::Done(()) } else { Step::Changed })
    })
    .await
}

async fn resend_one(action: &Action, endpoint: &Endpoint, id: &WebhookId) -> Result<ResentView, Problem> {
    let (context, store) = (&action.context, &action.context.app.store);
    let unknown = || {
        let detail = "this endpoint was not sent a message with this id in the last 30 days";
        Problem::validation(vec![InvalidField::value(detail).at("/event_id")])
    };
    let found = || async { store.delivery(context.op(), id, &endpoint.endpoint_id).await };
    // Challenges are limited, so they are only sent by `test`.
    let can_be_resent = |found: &Delivery| found.purpose != DeliveryPurpose::Challenge;
    found().await?.filter(can_be_resent).ok_or_else(unknown)?;
    count(action).await?;
    retry_on_change(|| async {
        let delivery = found().await?.ok_or_else(unknown)?;
        match store.resend(context.op(), &delivery).await? {
            Resent::Done => Ok(Step::Done(ResentView { resent: 1, next_since: None })),
            Resent::Changed => Ok(Step::Changed),
            Resent::MessageGone => Err(unknown()),
        }
    })
    .await
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
            resent += u32::from(store.resend(op, delivery).await? == Resent::Done);
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
