//! Decides what a ticket's delivery needs.

use domain::{Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointState};
use platform::lambda::RunBudget;
use platform::outbound::ATTEMPTS;
use platform::queue::Ticket;
use platform::store::Settled;

use crate::attempt::attempt;
use crate::deliverer::{Deliverer, DeliveryError};
use crate::endpoint::{Reason, disable};
use crate::next::{Next, until};

/// The shortest and longest time after which a delivery to a pending endpoint is checked again. Deliveries are normally
/// released when the endpoint becomes active. The check covers those that were missed, and endpoints that never become active.
const HOLD_MS: (i64, i64) = (900_000, 3_600_000);

/// Makes an attempt if the delivery is due and its endpoint is active.
pub(crate) async fn deliver(deliverer: &Deliverer, budget: RunBudget, ticket: &Ticket) -> Result<Next, DeliveryError> {
    let (id, owner) = (&ticket.webhook_id, &ticket.owner);
    let found = deliverer.store.delivery_with_endpoint(deliverer.op(budget), id, owner, &ticket.endpoint_id).await?;
    // Deliveries and messages are deleted after their retention time.
    let (Some(delivery), Some(message), endpoint) = found else { return Ok(Next::Finished) };
    if delivery.state != DeliveryState::Pending {
        return Ok(Next::Finished);
    }
    let endpoint = match endpoint {
        Some(endpoint) if endpoint.state == EndpointState::Disabled => {
            return finish(deliverer, budget, &delivery, DeliveryState::EndpointDisabled).await;
        }
        Some(endpoint) if endpoint.state != EndpointState::Deleted => endpoint,
        _ => return finish(deliverer, budget, &delivery, DeliveryState::Aborted).await,
    };
    if delivery.purpose == DeliveryPurpose::Challenge {
        // The challenge was answered, or a newer one replaced it.
        if !endpoint.awaits_challenge_from(delivery.created_at) {
            return finish(deliverer, budget, &delivery, DeliveryState::Aborted).await;
        }
    } else if endpoint.state == EndpointState::Pending {
        return hold(deliverer, budget, &endpoint, &delivery).await;
    }
    match delivery.next_at.and_then(|due| until(due, deliverer.clock.now())) {
        Some(wait) => Ok(Next::after(wait)),
        // The last attempt was claimed, but its result was never stored.
        None if delivery.attempt >= ATTEMPTS => exhaust(deliverer, budget, &endpoint, &delivery).await,
        None => attempt(deliverer, budget, &endpoint, &delivery, &message).await,
    }
}

async fn exhaust(
    deliverer: &Deliverer,
    budget: RunBudget,
    endpoint: &Endpoint,
    delivery: &Delivery,
) -> Result<Next, DeliveryError> {
    if delivery.purpose == DeliveryPurpose::Challenge {
        disable(deliverer, budget, endpoint, Reason::ChallengeFailed).await?;
    }
    finish(deliverer, budget, delivery, DeliveryState::Exhausted).await
}

/// Keeps a delivery in the table while its endpoint is pending. Each hold lasts about as long as the delivery has waited.
async fn hold(
    deliverer: &Deliverer,
    budget: RunBudget,
    endpoint: &Endpoint,
    delivery: &Delivery,
) -> Result<Next, DeliveryError> {
    let op = deliverer.op(budget);
    let since = delivery.created_at.max(endpoint.pending_since);
    let waited = op.occurred_at.millis() - since.millis();
    let until = op.occurred_at.plus_millis(waited.clamp(HOLD_MS.0, HOLD_MS.1));
    deliverer.store.keep(op, delivery, until).await?;
    Ok(Next::Finished)
}

/// Ends a delivery without another attempt.
async fn finish(
    deliverer: &Deliverer,
    budget: RunBudget,
    delivery: &Delivery,
    state: DeliveryState,
) -> Result<Next, DeliveryError> {
    let settled = Settled { state, next_at: None, last: None };
    deliverer.store.settle(deliverer.op(budget), delivery, &settled).await?;
    Ok(Next::Finished)
}
