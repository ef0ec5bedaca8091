//! `listen --forward-to` with receivers that fail: an event is sent until it is accepted, and none is skipped silently.

use std::io;
use std::time::Duration;

use local::feed::event::FeedEvent;
use local::feed::forward::{Attempt, Fate, Next};
use local::feed::relay::RelayError;
use platform::outbound::{Failure, Outcome};
use serde_json::json;
use tests::{Call, Customer, Receiver, Reply, World};

use super::{Scratch, relay};

/// A customer with two events in its feed, [`FIRST`] and [`SECOND`].
async fn two_events() -> Option<(World, Customer)> {
    let world = World::with_clock().await?;
    let customer = Customer { tenant_id: world.tenant_id(), key: String::new() };
    let body = json!({"tenant_id": customer.tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
    world.operator(Call::post("/v1/customers", &body)).await.expect(201);
    // Events of the same millisecond have no order.
    world.clock().advance_millis(1);
    let principal = json!({"kind": "customer", "id": customer.tenant_id});
    let body = json!({"principal": principal, "roles": ["global_admin"], "name": "Contoso"});
    let issued = world.operator(Call::post("/v1/keys", &body)).await.expect(201);
    world.clock().advance_millis(12_000);
    let key = issued["key"].as_str()?.to_owned();
    Some((world, Customer { key, ..customer }))
}

const FIRST: &str = "customer.registered";
const SECOND: &str = "key.issued";

/// The reader of the output goes away at the last attempt that a test wants to see.
fn closed() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

/// Forwards until `see` returns false.
async fn forward(
    place: &(World, Customer),
    to: &str,
    scratch: &Scratch,
    attempts: Option<u32>,
    mut see: impl FnMut(&FeedEvent, &Attempt) -> bool,
) -> RelayError {
    let (world, customer) = place;
    let limit = Duration::from_millis(200);
    let mut relay = relay(world.base_url(), &customer.key, to, &scratch.file(), limit, attempts).await;
    let report = |event: &FeedEvent, attempt: &Attempt| if see(event, attempt) { Ok(()) } else { Err(closed()) };
    relay.run(report).await.expect_err("an end")
}

#[tokio::test]
async fn a_receiver_that_hangs_gets_a_time_limit_and_the_event_comes_again() {
    let Some(place) = two_events().await else { return };
    let (receiver, scratch) = (Receiver::start().await, Scratch::new());
    receiver.hold();
    let mut seen = Vec::new();
    forward(&place, receiver.url(), &scratch, None, |event, attempt| {
        seen.push((event.id.to_string(), attempt.result.outcome.clone()));
        if seen.len() == 2 {
            receiver.go_on();
        }
        !attempt.result.outcome.is_delivered()
    })
    .await;
    assert!(seen.len() > 2);
    assert_eq!(seen[0].1, Outcome::Failed(Failure::Timeout));
    assert!(seen.iter().all(|(id, _)| *id == seen[0].0), "{seen:?}");
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let Some(place) = two_events().await else { return };
    let (receiver, other, scratch) = (Receiver::start().await, Receiver::start().await, Scratch::new());
    let location = other.url().to_owned();
    receiver.answer(move |_, _| Reply::status(307).header("location", &location));
    let mut numbers = Vec::new();
    forward(&place, receiver.url(), &scratch, None, |_, attempt| {
        assert!(matches!(attempt.next, Next::Retry(_)), "{attempt:?}");
        numbers.push(attempt.number);
        numbers.len() < 3
    })
    .await;
    assert_eq!(numbers, [1, 2, 3]);
    assert!(other.arrived().is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_until_it_is() {
    let Some(place) = two_events().await else { return };
    let scratch = Scratch::new();
    let mut seen = 0;
    // Nothing can listen on this port.
    forward(&place, "http://127.0.0.1:1/", &scratch, None, |_, attempt| {
        assert_eq!(attempt.result.outcome, Outcome::Failed(Failure::Connect));
        seen += 1;
        seen < 4
    })
    .await;
    let receiver = Receiver::start().await;
    let mut delivered = Vec::new();
    forward(&place, receiver.url(), &scratch, None, |event, attempt| {
        assert_eq!(attempt.next, Next::End(Fate::Delivered));
        delivered.push(event.kind.clone());
        delivered.len() < 2
    })
    .await;
    assert_eq!(delivered, [FIRST, SECOND]);
}

#[tokio::test]
async fn with_a_limit_an_event_is_given_up_visibly_and_the_next_one_follows() {
    let Some(place) = two_events().await else { return };
    let (receiver, scratch) = (Receiver::start().await, Scratch::new());
    receiver.answer(|_, _| Reply::status(500));
    let mut seen = Vec::new();
    forward(&place, receiver.url(), &scratch, Some(2), |event, attempt| {
        seen.push((event.kind.clone(), attempt.number, matches!(attempt.next, Next::End(Fate::GivenUp))));
        seen.len() < 4
    })
    .await;
    let seen: Vec<_> = seen.iter().map(|(kind, number, end)| (kind.as_str(), *number, *end)).collect();
    assert_eq!(seen, [(FIRST, 1, false), (FIRST, 2, true), (SECOND, 1, false), (SECOND, 2, true)]);
}

#[tokio::test]
async fn after_a_restart_in_the_middle_of_a_page_no_accepted_event_comes_again() {
    let Some(place) = two_events().await else { return };
    let (receiver, scratch) = (Receiver::start().await, Scratch::new());
    let mut kinds = Vec::new();
    forward(&place, receiver.url(), &scratch, None, |event, _| {
        kinds.push(event.kind.clone());
        // The output closes after the first event.
        false
    })
    .await;
    assert_eq!(kinds, [FIRST]);
    forward(&place, receiver.url(), &scratch, None, |event, _| {
        kinds.push(event.kind.clone());
        false
    })
    .await;
    assert_eq!(kinds, [FIRST, SECOND]);
}

#[tokio::test]
async fn a_receiver_that_wants_no_more_ends_it_and_keeps_the_event() {
    let Some(place) = two_events().await else { return };
    let (receiver, scratch) = (Receiver::start().await, Scratch::new());
    receiver.answer(|_, _| Reply::status(410));
    let error = forward(&place, receiver.url(), &scratch, None, |_, _| true).await;
    assert!(matches!(error, RelayError::Disabled), "{error}");
    receiver.answer(|_, _| Reply::status(400).header("webhook-delivery", "abort-message"));
    let mut fates = Vec::new();
    forward(&place, receiver.url(), &scratch, None, |event, attempt| {
        fates.push((event.kind.clone(), attempt.next));
        fates.len() < 2
    })
    .await;
    let aborted = Next::End(Fate::Aborted);
    assert_eq!(fates, [(FIRST.to_owned(), aborted), (SECOND.to_owned(), aborted)]);
}
