//! What an event causes in addition to its delivery: a challenge, or the release of deliveries that waited.

use domain::{Delivery, EndpointState, Event, EventType, Owner, Recipient};
use futures_util::future::try_join_all;
use platform::handler::views::other_message;
use platform::lambda::JobError;
use platform::store::{Marked, StoreError};
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
        EventType::EndpointActivated => match recipient_of(run, event).await? {
            Some(recipient) => release(run, &recipient).await,
            None => Ok(()),
        },
        EventType::PartnerResumed => release_all(run, event).await,
        _ => Ok(()),
    }
}

/// Sends a challenge to an endpoint that became pending.
async fn challenge(run: &Run<'_>, event: &Event) -> Result<(), Fault> {
    let Some(recipient) = recipient_of(run, event).await? else { return Ok(()) };
    let (period, endpoint) = (recipient.period(), recipient.endpoint);
    // If it became pending again, a later event calls for the challenge.
    if endpoint.state != EndpointState::Pending || endpoint.period != event.sequence {
        return Ok(());
    }
    let id = endpoint.challenge_id(event.sequence);
    let purpose = domain::DeliveryPurpose::Challenge;
    let message = other_message(purpose, &id, &endpoint.endpoint_id, event.occurred_at).map_err(Poison::from)?;
    let now = run.publisher.clock.now();
    run.begin(&message, &[Delivery::challenge(id, endpoint.endpoint_id, endpoint.owner, period, now)]).await
}

/// Releases what waited while a partner was suspended.
async fn release_all(run: &Run<'_>, event: &Event) -> Result<(), Fault> {
    let Some(owner) = event.subject.partner_id.clone().map(Owner::Partner) else { return Ok(()) };
    let (endpoints, _) = run.publisher.store.endpoints_of(run.op(), &owner).await?;
    for endpoint in endpoints {
        if let Some(recipient) = run.publisher.store.recipient(run.op(), &owner, &endpoint.endpoint_id).await? {
            release(run, &recipient).await?;
        }
    }
    Ok(())
}

/// Makes all deliveries due that wait for a recipient, oldest first, and sends their tickets. If time runs out, the event is
/// published again. What is released already does not wait any more.
async fn release(run: &Run<'_>, recipient: &Recipient) -> Result<(), Fault> {
    let (store, period) = (&run.publisher.store, recipient.period());
    let mut start = None;
    loop {
        let page = store.waiting_for(run.op(), &recipient.endpoint.endpoint_id, start).await?;
        let waits = |one: &&Delivery| one.period != Some(period) && !recipient.holds(one.purpose);
        let op = run.op();
        let released = page.deliveries.iter().filter(waits).map(|one| store.release(op, one, period));
        let released: Vec<Marked> = try_join_all(released).await?.into_iter().flatten().collect();
        run.make_tickets(&released).await?;
        start = page.next;
        if start.is_none() {
            return Ok(());
        }
        if !run.budget.is_left() {
            return Err(Fault::Retry(JobError::OutOfTime));
        }
    }
}

async fn recipient_of(run: &Run<'_>, event: &Event) -> Result<Option<Recipient>, StoreError> {
    let (Some(owner), Some(id)) = (Owner::recipients_of(event).next(), &event.subject.endpoint_id) else {
        return Ok(None);
    };
    run.publisher.store.recipient(run.op(), &owner, id).await
}
