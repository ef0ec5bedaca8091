//! Decides what a ticket's delivery needs.

use std::time::Duration;

use domain::clock_budget::{CLOCK_SKEW, INDEX_LAG};
use domain::{Delivery, DeliveryPurpose, DeliveryState, EndpointState};
use platform::lambda::RunBudget;
use platform::outbound::{ATTEMPTS, CHALLENGE_ATTEMPTS};
use platform::queue::Ticket;
use platform::store::{Incoming, Settled};

use crate::attempt::attempt;
use crate::deliverer::{Deliverer, DeliveryError};
use crate::next::{Next, until};

/// A release finds what waits in an index, which may not show a delivery yet that begins to wait. So its ticket comes once
/// more, after the index shows it.
const LOOK_AGAIN: Duration = INDEX_LAG.saturating_add(CLOCK_SKEW);

/// Makes an attempt if the delivery is due and its recipient can receive it.
pub(crate) async fn deliver(deliverer: &Deliverer, budget: RunBudget, ticket: &Ticket) -> Result<Next, DeliveryError> {
    let (id, owner) = (&ticket.webhook_id, &ticket.owner);
    let incoming = deliverer.store.incoming(deliverer.op(budget), id, owner, &ticket.endpoint_id).await?;
    let Incoming { delivery: Some(delivery), message, recipient } = incoming else { return Ok(Next::Finished) };
    if delivery.state != DeliveryState::Pending {
        return Ok(Next::Finished);
    }
    // A message may be deleted before its deliveries, and an endpoint's item is only missing if it never existed.
    let (Some(message), Some(recipient)) = (message, recipient) else {
        return finish(deliverer, budget, &delivery, DeliveryState::Aborted).await;
    };
    match recipient.endpoint.state {
        EndpointState::Disabled => return finish(deliverer, budget, &delivery, DeliveryState::EndpointDisabled).await,
        EndpointState::Deleted => return finish(deliverer, budget, &delivery, DeliveryState::Aborted).await,
        EndpointState::Pending | EndpointState::Active => {}
    }
    let is_challenge = delivery.purpose == DeliveryPurpose::Challenge;
    // The challenge was answered, or a newer one replaced it.
    if is_challenge && !recipient.endpoint.awaits_challenge_of(delivery.period) {
        return finish(deliverer, budget, &delivery, DeliveryState::Aborted).await;
    }
    if let Some(wait) = delivery.next_at.and_then(|due| until(due, deliverer.clock.now())) {
        return Ok(Next::after(wait));
    }
    if recipient.holds(delivery.purpose) {
        return hold(deliverer, budget, &delivery).await;
    }
    // The last attempt was claimed, but its result was never stored.
    if delivery.attempt >= if is_challenge { CHALLENGE_ATTEMPTS } else { ATTEMPTS } {
        return finish(deliverer, budget, &delivery, DeliveryState::Exhausted).await;
    }
    attempt(deliverer, budget, &recipient, &delivery, &message).await
}

/// Keeps a delivery in the table while its endpoint is pending or its partner is suspended. Both end with an event, which
/// releases the delivery.
async fn hold(deliverer: &Deliverer, budget: RunBudget, delivery: &Delivery) -> Result<Next, DeliveryError> {
    if delivery.next_at.is_none() {
        return Ok(Next::Finished);
    }
    deliverer.store.hold(deliverer.op(budget), delivery).await?;
    Ok(Next::Later(LOOK_AGAIN))
}

/// Ends a delivery without another attempt.
async fn finish(
    deliverer: &Deliverer,
    budget: RunBudget,
    delivery: &Delivery,
    state: DeliveryState,
) -> Result<Next, DeliveryError> {
    let settled = Settled { state, next_at: None, last: None, is_uncounted: false };
    deliverer.store.settle(deliverer.op(budget), delivery, &settled).await?;
    Ok(Next::Finished)
}
