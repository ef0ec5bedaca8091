//! What an attempt's outcome means for its delivery and its endpoint.

use std::time::Duration;

use domain::{Delivery, DeliveryPurpose, DeliveryState, Endpoint, LastAttempt, Timestamp};
use platform::outbound::{Attempted, DISABLE_AFTER, DeliveryWish, Outcome, next_wait};
use platform::store::{Health, Settled};

use crate::deliverer::Deliverer;
use crate::endpoint::Reason;

pub(crate) struct Verdict {
    pub(crate) settled: Settled,
    pub(crate) health: Health,
    /// Why the endpoint must be disabled.
    pub(crate) disable: Option<Reason>,
}

pub(crate) fn judge(deliverer: &Deliverer, endpoint: &Endpoint, delivery: &Delivery, attempted: &Attempted) -> Verdict {
    let wish = match &attempted.outcome {
        Outcome::Answered(reply) => reply.delivery,
        Outcome::Failed(_) => None,
    };
    let last = last_attempt(attempted);
    if attempted.outcome.is_delivered() {
        let health = if endpoint.failing_since.is_some() { Health::Well } else { Health::Same };
        let disable = (wish == Some(DeliveryWish::Disable)).then_some(Reason::AskedByReceiver);
        return ended(last, DeliveryState::Delivered, health, disable);
    }
    if matches!(&attempted.outcome, Outcome::Answered(reply) if reply.status == 410) {
        return ended(last, DeliveryState::EndpointDisabled, Health::Same, Some(Reason::Gone));
    }
    let challenge = delivery.purpose == DeliveryPurpose::Challenge;
    match wish {
        Some(DeliveryWish::Disable) => {
            ended(last, DeliveryState::EndpointDisabled, Health::Same, Some(Reason::AskedByReceiver))
        }
        // The receiver answers, so the endpoint is not failing. But a receiver that aborts a challenge has failed it.
        Some(DeliveryWish::AbortMessage) => {
            ended(last, DeliveryState::Aborted, Health::Same, challenge.then_some(Reason::ChallengeFailed))
        }
        None => failed(deliverer, endpoint, delivery, attempted, last),
    }
}

/// Schedules the next attempt, if there is one.
fn failed(
    deliverer: &Deliverer,
    endpoint: &Endpoint,
    delivery: &Delivery,
    attempted: &Attempted,
    last: LastAttempt,
) -> Verdict {
    let now = deliverer.clock.now();
    let health = if endpoint.failing_since.is_none() { Health::Failing } else { Health::Same };
    let disable = fails_for_too_long(endpoint, now).then_some(Reason::Failing);
    match next_wait(delivery.attempt, &attempted.outcome, now, &deliverer.random.bytes()) {
        Some(wait) => {
            let next_at = Some(now + wait);
            Verdict { settled: Settled { state: DeliveryState::Pending, next_at, last: Some(last) }, health, disable }
        }
        None if delivery.purpose == DeliveryPurpose::Challenge => {
            ended(last, DeliveryState::Exhausted, health, Some(Reason::ChallengeFailed))
        }
        None => ended(last, DeliveryState::Exhausted, health, disable),
    }
}

fn ended(last: LastAttempt, state: DeliveryState, health: Health, disable: Option<Reason>) -> Verdict {
    Verdict { settled: Settled { state, next_at: None, last: Some(last) }, health, disable }
}

fn fails_for_too_long(endpoint: &Endpoint, now: Timestamp) -> bool {
    let failing = endpoint.failing_since.and_then(|since| u64::try_from(now.millis() - since.millis()).ok());
    failing.is_some_and(|failing| Duration::from_millis(failing) >= DISABLE_AFTER)
}

fn last_attempt(attempted: &Attempted) -> LastAttempt {
    let latency_ms = attempted.latency.as_millis().try_into().unwrap_or(u64::MAX);
    match &attempted.outcome {
        Outcome::Answered(reply) => {
            LastAttempt { status: Some(reply.status), failure: None, latency_ms, excerpt: reply.excerpt.clone() }
        }
        Outcome::Failed(failure) => {
            LastAttempt { status: None, failure: Some(failure.as_str().to_owned()), latency_ms, excerpt: String::new() }
        }
    }
}
