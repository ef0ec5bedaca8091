//! Messages that an endpoint's owner asks for: a test, and what did not arrive once more.

use std::time::Duration;

use domain::{
    Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointState, MessageId, Timestamp, WebhookId, digest,
};
use platform::handler::App;
use platform::handler::views::{DeliveryView, other_message};
use platform::http_api::fields::{self, Fields};
use platform::http_api::{Code, FieldError, Problem, Request, Response};
use platform::store::StoreError;
use serde_json::json;

use crate::owner::Act;

/// Time that is kept for answering.
const RESERVE: Duration = Duration::from_secs(2);
/// After this no further write is begun.
const OLDEST_MS: i64 = 2_000;

/// Sends a test, or to an endpoint that has not answered its challenge yet another challenge → 202 `{delivery}`. Whoever is
/// at that address has agreed to nothing yet, so that there is one challenge a minute at most: a repeat answers the same.
pub(crate) async fn test(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    Fields::of_optional_body(request)?.finish(Some(()))?;
    let endpoint = switched_on(&act).await?;
    let (purpose, id) = match endpoint.state {
        EndpointState::Pending => {
            let [since, minute] = [endpoint.pending_since.millis(), request.now.millis().div_euclid(60_000)];
            let parts: [&[u8]; 3] =
                [endpoint.endpoint_id.as_str().as_bytes(), &since.to_be_bytes(), &minute.to_be_bytes()];
            (DeliveryPurpose::Challenge, digest("another challenge", &parts))
        }
        _ => (DeliveryPurpose::Test, digest("test", &[&app.random.bytes()])),
    };
    let id = MessageId::from_hash(&id);
    let message = other_message(purpose, &id, &endpoint.endpoint_id, request.now).map_err(Problem::internal)?;
    let delivery = Delivery::new(id.into(), endpoint.endpoint_id, endpoint.owner, purpose, request.now);
    if app.store.post_message(request.op(), &message, &delivery).await? {
        return Response::json(202, &json!({"delivery": DeliveryView::new(&delivery)}));
    }
    let before = app.store.delivery(request.op(), &delivery.webhook_id, &delivery.endpoint_id).await?;
    Response::json(202, &json!({"delivery": DeliveryView::new(&before.ok_or(StoreError::Contention)?)}))
}

enum What {
    One(WebhookId),
    AllSince(Timestamp),
}

/// Sends again: `{event_id}` one message, whatever became of it; `{since}` all that were begun then or later and did not
/// arrive → 202 `{resent, next_since?}`; `next_since` says where to go on when there was no time for all.
pub(crate) async fn resend(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let what = read(request)?;
    let endpoint = switched_on(&act).await?;
    match what {
        What::One(id) => resend_one(&act, &endpoint, &id).await,
        What::AllSince(since) => resend_all(&act, &endpoint, since).await,
    }
}

fn read(request: &Request) -> Result<What, Problem> {
    let mut fields = Fields::of_body(request)?;
    let expected = "an RFC 3339 time is expected, for example 2026-11-22T17:40:00Z";
    let event_id = fields.optional("event_id", fields::text(WebhookId::parse, "an event's id is expected"));
    let since = fields.optional("since", fields::text(Timestamp::parse_any, expected));
    let what = match (event_id, since) {
        (Some(id), None) => Some(What::One(id)),
        (None, Some(since)) => Some(What::AllSince(since)),
        _ => {
            fields.wrong("event_id", "required", "either `event_id` or `since` is expected");
            None
        }
    };
    fields.finish(what)
}

async fn switched_on(act: &Act<'_>) -> Result<Endpoint, Problem> {
    let endpoint = act.live_endpoint().await?;
    if endpoint.state == EndpointState::Disabled {
        let detail = "The endpoint is disabled; activate it first: PATCH it with `{\"state\": \"active\"}`.";
        return Err(Problem::new(Code::InvalidTransition, detail));
    }
    Ok(endpoint)
}

async fn resend_one(act: &Act<'_>, endpoint: &Endpoint, id: &WebhookId) -> Result<Response, Problem> {
    let attempt = act.request.op();
    let found = act.app.store.delivery(attempt, id, &endpoint.endpoint_id).await?;
    let unknown = || {
        let detail = "this endpoint was sent no such message in the last 30 days";
        Problem::validation(vec![FieldError { pointer: "/event_id".into(), code: "value", detail: detail.into() }])
    };
    // A challenge is asked for by `test`, and not without limit.
    let delivery = found.filter(|found| found.purpose != DeliveryPurpose::Challenge).ok_or_else(unknown)?;
    if !act.app.store.resend(attempt, &delivery).await? {
        return Err(StoreError::Contention.into());
    }
    Response::json(202, &json!({"resent": 1}))
}

async fn resend_all(act: &Act<'_>, endpoint: &Endpoint, since: Timestamp) -> Result<Response, Problem> {
    const FAILED: &[DeliveryState] =
        &[DeliveryState::Exhausted, DeliveryState::Aborted, DeliveryState::EndpointDisabled];
    let attempt = act.request.op();
    let (mut resent, mut start) = (0, None);
    loop {
        let id = &endpoint.endpoint_id;
        let mut page = act.app.store.deliveries_since(attempt, id, since, FAILED, start).await?;
        // A challenge or test of the past says nothing any more.
        page.deliveries.retain(|delivery| delivery.purpose == DeliveryPurpose::Event);
        for delivery in &page.deliveries {
            if !has_time(act) {
                return Response::json(202, &json!({"resent": resent, "next_since": delivery.created_at}));
            }
            resent += u32::from(act.app.store.resend(attempt, delivery).await?);
        }
        if page.next.is_some() && !has_time(act) {
            return Response::json(202, &json!({"resent": resent, "next_since": page.reached()}));
        }
        start = page.next;
        if start.is_none() {
            return Response::json(202, &json!({"resent": resent}));
        }
    }
}

/// Whether there is time for more: writes of one request must not be older than a few seconds.
fn has_time(act: &Act<'_>) -> bool {
    let age = act.app.clock.now().millis() - act.request.now.millis();
    act.request.deadline.remaining() > RESERVE && age < OLDEST_MS
}
