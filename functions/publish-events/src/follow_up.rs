//! What an endpoint's own events cause in addition to their delivery.

use domain::clock_budget::EVENT_LATENESS;
use domain::{Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointState, Event, EventType, Owner};
use platform::handler::views::other_message;
use platform::queue::Ticket;
use platform::store::StoreError;
use serde_json::Value;

use crate::fault::{Fault, Poison};
use crate::run::Run;

pub(crate) async fn follow_up(run: &Run<'_>, event: &Event) -> Result<(), Fault> {
    match event.event_type {
        EventType::EndpointCreated | EventType::EndpointUpdated
            if event.data.get("state").and_then(Value::as_str) == Some(EndpointState::Pending.as_str()) =>
        {
            challenge(run, event).await
        }
        EventType::EndpointActivated => release(run, event).await,
        _ => Ok(()),
    }
}

/// Sends a challenge to an endpoint that became pending.
async fn challenge(run: &Run<'_>, event: &Event) -> Result<(), Fault> {
    let Some(endpoint) = endpoint_of(run, event).await? else { return Ok(()) };
    if endpoint.state != EndpointState::Pending {
        return Ok(());
    }
    let id = endpoint.challenge_id(event.sequence);
    let message = other_message(DeliveryPurpose::Challenge, &id, &endpoint.endpoint_id, event.occurred_at);
    let message = message.map_err(Poison::from)?;
    let now = run.publisher.clock.now();
    let (purpose, owner) = (DeliveryPurpose::Challenge, endpoint.owner);
    run.begin(&message, &[Delivery::new(id.into(), endpoint.endpoint_id, owner, purpose, now)]).await
}

/// Sends tickets for the deliveries that waited until the endpoint became active. If time runs out, the sweep sends the rest.
async fn release(run: &Run<'_>, event: &Event) -> Result<(), Fault> {
    let Some(endpoint) = endpoint_of(run, event).await? else { return Ok(()) };
    // The clocks of two functions differ a little.
    let since = endpoint.pending_since - EVENT_LATENESS;
    let waiting = &[DeliveryState::Pending];
    let mut start = None;
    while run.budget.is_left() {
        let page = run.publisher.store.deliveries_since(run.op(), &endpoint.endpoint_id, since, waiting, start).await?;
        run.send(page.deliveries.iter().map(Ticket::from).collect()).await?;
        start = page.next;
        if start.is_none() {
            break;
        }
    }
    Ok(())
}

async fn endpoint_of(run: &Run<'_>, event: &Event) -> Result<Option<Endpoint>, StoreError> {
    let (Some(owner), Some(id)) = (Owner::recipients_of(event).next(), &event.subject.endpoint_id) else {
        return Ok(None);
    };
    run.publisher.store.endpoint(run.op(), &owner, id).await
}
