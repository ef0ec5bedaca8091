//! What becomes of a ticket.

use std::time::Duration;

use domain::{Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointState, Timestamp};
use platform::handler::App;
use platform::lambda::RunBudget;
use platform::outbound::ATTEMPTS;
use platform::queue::{LONGEST_POSTPONEMENT, Ticket};
use platform::store::Settled;

use crate::attempt::attempt;
use crate::endpoint::{Reason, disable};
use crate::text;

/// What is to be done with the ticket.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Nothing is left to do.
    Finished,
    /// It has to come again after this time.
    Later(Duration),
}

/// How soon to look again at what waits for its endpoint to be active, at the earliest and at the latest. It is sent on when
/// that happens; this is for what was published in the same moment, for what is older, and for when it never happens.
const HELD_MS: (i64, i64) = (900_000, 3_600_000);

/// Delivers, if there is something to deliver and it is due.
pub(crate) async fn deliver(app: &App, time: RunBudget, ticket: &Ticket) -> Result<Next, String> {
    let (id, owner) = (&ticket.webhook_id, &ticket.owner);
    let found = app.store.delivery_with_endpoint(time.op(app), id, owner, &ticket.endpoint_id).await;
    let (delivery, message, endpoint) = found.map_err(text)?;
    // Whatever is not there any more was forgotten after its time.
    let (Some(delivery), Some(message)) = (delivery, message) else { return Ok(Next::Finished) };
    if delivery.state != DeliveryState::Pending {
        return Ok(Next::Finished);
    }
    let endpoint = match endpoint {
        Some(endpoint) if endpoint.state == EndpointState::Disabled => {
            return give_up(app, time, &delivery, DeliveryState::EndpointDisabled).await;
        }
        Some(endpoint) if endpoint.state != EndpointState::Deleted => endpoint,
        _ => return give_up(app, time, &delivery, DeliveryState::Aborted).await,
    };
    if delivery.purpose == DeliveryPurpose::Challenge {
        // It was answered, or another one took its place.
        if !endpoint.awaits_challenge_from(delivery.created_at) {
            return give_up(app, time, &delivery, DeliveryState::Aborted).await;
        }
    } else if endpoint.state == EndpointState::Pending {
        return hold(app, time, &endpoint, &delivery).await;
    }
    match delivery.next_at.and_then(|due| until(due, app.clock.now())) {
        Some(wait) => Ok(next(wait)),
        // The last attempt died without a word.
        None if delivery.attempt >= ATTEMPTS => {
            if delivery.purpose == DeliveryPurpose::Challenge {
                disable(app, time, &endpoint, Reason::ChallengeFailed).await?;
            }
            give_up(app, time, &delivery, DeliveryState::Exhausted).await
        }
        None => attempt(app, time, &endpoint, &delivery, &message).await,
    }
}

/// Keeps what waits for its endpoint to be active: each time about as long as it has waited for that already.
async fn hold(app: &App, time: RunBudget, endpoint: &Endpoint, delivery: &Delivery) -> Result<Next, String> {
    let attempt = time.op(app);
    let since = delivery.created_at.max(endpoint.pending_since);
    let waited = attempt.occurred_at.millis() - since.millis();
    let until = attempt.occurred_at.plus_millis(waited.clamp(HELD_MS.0, HELD_MS.1));
    app.store.keep(attempt, delivery, until).await.map(|_| Next::Finished).map_err(text)
}

/// What is to be done with the ticket of something that is due after a while.
pub(crate) fn next(wait: Duration) -> Next {
    // Beyond this it waits in the table, which brings a new ticket.
    if wait > LONGEST_POSTPONEMENT { Next::Finished } else { Next::Later(wait) }
}

/// The time until then, if it is not over.
pub(crate) fn until(due: Timestamp, now: Timestamp) -> Option<Duration> {
    u64::try_from(due.millis() - now.millis()).ok().filter(|wait| *wait > 0).map(Duration::from_millis)
}

async fn give_up(app: &App, time: RunBudget, delivery: &Delivery, state: DeliveryState) -> Result<Next, String> {
    let settled = Settled { state, next_at: None, last: None };
    let settled = app.store.settle(time.op(app), delivery, &settled).await;
    settled.map(|_| Next::Finished).map_err(text)
}
